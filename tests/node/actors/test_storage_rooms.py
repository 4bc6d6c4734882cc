"""The storage actor and rooms over the memory store: what sync, retention and pubsub ask it for."""

from __future__ import annotations

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.actors.storage import MAX_PAGE, StorageActor
from p2pchat.node.actors.storage_rooms import MAX_RANGE_PAGE
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.protocol.items import (
    START,
    bound_at,
    item_of,
    pack_bound,
    pack_items,
    unpack_items,
)
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import sync_pb2 as sync
from tests.builders import ROOM, room_record

HORIZON = 10**6


class Rig:
    """A storage actor under a supervisor of its own."""

    def __init__(self, *stored: records.RoomRecord) -> None:
        self.store = MemoryStore()
        self.store.open()
        self.store.append(stored)
        self.cell = ActorCell.of("storage", StorageActor, lambda: StorageActor(self.store))

    async def compare(
        self, asked: sync.Ranges | None = None, reply: sync.Ranges | None = None
    ) -> actors.RangesCompared:
        query = actors.CompareRanges(room=ROOM, asked=asked, reply=reply, horizon=HORIZON)
        return await self.cell.ref.ask(query, actors.RangesCompared)

    async def answer(self, ranges: sync.Ranges) -> sync.Ranges:
        query = actors.AnswerRanges(room=ROOM, ranges=ranges)
        return await self.cell.ref.ask(query, sync.Ranges)

    async def set_floor(self, floor: int) -> None:
        settings = records.RoomSettings(room=ROOM, floor=floor)
        await self.cell.ref.ask(actors.SaveRoomSettings(settings=settings), actors.Done)

    async def refusal(self, command: Message) -> str:
        with pytest.raises(RequestRejectedError) as caught:
            await self.cell.ref.ask(command, actors.Done)
        assert caught.value.detail
        return actors.Reason.Name(actors.Reason.ValueType(caught.value.reason))


async def running(nursery: trio.Nursery, *stored: records.RoomRecord) -> Rig:
    rig = Rig(*stored)
    await nursery.start(Supervisor("root", [rig.cell], root=True).run)
    return rig


@pytest.fixture
async def rig(nursery: trio.Nursery) -> Rig:
    return await running(nursery, *(room_record(n) for n in range(300)))


def items(*numbers: int) -> list[bytes]:
    return [item_of(room_record(n).message) for n in numbers]


async def test_a_room_goes_on_with_its_settings(rig: Rig) -> None:
    await rig.set_floor(7)
    state = await rig.cell.ref.ask(actors.ReadRoomState(room=ROOM), actors.RoomState)
    assert (state.settings.room, state.settings.floor, state.lamport) == (ROOM, 7, 299)


async def test_ids_that_nobody_has_are_unknown(rig: Rig) -> None:
    ids = [n.to_bytes(16, "big") for n in (299, 300)]
    query = actors.FindUnknown(room=ROOM, ids=ids)
    assert [*(await rig.cell.ref.ask(query, actors.UnknownIds)).ids] == ids[1:]


async def test_a_room_is_trimmed_to_its_floor(rig: Rig) -> None:
    await rig.set_floor(250)
    for limit, left in [(100, 150), (0, 149), (2**32 - 1, 0)]:
        trimmed = await rig.cell.ref.ask(
            actors.TrimRoom(room=ROOM, limit=limit), actors.RoomTrimmed
        )
        assert trimmed.more is (left > 0)
    assert trimmed.messages == 149 <= MAX_PAGE
    usage = await rig.cell.ref.ask(actors.ListStoredRooms(), actors.RoomUsageList)
    assert [(u.room, u.messages, u.newest_lamport) for u in usage.rooms] == [(ROOM, 50, 299)]


async def test_the_floor_for_a_size_is_found(rig: Rig) -> None:
    for size, floor in [(0, 1024), (10**6, 0)]:
        query = actors.FindFloor(room=ROOM, bytes=size)
        assert (await rig.cell.ref.ask(query, actors.RoomFloor)).floor == floor


async def test_items_are_read(rig: Rig) -> None:
    query = actors.ReadItems(room=ROOM, items=pack_items(items(3, 5, 999)))
    page = await rig.cell.ref.ask(query, actors.RoomPage)
    assert [*page.records] == [room_record(3), room_record(5)]


@pytest.mark.parametrize(("limit", "given"), [(0, 1), (3, 3), (2**32 - 1, MAX_RANGE_PAGE)])
async def test_a_range_is_read_backward(rig: Rig, limit: int, given: int) -> None:
    interval = sync.Interval(lower=pack_bound(START), upper=pack_bound(bound_at(290)))
    query = actors.ReadRange(room=ROOM, interval=interval, limit=limit, max_bytes=10**6)
    page = await rig.cell.ref.ask(query, actors.RoomPage)
    assert [record.message.lamport for record in page.records] == [*range(289, 289 - given, -1)]
    assert page.more


async def test_two_stores_find_what_only_one_of_them_has(nursery: trio.Nursery, rig: Rig) -> None:
    less = await running(nursery, *(room_record(n) for n in range(301) if n not in (7, 200)))
    need: list[bytes] = []
    have: list[bytes] = []
    waiting = [*(await less.compare()).ask]
    while waiting:
        asked = waiting.pop()
        compared = await less.compare(asked, await rig.answer(asked))
        waiting += compared.ask
        need += unpack_items(compared.need)
        have += unpack_items(compared.have)
    assert (sorted(need), have) == (items(7, 200), items(300))


async def test_nothing_below_the_floor_is_said(nursery: trio.Nursery, rig: Rig) -> None:
    empty = await running(nursery)
    await rig.set_floor(299)
    asked = (await empty.compare()).ask[0]
    compared = await empty.compare(asked, await rig.answer(asked))
    assert unpack_items(compared.need) == items(299)


async def test_nonsense_is_invalid_and_no_crash(rig: Rig) -> None:
    asked = (await rig.compare()).ask[0]
    descending = sync.Items(steps=[5, 2**53], tags=bytes(32))
    too_long = sync.Bound(tag=bytes(17))
    wrong: list[Message] = [
        actors.AnswerRanges(room=ROOM),
        actors.CompareRanges(room=ROOM, asked=asked, reply=sync.Ranges(lower=pack_bound(b"\x09"))),
        actors.ReadItems(room=ROOM, items=sync.Items(steps=[1])),
        actors.ReadItems(room=ROOM, items=descending),
        actors.ReadRange(room=ROOM, interval=sync.Interval(lower=too_long), limit=1),
        actors.ReadRange(room=ROOM, interval=sync.Interval(upper=too_long), limit=1),
    ]
    for command in wrong:
        assert await rig.refusal(command) == "INVALID", command
    assert rig.cell.restarts == 0


async def test_a_full_disk_is_a_rejection(rig: Rig) -> None:
    rig.store.failure = StoreError("The disk is full.")
    for command in (actors.SaveRoomSettings(), actors.TrimRoom(room=ROOM, limit=1)):
        assert await rig.refusal(command) == "STORE_FAILED"
    assert rig.cell.restarts == 0
