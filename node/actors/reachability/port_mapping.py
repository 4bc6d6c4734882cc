"""Asks the router to let others in, and keeps asking."""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.errors import NetworkError
from p2pchat.node.ports import Network, PortMapper
from p2pchat.node.protocol import endpoints
from p2pchat.node.protocol.endpoints import QUIC
from p2pchat.node.protocol.own_addresses import Scope, scope_of

log = logging.getLogger(__name__)

RENEW = 900.0  # seconds; routers forget, and are restarted
MAP_TIMEOUT = 30.0  # seconds for all ports together
UNMAP_TIMEOUT = 0.8  # seconds that a stop waits for the router
MAX_PORTS = 4  # mapped


class PortMapping:
    """`mapped` and `problem` say how it stands. Without a mapper nothing is done."""

    def __init__(
        self, network: Network, mapper: PortMapper | None, on_change: Callable[[], None]
    ) -> None:
        self.mapped: list[str] = []  # addresses
        self.problem = ""  # a sentence; empty: none
        self._network = network
        self._mapper = mapper
        self._on_change = on_change
        self._bell = Bell()
        self._running = trio.CancelScope()

    @property
    def is_on(self) -> bool:
        return self._mapper is not None

    def renew(self) -> None:
        """There may be another router now."""
        self._bell.ring()

    async def run(self) -> None:
        with self._running:
            while self._mapper is not None:
                mapped, self.problem = await self._map(self._mapper)
                if mapped != self.mapped:
                    self.mapped = mapped
                    self._on_change()
                await self._bell.wait_until(trio.current_time() + RENEW)

    async def _map(self, mapper: PortMapper) -> tuple[list[str], str]:
        ports = self._ports()
        if not ports:
            return [], "This node listens on no port that a router could let others in to."
        try:
            with trio.fail_after(MAP_TIMEOUT):
                return list(await mapper.map(ports)), ""
        except NetworkError as error:
            problem = str(error)
        except trio.TooSlowError:
            problem = f"The router did not answer within {MAP_TIMEOUT:g} s."
        log.info("no port mapping: %s", problem)
        return [], problem

    def _ports(self) -> list[tuple[str, int]]:
        """Of IPv4 only: routers translate nothing else."""
        own = endpoints.parse_all(self._network.listen_addresses())
        found = {
            ("UDP" if e.transport == QUIC else "TCP", e.port): None
            for e in own
            if e.family == "ip4" and scope_of(e.host) is not Scope.LOOPBACK
        }
        return list(found)[:MAX_PORTS]

    async def end(self) -> None:
        """The router forgets us, if it is quick. Also when nothing is said to be mapped: a port may be open whose
        mapping was answered too late."""
        self._running.cancel()  # or it would open what is being closed
        if self._mapper is not None:
            with trio.move_on_after(UNMAP_TIMEOUT):
                await self._mapper.unmap()
