"""The `Network` port in memory, for tests, simulations and demonstrations.

Same promises as the libp2p adapter (one contract test holds both), but nothing leaves the process, and time is
trio's own, so that it runs on virtual time as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import trio

from p2pchat.node.adapters.memory_addresses import ADDRESS
from p2pchat.node.adapters.memory_dialer import MemoryDialer
from p2pchat.node.adapters.memory_gossip import MemoryGossip, Rumour
from p2pchat.node.adapters.memory_hub import Hub
from p2pchat.node.adapters.memory_identify import MemoryIdentify
from p2pchat.node.adapters.memory_link import End, MemoryStream, Wire
from p2pchat.node.adapters.memory_news import News
from p2pchat.node.adapters.memory_relay import Circuit, MemoryRelay, Reservation
from p2pchat.node.config import NetworkLimits, RelayLimits
from p2pchat.node.errors import DialError, ListenError, NetworkDownError, PublishError, StreamError
from p2pchat.node.ports import (
    MAX_GOSSIP_BYTES,
    RETIRE_AFTER,
    ConnectionInfo,
    Identified,
    PeerEvent,
    RelayStatus,
    Stream,
    StreamHandler,
    Subscription,
)
from p2pchat.node.protocol import peer_id

PEER_EVENTS = (
    1024  # events nobody has taken yet; nearly full: no new connection (a PeerDown always fits)
)
RELAYING = "/libp2p/circuit/relay/0.2.0/hop"  # what a relay says that it serves, as over libp2p


class MemoryNetwork:
    """One host on a `MemoryHub`. `addresses` look like "/memory/7"; without any it can only dial, or be called
    through a relay. `relay`: carry circuits for others, within these limits."""

    def __init__(
        self,
        hub: MemoryHub,
        peer: str,
        addresses: Sequence[str] = (),
        limits: NetworkLimits | None = None,
        relay: RelayLimits | None = None,
    ) -> None:
        self._hub = hub
        self._peer = peer
        self._addresses = tuple(addresses)
        self._limits = limits or NetworkLimits()
        self._relay_limits = relay  # by configuration
        self._serving = relay  # at the moment
        self._announced: tuple[str, ...] = ()
        self._handlers: dict[str, StreamHandler] = {}
        self._counters: Counter[str] = Counter()
        self._dialer = MemoryDialer(self, hub)
        self._begin_life()

    def _begin_life(self) -> None:
        """Fresh state for the next run."""
        self._nursery: trio.Nursery | None = None  # of the run that is going on
        self._listening: list[str] = []
        self._ends: dict[str, End] = {}  # the best connection to each peer
        self._spare: dict[str, End] = {}  # circuits beside a direct connection
        self._reservations: dict[str, Reservation] = {}  # our own, by relay
        self._relay = MemoryRelay(self._peer, self._serving, self._counters)
        self._gossip = MemoryGossip(
            self._peer, self._ends, self._hub.new_message_id, self._counters
        )
        self._news = News(PEER_EVENTS, self._counters)
        self._identify = MemoryIdentify(self._all_ends, self._self, self._news.identified)

    @property
    def peer(self) -> str:
        return self._peer

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listening = self._hub.attach(self, filter(ADDRESS.fullmatch, self._addresses))
        if self._addresses and not listening:
            self._hub.detach(self)
            raise ListenError(f"Cannot listen on {', '.join(self._addresses)}.")
        async with trio.open_nursery() as nursery:
            self._nursery, self._listening = nursery, listening
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._end_life()  # here, while nobody finds the nursery closed

    def _end_life(self) -> None:
        self._hub.detach(self)
        # Circuits first, as long as what they run through is there.
        for end in sorted(self._all_ends(), key=lambda end: not end.info.relayed):
            end.hang_up()
        self._relay.close()
        self._gossip.end()
        self._news.end()
        self._begin_life()

    @property
    def life(self) -> object:
        """Another one in each run; None when it does not run."""
        return self._nursery

    @property
    def own_address(self) -> str:
        """Empty when it listens nowhere."""
        return next(iter(self._listening), "")

    def listen_addresses(self) -> Sequence[str]:
        if self._nursery is None:
            return ()
        lasting = [r for r in self._reservations.values() if r.lasts]
        circuits = [a for r in lasting for a in r.circuit_addresses()]
        return tuple(dict.fromkeys([*self._announced, *self._listening, *circuits]))

    def announce(self, addresses: Sequence[str]) -> None:
        self._announced = tuple(filter(ADDRESS.fullmatch, addresses))
        self._identify.changed()

    def identified(self, peer: str) -> Identified | None:
        return self._identify.identified(peer)

    def learn(self, end: End, said: Identified) -> None:
        self._identify.learn(end, said)

    def _self(self) -> Identified:
        protocols = [*self._handlers, *([RELAYING] if self._serving else [])]
        return Identified(frozenset(protocols), self.listen_addresses())

    def connections(self) -> Sequence[ConnectionInfo]:
        return [end.info for end in self._all_ends()]

    def _all_ends(self) -> list[End]:
        return [*self._ends.values(), *self._spare.values()]

    def peer_events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """Those of the run that goes on, else of the next one."""
        return self._news.events

    def counters(self) -> Mapping[str, int]:
        return dict(self._counters)

    # ---- connections ----------------------------------------------------------------------------------

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        await self._dialer.dial(peer, addresses)

    async def probe(self, peer: str, addresses: Sequence[str]) -> str:
        await trio.lowlevel.checkpoint()
        return await self._dialer.probe(peer, addresses)

    async def punch(self, peer: str, addresses: Sequence[str], *, initiator: bool) -> None:
        await trio.lowlevel.checkpoint()
        await self._dialer.punch(peer, addresses, initiator=initiator)

    def is_connected(self, peer: str) -> bool:
        return peer in self._ends

    def direct_end(self, peer: str) -> End | None:
        end = self._ends.get(peer)
        return None if end is None or end.info.relayed else end

    def doubt(self) -> None:
        """Nothing is ever in doubt here."""

    async def disconnect(self, peer: str) -> None:
        await trio.lowlevel.checkpoint()
        for end in [end for end in self._all_ends() if end.peer == peer]:
            end.hang_up()

    async def ping(self, peer: str) -> float:
        end = self._end_to(peer)
        start = trio.current_time()
        await end.round_trip(lambda answer: answer())
        seconds = trio.current_time() - start
        end.info = replace(end.info, rtt_ms=seconds * 1000)
        return seconds

    def cut_unreachable(self) -> None:
        """A partition begins: the hub calls this on every network. Circuits end with their relay's connections."""
        for end in self._all_ends():
            if not end.info.relayed and not self._hub.reachable(self._peer, end.peer):
                self.lose(end)

    def lose(self, end: End) -> None:
        """A connection is gone; nothing happens if that was known."""
        if not end.close():
            return
        if self._spare.get(end.peer) is end:
            del self._spare[end.peer]
        elif spare := self._spare.pop(end.peer, None):
            self._ends[end.peer] = spare
            self._news.moved(spare.info)
        else:
            del self._ends[end.peer]
            self._identify.forget(end.peer)
            self._news.left(end.peer)
        if not end.info.relayed:
            self._lose_what_ran_through(end.peer)

    def _lose_what_ran_through(self, peer: str) -> None:
        self._relay.forget(peer)
        for end in self._all_ends():
            if end.circuit is not None and end.circuit.relay_peer == peer:
                end.circuit.cut()
        self._identify.changed()  # if that was a relay, it leads to us no more

    def count(self, what: str) -> None:
        self._counters[what] += 1

    def join(
        self,
        other: MemoryNetwork,
        address: str,
        seen_from: str,
        circuit: Circuit | None = None,
        *,
        punched: bool = False,
    ) -> bool:
        """Connect both; False when one of them has no room."""
        if not (self._has_room(inbound=False) and other._has_room(inbound=True)):
            return False
        left_over = other._ends.get(self._peer)
        if left_over is not None and not left_over.other.alive:
            other.lose(left_over)  # it has not noticed the end of this connection yet
        near = self._new_end(other.peer, address, circuit, outbound=True, punched=punched)
        far = other._new_end(self._peer, seen_from, circuit, outbound=False, punched=punched)
        near.other, far.other = far, near
        if circuit is not None:
            circuit.ends = (near, far)
        self._start(near)
        other._start(far)
        return True

    def _has_room(self, *, inbound: bool) -> bool:
        inbound_now = sum(not end.info.outbound for end in self._ends.values())
        has_room = (
            len(self._ends) < self._limits.max_connections
            and not (inbound and inbound_now >= self._limits.max_inbound)
            and self._news.has_room(len(self._ends))
        )
        self._counters["connections_refused"] += not has_room
        return has_room

    def _new_end(
        self, peer: str, address: str, circuit: Circuit | None, *, outbound: bool, punched: bool
    ) -> End:
        relay = circuit.relay_peer if circuit else ""
        transport = "relay" if circuit else "memory"
        info = ConnectionInfo(
            peer, address, transport, outbound, relayed=circuit is not None, punched=punched
        )
        wire = Wire(self._hub.weather(peer, self._peer, relay))
        return End(self, info, wire, self._counters, circuit)

    def _start(self, end: End) -> None:
        assert self._nursery is not None
        before = self._ends.get(end.peer)
        self._ends[end.peer] = end
        self._nursery.start_soon(end.incoming.pump, end.scope)
        if before is None:
            self._news.came(end.info)
        else:
            self._spare[end.peer] = before
            end.topics = before.topics  # known of the peer, not of the connection
            self._news.moved(end.info)
            self._nursery.start_soon(self._retire, before)
        self._gossip.introduce(end)
        self._identify.introduce(end)

    async def _retire(self, end: End) -> None:
        """Close a circuit beside a direct connection, if that still lives then."""
        await trio.sleep(RETIRE_AFTER)
        if self._spare.get(end.peer) is end:
            end.hang_up()

    def _end_to(self, peer: str) -> End:
        if peer not in self._ends:
            raise StreamError(f"not connected to {peer_id.short(peer)}")
        return self._ends[peer]

    # ---- relays ---------------------------------------------------------------------------------------

    async def reserve(self, relay: str) -> float:
        end = self._end_to(relay)
        await end.round_trip(lambda answer: answer())
        network = self._hub.running(relay)
        if end.info.relayed or network is None or network._serving is None:
            raise StreamError("no reservation: that peer is no relay")
        seconds = network._relay.reserve(self._peer)
        until = trio.current_time() + seconds
        addresses = (*network._announced, *network._listening)
        self._reservations[relay] = Reservation(end, until, addresses)
        self._identify.changed()
        return seconds

    def relay_status(self) -> RelayStatus | None:
        return self._relay.status() if self._serving else None

    def serve_relay(self, limits: RelayLimits | None) -> None:
        self._serving = self._relay_limits or limits
        self._relay.set_limits(self._serving)
        self._identify.changed()

    def carry(self, source: MemoryNetwork, target: str) -> None:
        """As a relay: join `source` and `target`. Raises `DialError`."""
        if self._serving is None or self._nursery is None:
            raise DialError("that peer is no relay")
        end, other = self.direct_end(target), self._hub.running(target)
        if end is None or other is None or other is source:
            raise DialError("that peer has no reservation at the relay")
        circuit = self._relay.admit(source.peer, target)
        address = f"{self.own_address}/p2p/{self._peer}/p2p-circuit"
        if not source.join(other, address, address, circuit):
            circuit.release()
            raise DialError("that peer takes no more connections")
        self._nursery.start_soon(circuit.watch)

    # ---- streams --------------------------------------------------------------------------------------

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol] = handler
        self._identify.changed()

    def stop_handling(self, protocol: str) -> None:
        self._handlers.pop(protocol, None)
        self._identify.changed()

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        stream = MemoryStream.to(self._end_to(peer))
        await stream.open(protocol)
        return stream

    def accept(self, stream: MemoryStream, end: End, protocol: str) -> bool:
        """The other side opens a stream: serve it, or refuse."""
        handler = self._handlers.get(protocol)
        if handler is None or self._nursery is None:
            return False
        if end.served >= self._limits.max_streams_per_peer:
            self._counters["streams_over_limit"] += 1
            return False
        end.served += 1
        self._nursery.start_soon(self._serve, handler, stream, end)
        return True

    async def _serve(self, handler: StreamHandler, stream: MemoryStream, end: End) -> None:
        try:
            await handler(stream)
            await stream.leave()
        except Exception:
            self._counters["streams_reset"] += 1
            await stream.reset()
        finally:
            end.served -= 1

    # ---- gossip ---------------------------------------------------------------------------------------

    async def subscribe(self, topic: str) -> Subscription:
        await trio.lowlevel.checkpoint()
        if self._nursery is None:
            raise StreamError("the network does not run")
        return self._gossip.subscribe(topic)

    async def unsubscribe(self, topic: str) -> None:
        await trio.lowlevel.checkpoint()
        self._gossip.unsubscribe(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if len(data) > MAX_GOSSIP_BYTES:
            raise PublishError(f"{len(data)} bytes are more than {MAX_GOSSIP_BYTES}")
        if self._nursery is None:
            raise NetworkDownError("the network does not run")
        await self._gossip.publish(topic, data)

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()
        await self._gossip.flush()

    def hear(self, rumour: Rumour, sender: End) -> None:
        sender.carry(len(rumour.message.data))
        self._gossip.receive(rumour, sender)

    def topic_peers(self, topic: str) -> Sequence[str]:
        return self._gossip.peers(topic)


class MemoryHub(Hub[MemoryNetwork]):
    """The internet between memory networks."""
