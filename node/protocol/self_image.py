"""What a node is to others at the moment: its name and the rooms it is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_ROOM = "p2pchat-default"


@dataclass(slots=True)
class SelfImage:
    """Shared by the actors of the network group, and kept when they are restarted together."""

    name: str = ""  # empty until it was read from the profile
    rooms: dict[str, bool] = field(default_factory=dict)  # name -> plain; in the order of joining
    settled: bool = False

    def settle_rooms(self, remembered: Mapping[str, bool]) -> None:
        """At the first start: configured rooms come first, then remembered ones, else the default room."""
        self.rooms = {**self.rooms, **{r: p for r, p in remembered.items() if r not in self.rooms}}
        if not self.rooms:
            self.rooms = {DEFAULT_ROOM: False}
        self.settled = True
