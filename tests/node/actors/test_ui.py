from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.actors.doctor import LOOK, SETTLING
from p2pchat.node.actors.lanes import LETTERS_IN_HAND
from p2pchat.node.actors.parts import PART_DEADLINE
from p2pchat.node.actors.ui import UiActor
from p2pchat.node.errors import ActorStoppedError, RequestRejectedError
from p2pchat.node.events import EventFeed, EventHub
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles, handles_batch
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


class Played(Actor):
    """What the other actors have in common here: they keep what they heard."""

    def __init__(self, world: World) -> None:
        self.world = world


class PlayedStorage(Played):
    @handles(actors.ReadProfile)
    async def _read(self, _: actors.ReadProfile) -> records.Profile:
        return self.world.profile

    @handles(actors.SaveProfile)
    async def _save(self, command: actors.SaveProfile) -> actors.Done | actors.Rejected:
        if self.world.disk_full:
            return actors.Rejected(reason=actors.STORE_FAILED, detail="The disk is full.")
        self.world.profile = command.profile
        return actors.Done()

    @handles(actors.ReadUnread)
    async def _unread(self, _: actors.ReadUnread) -> actors.UnreadCounts:
        return actors.UnreadCounts()

    @handles(actors.ReadHistory)
    async def _history(self, _: actors.ReadHistory) -> actors.HistoryPage:
        await self.world.gate.wait()
        return actors.HistoryPage(first=b"1")

    @handles(actors.ListStoredRooms)
    async def _usage(self, _: actors.ListStoredRooms) -> actors.RoomUsageList:
        return actors.RoomUsageList(rooms=[actors.RoomUsage(room="lobby", messages=5)])

    @handles(actors.DescribeStore)
    async def _describe(self, _: actors.DescribeStore) -> actors.StoreDescription:
        return actors.StoreDescription(size_bytes=5)


class PlayedTransport(Played):
    @handles(actors.NameChanged)
    async def _renamed(self, event: actors.NameChanged) -> None:
        self.world.heard.append(event.name)

    @handles(actors.ListConnections)
    async def _list(self, _: actors.ListConnections) -> actors.ConnectionList:
        return actors.ConnectionList(connections=[actors.Connection(peer="bob")])

    @handles(actors.DescribeTransport)
    async def _describe(self, _: actors.DescribeTransport) -> actors.TransportDescription:
        return actors.TransportDescription(addresses=["/ip4/127.0.0.1/tcp/1"])


class PlayedDiscovery(Played):
    @handles(actors.DescribeDiscovery)
    async def _describe(self, _: actors.DescribeDiscovery) -> actors.DiscoveryDescription:
        await trio.sleep_forever()
        raise AssertionError


class PlayedPubsub(Played):
    mailbox_size = 256

    @handles(actors.JoinRoom)
    async def _join(self, join: actors.JoinRoom) -> actors.RoomJoined:
        return actors.RoomJoined(room=join.room, plain=join.plain)

    @handles(actors.LeaveRoom)
    async def _leave(self, leave: actors.LeaveRoom) -> actors.RoomLeft | actors.Rejected:
        if leave.room == "elsewhere":
            return actors.Rejected(reason=actors.NOT_JOINED, detail="You are not there.")
        return actors.RoomLeft(room=leave.room)

    @handles(actors.ListRooms)
    async def _list(self, _: actors.ListRooms) -> actors.RoomList:
        raise ValueError("a bug")

    @handles(actors.DescribePubsub)
    async def _describe(self, _: actors.DescribePubsub) -> actors.PubsubDescription:
        return actors.PubsubDescription(rooms=3)

    @handles(actors.ListMembers)
    async def _members(self, _: actors.ListMembers) -> actors.MemberList:
        return actors.MemberList(members=[actors.Member(peer="bob")])

    @handles(actors.KeepRoom)
    async def _keep(self, keep: actors.KeepRoom) -> records.RoomSettings:
        return records.RoomSettings(room=keep.room, keep_days=keep.keep_days)

    @handles(actors.ForgetRoom)
    async def _forget(self, forget: actors.ForgetRoom) -> actors.RoomTrimmed:
        return actors.RoomTrimmed(messages=len(forget.room))

    @handles_batch(actors.PostText, at_most=128)
    async def _post(self, posts: Sequence[actors.PostText]) -> Sequence[Message]:
        await trio.sleep(0.005)  # one synced write
        self.world.posted += [post.text for post in posts]
        return [
            actors.Rejected(reason=actors.EMPTY, detail="Empty.")
            if not post.text
            else actors.Posted(record=records.RoomRecord(received_at_ms=len(post.text)))
            for post in posts
        ]


class PlayedDelivery(Played):
    @handles(actors.ListMailboxes)
    async def _list(self, _: actors.ListMailboxes) -> actors.MailboxStatusList:
        return actors.MailboxStatusList(mailboxes=[actors.MailboxStatus(peer="box")])

    @handles(actors.ArchiveRoom)
    async def _archive(self, archive: actors.ArchiveRoom) -> actors.ArchiveStatus:
        return actors.ArchiveStatus(room=archive.room)

    @handles(actors.DescribeDelivery)
    async def _describe(self, _: actors.DescribeDelivery) -> actors.DeliveryDescription:
        return actors.DeliveryDescription(outbox=3)

    @handles_batch(actors.SendDirect, at_most=128)
    async def _send(self, posts: Sequence[actors.SendDirect]) -> Sequence[Message]:
        self.world.posted += [post.text for post in posts]
        return [actors.DirectSent(record=records.DirectRecord(text=p.text)) for p in posts]


class PlayedSearch(Played):
    @handles(actors.SearchHistory)
    async def _search(self, question: actors.SearchHistory) -> actors.SearchPage:
        return actors.SearchPage(last=question.words.encode())


class PlayedSync(Played):
    @handles(actors.DescribeSync)
    async def _describe(self, _: actors.DescribeSync) -> actors.SyncDescription:
        return actors.SyncDescription(counters={"sessions": 2})


class PlayedReachability(Played):
    @handles(actors.DescribeReachability)
    async def _describe(self, _: actors.DescribeReachability) -> actors.ReachabilityDescription:
        self.world.looks += 1
        return self.world.reachability


class PlayedDht(Played):
    @handles(actors.DescribeDht)
    async def _describe(self, _: actors.DescribeDht) -> actors.DhtDescription:
        return actors.DhtDescription(table=3)


class World:
    """A ui actor among played ones."""

    def __init__(self, *, dht: bool = True) -> None:
        self.hub = EventHub()
        self.profile = records.Profile(name="ada", rooms=[records.RoomEntry(name="lobby")])
        self.disk_full = False
        self.heard: list[str] = []
        self.posted: list[str] = []
        self.gate = trio.Event()
        self.gate.set()
        self.reachability = actors.ReachabilityDescription(reachability=actors.PUBLIC)
        self.looks = 0  # at that
        others: dict[str, type[Played]] = {
            "storage": PlayedStorage,
            "transport": PlayedTransport,
            "discovery": PlayedDiscovery,
            "pubsub": PlayedPubsub,
            "delivery": PlayedDelivery,
            "sync": PlayedSync,
            "search": PlayedSearch,
            "reachability": PlayedReachability,
            "dht": PlayedDht,
        }
        cells = {name: self._cell(name, kind) for name, kind in others.items()}
        self.ui_cell = ActorCell.of(
            "ui",
            UiActor,
            lambda: UiActor(
                peer=PEER,
                data_dir=Path("/data"),
                storage=cells["storage"].ref,
                transport=cells["transport"].ref,
                discovery=cells["discovery"].ref,
                pubsub=cells["pubsub"].ref,
                delivery=cells["delivery"].ref,
                hub=self.hub,
                actor_stats=lambda: [cell.stats() for cell in self.tree.cells()],
                sync=cells["sync"].ref,
                search=cells["search"].ref,
                reachability=cells["reachability"].ref,
                dht=cells["dht"].ref if dht else None,
            ),
        )
        self.ui = self.ui_cell.ref
        self.tree = Supervisor("root", [*cells.values(), self.ui_cell], root=True)

    def _cell(self, name: str, kind: type[Played]) -> ActorCell:
        return ActorCell.of(name, kind, lambda: kind(self))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[EventFeed]:
        async with trio.open_nursery() as nursery:
            await nursery.start(self._run)
            with self.hub.open() as feed:
                yield feed
            self.tree.request_stop()

    async def _run(self, *, task_status: trio.TaskStatus[None]) -> None:
        await self.tree.run(task_status=task_status)


async def test_a_join_is_passed_on_and_remembered(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running():
        joined = await world.ui.ask(actors.JoinRoom(room="garden", plain=True), actors.RoomJoined)
    assert joined == actors.RoomJoined(room="garden", plain=True)
    assert [(room.name, room.plain) for room in world.profile.rooms] == [
        ("lobby", False),
        ("garden", True),
    ]
    assert world.profile.name == "ada"


async def test_the_room_that_was_used_last_stands_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        for room in ("garden", "attic", "lobby"):
            await world.ui.ask(actors.JoinRoom(room=room), actors.RoomJoined)
    assert [room.name for room in world.profile.rooms] == ["garden", "attic", "lobby"]


async def test_a_room_that_was_left_is_forgotten(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running():
        await world.ui.ask(actors.LeaveRoom(room="lobby"), actors.RoomLeft)
        with pytest.raises(RequestRejectedError, match="You are not there"):
            await world.ui.ask(actors.LeaveRoom(room="elsewhere"), actors.RoomLeft)
    assert not world.profile.rooms


async def test_a_join_that_cannot_be_remembered_is_a_join(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.disk_full = True
    async with world.running() as feed:
        joined = await world.ui.ask(actors.JoinRoom(room="garden"), actors.RoomJoined)
        *others, event = await feed.next_batch()
    assert others == [joined]
    assert isinstance(event, actors.Notice)
    assert "The disk is full." in event.text


async def test_a_new_name_is_saved_and_told(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running():
        await world.ui.ask(actors.SetName(name=" Grace "), actors.Done)
        node = await world.ui.ask(actors.DescribeNode(), actors.NodeDescription)
    assert world.profile.name == "Grace"
    assert [room.name for room in world.profile.rooms] == ["lobby"]
    assert world.heard == ["Grace"]
    assert node.name == "Grace"


@pytest.mark.parametrize("name", ["", "x" * 33, "a\x1bb", "a\u202eb"])
async def test_an_unusable_name_is_refused(
    name: str, autojump_clock: trio.testing.MockClock
) -> None:
    world = World()
    async with world.running():
        with pytest.raises(RequestRejectedError) as refusal:
            await world.ui.ask(actors.SetName(name=name), actors.Done)
    assert refusal.value.reason == actors.INVALID
    assert world.profile.name == "ada"


async def test_texts_keep_their_order_and_share_syncs(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    texts = [str(number) for number in range(2_000)]
    async with world.running():
        begun = trio.current_time()
        in_flight = trio.Semaphore(256)
        async with trio.open_nursery() as nursery:

            async def settle(text: str) -> None:
                slot = slots.pop(text)
                posted = await slot.wait()
                assert isinstance(posted, actors.Posted)
                assert posted.record.received_at_ms == len(text)
                in_flight.release()

            slots = {}
            for text in texts:
                await in_flight.acquire()
                slots[text] = await world.ui.post(actors.PostText(room="lobby", text=text))
                nursery.start_soon(settle, text)
        took = trio.current_time() - begun
    assert world.posted == texts
    assert took < 2_000 * 0.005 / 10  # on the virtual clock: at least ten texts share a write


async def test_a_text_that_was_told_and_refused_becomes_a_notice(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as feed:
        await world.ui.tell(actors.PostText(room="lobby", text=""))
        (event,) = await feed.next_batch()
    assert event == actors.Notice(level=actors.Notice.WARNING, text="Empty.")


async def test_a_slow_question_holds_up_nothing(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.gate = trio.Event()
    async with world.running() as feed, trio.open_nursery() as nursery:
        nursery.start_soon(world.ui.ask, actors.ReadHistory(room="lobby"), actors.HistoryPage)
        await trio.testing.wait_all_tasks_blocked()
        await world.ui.tell(actors.PeerNamed(peer="bob", name="Bob"))
        await world.ui.ask(actors.PostText(room="lobby", text="hi"), actors.Posted)
        assert await feed.next_batch() == [actors.PeerNamed(peer="bob", name="Bob")]
        world.gate.set()


async def test_a_crash_elsewhere_is_a_sentence(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    async with world.running():
        with pytest.raises(RequestRejectedError, match="is being restarted") as refusal:
            await world.ui.ask(actors.ListRooms(), actors.RoomList)
    assert refusal.value.reason == actors.UNAVAILABLE


async def test_an_actor_that_is_down_leaves_its_part_out(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        await trio.sleep(1.5)
        node = await world.ui.ask(actors.DescribeNode(), actors.NodeDescription)
    assert node.peer == PEER
    assert node.name == "ada"
    assert node.data_dir == "/data"
    assert node.uptime_ms >= 1_500
    assert node.addresses == ["/ip4/127.0.0.1/tcp/1"]
    assert node.store.size_bytes == 5
    assert node.sync.counters == {"sessions": 2}
    assert node.reachability.reachability == actors.PUBLIC
    assert node.dht.table == 3
    assert not node.HasField("discovery")
    assert [actor.name for actor in node.actors][-1] == "ui"


async def test_questions_about_rooms_go_to_who_knows(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        members = await world.ui.ask(actors.ListMembers(room="lobby"), actors.MemberList)
        keep = actors.KeepRoom(room="lobby", keep_days=30)
        kept = await world.ui.ask(keep, records.RoomSettings)
        deleted = await world.ui.ask(actors.ForgetRoom(room="lobby"), actors.RoomTrimmed)
        stored = await world.ui.ask(actors.ListStoredRooms(), actors.RoomUsageList)
        archived = await world.ui.ask(actors.ArchiveRoom(room="lobby"), actors.ArchiveStatus)
        found = await world.ui.ask(actors.SearchHistory(words="harbour"), actors.SearchPage)
    assert members.members[0].peer == "bob"
    assert kept.keep_days == 30
    assert deleted.messages == 5
    assert stored.rooms[0].messages == 5
    assert archived.room == "lobby"
    assert found.last == b"harbour"


async def test_events_reach_every_front_end(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    events = [
        actors.RoomMessagesArrived(room="lobby"),
        actors.PeerConnected(peer="bob"),
        actors.PeerNamed(peer="bob", name="Bob"),
        actors.PeerMoved(peer="bob"),
        actors.PeerDisconnected(peer="bob"),
        actors.ReachabilityChanged(reachability=actors.PUBLIC),
        actors.Listening(peer=PEER),
        actors.RoomJoined(room="lobby"),
        actors.RoomGap(room="lobby", missing=1),
        actors.MembersChanged(room="lobby"),
        actors.SyncProgressed(room="lobby"),
        actors.Notice(text="hello"),
    ]
    async with world.running() as feed:
        with world.hub.open() as other:
            for event in events:
                await world.ui.tell(event)
            await world.ui.ask(actors.ListConnections(), actors.ConnectionList)
            assert await feed.next_batch() == events
            assert await other.next_batch() == events


async def test_too_many_commands_are_refused_in_words(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.gate = trio.Event()
    async with world.running():
        for _ in range(LETTERS_IN_HAND):
            await world.ui.tell(actors.ReadHistory(room="lobby"))
        with pytest.raises(RequestRejectedError) as refusal:
            await world.ui.ask(actors.DescribeNode(), actors.NodeDescription)
        assert refusal.value.reason == actors.TOO_MANY
        world.gate.set()


async def test_stopping_answers_what_was_accepted(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running():
        slots = [
            await world.ui.post(actors.PostText(room="lobby", text=str(number)))
            for number in range(300)
        ]
        world.tree.request_stop()
        for slot in slots:
            assert isinstance(await slot.wait(), actors.Posted)
    assert world.posted == [str(number) for number in range(300)]


async def test_nobody_is_left_waiting_when_ui_is_ended(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.gate = trio.Event()
    async with world.running():
        slot = await world.ui.post(actors.ReadHistory(room="lobby"))
        await trio.testing.wait_all_tasks_blocked()
        world.tree.request_stop()
        with pytest.raises(ActorStoppedError):
            await slot.wait()
        world.gate.set()


async def test_direct_messages_and_questions_about_them_go_to_delivery(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        sent = await world.ui.ask(actors.SendDirect(peer="bob", text="hi"), actors.DirectSent)
        listed = await world.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
        node = await world.ui.ask(actors.DescribeNode(), actors.NodeDescription)
    assert sent.record.text == "hi"
    assert world.posted == ["hi"]
    assert [mailbox.peer for mailbox in listed.mailboxes] == ["box"]
    assert node.delivery.outbox == 3


async def test_what_happened_to_direct_messages_is_an_event(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as feed:
        world.ui.offer(actors.DirectArrived(peer="bob"))
        world.ui.offer(actors.DeliveriesChanged(peer="bob"))
        events: list[Message] = []
        while len(events) < 2:
            events += await feed.next_batch()
    assert events == [actors.DirectArrived(peer="bob"), actors.DeliveriesChanged(peer="bob")]


# ---- the doctor -------------------------------------------------------------------------------------------


def verdicts(found: actors.Diagnosis) -> dict[str, int]:
    return {check.name: check.verdict for check in found.checks}


async def test_a_diagnosis_at_once(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.reachability.reachability = actors.UNKNOWN
    async with world.running():
        begun = trio.current_time()
        found = await world.ui.ask(actors.Diagnose(), actors.Diagnosis)
        assert trio.current_time() - begun < 5  # discovery, which does not answer, is waited for
    assert world.looks == 1
    assert verdicts(found)["peers"] == actors.Check.OK
    assert verdicts(found)["nat"] == actors.Check.HINT
    assert verdicts(found)["dht"] == actors.Check.OK
    assert verdicts(found)["disk"] == actors.Check.FAILED


async def test_a_diagnosis_waits_until_a_node_that_has_just_started_knows(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def with_room(_: PlayedStorage, __: actors.DescribeStore) -> actors.StoreDescription:
        return actors.StoreDescription(size_bytes=5, free_bytes=1 << 40)

    monkeypatch.setattr(PlayedStorage, "_describe", with_room)
    world = World()
    world.reachability.reachability = actors.UNKNOWN
    world.reachability.observed.append("9.9.9.9")  # by somebody outside
    async with world.running(), trio.open_nursery() as nursery:

        async def learn() -> None:
            await trio.sleep(7)
            world.reachability.reachability = actors.PUBLIC

        nursery.start_soon(learn)
        begun = trio.current_time()
        found = await world.ui.request(actors.Diagnose(wait=True), actors.Diagnosis)
        took = trio.current_time() - begun
    assert verdicts(found)["nat"] == actors.Check.OK
    assert 7 <= took <= 7 + LOOK + 2 * PART_DEADLINE


async def test_a_diagnosis_does_not_wait_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    """Nor at all, when the node has been up for a while."""
    world = World()
    async with world.running():
        begun = trio.current_time()
        found = await world.ui.request(actors.Diagnose(wait=True), actors.Diagnosis)
        assert verdicts(found)["disk"] == actors.Check.FAILED
        assert SETTLING <= trio.current_time() - begun < SETTLING + LOOK + 2 * PART_DEADLINE
        looks = world.looks
        await world.ui.request(actors.Diagnose(wait=True), actors.Diagnosis)
    assert world.looks == looks + 1


async def test_a_diagnosis_that_waits_holds_up_no_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        slot = await world.ui.post(actors.Diagnose(wait=True))
        await trio.sleep(3)
        begun = trio.current_time()
        world.tree.request_stop()
        answer = await slot.wait()
        assert isinstance(answer, actors.Rejected)
        assert answer.detail == "The program is stopping."
        assert trio.current_time() == begun


async def test_without_a_dht_the_doctor_says_that_it_is_switched_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(dht=False)
    async with world.running():
        found = await world.ui.ask(actors.Diagnose(), actors.Diagnosis)
    (dht,) = [check for check in found.checks if check.name == "dht"]
    assert "--no-dht" in dht.finding
