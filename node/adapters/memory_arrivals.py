"""`Arrivals` in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from p2pchat.node.adapters.direct_keys import number_key, number_of, peer_prefix
from p2pchat.node.adapters.memory_rooms import MemoryRoom
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.items import START, bound_at, item_of
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.search_query import peer_place, room_place
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records


class MemoryArrivals:
    """Kept beside a `MemoryStore`, which says what comes and goes."""

    def __init__(self, stored: Callable[[], Iterable[index.Change]]) -> None:
        """`stored` gives every message in the store, in any order."""
        self._stored = stored
        self._follower = b""
        self._queue: dict[int, index.Change] = {}  # by number, ascending
        self._last = 0  # number given out

    def came(self, changes: Iterable[index.Change]) -> None:
        for change in changes:
            self._put(change)

    def changed(self, before: Iterable[index.Change], after: Iterable[index.Change]) -> None:
        """What was to be found before a write, and what is now."""
        lost = {bytes_of(change.spot): change for change in before}
        new = {bytes_of(change.spot): change for change in after}
        for spot in new.keys() - lost.keys():
            self._put(new[spot])
        for spot in lost.keys() - new.keys():
            self._put(index.Change(spot=lost[spot].spot, text=lost[spot].text, deleted=True))

    def going(self, room: MemoryRoom, limit: int) -> None:
        """To be called before the room is trimmed."""
        items = room.items(START, bound_at(room.settings.floor), limit)
        for record in room.messages(items):
            change = room_change(record)
            change.deleted = True
            self._put(change)

    def _put(self, change: index.Change) -> None:
        if self._follower:
            self._last += 1
            self._queue[self._last] = change

    # ---- what the index asks for --------------------------------------------------------------------

    def follower(self) -> bytes:
        return self._follower

    def set_follower(self, follower: bytes) -> None:
        self._follower = follower
        self._queue.clear()

    def oldest(self, limit: int) -> index.Changes:
        page = list(self._queue.items())[:limit]
        if not page:
            return index.Changes()
        stored = {bytes_of(change.spot) for change in self._stored()}
        there = [each for _, each in page if each.deleted or bytes_of(each.spot) in stored]
        last = page[-1][0]
        return index.Changes(changes=there, last=number_key(last), waiting=self._last - last)

    def drop(self, last: bytes) -> None:
        for number in [number for number in self._queue if number <= number_of(last)]:
            del self._queue[number]

    def scan(self, limit: int, after: bytes = b"") -> index.Changes:
        every = sorted((bytes_of(change.spot), change.text) for change in self._stored())
        by_spot = {bytes_of(change.spot): change for change in self._stored()}
        page = [by_spot[spot] for spot, _ in every if spot > after][:limit]
        return index.Changes(changes=page, last=bytes_of(page[-1].spot) if page else b"")


def room_change(record: records.RoomRecord) -> index.Change:
    message = record.message
    spot = index.Spot(
        place=room_place(stored_room(message.room, record.plain)), key=item_of(message)
    )
    return index.Change(spot=spot, text=message.text)


def direct_change(record: records.DirectRecord, position: bytes) -> index.Change:
    place = peer_place(peer_id.to_text(record.peer))
    key = position[len(peer_prefix(record.peer)) :]
    return index.Change(spot=index.Spot(place=place, key=key), text=record.text)


def bytes_of(spot: index.Spot) -> bytes:
    return spot.place.encode() + b"\x00" + spot.key
