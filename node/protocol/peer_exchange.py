"""Peer exchange (`/p2pchat/peers/1.0.0`): members of a room tell each other where further members are.

What is heard is hearsay: who dials finds out whether it is true.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.multiaddrs import MAX_LENGTH
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.proto import wire_pb2 as wire

PROTOCOL = "/p2pchat/peers/1.0.0"
REQUEST_LIMIT = 1024  # bytes
REPLY_LIMIT = 64 * 1024  # bytes
MAX_PEERS = 32  # in one reply
MAX_ADDRESSES = 8  # of one peer
MAX_ID_BYTES = 64  # of a binary peer id

FEW = 4  # neighbours in a room; with fewer others are looked for often
MAX_ASKED = 16  # neighbours of one room that are asked in turn
FIRST = (1.0, 3.0)  # seconds from seeing a neighbour to asking it
AGAIN = Backoff(first=300.0, most=300.0)  # seconds from one question about a room to the next ...
AGAIN_FEW = Backoff(first=30.0, most=30.0)  # ... while there are few neighbours
REFUSED = Backoff(first=30.0, most=1800.0)  # seconds, when somebody does not answer


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a peer may be; multiaddrs without `/p2p/<peer id>`."""

    peer: str
    addresses: Sequence[str]


def nobody() -> wire.PeersReply:
    """The empty reply: a frame has at least one byte, so there is a peer without an id in it, which means nothing."""
    return wire.PeersReply(peers=[wire.RoomPeer()])


def reply_of(members: Iterable[Whereabouts], limit: int, *, to_loopback: bool) -> wire.PeersReply:
    """What to tell somebody: those who have an address for him, at most `limit` and `REPLY_LIMIT`."""
    reply = wire.PeersReply()
    size = 0
    for member in members:
        addresses = _useful(member.peer, member.addresses, loopback=to_loopback)
        if not addresses:
            continue
        told = wire.RoomPeer(peer=peer_id.from_text(member.peer), addresses=addresses)
        size += told.ByteSize() + 4  # tag and length
        if len(reply.peers) >= min(limit, MAX_PEERS) or size > REPLY_LIMIT:
            break
        reply.peers.append(told)
    return reply if reply.peers else nobody()


def read_reply(
    reply: wire.PeersReply, *, from_loopback: bool, without: Collection[str]
) -> list[Whereabouts]:
    """What of a reply is of use; `without` are peer ids that nobody needs to be told of."""
    found: dict[str, Whereabouts] = {}
    for told in reply.peers[:MAX_PEERS]:
        try:
            peer = _peer_of(told.peer)
        except ValueError:
            continue
        addresses = _useful(peer, told.addresses, loopback=from_loopback)
        if addresses and peer not in without:
            found[peer] = Whereabouts(peer, tuple(addresses))
    return list(found.values())


def _peer_of(told: bytes) -> str:
    if len(told) > MAX_ID_BYTES:
        raise ValueError("no peer id")
    text = peer_id.to_text(told)
    peer_id.from_text(text)
    return text


def _useful(peer: str, addresses: Iterable[str], *, loopback: bool) -> list[str]:
    """Loopback addresses mean something only between two on one computer."""
    ending = f"/p2p/{peer}"
    bare = dict.fromkeys(address.removesuffix(ending) for address in addresses)
    useful = [a for a in bare if _is_plausible(a) and (loopback or scope_of(a) != Scope.LOOPBACK)]
    return useful[:MAX_ADDRESSES]


def _is_plausible(address: str) -> bool:
    """Who dials parses it; a `/dnsaddr/` stands for somebody else's list, which nobody here looks up."""
    return (
        address.startswith("/")
        and len(address) <= MAX_LENGTH
        and address.isascii()
        and address.isprintable()
        and not address.startswith("/dnsaddr/")
    )


@dataclass(slots=True)
class _Neighbour:
    due: float
    failures: int = 0


class Asking:
    """Whom to ask about which room, and when. Times are seconds of any monotonic clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._rooms: dict[str, dict[str, _Neighbour]] = {}

    def see(self, room: str, peers: Iterable[str], now: float) -> None:
        """These are the room's neighbours now: connected, and in the room."""
        before = self._rooms.get(room, {})
        present = sorted(peers, key=lambda peer: peer not in before)[:MAX_ASKED]
        here = {peer: before.get(peer) or _Neighbour(self._soon(now)) for peer in present}
        self._rooms[room] = here
        if len(here) < FEW <= len(before):
            for neighbour in here.values():
                neighbour.due = min(neighbour.due, now + AGAIN_FEW.delay(1, self._rng))

    def keep_only(self, rooms: Collection[str]) -> None:
        """The others were left."""
        self._rooms = {room: here for room, here in self._rooms.items() if room in rooms}

    def due(self, now: float) -> list[tuple[str, str]]:
        """Rooms and peers to ask about them now; when to ask again is settled by that."""
        found = []
        for room, here in self._rooms.items():
            again = AGAIN if len(here) >= FEW else AGAIN_FEW
            for peer, neighbour in here.items():
                if neighbour.due <= now:
                    neighbour.due = now + again.delay(1, self._rng)
                    found.append((room, peer))
        return found

    def next_due(self) -> float | None:
        times = (neighbour.due for here in self._rooms.values() for neighbour in here.values())
        return min(times, default=None)

    def answered(self, room: str, peer: str) -> None:
        if neighbour := self._rooms.get(room, {}).get(peer):
            neighbour.failures = 0

    def refused(self, room: str, peer: str, now: float) -> None:
        """It has no answer: not one of ours perhaps, which are all that can be asked."""
        if neighbour := self._rooms.get(room, {}).get(peer):
            neighbour.failures += 1
            neighbour.due = now + REFUSED.delay(neighbour.failures, self._rng)

    def again(self, now: float) -> None:
        """Everything may have changed: ask everybody soon."""
        for here in self._rooms.values():
            for neighbour in here.values():
                neighbour.due = min(neighbour.due, self._soon(now))

    def _soon(self, now: float) -> float:
        return now + self._rng.uniform(*FIRST)
