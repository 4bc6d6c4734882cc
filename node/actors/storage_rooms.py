"""What the storage actor does about rooms: history, settings, size, and the steps of sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import TypeVar

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import SAVES_PER_COMMIT, StoreActor, length_of_page
from p2pchat.node.protocol import sync as rules
from p2pchat.node.protocol.items import unpack_bound, unpack_items
from p2pchat.node.runtime import handles, handles_batch
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import sync_pb2 as sync

MAX_RANGE_PAGE = 256  # messages of a range in one page

P = TypeVar("P")
T = TypeVar("T")


class RoomStorage(StoreActor):
    """Keeps the messages of rooms, and what the owner has decided about them."""

    @handles_batch(actors.SaveRoomMessages, at_most=SAVES_PER_COMMIT)
    async def _save_room_messages(
        self, commands: Sequence[actors.SaveRoomMessages]
    ) -> Sequence[Message]:
        batches = [c.records for c in commands]
        saved = await self._save_together(batches, self._save_and_look)
        if isinstance(saved, actors.Rejected):
            return [saved] * len(commands)
        return [
            actors.RoomMessagesSaved(
                fresh=(new for new, _ in each), altered=(late for _, late in each)
            )
            for each in saved
        ]

    @handles(actors.ReadHistory)
    async def _read_history(self, query: actors.ReadHistory) -> Message:
        return await self._answer(lambda: self._page(query))

    @handles(actors.ReadRoomState)
    async def _read_room_state(self, query: actors.ReadRoomState) -> Message:
        return await self._answer(lambda: self._room_state(query.room))

    @handles(actors.FindUnknown)
    async def _find_unknown(self, query: actors.FindUnknown) -> Message:
        return await self._answer(
            lambda: actors.UnknownIds(ids=self._store.unknown(query.room, query.ids))
        )

    # ---- settings and size --------------------------------------------------------------------------

    @handles(actors.SaveRoomSettings)
    async def _save_room_settings(self, command: actors.SaveRoomSettings) -> Message:
        return await self._write(lambda: self._store.save_room_settings(command.settings))

    @handles(actors.TrimRoom)
    async def _trim_room(self, command: actors.TrimRoom) -> Message:
        return await self._answer(lambda: self._trimmed(command))

    @handles(actors.FindFloor)
    async def _find_floor(self, query: actors.FindFloor) -> Message:
        return await self._answer(
            lambda: actors.RoomFloor(floor=self._store.floor_for(query.room, query.bytes))
        )

    @handles(actors.ListStoredRooms)
    async def _list_stored_rooms(self, _: actors.ListStoredRooms) -> Message:
        return await self._answer(lambda: actors.RoomUsageList(rooms=self._store.stored_rooms()))

    # ---- sync -------------------------------------------------------------------------------------

    @handles(actors.CompareRanges)
    async def _compare_ranges(self, query: actors.CompareRanges) -> Message:
        return await self._answer_valid(lambda: self._compared(query))

    @handles(actors.AnswerRanges)
    async def _answer_ranges(self, query: actors.AnswerRanges) -> Message:
        return await self._answer_valid(lambda: self._ranges(query))

    @handles(actors.ReadItems)
    async def _read_items(self, query: actors.ReadItems) -> Message:
        return await self._answer_valid(lambda: self._items(query))

    @handles(actors.ReadRange)
    async def _read_range(self, query: actors.ReadRange) -> Message:
        return await self._answer_valid(lambda: self._range(query))

    async def _answer_valid(self, call: Callable[[], Message]) -> Message:
        """As `_answer`, for a call that says with a `SyncError` that somebody sent nonsense."""

        def checked() -> Message:
            try:
                return call()
            except rules.SyncError as error:
                return actors.Rejected(reason=actors.INVALID, detail=str(error))

        return await self._answer(checked)

    # What runs in the worker thread.

    def _save_and_look(self, batch: Sequence[records.RoomRecord]) -> list[tuple[bool, bool]]:
        """For each whether it was new, and whether it has been altered already."""
        fresh = self._store.append(batch)
        altered = iter(self._store.altered([*compress(batch, fresh)]))
        return [(is_new, is_new and next(altered)) for is_new in fresh]

    def _page(self, query: actors.ReadHistory) -> actors.HistoryPage:
        page = self._store.history(query.room, length_of_page(query.limit), query.before)
        return actors.HistoryPage(records=page.records, first=page.first)

    def _room_state(self, room: str) -> actors.RoomState:
        head = self._store.room_head(room)
        settings = self._store.room_settings(room)
        return actors.RoomState(lamport=head.lamport, parents=head.parents, settings=settings)

    def _trimmed(self, command: actors.TrimRoom) -> actors.RoomTrimmed:
        count, more = self._store.trim_room(command.room, length_of_page(command.limit))
        return actors.RoomTrimmed(messages=count, more=more)

    def _compared(self, query: actors.CompareRanges) -> actors.RangesCompared:
        return rules.compare(
            self._store.item_set(query.room),
            query.asked if query.HasField("asked") else None,
            query.reply if query.HasField("reply") else None,
            self._store.room_settings(query.room).floor,
            query.horizon,
        )

    def _ranges(self, query: actors.AnswerRanges) -> sync.Ranges:
        floor = self._store.room_settings(query.room).floor
        return rules.answer(self._store.item_set(query.room), query.ranges, floor)

    def _items(self, query: actors.ReadItems) -> actors.RoomPage:
        items = _well_formed(unpack_items, query.items)
        return actors.RoomPage(records=self._store.room_messages(query.room, items))

    def _range(self, query: actors.ReadRange) -> actors.RoomPage:
        found, more = self._store.newest_between(
            query.room,
            _well_formed(unpack_bound, query.interval.lower),
            _well_formed(unpack_bound, query.interval.upper),
            length_of_page(query.limit, MAX_RANGE_PAGE),
            query.max_bytes,
        )
        return actors.RoomPage(records=found, more=more)


def _well_formed(unpack: Callable[[P], T], packed: P) -> T:
    """Raises `SyncError` when it cannot be unpacked."""
    try:
        return unpack(packed)
    except ValueError as error:
        raise rules.SyncError(str(error)) from error
