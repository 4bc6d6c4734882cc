"""The `Network` port in memory, for tests, simulations and demonstrations.

Same promises as the libp2p adapter (one contract test holds both), but nothing leaves the process, and time is
trio's own, so that it runs on virtual time as well.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import trio

from p2pchat.node.adapters.memory_gossip import MemoryGossip, Rumour
from p2pchat.node.adapters.memory_hub import Hub
from p2pchat.node.adapters.memory_link import End, MemoryStream, Wire
from p2pchat.node.config import NetworkLimits
from p2pchat.node.errors import DialError, ListenError, NetworkDownError, PublishError, StreamError
from p2pchat.node.ports import (
    MAX_GOSSIP_BYTES,
    ConnectionInfo,
    PeerDown,
    PeerEvent,
    PeerUp,
    Stream,
    StreamHandler,
    Subscription,
)
from p2pchat.node.protocol import peer_id

PEER_EVENTS = (
    1024  # events nobody has taken yet; nearly full: no new connection (a PeerDown always fits)
)

NO_ADDRESS = "/memory/0"  # where somebody who does not listen is seen; never given out

_ADDRESS = re.compile(r"(/memory/\d+)(?:/p2p/(\w+))?")


class MemoryNetwork:
    """One host on a `MemoryHub`. `addresses` look like "/memory/7"; without any it can only dial."""

    def __init__(
        self,
        hub: MemoryHub,
        peer: str,
        addresses: Sequence[str] = (),
        limits: NetworkLimits | None = None,
    ) -> None:
        self._hub = hub
        self._peer = peer
        self._addresses = tuple(addresses)
        self._limits = limits or NetworkLimits()
        self._handlers: dict[str, StreamHandler] = {}
        self._counters: Counter[str] = Counter()
        self._begin_life()

    def _begin_life(self) -> None:
        """Fresh state for the next run."""
        self._nursery: trio.Nursery | None = None  # of the run that is going on
        self._listening: list[str] = []
        self._ends: dict[str, End] = {}
        self._gossip = MemoryGossip(
            self._peer, self._ends, self._hub.new_message_id, self._counters
        )
        self._happened, self._events = trio.open_memory_channel[PeerEvent](PEER_EVENTS)

    @property
    def peer(self) -> str:
        return self._peer

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listening = self._hub.attach(self, filter(_ADDRESS.fullmatch, self._addresses))
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
        for end in list(self._ends.values()):
            end.hang_up()
        self._gossip.end()
        self._happened.close()
        self._begin_life()

    def listen_addresses(self) -> Sequence[str]:
        return tuple(self._listening)

    def connections(self) -> Sequence[ConnectionInfo]:
        return [end.info for end in self._ends.values()]

    def peer_events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """Those of the run that goes on, else of the next one."""
        return self._events

    def counters(self) -> Mapping[str, int]:
        return dict(self._counters)

    # ---- connections ----------------------------------------------------------------------------------

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        wanted, candidates = _candidates(peer, addresses)
        for address in candidates:
            if wanted in self._ends:
                return
            life = self._nursery
            await self._hub.weather(self._peer, wanted).round_trip()
            if life is None or life is not self._nursery:
                raise DialError("the network does not run")
            if wanted not in self._ends:
                self._connect(wanted, address)
        if wanted not in self._ends:
            raise DialError(f"no address led to {peer_id.short(wanted)}")

    async def disconnect(self, peer: str) -> None:
        await trio.lowlevel.checkpoint()
        if peer in self._ends:
            self._ends[peer].hang_up()

    async def ping(self, peer: str) -> float:
        end = self._end_to(peer)
        start = trio.current_time()
        await end.round_trip(lambda answer: answer())
        seconds = trio.current_time() - start
        end.info = replace(end.info, rtt_ms=seconds * 1000)
        return seconds

    def cut_unreachable(self) -> None:
        """A partition begins: the hub calls this on every network."""
        for peer, end in list(self._ends.items()):
            if not self._hub.reachable(self._peer, peer):
                self.lose(end)

    def lose(self, end: End) -> None:
        """A connection is gone; nothing happens if that was known."""
        if end.close():
            del self._ends[end.peer]
            self._tell(PeerDown(end.peer))

    def _connect(self, peer: str, address: str) -> None:
        other = self._hub.listener(address)
        if other is None or other is self or not self._hub.reachable(self._peer, other.peer):
            return
        if other.peer != peer:
            self._counters["wrong_peers"] += 1
            return
        if not (self._has_room(inbound=False) and other._has_room(inbound=True)):
            return
        if (
            self._peer in other._ends
        ):  # left over from a connection whose end it has not noticed yet
            other.lose(other._ends[self._peer])
        near = self._new_end(peer, address, outbound=True)
        far = other._new_end(self._peer, next(iter(self._listening), NO_ADDRESS), outbound=False)
        near.other, far.other = far, near
        self._start(near)
        other._start(far)

    def _has_room(self, *, inbound: bool) -> bool:
        inbound_now = sum(not end.info.outbound for end in self._ends.values())
        unread = self._happened.statistics().current_buffer_used
        has_room = (
            len(self._ends) < self._limits.max_connections
            and not (inbound and inbound_now >= self._limits.max_inbound)
            # Room for this PeerUp, and for a PeerDown of everybody.
            and unread + len(self._ends) + 2 <= PEER_EVENTS
        )
        self._counters["connections_refused"] += not has_room
        return has_room

    def _new_end(self, peer: str, address: str, *, outbound: bool) -> End:
        info = ConnectionInfo(peer, address, "memory", outbound)
        return End(self, info, Wire(self._hub.weather(peer, self._peer)), self._counters)

    def _start(self, end: End) -> None:
        assert self._nursery is not None
        self._ends[end.peer] = end
        self._nursery.start_soon(end.incoming.pump, end.scope)
        info = end.info
        self._tell(PeerUp(info.peer, info.address, info.transport, info.outbound))
        self._gossip.introduce(end)

    def _tell(self, event: PeerEvent) -> None:
        with contextlib.suppress(trio.BrokenResourceError):  # nobody reads any more
            self._happened.send_nowait(event)

    def _end_to(self, peer: str) -> End:
        if peer not in self._ends:
            raise StreamError(f"not connected to {peer_id.short(peer)}")
        return self._ends[peer]

    # ---- streams --------------------------------------------------------------------------------------

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol] = handler

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
        self._gossip.receive(rumour, sender)

    def topic_peers(self, topic: str) -> Sequence[str]:
        return self._gossip.peers(topic)


class MemoryHub(Hub[MemoryNetwork]):
    """The internet between memory networks."""


def _candidates(peer: str, addresses: Sequence[str]) -> tuple[str, list[str]]:
    """Whom to expect, and where; addresses that name somebody else are left out."""
    parsed = [found.groups() for found in map(_ADDRESS.fullmatch, addresses) if found]
    wanted = peer or next((named for _, named in parsed if named), "")
    if not wanted:
        raise DialError("no address names a peer (/p2p/<peer id>)")
    return wanted, [address for address, named in parsed if named in (None, wanted)]
