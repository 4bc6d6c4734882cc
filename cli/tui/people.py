"""How people are called on the screen, in stable colours, and those who could be taken for each other told apart."""

from __future__ import annotations

import zlib

from p2pchat.cli.terminal import look_alikes
from p2pchat.cli.tui.cells import steady_name
from p2pchat.cli.tui.rows import Piece
from p2pchat.node.protocol import peer_id

NAMES_KNOWN = 4096  # peers whose names are kept; those heard of first are forgotten first
NAME_COLUMNS = 32
COLOURS = 8  # styles "peer0" to "peer7"
YOU = "You"


class People:
    def __init__(self, me: str = "", name: str = "") -> None:
        self.me, self.name = me, name
        self.generation = 0  # counts up whenever somebody is to be shown otherwise than before
        self._names: dict[str, str] = {}
        self._skeletons: dict[str, str] = {}  # by peer
        self._holders: dict[str, int] = {}  # how many peers have a skeleton

    def known(self) -> dict[str, str]:
        return self._names

    def be(self, me: str, name: str) -> None:
        if (me, name) != (self.me, self.name):
            self.me, self.name = me, name
            self.generation += 1

    def learn(self, peer: str, name: str) -> None:
        """A name as the node gives it: the owner's choice, or else the peer's own."""
        if not peer or peer == self.me or not name.strip() or name.startswith("…"):
            return
        if self._names.get(peer) == name:
            return
        if peer in self._names:
            self.generation += 1
            self._forget(peer)
        elif len(self._names) >= NAMES_KNOWN:
            self._forget(next(iter(self._names)))
        self._names[peer] = name
        skeleton = look_alikes.skeleton(name)
        self._skeletons[peer] = skeleton
        self._holders[skeleton] = self._holders.get(skeleton, 0) + 1
        if self._holders[skeleton] == 2:
            self.generation += 1

    def _forget(self, peer: str) -> None:
        del self._names[peer]
        skeleton = self._skeletons.pop(peer)
        self._holders[skeleton] -= 1
        if not self._holders[skeleton]:
            del self._holders[skeleton]

    def is_ambiguous(self, name: str) -> bool:
        skeleton = look_alikes.skeleton(name)
        mine = (look_alikes.skeleton(YOU), look_alikes.skeleton(self.name) if self.name else "")
        return skeleton in mine or self._holders.get(skeleton, 0) > 1

    def label(self, peer: str, name: str = "", limit: int = NAME_COLUMNS) -> str:
        """`Bob`, or `Bob …a1B2c3` where somebody else has a name like that, or `…a1B2c3`."""
        if peer and peer == self.me:
            return YOU
        called = name or self._names.get(peer, "")
        end = f"…{peer_id.short(peer)}" if peer else ""
        if not called.strip() or called == end:
            return steady_name(end or "somebody", limit)
        if peer and self.is_ambiguous(called):
            return f"{steady_name(called, limit - len(end) - 1)} {steady_name(end, len(end))}"
        return steady_name(called, limit)

    def piece(self, peer: str, name: str = "", limit: int = NAME_COLUMNS) -> Piece:
        return Piece(self.label(peer, name, limit), self.style(peer))

    def style(self, peer: str) -> str:
        if peer and peer == self.me:
            return "me"
        return f"peer{zlib.crc32(peer.encode()) % COLOURS}" if peer else "strong"
