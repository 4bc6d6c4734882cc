"""The routing table: peers that serve the DHT, in buckets by how much of their position they share with ours."""

from __future__ import annotations

import heapq
import ipaddress
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from p2pchat.node.protocol.kad.keys import distance, position, shared_bits
from p2pchat.node.protocol.kad.limits import K
from p2pchat.node.protocol.kad.peers import KadPeer

WAITING = 8  # peers beside a full bucket, to replace one that fails; of more the oldest are dropped
MAX_FAILURES = 3  # in a row, until a peer is dropped although nobody waits for its place
DOUBT = (
    1800.0  # seconds without a word until it counts as a failure what may as well be our own fault
)
REST, MOST_REST = 20.0, 900.0  # seconds after a failure; doubled with each further one in a row
# Peer ids cost nothing, addresses do: nobody fills the table out of one public network.
SUBNET_IN_BUCKET = 2  # peers of one public IPv4 /24 or IPv6 /48 in a bucket ...
SUBNET_IN_TABLE = 8  # ... and in the whole table
_PREFIX = {4: 24, 6: 48}  # bits of an address that make a subnet


@dataclass(slots=True)
class _Entry:
    peer: KadPeer
    position: int
    subnet: str  # empty: not public
    heard_at: float
    failures: int = 0  # in a row, whoever's fault they were
    rests_until: float = float("-inf")

    def fail(self, now: float) -> None:
        self.failures += 1
        doublings = min(self.failures - 1, 16)  # more only overflow
        self.rests_until = now + min(MOST_REST, REST * 2.0**doublings)


@dataclass(slots=True)
class _Bucket:
    entries: dict[bytes, _Entry] = field(default_factory=dict)  # who was heard last stands last
    waiting: dict[bytes, _Entry] = field(default_factory=dict)


class RoutingTable:
    """Times are seconds of any monotonic clock."""

    def __init__(self, own: bytes) -> None:
        self._own = own
        self._position = position(own)
        self._buckets: dict[int, _Bucket] = {}

    def __len__(self) -> int:
        return sum(len(bucket.entries) for bucket in self._buckets.values())

    def __contains__(self, peer: bytes) -> bool:
        bucket = self._buckets.get(self._index(position(peer)))
        return bucket is not None and peer in bucket.entries

    @property
    def buckets(self) -> list[int]:
        """The numbers of those with anybody in it: how many bits their peers share with us."""
        return sorted(index for index, bucket in self._buckets.items() if bucket.entries)

    def knows(self, peer: bytes) -> bool:
        """Whether it is in the table, or waits for a place."""
        bucket = self._buckets.get(self._index(position(peer)))
        return bucket is not None and (peer in bucket.entries or peer in bucket.waiting)

    def get(self, peer: bytes) -> KadPeer | None:
        bucket = self._buckets.get(self._index(position(peer)))
        entry = bucket.entries.get(peer) if bucket is not None else None
        return entry.peer if entry is not None else None

    def heard(self, peer: KadPeer, at: str, now: float) -> bool:
        """A peer that serves the DHT is alive; `at` is the address of the connection to it, which is proven.

        Whether it is in the table now: else its bucket is full of peers that work, or of its network.
        """
        if peer.peer == self._own:
            return False
        place = position(peer.peer)
        bucket = self._buckets.setdefault(self._index(place), _Bucket())
        known = bucket.entries.pop(peer.peer, None)
        if known is not None and not peer.addresses:
            peer = known.peer
        entry = _Entry(peer, place, subnet_of(at), now)
        if known is not None or self._makes_room(bucket, entry):
            bucket.entries[peer.peer] = entry
            bucket.waiting.pop(peer.peer, None)
            return True
        self._let_wait(bucket, entry)
        return False

    def failed(self, peer: bytes, now: float, *, connected: bool, sure: bool = True) -> None:
        """A peer did not answer: it rests, and its place goes to one that waits for it, or else it gets a few more
        chances.

        One that is connected is never lost so: it may have had too much to do. `sure`: it is not our own fault.
        """
        bucket = self._buckets.get(self._index(position(peer)))
        entry = bucket.entries.get(peer) if bucket is not None else None
        if bucket is None or entry is None:
            return
        entry.fail(now)
        if not sure and entry.heard_at > now - DOUBT:
            return
        successor = self._successor(bucket, entry)
        if successor is not None:
            self._exchange(bucket, entry, successor, keep=connected)
        elif entry.failures >= MAX_FAILURES and not connected:
            del bucket.entries[peer]

    def _exchange(self, bucket: _Bucket, old: _Entry, new: _Entry, *, keep: bool) -> None:
        """`keep`: the old one waits from now on, as the last to be chosen."""
        del bucket.entries[old.peer.peer]
        bucket.entries[new.peer.peer] = bucket.waiting.pop(new.peer.peer)
        if keep:
            bucket.waiting = {old.peer.peer: old, **bucket.waiting}

    def forget(self, peer: bytes) -> None:
        """A peer serves the DHT no longer."""
        if bucket := self._buckets.get(self._index(position(peer))):
            bucket.waiting.pop(peer, None)
            if bucket.entries.pop(peer, None) and bucket.waiting:
                _, entry = bucket.waiting.popitem()
                if self._has_subnet_room(bucket, entry):
                    bucket.entries[entry.peer.peer] = entry

    def nearest(
        self, place: int, count: int = K, *, working: bool = False, besides: Container[bytes] = ()
    ) -> list[KadPeer]:
        """The peers nearest to a position, the nearest first; `working`: none that failed the last time."""
        return _nearest(
            place,
            count,
            (
                entry
                for entry in self._entries()
                if not (working and entry.failures) and entry.peer.peer not in besides
            ),
        )

    def seeds(self, place: int, now: float) -> list[KadPeer]:
        """Whom to ask first about a position: those that rest only when there are no others."""
        awake = [entry for entry in self._entries() if entry.rests_until <= now]
        return _nearest(place, K, awake or self._entries())

    def stale(self, before: float, count: int, now: float) -> list[KadPeer]:
        """Up to `count` peers that were not heard since `before` and do not rest, the longest silent first."""
        silent = (e for e in self._entries() if e.heard_at < before and e.rests_until <= now)
        return [e.peer for e in heapq.nsmallest(count, silent, key=lambda entry: entry.heard_at)]

    def _index(self, place: int) -> int:
        return shared_bits(place, self._position)

    def _entries(self) -> Iterator[_Entry]:
        for bucket in self._buckets.values():
            yield from bucket.entries.values()

    def _makes_room(self, bucket: _Bucket, new: _Entry) -> bool:
        if not self._has_subnet_room(bucket, new):
            return False
        if len(bucket.entries) < K:
            return True
        worst = max(bucket.entries.values(), key=lambda entry: entry.failures)
        if not worst.failures:
            return False
        del bucket.entries[worst.peer.peer]
        return True

    def _has_subnet_room(self, bucket: _Bucket, new: _Entry, leaving: _Entry | None = None) -> bool:
        if not new.subnet:
            return True
        here = _count(new.subnet, bucket.entries.values(), leaving)
        return (
            here < SUBNET_IN_BUCKET
            and _count(new.subnet, self._entries(), leaving) < SUBNET_IN_TABLE
        )

    def _let_wait(self, bucket: _Bucket, entry: _Entry) -> None:
        bucket.waiting.pop(entry.peer.peer, None)
        bucket.waiting[entry.peer.peer] = entry
        if len(bucket.waiting) > WAITING:
            del bucket.waiting[next(iter(bucket.waiting))]

    def _successor(self, bucket: _Bucket, leaving: _Entry) -> _Entry | None:
        """The one heard last among those that wait and fit."""
        fitting = (
            entry
            for entry in reversed(bucket.waiting.values())
            if self._has_subnet_room(bucket, entry, leaving)
        )
        return next(fitting, None)


def _nearest(place: int, count: int, entries: Iterable[_Entry]) -> list[KadPeer]:
    best = heapq.nsmallest(count, entries, key=lambda entry: distance(entry.position, place))
    return [entry.peer for entry in best]


def _count(subnet: str, entries: Iterable[_Entry], leaving: _Entry | None) -> int:
    return sum(entry.subnet == subnet and entry is not leaving for entry in entries)


def subnet_of(address: str) -> str:
    """The public network that a multiaddr begins in; empty for a private one, a name, or no IP address. Of a circuit
    that is the relay's."""
    parts = address.split("/", 3)
    if len(parts) < 3 or parts[1] not in ("ip4", "ip6"):
        return ""
    try:
        ip = ipaddress.ip_address(parts[2])
    except ValueError:
        return ""
    if not ip.is_global:
        return ""
    return str(ipaddress.ip_network((ip, _PREFIX[ip.version]), strict=False))
