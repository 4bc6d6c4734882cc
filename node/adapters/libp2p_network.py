"""The `Network` port on py-libp2p.

libp2p itself is imported when the network first runs, in a worker thread: it takes 0.6 s or more, and the
screen shall be there before. One `Libp2pSession` (libp2p_session.py) is one life of a host.
"""

from __future__ import annotations

import gc
import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import trio

from p2pchat.node.adapters import left_out
from p2pchat.node.config import NetworkLimits, RelayLimits
from p2pchat.node.errors import DialError, NetworkDownError, PublishError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import (
    MAX_GOSSIP_BYTES,
    ConnectionInfo,
    Identified,
    PeerEvent,
    RelayStatus,
    Stream,
    StreamHandler,
    Subscription,
)

if TYPE_CHECKING:
    from p2pchat.node.adapters.libp2p_session import Libp2pSession

PEER_EVENTS = 1024  # buffered peer events; a reader that is further behind loses some, counted


class Libp2pNetwork:
    """A libp2p host: TCP and QUIC, Noise, Yamux, GossipSub.

    `strict_listen`: every listen address must work; otherwise one of them is enough. `relay`: carry circuits
    for others, within these limits.
    """

    def __init__(
        self,
        identity: Identity,
        listen: Sequence[str],
        limits: NetworkLimits | None = None,
        *,
        strict_listen: bool = True,
        relay: RelayLimits | None = None,
    ) -> None:
        self._identity = identity
        self._listen = tuple(listen)
        self._limits = limits or NetworkLimits()
        self._strict_listen = strict_listen
        self._relay = relay  # by configuration
        self._serving = relay  # at the moment
        self._announced: tuple[str, ...] = ()
        self._handlers: dict[str, StreamHandler] = {}
        self._counters: Counter[str] = Counter()
        self._session: Libp2pSession | None = None
        self._events: trio.MemoryReceiveChannel[PeerEvent] | None = None

    @property
    def peer(self) -> str:
        return self._identity.peer

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        module = await trio.to_thread.run_sync(_import_libp2p)
        send, self._events = trio.open_memory_channel[PeerEvent](PEER_EVENTS)
        session = module.Libp2pSession(
            self._identity,
            self._listen,
            self._limits,
            self._counters,
            send,
            self._strict_listen,
        )
        for protocol, handler in self._handlers.items():
            session.handle(protocol, handler)
        session.announce(self._announced)
        session.serve_relay(self._serving)
        self._session = session
        try:
            await session.run(task_status=task_status)
        finally:
            self._session = None
            send.close()

    def listen_addresses(self) -> Sequence[str]:
        return self._session.listen_addresses() if self._session else ()

    def announce(self, addresses: Sequence[str]) -> None:
        self._announced = tuple(addresses)
        if self._session is not None:
            self._session.announce(addresses)

    def identified(self, peer: str) -> Identified | None:
        return self._session.identified(peer) if self._session else None

    def connections(self) -> Sequence[ConnectionInfo]:
        return self._session.connections() if self._session else ()

    def peer_events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        if self._events is None:
            raise RuntimeError("the network does not run")
        return self._events

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        if self._session is None:
            raise DialError("the network does not run")
        await self._session.dial(peer, addresses)

    async def probe(self, peer: str, addresses: Sequence[str]) -> str:
        if self._session is None:
            raise DialError("the network does not run")
        return await self._session.probe(peer, addresses)

    async def punch(self, peer: str, addresses: Sequence[str], *, initiator: bool) -> None:
        if self._session is None:
            raise DialError("the network does not run")
        await self._session.punch(peer, addresses, initiator=initiator)

    async def reserve(self, relay: str) -> float:
        return await self._running().reserve(relay)

    def relay_status(self) -> RelayStatus | None:
        if self._serving is None:
            return None
        if self._session is None:
            return RelayStatus(reservations=0, circuits=0)
        return self._session.relay_status()

    def serve_relay(self, limits: RelayLimits | None) -> None:
        self._serving = self._relay or limits
        if self._session is not None:
            self._session.serve_relay(self._serving)

    def doubt(self) -> None:
        if self._session is not None:
            self._session.doubt()

    async def disconnect(self, peer: str) -> None:
        if self._session is not None:
            await self._session.disconnect(peer)

    async def ping(self, peer: str) -> float:
        return await self._running().ping(peer)

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol] = handler
        if self._session is not None:
            self._session.handle(protocol, handler)

    def stop_handling(self, protocol: str) -> None:
        self._handlers.pop(protocol, None)
        if self._session is not None:
            self._session.stop_handling(protocol)

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        return await self._running().open_stream(peer, protocol)

    async def subscribe(self, topic: str) -> Subscription:
        return await self._running().subscribe(topic)

    async def unsubscribe(self, topic: str) -> None:
        if self._session is not None:
            await self._session.unsubscribe(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        if len(data) > MAX_GOSSIP_BYTES:
            raise PublishError(f"{len(data)} bytes are more than {MAX_GOSSIP_BYTES}")
        if self._session is None:
            raise NetworkDownError("the network does not run")
        await self._session.publish(topic, data)

    async def flush(self) -> None:
        if self._session is not None:
            await self._session.flush()

    def topic_peers(self, topic: str) -> Sequence[str]:
        return self._session.topic_peers(topic) if self._session else ()

    def counters(self) -> Mapping[str, int]:
        return dict(self._counters)

    def _running(self) -> Libp2pSession:
        if self._session is None:
            raise StreamError("the network does not run")
        return self._session


def _import_libp2p() -> ModuleType:
    """Without the garbage collector, which would walk all the new modules several times (7 % of the time)."""
    left_out.leave_out()
    collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module("p2pchat.node.adapters.libp2p_session")
    finally:
        if collecting:
            gc.enable()
