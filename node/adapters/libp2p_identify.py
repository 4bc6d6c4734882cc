"""Identify: what peers say of themselves and of us, and what we say of ourselves.

https://github.com/libp2p/specs/tree/master/identify. Of py-libp2p's own only the messages are used. It asks once for
each peer, so that nobody knows which connection an observed address belongs to, reads messages of any size, keeps
what strangers say for ever, starts tasks that outlive the host, and tells circuit addresses as if the relay were us.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.host.basic_host import BasicHost
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.identify import PROTOCOL_VERSION
from libp2p.identity.identify.pb.identify_pb2 import Identify as Message
from libp2p.identity.identify_push.identify_push import ID_PUSH as PUSH
from libp2p.network.swarm import Swarm
from libp2p.peer.envelope import Envelope
from libp2p.peer.id import ID
from libp2p.peer.peerstore import create_signed_peer_record
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit as wire
from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.adapters.libp2p_peers import is_outbound, remote_address
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Identified
from p2pchat.node.protocol import multiaddrs
from p2pchat.node.protocol.allowances import Allowances
from p2pchat.node.protocol.own_addresses import Scope, scope_of, worth_telling

log = logging.getLogger(__name__)

AGENT = "p2pchat"
MAX_MESSAGE = 16 * 1024  # bytes; js-libp2p and go-libp2p take 8 KiB
MAX_PROTOCOLS = 64  # of one peer, and of us
MAX_ADDRESSES = 16  # of one peer, and of us
MAX_TEXT = 256  # characters of an address or a protocol; a longer one is left out
ASK_AT = (0.0, 1.0, 5.0)  # seconds before each attempt to ask on a new connection
ASK_TIMEOUT = 10.0  # seconds
PUSH_EVERY = 1.0  # seconds between two rounds of telling everybody
PUSH_TIMEOUT = 5.0  # seconds for one peer
PUSHES_AT_ONCE = 16
HEAR_RATE, HEAR_BURST = (
    1.0,
    4.0,
)  # pushes of one peer, a second and at once: reading one takes the loop's time


@dataclass(frozen=True, slots=True)
class Self:
    """What we say of ourselves, except where we see the other one."""

    protocols: Sequence[str]
    addresses: Sequence[str]


class Identify:
    """Asks on every connection, answers, and tells everybody again when something has changed: `run` it.

    `addresses` are our own. `learned` is called when a peer has said something new; only between `meet` and `forget`.
    """

    def __init__(
        self,
        host: BasicHost,
        swarm: Swarm,
        addresses: Callable[[], Sequence[str]],
        learned: Callable[[ID], None],
    ) -> None:
        self._host = host
        self._swarm = swarm
        self._addresses = addresses
        self._learned = learned
        self._known: dict[ID, Identified | None] = {}  # everybody we have met; None: not yet
        self._told: WeakKeyDictionary[INetConn, Self] = WeakKeyDictionary()
        self._signed_before: dict[Sequence[str], Envelope] = {}
        self._pushes = Allowances(HEAR_RATE, HEAR_BURST)
        self._changed = trio.Event()
        fixes.leave_identify_to_us(host)
        host.set_stream_handler(IDENTIFY, self._answer)
        host.set_stream_handler(PUSH, self._take_push)

    # ---- what others say ----------------------------------------------------------------------------

    def identified(self, peer: ID) -> Identified | None:
        known = self._known.get(peer)
        if known is not None and wire.direct_connection(self._swarm, peer) is None:
            return replace(known, observed="")
        return known

    def meet(self, connection: INetConn) -> None:
        """Ask on a new connection."""
        self._known.setdefault(connection.muxed_conn.peer_id, None)
        if self._swarm.background_nursery is not None:
            self._swarm.background_nursery.start_soon(self._ask, connection)

    def forget(self, peer: ID) -> None:
        """The last connection is gone."""
        self._known.pop(peer, None)

    async def _ask(self, connection: INetConn) -> None:
        for pause in ASK_AT:
            await trio.sleep(pause)
            if connection.is_closed:
                return
            try:
                with trio.fail_after(ASK_TIMEOUT):
                    message = await self._exchange(connection)
            except Exception as error:
                log.debug("%s does not identify: %r", connection.muxed_conn.peer_id, error)
            else:
                self._learn(connection, message)
                return

    async def _exchange(self, connection: INetConn) -> Message:
        stream = await wire.open_stream(connection, IDENTIFY)
        try:
            return await _read(stream)
        finally:
            await wire.discard(stream)

    async def _take_push(self, stream: INetStream) -> None:
        """Raises `StreamError` and what reading raises, which resets the stream."""
        if not self._pushes.allows(str(stream.muxed_conn.peer_id), trio.current_time()):
            raise StreamError("it tells too often what has changed")
        with trio.fail_after(ASK_TIMEOUT):
            message = await _read(stream)
        self._learn(wire.connection_of(stream), message)
        await stream.close()

    def _learn(self, connection: INetConn, message: Message) -> None:
        peer = connection.muxed_conn.peer_id
        if peer not in self._known:
            return  # it has left meanwhile
        before = self._known[peer]
        heard = heard_in(message)
        if wire.is_relayed(connection) or not heard.observed:
            # That it told on another connection, or asked for it, still holds.
            known = before or Identified(frozenset(), (), outbound=is_outbound(connection))
            heard = replace(heard, observed=known.observed, outbound=known.outbound)
        else:
            heard = replace(heard, outbound=is_outbound(connection))
        if heard != before:
            self._known[peer] = heard
            self._learned(peer)

    # ---- what we say --------------------------------------------------------------------------------

    def changed(self) -> None:
        """Our protocols or addresses may be others now."""
        self._changed.set()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            await self._push_to_all()
            await trio.sleep(PUSH_EVERY)

    async def _answer(self, stream: INetStream) -> None:
        connection = wire.connection_of(stream)
        said = self._self(to_loopback=_is_over_loopback(connection))
        self._told[connection] = said
        observed = "" if wire.is_relayed(connection) else remote_address(connection)
        await stream.write(self._encoded(said, observed))
        await stream.close()

    async def _push_to_all(self) -> None:
        news = {here: self._self(to_loopback=here) for here in (True, False)}
        limit = trio.CapacityLimiter(PUSHES_AT_ONCE)
        async with trio.open_nursery() as nursery:
            for peer, known in self._known.items():
                connection = self._best_connection_to(peer)
                if known is None or connection is None or PUSH not in known.protocols:
                    continue
                said = news[_is_over_loopback(connection)]
                if self._is_behind(peer, said):
                    nursery.start_soon(self._push, connection, said, limit)

    def _best_connection_to(self, peer: ID) -> INetConn | None:
        connections = [c for c in self._swarm.get_connections(peer) if not c.is_closed]
        return min(connections, key=wire.is_relayed, default=None)

    def _is_behind(self, peer: ID, said: Self) -> bool:
        """Whether it was told something else before; who has never asked will ask."""
        told = [self._told.get(connection) for connection in self._swarm.get_connections(peer)]
        return any(told) and said not in told

    async def _push(self, connection: INetConn, said: Self, limit: trio.CapacityLimiter) -> None:
        async with limit:
            try:
                with trio.fail_after(PUSH_TIMEOUT):
                    await self._tell(connection, said)
            except Exception as error:
                peer = connection.muxed_conn.peer_id
                log.debug("could not tell %s what has changed: %r", peer, error)

    async def _tell(self, connection: INetConn, said: Self) -> None:
        stream = await wire.open_stream(connection, PUSH)
        try:
            await stream.write(self._encoded(said, ""))
            await stream.close()
            self._told[connection] = said
            await fixes.until_gone(stream)
        except BaseException:
            await wire.discard(stream)
            raise

    def _self(self, *, to_loopback: bool) -> Self:
        served = sorted(str(protocol) for protocol in self._host.get_mux().get_protocols())
        told = worth_telling(self._addresses(), to_loopback=to_loopback, limit=MAX_ADDRESSES)
        return Self(tuple(served[:MAX_PROTOCOLS]), tuple(told))

    def _encoded(self, said: Self, observed: str) -> bytes:
        message = Message(
            protocol_version=PROTOCOL_VERSION,
            agent_version=AGENT,
            public_key=self._host.get_public_key().serialize(),
            listen_addrs=[Multiaddr(address).to_bytes() for address in said.addresses],
            observed_addr=Multiaddr(observed).to_bytes() if observed else b"",
            protocols=said.protocols,
            signedPeerRecord=self._signed(said.addresses).marshal_envelope(),
        )
        return encode_varint_prefixed(message.SerializeToString())

    def _signed(self, addresses: Sequence[str]) -> Envelope:
        """go-libp2p and js-libp2p believe the signed addresses only."""
        if addresses not in self._signed_before:
            if len(self._signed_before) >= 2:  # what is told over loopback, and elsewhere
                del self._signed_before[next(iter(self._signed_before))]
            parsed = [Multiaddr(address) for address in addresses]
            key = self._host.get_private_key()
            signed = create_signed_peer_record(self._host.get_id(), parsed, key)
            self._signed_before[addresses] = signed
        return self._signed_before[addresses]


def _is_over_loopback(connection: INetConn) -> bool:
    """Of a circuit: whether its relay is reached so."""
    return scope_of(remote_address(connection).partition("/p2p/")[0]) is Scope.LOOPBACK


async def _read(stream: INetStream) -> Message:
    return Message.FromString(await read_varint_prefixed_bytes_limited(stream, MAX_MESSAGE))


def heard_in(message: Message) -> Identified:
    """What of it we keep: what can be read and is within the limits."""
    protocols = [p for p in message.protocols[:MAX_PROTOCOLS] if _is_text(p)]
    found = multiaddrs.all_from_bytes(map(bytes, message.listen_addrs), MAX_ADDRESSES)
    addresses = tuple(address for address in found if _is_text(address))
    return Identified(frozenset(protocols), addresses, _observed_in(message))


def _observed_in(message: Message) -> str:
    """Empty if that is no address, or one of a circuit."""
    try:
        observed = multiaddrs.from_bytes(bytes(message.observed_addr))
    except ValueError:
        return ""
    return observed if _is_text(observed) and "p2p-circuit" not in observed else ""


def _is_text(said: object) -> bool:
    """Not empty, not very long, and without control characters. What is no UTF-8 comes as bytes out of a message of
    proto2, which checks nothing."""
    return isinstance(said, str) and 0 < len(said) <= MAX_TEXT and said.isprintable()
