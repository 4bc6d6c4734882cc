"""What was said in all rooms together, also in those that were left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from p2pchat.node.protocol.rooms import Room
from p2pchat.proto import actors_pb2 as actors


class RoomTally:
    """Counts since it was made: what a room has counted goes on counting when it is left."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()

    def left(self, room: Room) -> None:
        self._left.update(_counts(room))

    def describe(self, rooms: Collection[Room], neighbours: int) -> actors.PubsubDescription:
        """`rooms` are those that this node is in; `neighbours`: see there."""
        total = self._left.copy()
        for room in rooms:
            total.update(_counts(room))
        return actors.PubsubDescription(rooms=len(rooms), neighbours=neighbours, **total)


def _counts(room: Room) -> dict[str, int]:
    names = ("said", "received", "duplicates")
    return {**{name: room.counts[name] for name in names}, "refused": room.refused}
