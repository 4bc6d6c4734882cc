"""The storage actor over the memory store: replies, group commit, a failing disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.actors.storage import MAX_PAGE, SAVES_PER_COMMIT, StorageActor
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.errors import ActorStoppedError, RequestRejectedError, StoreError
from p2pchat.node.protocol.address_book import MAX_KNOWN
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record


class WatchedStore(MemoryStore):
    """Writes down each append's size, and can be made to wait in the worker thread."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[int] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self.gate.wait()
        self.threads.add(threading.get_ident())
        self.appends.append(len(batch))
        return super().append(batch)


class Rig:
    """A storage actor under a supervisor of its own."""

    def __init__(self) -> None:
        self.store = WatchedStore()
        self.cell = ActorCell.of("storage", StorageActor, lambda: StorageActor(self.store))
        self.supervisor = Supervisor("root", [self.cell], root=True)

    async def save(self, *batch: records.RoomRecord) -> list[bool]:
        command = actors.SaveRoomMessages(records=batch)
        return list((await self.cell.ref.ask(command, actors.RoomMessagesSaved)).fresh)

    async def read(self, limit: int, before: bytes = b"") -> actors.HistoryPage:
        query = actors.ReadHistory(room=ROOM, limit=limit, before=before)
        return await self.cell.ref.ask(query, actors.HistoryPage)


@pytest.fixture
async def rig(nursery: trio.Nursery) -> Rig:
    made = Rig()
    await nursery.start(made.supervisor.run)
    return made


async def test_saving_says_for_each_record_whether_it_is_fresh(rig: Rig) -> None:
    assert await rig.save(room_record(1), room_record(2)) == [True, True]
    assert await rig.save(room_record(2), room_record(3), room_record(3)) == [False, True, False]
    assert await rig.save() == []


async def test_the_store_is_used_outside_of_the_event_loop(rig: Rig) -> None:
    await rig.save(room_record(1))
    assert threading.get_ident() not in rig.store.threads


async def test_saves_that_queue_up_share_one_write(rig: Rig) -> None:
    rig.store.gate.clear()
    answers: dict[int, list[bool]] = {}

    async def save(number: int) -> None:
        answers[number] = await rig.save(room_record(number), room_record(1000))

    async with trio.open_nursery() as nursery:
        for number in range(60):
            nursery.start_soon(save, number)
        await trio.testing.wait_all_tasks_blocked()
        rig.store.gate.set()
    # The first went alone, or with those that were there already; all the others went together.
    assert len(rig.store.appends) <= 2
    assert sum(rig.store.appends) == 120
    assert all(answer[0] for answer in answers.values())
    assert sum(answer[1] for answer in answers.values()) == 1


async def test_writes_are_timed_and_reads_are_not(rig: Rig) -> None:
    async def commits() -> int:
        described = await rig.cell.ref.ask(actors.DescribeStore(), actors.StoreDescription)
        return sum(described.commits.counts)

    assert await commits() == 0
    await rig.save(room_record(1))
    await rig.cell.ref.ask(actors.SaveProfile(profile=records.Profile(name="Ada")), actors.Done)
    assert await commits() == 2
    await rig.cell.ref.ask(actors.ReadProfile(), records.Profile)
    assert await commits() == 2


async def test_one_write_has_a_bound(rig: Rig) -> None:
    rig.store.gate.clear()
    async with trio.open_nursery() as nursery:
        for number in range(3 * SAVES_PER_COMMIT):
            nursery.start_soon(rig.save, room_record(number))
        await trio.testing.wait_all_tasks_blocked()
        rig.store.gate.set()
    assert max(rig.store.appends) == SAVES_PER_COMMIT
    assert sum(rig.store.appends) == 3 * SAVES_PER_COMMIT


async def test_a_read_behind_a_save_sees_it(rig: Rig) -> None:
    rig.store.gate.clear()
    await rig.cell.ref.tell(actors.SaveRoomMessages(records=[room_record(1)]))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _read() -> None:
            assert len((await rig.read(10)).records) == 1

        await trio.testing.wait_all_tasks_blocked()
        rig.store.gate.set()


async def test_history_comes_in_pages(rig: Rig) -> None:
    await rig.save(*(room_record(number) for number in range(5)))
    newest = await rig.read(3)
    older = await rig.read(3, newest.first)
    assert [r.message.lamport for r in newest.records] == [2, 3, 4]
    assert [r.message.lamport for r in older.records] == [0, 1]
    assert (await rig.read(3, older.first)).first == b""


@pytest.mark.parametrize(
    ("asked", "given"), [(0, 1), (1, 1), (MAX_PAGE + 1, MAX_PAGE), (2**32 - 1, MAX_PAGE)]
)
async def test_the_length_of_a_page_is_clamped(rig: Rig, asked: int, given: int) -> None:
    await rig.save(*(room_record(number) for number in range(MAX_PAGE + 5)))
    assert len((await rig.read(asked)).records) == given


async def test_a_room_goes_on_from_its_newest_messages(rig: Rig) -> None:
    query = actors.ReadRoomState(room=ROOM)
    empty = await rig.cell.ref.ask(query, actors.RoomState)
    assert (empty.lamport, [*empty.parents]) == (0, [])
    await rig.save(*(room_record(number) for number in range(5)))
    state = await rig.cell.ref.ask(query, actors.RoomState)
    assert state.lamport == 4
    assert [int.from_bytes(parent, "big") for parent in state.parents] == [4, 3, 2]


async def test_the_profile_is_kept(rig: Rig) -> None:
    profile = records.Profile(name="Ada")
    await rig.cell.ref.ask(actors.SaveProfile(profile=profile), actors.Done)
    assert await rig.cell.ref.ask(actors.ReadProfile(), records.Profile) == profile


async def test_the_known_peers_are_kept_up_to_their_bound(rig: Rig) -> None:
    many = [records.KnownPeer(peer=f"p{number}") for number in range(MAX_KNOWN + 1)]
    command = actors.SaveKnownPeers(known=records.KnownPeers(peers=many))
    await rig.cell.ref.ask(command, actors.Done)
    known = await rig.cell.ref.ask(actors.ReadKnownPeers(), records.KnownPeers)
    assert list(known.peers) == many[:MAX_KNOWN]


async def test_the_store_describes_itself(rig: Rig) -> None:
    await rig.save(room_record(1))
    description = await rig.cell.ref.ask(actors.DescribeStore(), actors.StoreDescription)
    assert (description.messages, description.schema_version) == (1, 4)
    assert description.size_bytes > 0
    assert description.free_bytes > 0
    assert description.path


async def test_a_full_disk_is_a_rejection_and_no_crash(rig: Rig) -> None:
    rig.store.failure = StoreError("The disk is full.")
    commands: list[Callable[[], Message]] = [
        lambda: actors.SaveRoomMessages(records=[room_record(1)]),
        lambda: actors.SaveProfile(),
        lambda: actors.SaveKnownPeers(),
    ]
    for make in commands:
        with pytest.raises(RequestRejectedError, match="The disk is full") as caught:
            await rig.cell.ref.ask(make(), actors.Done)
        assert caught.value.reason == actors.STORE_FAILED
    assert list((await rig.read(10)).records) == []
    rig.store.failure = None
    assert await rig.save(room_record(1)) == [True]
    assert rig.cell.restarts == 0


async def test_everybody_in_a_failed_write_is_told(rig: Rig) -> None:
    rig.store.gate.clear()
    rig.store.failure = StoreError("The disk is full.")
    refused: list[int] = []

    async def save(number: int) -> None:
        with pytest.raises(RequestRejectedError):
            await rig.save(room_record(number))
        refused.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(save, number)
        await trio.testing.wait_all_tasks_blocked()
        rig.store.gate.set()
    assert sorted(refused) == [*range(10)]


async def test_what_was_told_before_the_stop_is_saved_and_the_store_is_closed(rig: Rig) -> None:
    for number in range(20):
        await rig.cell.ref.tell(actors.SaveRoomMessages(records=[room_record(number)]))
    rig.supervisor.request_stop()
    while rig.cell.state != "stopped":
        await trio.lowlevel.checkpoint()
    with pytest.raises(ActorStoppedError):
        await rig.save(room_record(99))
    with pytest.raises(StoreError, match="not open"):
        rig.store.room_head(ROOM)
    rig.store.open()
    assert [r.message.lamport for r in rig.store.history(ROOM, 100).records] == [*range(20)]


async def test_a_store_that_does_not_open_ends_the_first_start() -> None:
    class Locked(MemoryStore):
        def open(self) -> None:
            raise StoreError("In use.")

    cell = ActorCell.of("storage", StorageActor, lambda: StorageActor(Locked()))
    with pytest.raises(StoreError, match="In use"):
        await Supervisor("root", [cell], root=True).run()
