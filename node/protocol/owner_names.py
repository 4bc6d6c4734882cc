"""How the owner of a node calls people."""

from __future__ import annotations

from collections.abc import Iterable

from p2pchat.node.protocol import peer_id
from p2pchat.proto import actors_pb2 as actors


class Names:
    """`me` is the node's own peer id."""

    def __init__(self, me: str) -> None:
        self.me = me
        self.me_bytes = peer_id.from_text(me)
        self._given: dict[str, str] = {}  # by the owner, by peer id
        self._called: dict[str, str] = {}  # anything better than the end of the peer id

    def learn(self, contacts: Iterable[actors.ContactStatus]) -> None:
        """All of them; those of before are forgotten."""
        self._given, self._called = {}, {}
        for status in contacts:
            peer = peer_id.to_text(status.contact.peer)
            if status.contact.name:
                self._given[peer] = status.contact.name
            self._called[peer] = status.name

    def of(self, peer: str, nick: str = "") -> str:
        """The owner's name for somebody, else `nick`, what they call themselves."""
        return self._given.get(peer) or nick or self._called.get(peer) or nameless(peer)

    def among_known(self, peer: str, nick: str) -> str:
        """The same; empty when all that is known is the peer id."""
        return self._given.get(peer) or nick


def nameless(peer: str) -> str:
    """ "…a1B2c3"; empty when nobody knows who it is."""
    return f"…{peer_id.short(peer)}" if peer else ""
