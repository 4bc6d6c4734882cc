"""Routers between memory networks and the rest, and two of those behind them that meet by punching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NatKind = Literal["cone", "symmetric"]


@dataclass(frozen=True, slots=True)
class Nat:
    kind: NatKind
    address: str  # where a cone shows its peer to everybody; nobody listens there


class Nats:
    """Who sits behind which router. Nobody can dial such a peer; what it dials itself works."""

    def __init__(self, new_address: Callable[[], str]) -> None:
        self._new_address = new_address
        self._nats: dict[str, Nat] = {}

    def put(self, peer: str, kind: NatKind | None) -> None:
        """None: it sits in the open again."""
        self._nats.pop(peer, None)
        if kind is not None:
            self._nats[peer] = Nat(kind, self._new_address())

    def hides(self, peer: str) -> bool:
        return peer in self._nats

    def seen_as(self, peer: str, own: str) -> str:
        """The address that somebody sees to whom `peer` connects; `own` without a NAT.

        A symmetric one takes another for everybody: that is why nobody knows where to punch to.
        """
        nat = self._nats.get(peer)
        if nat is None:
            return own
        return nat.address if nat.kind == "cone" else self._new_address()

    def can_meet(self, peer: str, other: str) -> bool:
        """Whether both could connect by dialling each other at the same time."""
        nats = [self._nats[one] for one in (peer, other) if one in self._nats]
        return len(nats) < 2 or all(nat.kind == "cone" for nat in nats)

    def leads_to(self, address: str, peer: str) -> bool:
        """Whether that is where a cone shows `peer`."""
        nat = self._nats.get(peer)
        return nat is not None and nat.kind == "cone" and nat.address == address


@dataclass(slots=True)
class Punch:
    """One side's attempt, while it goes on. `ready`: its dials could reach the other one."""

    initiator: bool
    ready: bool


class Punches:
    """The attempts that go on, so that two that are made at the same time find each other."""

    def __init__(self) -> None:
        self._going_on: dict[tuple[str, str], Punch] = {}

    def begin(self, peer: str, other: str, punch: Punch) -> bool:
        """Whether that is the second half of a pair that works."""
        self._going_on[peer, other] = punch
        there = self._going_on.get((other, peer))
        return (
            there is not None
            and there.ready
            and punch.ready
            and there.initiator is not punch.initiator
        )

    def end(self, peer: str, other: str, punch: Punch) -> None:
        if self._going_on.get((peer, other)) is punch:
            del self._going_on[peer, other]
