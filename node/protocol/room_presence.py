"""Who is in one room, as far as one node knows: from signed presences and from what gossip says of neighbours."""

from __future__ import annotations

import math
import random
from collections.abc import Set
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.protocol import peer_id, presence
from p2pchat.node.protocol.comings import Comings
from p2pchat.node.protocol.room_message import Flaw
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

MAX_PEERS = 2000  # remembered; then the one that was heard longest ago goes
GONE_GRACE = 15.0  # seconds that a neighbour may be away from gossip before it counts as gone
SPACING = 2.0  # seconds between two presences of one peer; what comes sooner is not looked at
# Presences whose signature is checked, a second: of peers that are known already, and of others.
_KNOWN_RATE, _KNOWN_BURST = 20.0, 200.0
_NEW_RATE, _NEW_BURST = 2.0, 200.0


@dataclass(slots=True)
class _Peer:
    name: str = ""
    sequence: int = 0
    heard_at: float = -math.inf  # by presence, or last seen as a neighbour
    presence_at: float = -math.inf
    valid_until: float = -math.inf
    neighbour: bool = False  # directly connected, and subscribed
    gone_until: float | None = None  # was a neighbour; from then on it counts as gone
    left: bool = False  # has said so
    seen_ms: int = 0

    @property
    def until(self) -> float:
        """When it stops being a member if nothing is heard."""
        if self.left:
            return -math.inf
        if self.neighbour:
            return math.inf
        return self.valid_until if self.gone_until is None else self.gone_until


@dataclass(frozen=True, slots=True)
class MembersReport:
    """`first`: `joined` are those who were there before us, perhaps nobody."""

    joined: list[actors.Member]
    left: list[actors.Member]
    first: bool


class RoomPresence:
    """Peers are named in base58; `now` is seconds of any monotonic clock, `now_ms` Unix milliseconds.

    `author` is the own binary peer id. Begins with the own joining at `now`.
    """

    def __init__(
        self,
        room: str,
        author: bytes,
        key: Ed25519PrivateKey,
        nick: str,
        rng: random.Random,
        now: float,
        announced: bool = True,
    ) -> None:
        """`announced`: members say that they are there. Who never does is silent, as an archive is: it is listed, and
        its coming and going is not reported."""
        self._room = room
        self._announced = announced
        self._own = peer_id.to_text(author)
        self._peers: dict[str, _Peer] = {}
        self._neighbours: Set[str] = frozenset()
        self._announcer = presence.Announcer(room, author, key, nick, rng)
        self._comings = Comings(now)
        self._joined_at = now
        self._known_budget = TokenBucket(_KNOWN_RATE, _KNOWN_BURST, now)
        self._new_budget = TokenBucket(_NEW_RATE, _NEW_BURST, now)
        self.skipped = 0  # presences that were not looked at: old, or too many

    # ---- what is heard ------------------------------------------------------------------------------

    def receive(self, heard: wire.Presence, now: float, now_ms: int) -> Flaw | None:
        """Take in a presence as it came from gossip; says what is wrong with it."""
        if not self._wants(heard, now):
            self.skipped += 1
            return None
        if flaw := presence.flaw_of(heard, self._room):
            return flaw
        self.heard(heard, now, now_ms)
        return None

    def heard(self, heard: wire.Presence, now: float, now_ms: int) -> None:
        """Take in a presence that was verified."""
        name = peer_id.to_text(heard.peer)
        if name == self._own:
            self._announcer.catch_up(heard.sequence)
            return
        peer = self._peers.get(name) or self._add(name)
        if heard.sequence <= peer.sequence:
            return
        is_first = peer.sequence == 0 or peer.left
        peer.sequence = heard.sequence
        peer.name = heard.nick or peer.name
        peer.heard_at = peer.presence_at = now
        peer.seen_ms = now_ms
        peer.valid_until = now + heard.valid_seconds
        peer.left = heard.valid_seconds == 0
        peer.gone_until = None
        if is_first and not peer.left:
            self._came_up(name, heard, now)

    def subscribed(self, peers: Set[str], now: float, now_ms: int) -> None:
        """Who is connected and listens to the room, as gossip knows it at this moment."""
        for name in self._neighbours - peers:
            if peer := self._peers.get(name):
                peer.neighbour = False
                peer.gone_until = now + GONE_GRACE
        newcomers = peers - self._neighbours - {self._own}
        for name in newcomers:
            peer = self._peers.get(name) or self._add(name)
            peer.left = False  # it may have said so before it came back
            peer.gone_until = None
        self._neighbours = peers - {self._own}
        for name in self._neighbours:
            peer = self._peers.get(name) or self._add(name)
            peer.neighbour = True
            peer.heard_at, peer.seen_ms = now, now_ms
        if newcomers:
            self._announcer.heard_by_somebody(now)
            self._announcer.welcome(now, self._count(now))

    def named(self, name: str, nick: str) -> None:
        """A greeting told how a connected peer calls itself."""
        peer = self._peers.get(name) or self._add(name)
        peer.name = nick or peer.name

    def rename(self, nick: str, now: float) -> None:
        """This node has another name from now on."""
        self._announcer.rename(nick, now)

    # ---- what is known ------------------------------------------------------------------------------

    def members(self, now: float) -> list[actors.Member]:
        """By name, without this node."""
        return sorted(
            (self._member(name, peer) for name, peer in self._peers.items() if peer.until > now),
            key=_by_name,
        )

    def changes(self, now: float) -> MembersReport | None:
        """Who came and who went, gathered; None when there is nothing to say now."""
        there = {
            name: peer
            for name, peer in self._peers.items()
            if peer.until > now and (peer.sequence or not self._announced)
        }
        change = self._comings.look(there, now)
        if change is None:
            return None
        return MembersReport(
            sorted(map(self._member_of, change.joined), key=_by_name),
            sorted(map(self._member_of, change.left), key=_by_name),
            change.first,
        )

    def announcement(self, now: float, now_ms: int) -> wire.Presence | None:
        """What this node has to say now about itself, if anything."""
        if not self._neighbours:
            return None  # nobody would hear it: it stays due
        return self._announcer.announcement(now, now_ms, self._count(now))

    def farewell(self, now_ms: int) -> wire.Presence | None:
        """What to say on leaving; None when nobody has heard of this node."""
        return self._announcer.farewell(now_ms)

    def due(self, now: float) -> float:
        """When to call `changes` and `announcement` again if nothing is heard; infinite: never."""
        times = [peer.until for peer in self._peers.values() if peer.until > now]
        if self._comings.due is not None:
            times.append(self._comings.due)
        if self._neighbours:
            times.append(self._announcer.due)
        return min(times, default=math.inf)

    # ---- inside -------------------------------------------------------------------------------------

    def _wants(self, heard: wire.Presence, now: float) -> bool:
        """Whether its signature, which costs the most, is to be checked. Only verified ones count against a peer."""
        if len(heard.peer) != peer_id.ED25519_ID_BYTES:
            return True  # refused at once, and counted
        name = peer_id.to_text(heard.peer)
        if name == self._own:
            return self._announcer.is_newer(heard.sequence) and self._known_budget.allows(now)
        peer = self._peers.get(name)
        if peer is None:
            return self._new_budget.allows(now)
        too_soon = now < peer.presence_at + SPACING and heard.valid_seconds > 0 and not peer.left
        if heard.sequence <= peer.sequence or too_soon:
            return False
        return self._known_budget.allows(now)

    def _came_up(self, name: str, heard: wire.Presence, now: float) -> None:
        """A large room repeats itself slowly: who is first heard there in that time was there before us."""
        interval = heard.valid_seconds / presence.VALID_INTERVALS
        if interval > presence.INTERVAL and now < self._joined_at + interval:
            self._comings.know(name)
        self._announcer.welcome(now, self._count(now))

    def _add(self, name: str) -> _Peer:
        if len(self._peers) >= MAX_PEERS:
            oldest = min(
                self._peers.items(), key=lambda each: (each[1].neighbour, each[1].heard_at)
            )
            del self._peers[oldest[0]]
        peer = self._peers[name] = _Peer()
        return peer

    def _count(self, now: float) -> int:
        return sum(peer.until > now for peer in self._peers.values())

    def _member_of(self, name: str) -> actors.Member:
        return self._member(name, self._peers.get(name, _Peer()))

    def _member(self, name: str, peer: _Peer) -> actors.Member:
        return actors.Member(
            peer=name, name=peer.name, connected=peer.neighbour, seen_ms=peer.seen_ms
        )


def _by_name(member: actors.Member) -> tuple[str, str]:
    return member.name.casefold(), member.peer
