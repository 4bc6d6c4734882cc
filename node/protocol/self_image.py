"""What a node is to others at the moment: its name, the rooms it is in, what it is about to say."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

DEFAULT_ROOM = "p2pchat-default"


@dataclass(slots=True)
class SelfImage:
    """Shared by the actors of the network group, and kept when they are restarted together."""

    name: str = ""  # empty until it was read from the profile
    named: bool = False
    # name -> plain. The configured ones until they are settled; then the one to speak in first stands last.
    rooms: dict[str, bool] = field(default_factory=dict)
    settled: bool = False
    outgoing: deque[wire.RoomMessage] = field(default_factory=deque)  # stored, not yet published
    record: wire.MailboxRecord | None = (
        None  # where mail for the node can be left; None until it was made
    )
    relays: list[actors.RelayEntry] = field(default_factory=list)  # to be reachable through
    default_room: bool = True  # join the default room when there is no other one

    def settle_rooms(self, remembered: Mapping[str, bool]) -> None:
        """At the first start: remembered rooms in order of last use, then the configured ones, the first of
        them last; the default room when there are none."""
        others = {room: plain for room, plain in remembered.items() if room not in self.rooms}
        self.rooms = {**others, **dict(reversed(self.rooms.items()))}
        if not self.rooms and self.default_room:
            self.rooms = {DEFAULT_ROOM: False}
        self.settled = True
