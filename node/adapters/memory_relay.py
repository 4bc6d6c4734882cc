"""The relay role of a memory network: reservations, and circuits between two others, within its limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from p2pchat.node.adapters.memory_link import End
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.ports import RelayStatus


@dataclass(frozen=True, slots=True)
class Reservation:
    """What the peer that asked for it knows. It ends with its time and with the connection it was made on."""

    end: End
    until: float  # on trio's clock
    addresses: Sequence[str]  # of the relay

    @property
    def lasts(self) -> bool:
        return self.end.alive and trio.current_time() < self.until

    def circuit_addresses(self) -> list[str]:
        return [f"{address}/p2p/{self.end.peer}/p2p-circuit" for address in self.addresses]


class Circuit:
    """A connection through a relay, as the relay sees it."""

    def __init__(self, relay: MemoryRelay, peers: tuple[str, str]) -> None:
        self.relay_peer = relay.peer
        self.peers = peers
        self.ends: tuple[End, ...] = ()
        self._relay = relay
        self._limits = relay.limits  # as they were at its beginning
        self._carried = 0  # bytes in both directions
        self._lifetime = trio.CancelScope()

    def carry(self, size: int) -> None:
        """Count bytes on their way; at the limit the circuit is cut."""
        self._carried += size
        if self._carried > self._limits.circuit_bytes:
            self._end_by_limit()
        else:
            self._relay.counters["relay_bytes"] += size

    def release(self) -> None:
        """Give its place at the relay back; what is under way still arrives."""
        self._relay.circuits.pop(self, None)
        self._lifetime.cancel()

    def cut(self) -> None:
        if self in self._relay.circuits:
            self.release()
            for end in self.ends:
                end.host.lose(end)

    async def watch(self) -> None:
        """Cut it when its time is over; runs in the relay's nursery."""
        with self._lifetime:
            await trio.sleep(self._limits.circuit_seconds)
            self._end_by_limit()

    def _end_by_limit(self) -> None:
        if self in self._relay.circuits:
            self._relay.counters["circuits_ended_by_limit"] += 1
            self.cut()


class MemoryRelay:
    """One life of a relay, or of somebody who may become one (`limits`: None)."""

    def __init__(self, peer: str, limits: RelayLimits | None, counters: Counter[str]) -> None:
        self.peer = peer
        self.limits = limits or RelayLimits()
        self.counters = counters
        self.circuits: dict[Circuit, None] = {}
        self._reservations: dict[str, float] = {}  # peer -> end, on trio's clock

    def set_limits(self, limits: RelayLimits | None) -> None:
        """For what is asked from now on; none: reservations end, circuits go on."""
        if limits is None:
            self._reservations.clear()
        else:
            self.limits = limits

    def status(self) -> RelayStatus:
        self._expire()
        return RelayStatus(reservations=len(self._reservations), circuits=len(self.circuits))

    def reserve(self, peer: str) -> float:
        """Seconds until it ends. Raises `StreamError`."""
        self._expire()
        full = len(self._reservations) >= self.limits.max_reservations
        if full and peer not in self._reservations:
            self.counters["reservations_refused"] += 1
            raise StreamError("no reservation: the relay takes no more reservations")
        seconds = float(self.limits.reservation_seconds)
        self._reservations[peer] = trio.current_time() + seconds
        return seconds

    def admit(self, source: str, target: str) -> Circuit:
        """A circuit between connected peers. Raises `DialError`."""
        self._expire()
        if target not in self._reservations:
            raise DialError("that peer has no reservation at the relay")
        if self._is_full(source, target):
            self.counters["circuits_refused"] += 1
            raise DialError("the relay carries as many circuits as it may")
        circuit = Circuit(self, (source, target))
        self.circuits[circuit] = None
        self.counters["circuits_carried"] += 1
        return circuit

    def forget(self, peer: str) -> None:
        """The peer has left."""
        self._reservations.pop(peer, None)
        for circuit in [c for c in self.circuits if peer in c.peers]:
            circuit.cut()

    def close(self) -> None:
        for circuit in list(self.circuits):
            circuit.cut()

    def _is_full(self, *peers: str) -> bool:
        at_each = Counter(peer for circuit in self.circuits for peer in circuit.peers)
        return len(self.circuits) >= self.limits.max_circuits or any(
            at_each[peer] >= self.limits.max_circuits_per_peer for peer in peers
        )

    def _expire(self) -> None:
        now = trio.current_time()
        self._reservations = {p: end for p, end in self._reservations.items() if end > now}
