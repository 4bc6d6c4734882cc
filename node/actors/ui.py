"""Commands in, events out, for any number of front ends."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.actors import doctor
from p2pchat.node.actors.conversations import Conversations
from p2pchat.node.actors.descriptions import actor_status
from p2pchat.node.actors.hiding import Hiding
from p2pchat.node.actors.lanes import Desk, Lane
from p2pchat.node.actors.parts import ask_part, fill_in
from p2pchat.node.errors import AskTimeoutError, P2pchatError, RequestRejectedError
from p2pchat.node.events import EventHub
from p2pchat.node.protocol import names, peer_id, profiles
from p2pchat.node.runtime import ASK_DEADLINE, Actor, ActorRef, ActorStats, handles
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

POSTS_IN_FLIGHT = 256  # texts that wait in pubsub for their synced write; more wait here
QUERIES_AT_ONCE = 32  # read-only commands being answered; more wait here

EVENTS = frozenset(
    {
        actors.RoomMessagesArrived,
        actors.RoomJoined,
        actors.RoomGap,
        actors.MembersChanged,
        actors.SyncProgressed,
        actors.PeerConnected,
        actors.PeerDisconnected,
        actors.PeerNamed,
        actors.PeerMoved,
        actors.ReachabilityChanged,
        actors.Listening,
        actors.Notice,
        actors.DirectArrived,
        actors.DeliveriesChanged,
        actors.MessagesAltered,
        actors.ContactChanged,
        actors.ConversationChanged,
        actors.TransferChanged,
    }
)

# After which something else may be unread.
_STIRRING = (actors.RoomMessagesArrived, actors.DirectArrived, actors.MessagesAltered)

# What the delivery actor is asked, and with what it answers.
_REPLIES: dict[type[Message], type[Message]] = {
    actors.ResolvePeer: actors.PeerResolved,
    actors.ListContacts: actors.ContactStatusList,
    actors.AddContact: actors.ContactStatus,
    actors.RenameContact: actors.ContactStatus,
    actors.RemoveContact: actors.Done,
    actors.DescribeSafety: actors.SafetyNumber,
    actors.SetVerified: actors.Done,
    actors.AddMailbox: actors.MailboxStatus,
    actors.RemoveMailbox: actors.Done,
    actors.ListMailboxes: actors.MailboxStatusList,
    actors.DescribeSelf: actors.Link,
    actors.MarkShown: actors.Done,
    actors.BlockPeer: actors.PeerResolved,
    actors.UnblockPeer: actors.PeerResolved,
    actors.ListBlocked: actors.BlockedList,
    actors.ArchiveRoom: actors.ArchiveStatus,
}

# What the pubsub actor is asked besides joining, leaving and posting, and with what it answers.
_ROOM_REPLIES: dict[type[Message], type[Message]] = {
    actors.ListRooms: actors.RoomList,
    actors.FlushRooms: actors.Done,
    actors.ListMembers: actors.MemberList,
    actors.KeepRoom: records.RoomSettings,
    actors.ForgetRoom: actors.RoomTrimmed,
}

# What the storage actor is asked for exports and imports, and with what it answers.
_STORED_REPLIES: dict[type[Message], type[Message]] = {
    actors.ReadRange: actors.RoomPage,
    actors.FindMessages: actors.MessagesFound,
    actors.SaveRoomMessages: actors.RoomMessagesSaved,
    actors.SaveDirect: actors.DirectSaved,
}

# What the files actor is asked, and with what it answers.
_FILE_REPLIES: dict[type[Message], type[Message]] = {
    actors.OfferFile: actors.TransferStatus,
    actors.AcceptFile: actors.TransferStatus,
    actors.DeclineFile: actors.Done,
    actors.CancelTransfer: actors.Done,
    actors.ListTransfers: actors.TransferList,
}

R = TypeVar("R", bound=Message)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class UiActor(Actor):
    """Passes events to the hub at once, and commands to the actor that knows.

    Commands are answered from lanes, so that none of them holds up an event or the others: texts in order and
    many in flight, because pubsub saves many with one sync; changes one after the other, because each edits
    the profile; questions side by side.
    """

    mailbox_size = (
        256  # letters; taken without waiting, so a full one means a program that stands still
    )

    def __init__(
        self,
        *,
        peer: str,
        data_dir: Path,
        storage: ActorRef,
        transport: ActorRef,
        discovery: ActorRef,
        pubsub: ActorRef,
        delivery: ActorRef,
        hub: EventHub,
        actor_stats: Callable[[], Iterable[ActorStats]],
        sync: ActorRef | None = None,
        search: ActorRef | None = None,
        reachability: ActorRef | None = None,
        dht: ActorRef | None = None,
        now_ms: Callable[[], int] = _now_ms,
        files: ActorRef | None = None,
    ) -> None:
        """`dht` is None when it is switched off."""
        self._files = files
        self._peer = peer
        self._data_dir = data_dir
        self._storage = storage
        self._transport = transport
        self._discovery = discovery
        self._pubsub = pubsub
        self._delivery = delivery
        self._sync = sync
        self._search = search
        self._reachability = reachability
        self._dht = dht
        self._doctor = doctor.Doctor(self._describe, transport, dht=dht is not None)
        self._hub = hub
        self._actor_stats = actor_stats
        self._started_at = trio.current_time()
        self._name = names.default_name(peer)
        self._desk = Desk(on_unheard=self._notice)
        self._hiding = Hiding()
        self._conversations = Conversations(
            storage=storage, pubsub=pubsub, delivery=delivery, emit=hub.emit, now_ms=now_ms
        )
        self._lanes = self._make_lanes()

    def _make_lanes(self) -> dict[type[Message], Lane]:
        posts = self._desk.lane(partial(_forward, self._pubsub), POSTS_IN_FLIGHT)
        direct = self._desk.lane(partial(_forward, self._delivery), POSTS_IN_FLIGHT)
        # One at a time by the delivery actor itself; some wait for a word from a mailbox.
        people = self._desk.lane(self._ask_delivery, QUERIES_AT_ONCE)
        changes = self._desk.lane(self._change, 1)
        files = self._desk.lane(self._ask_files, QUERIES_AT_ONCE)
        queries = self._desk.lane(self._query, QUERIES_AT_ONCE)
        alterations = self._desk.lane(self._alter, POSTS_IN_FLIGHT)
        kept = self._desk.lane(self._conversations.change, 1)
        diagnoses = self._desk.lane(self._doctor.begin, doctor.AT_ONCE)
        return {
            actors.Diagnose: diagnoses,
            actors.PostText: posts,
            actors.JoinRoom: changes,
            actors.LeaveRoom: changes,
            actors.SetName: changes,
            actors.ReadHistory: queries,
            actors.ListStoredRooms: queries,
            actors.ListConnections: queries,
            actors.DescribeNode: queries,
            actors.MakeCheckpoint: queries,
            actors.ReadDirectHistory: queries,
            actors.SearchHistory: queries,
            actors.SendDirect: direct,
            actors.AlterMessage: alterations,
            actors.ListConversations: queries,
            actors.MarkRoomSeen: kept,
            actors.Mute: kept,
            actors.DeleteMessage: kept,
            **dict.fromkeys(_ROOM_REPLIES, queries),
            **dict.fromkeys(_STORED_REPLIES, queries),
            **dict.fromkeys(_REPLIES, people),
            **dict.fromkeys(_FILE_REPLIES, files),
        }

    async def started(self) -> None:
        # The delivery actor says who is blocked, after the first events.
        contacts = await ask_part(self._storage, actors.ReadContacts(), actors.ContactList)
        if contacts is not None:
            blocked = (each.peer for each in contacts.contacts if each.blocked_at_ms)
            self._hiding.block(map(peer_id.to_text, blocked))
        self.spawn(self._desk.run, name="ui desk")
        self.spawn(self._conversations.run, name="what is unread")

    async def stopping(self) -> None:
        """A posted text is saved, or its sender is told, before the actors that do it stop."""
        self._doctor.stop()
        await self._desk.finish()

    async def receive(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            kind = type(letter.message)
            if kind in EVENTS:
                self._happened(letter.message)
            elif kind in self._lanes:
                self._lanes[kind].put(letter)
            else:
                await super().receive([letter])

    def _happened(self, event: Message) -> None:
        if (shown := self._hiding.event(event)) is not None:
            self._hub.emit(shown)
        if isinstance(event, _STIRRING):
            self._conversations.stir()

    @handles(actors.BlocksChanged)
    async def _blocks_changed(self, event: actors.BlocksChanged) -> None:
        self._hiding.block(event.peers)
        self._conversations.stir()

    # ---- questions ----------------------------------------------------------------------------------

    async def _query(self, message: Message) -> Callable[[], Awaitable[Message]]:
        match message:
            case actors.ReadDirectHistory():
                return partial(self._storage.ask, message, actors.DirectHistoryPage)
            case actors.ReadHistory():
                return partial(self._storage.ask, message, actors.HistoryPage)
            case actors.SearchHistory() if self._search is not None:
                return partial(self._search.ask, message, actors.SearchPage)
            case actors.MakeCheckpoint():
                # Without a deadline: it takes as long as the disk does.
                return partial(self._storage.request, message, actors.CheckpointMade)
            case actors.ListStoredRooms():
                return partial(self._storage.ask, message, actors.RoomUsageList)
            case actors.ListConnections():
                return partial(self._ask_openly, self._transport, message, actors.ConnectionList)
            case actors.ListMembers():
                return partial(self._ask_openly, self._pubsub, message, actors.MemberList)
            case actors.ListConversations():
                return self._conversations.list
            case _ if type(message) in _STORED_REPLIES:
                return partial(self._storage.ask, message, _STORED_REPLIES[type(message)])
            case _ if type(message) in _ROOM_REPLIES:
                return partial(self._pubsub.ask, message, _ROOM_REPLIES[type(message)])
            case _:
                return self._describe

    async def _ask_openly(self, ref: ActorRef, message: Message, reply: type[Message]) -> Message:
        return self._hiding.answer(await ref.ask(message, reply))

    async def _ask_delivery(self, message: Message) -> Callable[[], Awaitable[Message]]:
        if isinstance(message, actors.MarkShown):
            return partial(self._mark_shown, message)
        return partial(self._delivery.ask, message, _REPLIES[type(message)])

    async def _mark_shown(self, message: actors.MarkShown) -> Message:
        done = await self._delivery.ask(message, actors.Done)
        self._conversations.stir()
        return done

    async def _alter(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.AlterMessage)
        return await _forward(self._delivery if message.peer else self._pubsub, message)

    async def _ask_files(self, message: Message) -> Callable[[], Awaitable[Message]]:
        """Without a deadline: a large file is hashed before it is offered."""
        if self._files is None:
            raise RequestRejectedError(actors.UNAVAILABLE, "This node sends and takes no files.")
        return partial(self._files.request, message, _FILE_REPLIES[type(message)])

    async def _describe(self) -> actors.NodeDescription:
        """Assemble the parts; an actor that is down leaves its own out."""
        node = actors.NodeDescription(
            peer=self._peer,
            uptime_ms=round((trio.current_time() - self._started_at) * 1000),
            actors=(actor_status(stats) for stats in self._actor_stats()),
            data_dir=str(self._data_dir),
            tasks=trio.lowlevel.current_statistics().tasks_living,
        )
        async with trio.open_nursery() as nursery:
            for ref, question, part in (
                (self._storage, actors.DescribeStore(), node.store),
                (self._transport, actors.DescribeTransport(), node.transport),
                (self._discovery, actors.DescribeDiscovery(), node.discovery),
                (self._delivery, actors.DescribeDelivery(), node.delivery),
                (self._sync, actors.DescribeSync(), node.sync),
                (self._reachability, actors.DescribeReachability(), node.reachability),
                (self._dht, actors.DescribeDht(), node.dht),
                (self._pubsub, actors.DescribePubsub(), node.pubsub),
                (self._files, actors.DescribeFiles(), node.files),
            ):
                if ref is not None:
                    nursery.start_soon(fill_in, ref, question, part)
            nursery.start_soon(self._refresh_name)
        node.name = self._name
        node.addresses.extend(node.transport.addresses)
        return node

    async def _refresh_name(self) -> None:
        profile = records.Profile()
        await fill_in(self._storage, actors.ReadProfile(), profile)
        self._name = profile.name or self._name

    # ---- changes ------------------------------------------------------------------------------------

    async def _change(self, message: Message) -> Callable[[], Awaitable[Message]]:
        match message:
            case actors.JoinRoom():
                return partial(self._join, message)
            case actors.LeaveRoom():
                return partial(self._leave, message)
            case _:
                assert isinstance(message, actors.SetName)
                return partial(self._set_name, message)

    async def _join(self, message: actors.JoinRoom) -> Message:
        joined = await self._pubsub.ask(message, actors.RoomJoined)
        if not joined.already:
            self._hub.emit(joined)  # for the other front ends
        await self._remember(partial(profiles.with_room, room=joined.room, plain=joined.plain))
        return joined

    async def _leave(self, message: actors.LeaveRoom) -> Message:
        left = await self._pubsub.ask(message, actors.RoomLeft)
        self._hub.emit(left)  # for the other front ends
        await self._remember(partial(profiles.without_room, room=left.room))
        return left

    async def _remember(self, change: Callable[[records.Profile], records.Profile]) -> None:
        try:
            await self._change_profile(change)
        except P2pchatError as error:
            self._notice(f"This will be forgotten at the next start: {error}")

    async def _set_name(self, message: actors.SetName) -> Message:
        name = message.name.strip()
        if problem := names.name_problem(name):
            raise RequestRejectedError(actors.INVALID, problem)
        await self._change_profile(partial(profiles.with_name, name=name))
        self._name = name
        with trio.move_on_after(ASK_DEADLINE):
            await self._transport.tell(actors.NameChanged(name=name))
            return actors.Done()
        raise AskTimeoutError("the name was saved, and nobody heard of it yet")

    async def _change_profile(self, change: Callable[[records.Profile], records.Profile]) -> None:
        profile = await self._storage.ask(actors.ReadProfile(), records.Profile)
        await self._storage.ask(actors.SaveProfile(profile=change(profile)), actors.Done)

    def _notice(self, problem: str | actors.Rejected) -> None:
        text = problem if isinstance(problem, str) else problem.detail
        self._hub.emit(actors.Notice(level=actors.Notice.WARNING, text=text))


async def _forward(ref: ActorRef, message: Message) -> Callable[[], Awaitable[Message]]:
    """Begun once the message stands in the other actor's mailbox, answered by that actor."""
    slot = await ref.post(message)

    async def answer() -> Message:
        with trio.move_on_after(ASK_DEADLINE):
            return await slot.wait() or actors.Done()
        raise AskTimeoutError(f"no answer from {ref.name}")

    return answer
