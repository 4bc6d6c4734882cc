"""What comes into one room, by gossip and by sync: saved first, then shown in an order that makes sense."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import compress

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.patience import find_patiently
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol.room_message import ACCEPT_AHEAD_MS, is_alteration
from p2pchat.node.protocol.rooms import IGNORED, Room
from p2pchat.node.protocol.timeline import Step, Timeline
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

RETRY_SAVE = 1.0  # seconds until received messages that the store refused are tried again
GAP_TRIES = 3  # members that are asked for what is missing until it is given up
STIR_PAUSE = 5.0  # seconds between two words to sync that something was said
BUSY = 1.0  # seconds since the last gossip in which a room counts as busy
RECENT_MS = 10_000  # of Lamport time: what is newer may still be on its way by gossip
SETTLING = 30.0  # seconds after joining in which a first comparison should have come to its end
MAX_IDS = 1_000  # in one question to the store
MAX_RESTATED = (
    1_024  # messages that are known to be altered, so that they are read anew when they are shown
)

Name = tuple[bytes, bytes]  # sender and id of a message


def _nobody(_: bytes) -> bool:
    return False


class Intake:
    """Of one room. One call after the other, or what is shown would stand in another order than it is known."""

    def __init__(
        self,
        room: Room,
        timeline: Timeline,
        *,
        storage: ActorRef,
        ui: ActorRef,
        sync: ActorRef,
        now_ms: Callable[[], int],
        author: bytes = b"",
        is_blocked: Callable[[bytes], bool] = _nobody,
    ) -> None:
        """`author` is the own binary peer id: of what it says nothing is unread. What blocked ones say is kept, for the
        room would else be fetched from others again and again, and is not shown."""
        self._room = room
        self._author = author
        self._is_blocked = is_blocked
        self._restated: dict[Name, None] = {}  # the newest that were altered, shown yet or not
        self._timeline = timeline
        self._storage = storage
        self._ui = ui
        self._sync = sync
        self._now_ms = now_ms
        self._turn = trio.Lock()
        self._compared = False  # once with somebody
        self._opened_at = trio.current_time()
        self._tries = 0
        self._clock_doubted = False
        self._gossip_at = -BUSY
        self._stirred_at = -STIR_PAUSE
        self._source = ""  # of the last messages: who wrote them knows what comes before them

    def due(self) -> float | None:
        return self._timeline.due()

    async def gossip(self, good: Sequence[records.RoomRecord], source: str) -> None:
        """Messages without a flaw, as they came from `source`."""
        self._gossip_at = trio.current_time()
        new = await self._keep(good)
        if not new:
            return
        self._mind_clock(new)
        async with self._turn:
            if self._room.plain:
                await self._show(new)
                return
            unknown = await self._unknown(self._timeline.unsure(new))
            self._source = source
            self._stir()
            await self._carry_out(self._timeline.arrived(new, unknown, trio.current_time()))

    async def synced(self, messages: Sequence[wire.RoomMessage]) -> int:
        """Good messages that another member had; how many were new."""
        await self._let_gossip_pass(messages)
        now_ms = self._now_ms()
        found = [records.RoomRecord(message=each, received_at_ms=now_ms) for each in messages]
        new = await self._keep(found, patiently=False)
        if new:
            self._stir()  # what one of us lacked, others may lack
        async with self._turn:
            await self._carry_out(self._timeline.synced(new, trio.current_time()))
            return len(new)

    async def posted(self, own: Sequence[records.RoomRecord]) -> None:
        """Own messages, saved."""
        async with self._turn:
            if self._room.plain:
                await self._show(own)
            else:
                self._stir()
                await self._carry_out(self._timeline.posted(own, trio.current_time()))

    async def _let_gossip_pass(self, messages: Sequence[wire.RoomMessage]) -> None:
        """What was said a moment ago is most likely on its way by gossip, which keeps the order of a burst."""
        recent = self._room.clock - RECENT_MS
        wanted = any(self._timeline.waits_for(each.id) for each in messages)
        quiet = trio.current_time() > self._gossip_at + BUSY
        if not wanted and not quiet and any(each.lamport > recent for each in messages):
            await trio.sleep(BUSY)

    def _stir(self) -> None:
        now = trio.current_time()
        if now >= self._stirred_at + STIR_PAUSE:
            self._stirred_at = now
            self._sync.offer(actors.RoomStirred(room=self._room.name))

    async def expire(self) -> None:
        async with self._turn:
            await self._carry_out(self._timeline.expire(trio.current_time()))

    async def flush(self) -> None:
        async with self._turn:
            await self._carry_out(self._timeline.flush(trio.current_time()))

    async def compared(self, began: float) -> None:
        """A comparison with a member that began then has come to its end."""
        async with self._turn:
            if self._compared and self._timeline.missing and self._tries < GAP_TRIES:
                self._tries += 1
                self._sync.offer(actors.RoomGapFound(room=self._room.name))
                return
            step = self._timeline.compared(trio.current_time(), since=began)
            await self._carry_out(step)
            self._compared = True

    async def _carry_out(self, step: Step) -> None:
        if step.late:
            await self._show(step.late, late=True)
        if step.show:
            await self._show(step.show)
        if step.ask:
            self._tries = 0
            self._sync.offer(actors.RoomGapFound(room=self._room.name, peer=self._source))
        if step.gap is not None and (self._is_settled() or not step.gap.missing):
            self._ui.offer(step.gap)

    def _is_settled(self) -> bool:
        """Before that, what is missing is what was said before we came: nothing to tell."""
        return self._compared or trio.current_time() > self._opened_at + SETTLING

    def _mind_clock(self, new: Sequence[records.RoomRecord]) -> None:
        """What is said now is not dated days back: then it is our clock that is ahead, and nobody hears us."""
        if self._clock_doubted or self._room.plain:
            return
        if all(r.message.lamport + ACCEPT_AHEAD_MS < self._now_ms() for r in new):
            self._clock_doubted = True
            text = (
                f"What is said in #{self._room.name} is dated days ago. Is the clock of this computer right? "
                "If it is ahead, the others do not see what you say."
            )
            self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    # ---- store and screen ---------------------------------------------------------------------------

    async def _keep(
        self, good: Sequence[records.RoomRecord], *, patiently: bool = True
    ) -> list[records.RoomRecord]:
        """Those that were new. Without patience it raises what the store answers."""
        save = self._save_patiently if patiently else self.save
        for record in good:
            sender = record.message.sender
            record.unseen = not (
                sender == self._author or self._is_blocked(sender) or is_alteration(record.message)
            )
        fresh = await save(good)
        new = [record for record, is_fresh in zip(good, fresh, strict=True) if is_fresh]
        self._room.counts["received"] += len(new)
        self._room.counts["duplicates"] += len(good) - len(new)
        self._room.accept(new, self._now_ms())
        return new

    async def _save_patiently(self, received: Sequence[records.RoomRecord]) -> Sequence[bool]:
        """A full disk or a restarting store must not lose what others said: keep trying."""
        while True:
            try:
                return await self.save(received)
            except (RequestRejectedError, ActorError) as error:
                log.warning("received messages wait for the store: %s", error)
                await trio.sleep(RETRY_SAVE)

    async def save(self, to_save: Sequence[records.RoomRecord]) -> Sequence[bool]:
        """Without a deadline: a save that was given up would be carried out all the same, and what it saved
        would count as known, and never be shown."""
        saved = await self._storage.request(
            actors.SaveRoomMessages(records=to_save), actors.RoomMessagesSaved
        )
        self._restate(_name(record) for record in compress(to_save, saved.altered))
        return saved.fresh

    async def _unknown(self, ids: Sequence[bytes]) -> Sequence[bytes]:
        unknown: list[bytes] = []
        for start in range(0, len(ids), MAX_IDS):
            question = actors.FindUnknown(room=self._room.name, ids=ids[start : start + MAX_IDS])
            # Nothing is held back for long while the store does not answer.
            with contextlib.suppress(RequestRejectedError, ActorError):
                unknown += (await self._storage.ask(question, actors.UnknownIds)).ids
        return unknown

    async def _show(self, fresh: Sequence[records.RoomRecord], *, late: bool = False) -> None:
        seen = [record for record in fresh if not self._is_blocked(record.message.sender)]
        said = [record for record in seen if not is_alteration(record.message)]
        about = dict.fromkeys(_target(r) for r in seen if is_alteration(r.message))
        self._restate(about)
        again = await self._as_it_reads(
            [*about, *(n for n in map(_name, said) if n in self._restated)]
        )
        if said:
            now = [again.get(_name(record), record) for record in said]
            await self._tell(
                actors.RoomMessagesArrived(room=self._room.name, records=now, late=late)
            )
        told = {_name(record) for record in said}
        altered = [again[name] for name in about if name in again and name not in told]
        if altered:
            await self._tell(actors.MessagesAltered(room=self._room.name, room_records=altered))
        await self._count_ignored([name for name in about if name not in again])

    async def _tell(self, event: Message) -> None:
        # Told, not offered: a stored message must be shown, and ui takes letters without waiting for us.
        await self._ui.inform(event)

    # ---- edits and retractions ------------------------------------------------------------------------

    def _restate(self, names: Iterable[Name]) -> None:
        """These do not read as they came: to be read from the store when they are shown."""
        for name in names:
            self._restated.pop(name, None)
            self._restated[name] = None
        while len(self._restated) > MAX_RESTATED:
            del self._restated[next(iter(self._restated))]

    async def _as_it_reads(self, names: Sequence[Name]) -> dict[Name, records.RoomRecord]:
        """Those that are there, with what has become of them. What was taken back must not be shown: so it waits for a
        store that does not answer."""
        found: dict[Name, records.RoomRecord] = {}
        for start in range(0, len(names), MAX_IDS):
            wanted = [
                actors.FindMessages.Name(sender=sender, id=id_)
                for sender, id_ in names[start : start + MAX_IDS]
            ]
            question = actors.FindMessages(room=self._room.name, names=wanted)
            answer = await find_patiently(self._storage, question)
            found |= {_name(record): record for record in answer.room_records}
        return found

    async def _count_ignored(self, names: Sequence[Name]) -> None:
        """Of messages that are here, and not to be altered by whoever tries; of others the message may still come."""
        if names:
            unknown = await self._unknown([id_ for _, id_ in names])
            self._room.counts[IGNORED] += len(names) - len(unknown)


def _name(record: records.RoomRecord) -> Name:
    return record.message.sender, record.message.id


def _target(record: records.RoomRecord) -> Name:
    return record.message.sender, record.message.target
