"""What the peers of one run of a memory network say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from p2pchat.node.adapters.memory_addresses import NO_ADDRESS
from p2pchat.node.adapters.memory_link import End
from p2pchat.node.ports import Identified


class MemoryIdentify:
    """`own` is what we say of ourselves; `learned` is called when a connected peer has said something new."""

    def __init__(
        self,
        ends: Callable[[], Iterable[End]],
        own: Callable[[], Identified],
        learned: Callable[[str], None],
    ) -> None:
        self._ends = ends
        self._own = own
        self._learned = learned
        self._known: dict[str, Identified] = {}
        self._told = Identified(frozenset(), ())

    def identified(self, peer: str) -> Identified | None:
        return self._known.get(peer)

    def introduce(self, end: End) -> None:
        """Say it on a new connection."""
        self.changed()
        self._say(end)

    def changed(self) -> None:
        """Tell everybody, if there is something new."""
        if self._own() != self._told:
            self._told = self._own()
            for end in self._ends():
                self._say(end)

    def forget(self, peer: str) -> None:
        self._known.pop(peer, None)

    def learn(self, end: End, said: Identified) -> None:
        if end.alive and self._known.get(end.peer) != said:
            self._known[end.peer] = said
            self._learned(end.peer)

    def _say(self, end: End) -> None:
        seen = "" if end.info.relayed or end.info.address == NO_ADDRESS else end.info.address
        said = Identified(self._told.protocols, self._told.addresses, seen, not end.info.outbound)
        end.send(partial(end.other.host.learn, end.other, said))
