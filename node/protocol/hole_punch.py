"""DCUtR: two peers that talk through a relay agree on the moment at which both dial the other.

Source: https://github.com/libp2p/specs/blob/master/relay/DCUtR.md. Whoever was called through the relay begins: CONNECT
both ways, which measures the round trip, then SYNC; the other dials when SYNC arrives, and we half a round trip later.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from p2pchat.node.backoff import Backoff
from p2pchat.node.protocol import endpoints, multiaddrs
from p2pchat.node.protocol.endpoints import QUIC, Endpoint
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.proto import nat_pb2 as nat

PROTOCOL = "/libp2p/dcutr"
FRAME_LIMIT = 4096  # bytes, as the specification says
MAX_ADDRESSES = 8  # sent, and dialled of those that were received
MAX_READ = 32  # received ones that are looked at

IDENTIFY_PATIENCE = 1.0  # second for a caller to say which protocols it speaks
ATTEMPTS = 3  # in a row, as the specification says ...
PAUSE = (2.0, 5.0)  # seconds between them
REST = Backoff(first=600.0, most=3600.0)  # seconds until the next three
STIR = (0.5, 1.5)  # seconds after a change of network
MAX_PEERS = 512  # calls that are looked after; more stay relayed

VISITOR_RATE, VISITOR_BURST = (
    1 / 15,
    4,
)  # attempts that one peer may ask of us, a second and at once


# ---- messages -----------------------------------------------------------------------------------------


def connect(addresses: Iterable[str]) -> bytes:
    """CONNECT, with the addresses at which the other side shall dial us."""
    message = nat.HolePunch(
        type=nat.HolePunch.CONNECT, obs_addrs=multiaddrs.all_to_bytes(addresses)[:MAX_ADDRESSES]
    )
    return message.SerializeToString()


def sync() -> bytes:
    return nat.HolePunch(type=nat.HolePunch.SYNC).SerializeToString()


def read_connect(body: bytes) -> list[str]:
    """The addresses in it. Raises `ValueError`."""
    message = _read(body, nat.HolePunch.CONNECT)
    return multiaddrs.all_from_bytes(message.obs_addrs[:MAX_READ], MAX_READ)


def read_sync(body: bytes) -> None:
    """Raises `ValueError` when it is something else."""
    _read(body, nat.HolePunch.SYNC)


def _read(body: bytes, kind: nat.HolePunch.Type) -> nat.HolePunch:
    try:
        message = nat.HolePunch.FromString(body)
    except DecodeError as error:
        raise ValueError("no message of DCUtR") from error
    if message.type != kind:
        raise ValueError(f"not the message that was due, but {message.type}")
    return message


# ---- addresses ----------------------------------------------------------------------------------------


def own_addresses(
    observed: Iterable[Endpoint], listening: Iterable[str], *, over_loopback: bool
) -> list[str]:
    """Where the other side shall dial us: as others see us, and on our own network. TCP only: QUIC would use another
    socket than the one we listen on."""
    every = [*observed, *endpoints.parse_all(listening)]
    return _punchable(every, over_loopback=over_loopback)


def acceptable(addresses: Iterable[str], *, over_loopback: bool) -> list[str]:
    """Those of somebody else's addresses that we dial. Loopback means another computer to him than to us, unless he
    is connected over loopback himself."""
    return _punchable(endpoints.parse_all(addresses), over_loopback=over_loopback)


def _punchable(every: Iterable[Endpoint], *, over_loopback: bool) -> list[str]:
    found = (
        str(endpoint)
        for endpoint in every
        if endpoint.transport != QUIC
        and (over_loopback or scope_of(endpoint.host) is not Scope.LOOPBACK)
    )
    return list(dict.fromkeys(found))[:MAX_ADDRESSES]


def public(addresses: Iterable[str]) -> list[str]:
    """Those at which everybody could dial, if they are true."""
    found = [str(endpoint) for endpoint in endpoints.parse_all(addresses)]
    return [address for address in found if scope_of(address) is Scope.WIDE][:MAX_ADDRESSES]


# ---- when ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Call:
    due: float
    identified: bool = False
    speaks: bool = True  # as far as is known
    attempts: int = 0  # of this series
    series: int = 0  # that have failed
    under_way: bool = False


class Upgrades:
    """Who has called us through a relay, and when to try for a direct connection. Times are seconds of any monotonic
    clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._calls: dict[str, _Call] = {}

    def called(self, peer: str, now: float) -> None:
        """A relayed connection that `peer` has made is all there is."""
        if peer not in self._calls and len(self._calls) < MAX_PEERS:
            self._calls[peer] = _Call(due=now + IDENTIFY_PATIENCE)

    def identified(self, peer: str, speaks: bool, now: float) -> None:
        """Whether `peer` says that it can do this."""
        call = self._calls.get(peer)
        if call is None:
            return
        if (speaks and not call.speaks) or not call.identified:
            call.due = now
        call.identified, call.speaks = True, speaks

    def settled(self, peer: str) -> None:
        """There is a direct connection, or none at all."""
        self._calls.pop(peer, None)

    def stirred(self, now: float) -> None:
        """We or the others are somewhere else now: what failed may work."""
        for call in self._calls.values():
            if call.identified:
                call.attempts, call.series = 0, 0
                call.due = min(call.due, now + self._rng.uniform(*STIR))

    def due(self, now: float) -> list[str]:
        """Whom to try now; each is under way until `failed` or `settled`."""
        ready = []
        for peer, call in self._calls.items():
            if call.speaks and not call.under_way and call.due <= now:
                call.under_way = True
                call.attempts += 1
                ready.append(peer)
        return ready

    def next_due(self) -> float | None:
        times = (call.due for call in self._calls.values() if call.speaks and not call.under_way)
        return min(times, default=None)

    def is_first(self, peer: str) -> bool:
        """Whether the attempt under way is the first of its series."""
        call = self._calls.get(peer)
        return call is not None and call.attempts <= 1

    def failed(self, peer: str, now: float) -> None:
        call = self._calls.get(peer)
        if call is None:
            return
        call.under_way = False
        if call.attempts < ATTEMPTS:
            call.due = now + self._rng.uniform(*PAUSE)
        else:
            call.attempts = 0
            call.series += 1
            call.due = now + REST.delay(call.series, self._rng)
