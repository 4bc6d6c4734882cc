"""The archive actor: the mailbox as a silent member of rooms, which are kept within retention and quota.

Pubsub joins the rooms, sync makes them complete and serves them; here is decided which ones, and how much stays.
Mail goes first: rooms have their own limits, and a disk that is full makes the rooms wait, not the other way round.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.errors import ActorError, P2pchatError, RequestRejectedError
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.archive_trimmer import ArchiveTrimmer
from p2pchat.relay_mailbox.archives import Archives
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.refusal import Refusal
from p2pchat.relay_mailbox.tally import Tally

log = logging.getLogger(__name__)

TIDY_EVERY = (540.0, 660.0)  # seconds between looks at retention and quota, drawn anew each time
# Of `archive_bytes`: so much that was said since the last look calls for the next one.
GROWTH = 1 / 16
LOOK_EVERY = 60.0  # seconds between looks whether the mailbox is in its rooms and in no others
RETRY = 10.0  # seconds until what did not work is tried again
PART_DEADLINE = 2.0  # seconds that pubsub and storage have for their part of a description


class ArchiveActor(Actor):
    """Asks pubsub, storage and the mail store; nothing that they ask comes here, so that nobody waits in a circle."""

    mailbox_size = 256  # letters; clients wait for space, and news of what was said is dropped

    def __init__(
        self,
        config: MailboxConfig,
        *,
        pubsub: ActorRef,
        storage: ActorRef,
        mail_storage: ActorRef,
        now_ms: Callable[[], int],
        tally: Tally,
        rng: random.Random,
    ) -> None:
        """`storage` keeps the rooms, `mail_storage` who wants them; `now_ms` is the wall clock (Unix ms)."""
        self._config = config
        self._pubsub = pubsub
        self._mail_storage = mail_storage
        self._now_ms = now_ms
        self._tally = tally
        self._rng = rng
        self._archives = Archives(config)
        self._trimmer = ArchiveTrimmer(config, storage, now_ms, tally)
        self._changing = trio.Lock()  # one change of the records after the other
        self._doors = Bell()  # rooms may have to be joined or left
        self._broom = Bell()  # rooms may have grown too large
        self._grown = 0  # bytes said since the last look
        self._in_rooms: set[str] = set()  # as pubsub said last
        self._doorway = trio.Lock()  # no room is joined while something is being deleted
        self._complaints: dict[str, str] = {}  # what the log has heard, by task

    async def started(self) -> None:
        stored = await self._mail_storage.request(actors.ReadRegistry(), actors.RegistryRecords)
        await self._settle(self._archives.load(stored, self._now_ms()))
        self.spawn(self._keep_membership, name="archived rooms")
        self.spawn(self._keep_tidy, name="archive limits")

    # ---- what clients want ------------------------------------------------------------------------

    @handles(actors.AskForArchive)
    async def _ask(self, question: actors.AskForArchive) -> Message:
        async with self._changing:
            answer = self._archives.ask(question.peer, question.archive, self._now_ms())
            if isinstance(answer, Refusal):
                self._tally.refused(answer)
                refused = answer.reply(mailbox.Refused.ARCHIVE)
                return mailbox.MailboxReply(refused=refused)
            try:
                await self._store(answer)
            except P2pchatError as error:
                return rejection_of(error)
        self._doors.ring()
        return mailbox.MailboxReply(archived=self._archives.terms(question.archive.room))

    @handles(actors.EndWishes)
    async def _end_wishes(self, command: actors.EndWishes) -> None:
        async with self._changing:
            await self._settle(self._archives.end_wishes({command.peer}, self._now_ms()))
        self._doors.ring()

    async def _store(self, change: actors.ChangeRegistry) -> None:
        """On the disk first: what a client is told must hold."""
        if change.ByteSize():
            await self._mail_storage.request(change, actors_pb2.Done)
            self._archives.apply(change)

    async def _settle(self, change: actors.ChangeRegistry) -> None:
        """What follows from something that is on the disk already: it holds, and the next start finds it again."""
        try:
            await self._store(change)
        except RequestRejectedError as error:
            log.debug("archived rooms were not saved: %s", error)
            self._archives.apply(change)

    # ---- being in the rooms -----------------------------------------------------------------------

    async def _keep_membership(self) -> None:
        while True:
            wait = LOOK_EVERY
            try:
                async with self._doorway:
                    await self._leave_rooms()
                    await self._join_rooms()
                self._complaints.pop("rooms", None)
            except (RequestRejectedError, ActorError) as error:
                self._complain("rooms", f"a room cannot be joined or left now: {error}")
                wait = RETRY
            await self._doors.wait_until(trio.current_time() + wait)

    async def _leave_rooms(self) -> None:
        listed = await self._pubsub.ask(actors_pb2.ListRooms(), actors_pb2.RoomList)
        self._in_rooms = {room.name for room in listed.rooms}
        for room in self._in_rooms - set(self._archives.wanted()):
            await self._pubsub.ask(actors_pb2.LeaveRoom(room=room), actors_pb2.RoomLeft)
            self._in_rooms.discard(room)

    async def _join_rooms(self) -> None:
        """All that can be joined; raises what the last of the others has raised."""
        problem: Exception | None = None
        for room in self._archives.wanted():
            if room not in self._in_rooms:
                try:
                    await self._trimmer.prepare(room)
                    await self._pubsub.ask(actors_pb2.JoinRoom(room=room), actors_pb2.RoomJoined)
                    self._in_rooms.add(room)
                except (RequestRejectedError, ActorError) as error:
                    problem = error
        if problem is not None:
            raise problem

    # ---- retention and quota ----------------------------------------------------------------------

    @handles(actors.TrimArchives)
    async def _trim(self, _: actors.TrimArchives) -> actors_pb2.Done:
        self._broom.ring()
        return actors_pb2.Done()

    @handles(actors_pb2.RoomMessagesArrived)
    async def _arrived(self, arrived: actors_pb2.RoomMessagesArrived) -> None:
        """Between two looks a room grows by a part of its quota at most."""
        self._grown += arrived.ByteSize()
        if self._grown >= GROWTH * self._config.archive_bytes:
            self._grown = 0
            self._broom.ring()

    async def _keep_tidy(self) -> None:
        while True:
            try:
                self._grown = 0
                await self._delete_unwanted()
                await self._trimmer.trim()
                self._complaints.pop("limits", None)
            except (RequestRejectedError, ActorError) as error:
                what = f"archived rooms cannot be kept within their limits now: {error}"
                self._complain("limits", what)
            pause = self._rng.uniform(*TIDY_EVERY)
            await self._broom.wait_until(trio.current_time() + pause)

    async def _delete_unwanted(self) -> None:
        stored = await self._trimmer.usages()
        async with self._changing:
            await self._store(self._archives.adopt(stored, self._now_ms()))
        most = self._config.archive_bytes  # what is above that is trimmed in any case
        together = sum(min(usage.bytes, most) for usage in stored.values())
        crowded = together > self._config.max_archive_bytes
        for room in self._archives.to_delete(self._now_ms(), crowded=crowded):
            await self._delete(room)

    async def _delete(self, room: str) -> None:
        async with self._doorway:
            if self._archives.is_wanted(room) or room in self._in_rooms:
                return  # wanted again, or not left yet: next time
            await self._trimmer.delete(room)
            async with self._changing:
                await self._store(self._archives.deleted(room))

    def _complain(self, task: str, what: str) -> None:
        """Once, until it goes well again: a full disk stays full for long."""
        if what != self._complaints.get(task):
            log.warning("%s", what)
            self._complaints[task] = what

    # ---- the operator -----------------------------------------------------------------------------

    @handles(actors.DescribeArchives)
    async def _describe(self, _: actors.DescribeArchives) -> actors.ArchiveReport:
        usages, rooms = await self._usages(), await self._rooms()
        report = actors.ArchiveReport(archives=self._archives.describe())
        for described in report.archives:
            room = described.usage.room
            if room in usages:
                described.usage.CopyFrom(usages[room])
            if room in rooms:
                described.joined = True
                described.members = len(rooms[room].subscribers)
        return report

    async def _usages(self) -> dict[str, actors_pb2.RoomUsage]:
        """Nothing when the storage does not answer."""
        try:
            with trio.fail_after(PART_DEADLINE):
                return await self._trimmer.usages()
        except (RequestRejectedError, ActorError, trio.TooSlowError):
            return {}

    async def _rooms(self) -> dict[str, actors_pb2.Room]:
        """Nothing when pubsub does not answer."""
        try:
            with trio.fail_after(PART_DEADLINE):
                listed = await self._pubsub.request(actors_pb2.ListRooms(), actors_pb2.RoomList)
        except (RequestRejectedError, ActorError, trio.TooSlowError):
            return {}
        return {room.name: room for room in listed.rooms}
