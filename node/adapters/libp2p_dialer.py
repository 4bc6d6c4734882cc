"""Dialling: direct addresses raced, and circuits through relays when none of those leads there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

import trio
from libp2p.abc import INetConn, IRawConnection
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from p2pchat.node.adapters import host_names
from p2pchat.node.adapters.libp2p_circuit import direct_connection
from p2pchat.node.adapters.libp2p_relay_client import RelayClient
from p2pchat.node.adapters.libp2p_stream import deepest
from p2pchat.node.adapters.racing import race
from p2pchat.node.errors import DialError
from p2pchat.node.protocol import peer_id

DIAL_TIMEOUT = 10.0  # seconds for all direct addresses together, and for all circuits together
# Seconds for direct addresses when there are circuits as well: behind a NAT most of them lead nowhere.
DIRECT_HEAD_START = 3.0
MAX_RELAYS = (
    4  # tried for one peer; he says himself which ones, and could make us dial half the world
)
PROBE_TIMEOUT = 5.0  # seconds for all addresses together
MAX_PROBED = 8  # addresses dialled for one probe

C = TypeVar("C")


@dataclass
class Plan:
    """Whom to expect, and where."""

    peer: ID
    direct: list[Multiaddr] = field(default_factory=list)
    relays: dict[ID, list[Multiaddr]] = field(default_factory=dict)  # each with its own addresses


class Dialer:
    """Connects; at most `at_once` peers at a time."""

    def __init__(self, swarm: Swarm, relays: RelayClient, at_once: int) -> None:
        self._swarm = swarm
        self._relays = relays
        self._dials = trio.CapacityLimiter(at_once)
        self._relay_locks: WeakValueDictionary[ID, trio.Lock] = WeakValueDictionary()

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        """See `Network.dial`. With only a circuit to the peer, direct addresses are tried all the same."""
        plan = plan_dial(peer, addresses)
        own = self._swarm.get_peer_id()
        if self._is_good_enough(plan):
            return
        if plan.peer == own:
            raise DialError("that is this node itself")
        plan.relays.pop(own, None)
        reasons: list[str] = []
        async with self._dials:
            for way in (self._direct, self._circuits):
                try:
                    await way(plan)
                except DialError as error:
                    reasons.append(str(error))
                if self._live(plan.peer):
                    return
        raise DialError("; ".join(dict.fromkeys(reasons)) or "no usable address")

    async def probe(self, peer: str, addresses: Sequence[str]) -> str:
        """See `Network.probe`. Over TCP alone: a QUIC handshake cannot be had without a connection."""
        plan = plan_dial(peer, addresses)
        asked = [a for a in plan.direct if "quic-v1" not in str(a)][:MAX_PROBED]

        async def attempt(address: Multiaddr) -> str:
            resolved = await host_names.resolve([address])
            await self._prove(plan.peer, resolved[0] if resolved else address)
            return str(address)

        with _patience(PROBE_TIMEOUT):
            found, errors = await race(asked, attempt, lambda _: None)
            if found is None:
                raise DialError(_reasons(errors))
        return found

    async def _prove(self, peer: ID, address: Multiaddr) -> None:
        """Somebody there proves to be `peer`. Raises what there is."""
        transport = self._swarm.transport_manager.transport_for_dialing(address)
        if transport is None:
            raise DialError("no usable address")
        raw = await transport.dial(address)
        try:
            assert isinstance(raw, IRawConnection)
            await self._swarm.upgrader.upgrade_security(raw, True, peer)
        finally:
            with trio.CancelScope(shield=True):
                await raw.close()

    def _is_good_enough(self, plan: Plan) -> bool:
        if plan.direct:
            return direct_connection(self._swarm, plan.peer) is not None
        return bool(self._live(plan.peer))

    def _live(self, peer: ID) -> list[INetConn]:
        return [c for c in self._swarm.get_connections(peer) if not c.is_closed]

    async def _direct(self, plan: Plan) -> None:
        if plan.direct:
            patience = DIRECT_HEAD_START if plan.relays else DIAL_TIMEOUT
            with _patience(patience):
                await self._race_addresses(plan.peer, plan.direct)

    async def _circuits(self, plan: Plan) -> None:
        async def attempt(relay: tuple[ID, list[Multiaddr]]) -> INetConn | None:
            return await self._through(relay[0], relay[1], plan.peer)

        if plan.relays:
            with _patience(DIAL_TIMEOUT):
                await self._race(list(plan.relays.items()), attempt)

    async def _through(self, relay: ID, addresses: list[Multiaddr], peer: ID) -> INetConn:
        # Who calls many peers through one relay shall connect to it once.
        lock = self._relay_locks.setdefault(relay, trio.Lock())
        async with lock:
            if direct_connection(self._swarm, relay) is None:
                try:
                    await self._race_addresses(relay, addresses)
                except DialError as error:
                    raise DialError(f"the relay cannot be reached: {error}") from None
        return await self._relays.call(relay, peer, str(addresses[0]) if addresses else "")

    async def _race_addresses(self, peer: ID, addresses: Sequence[Multiaddr]) -> None:
        async def attempt(address: Multiaddr) -> INetConn | None:
            return await self._swarm.dial_addr(address, peer)

        await self._race(await host_names.resolve(addresses), attempt)

    async def _race(
        self, candidates: Sequence[C], attempt: Callable[[C], Awaitable[INetConn | None]]
    ) -> None:
        connection, errors = await race(candidates, attempt, self._close_soon)
        if connection is None:
            raise DialError(_reasons(errors))

    def _close_soon(self, connection: INetConn | None) -> None:
        if connection is not None:
            self._swarm.manager.run_task(connection.close)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Raises `DialError` when the block takes longer."""
    with trio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise DialError(f"no answer within {seconds:g} s")


def plan_dial(peer: str, addresses: Sequence[str]) -> Plan:
    """Unusable addresses are left out: one bad one of several must not cost the others. Raises `DialError`."""
    direct: list[tuple[bool, Multiaddr]] = []
    circuits: list[tuple[ID, Multiaddr | None, str]] = []
    for text in addresses:
        try:
            if "/p2p-circuit" in text:
                circuits.append(_parse_circuit(text))
                named = circuits[-1][2]
            else:
                direct.append(_parse_direct(text))
                named = direct[-1][1].get_peer_id() or ""
        except Exception:
            continue
        peer = peer or named
    if not peer:
        raise DialError("no address names a peer (/p2p/<peer id>)")
    try:
        plan = Plan(_parse_id(peer))
    except ValueError as error:
        raise DialError(f"{peer!r} is no peer id") from error
    # TCP first, because QUIC is pure Python and thirty times slower.
    plan.direct += [address for _, address in sorted(direct, key=lambda entry: entry[0])]
    for relay, address, named in circuits:
        room = relay in plan.relays or len(plan.relays) < MAX_RELAYS
        if room and named in ("", peer) and relay != plan.peer:
            plan.relays.setdefault(relay, []).extend([address] if address else [])
    return plan


def _parse_direct(text: str) -> tuple[bool, Multiaddr]:
    """Whether it is QUIC, and the address. Raises `ValueError` or what multiaddr raises."""
    address = Multiaddr(text)
    names = {protocol.name for protocol in address.protocols()}
    if not {"tcp", "quic-v1"} & names:
        raise ValueError("neither TCP nor QUIC")
    return "quic-v1" in names, address


def _parse_circuit(text: str) -> tuple[ID, Multiaddr | None, str]:
    """The relay, its address if there is one, and the peer behind it if it is named."""
    before, after = text.split("/p2p-circuit")
    address, _, relay = before.rpartition("/p2p/")
    named = after.removeprefix("/p2p/")
    if named:
        _parse_id(named)
    return _parse_id(relay), _parse_direct(address)[1] if address else None, named


def _parse_id(text: str) -> ID:
    """Raises `ValueError`; py-libp2p takes any base58 for a peer id."""
    return ID(peer_id.from_text(text))


def _reasons(errors: Iterable[Exception]) -> str:
    return "; ".join(dict.fromkeys(sorted(map(_why, errors)))) or "no usable address"


def _why(error: Exception) -> str:
    """The reason of a failed dial, in words for a user where they are known."""
    reason = deepest(error)
    if "does not correspond" in reason or "Peer ID mismatch" in reason:
        return "somebody with another peer id answers there"
    if "all attempts to connect" in reason:
        return "nobody answers there"
    if "refused" in reason and not isinstance(error, DialError):
        return "nothing listens there"
    return reason
