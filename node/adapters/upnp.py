"""The `PortMapper` port on libp2p's UPnP client.

Its methods cannot be cancelled while the thread works that they have begun, and a router may let them wait for long.
So each runs under a trio of its own, in a thread that is left behind when its time is over.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

import trio

from p2pchat.node.adapters.left_out import leave_out
from p2pchat.node.adapters.memory_port_mapper import mapped_address
from p2pchat.node.errors import NetworkError
from p2pchat.node.protocol.own_addresses import Scope, scope_of_ip

T = TypeVar("T")
Port = tuple[str, int]  # "TCP" or "UDP", and its number

STEP_TIMEOUT = 10.0  # seconds for one question to the router; finding it takes one or two
MAX_OPEN = 16  # ports that are still to be closed; of more the oldest is forgotten
MODULE = "libp2p.discovery.upnp.upnp"

NO_ROUTER = "No router with UPnP was found; if it has UPnP, it is switched off there."
NO_ADDRESS = "The router says no address of its own."
BEHIND_ANOTHER = "The router's own address {ip} is not public: there is another router before it."
REFUSED = "The router refuses to map a port."


class Client(Protocol):
    """What is used of libp2p's `UpnpManager`."""

    async def discover(self) -> bool: ...

    async def add_port_mapping(self, port: int, protocol: str = "TCP") -> bool: ...

    async def remove_port_mapping(self, port: int, protocol: str = "TCP") -> bool: ...

    def get_external_ip(self) -> str | None: ...


def libp2p_client() -> Client:
    """Imports it: call it in a thread."""
    leave_out()
    client: Client = importlib.import_module(MODULE).UpnpManager()
    return client


class Upnp:
    """Maps each port to the same one of the router."""

    def __init__(self, make_client: Callable[[], Client] = libp2p_client) -> None:
        self._make_client = make_client
        self._threads = trio.CapacityLimiter(
            1
        )  # one that hangs holds up the next, so that they do not add up
        self._open: dict[Port, Client] = {}  # what may be open, and who was asked for it

    async def map(self, ports: Sequence[Port]) -> Sequence[str]:
        """See `PortMapper`. Looks for the router each time: it may be another one."""
        client = await self._in_thread(self._make_client)
        found = await self._ask(client.discover)
        ip = self._external_ip(client, found)
        try:
            mapped = [each for each in ports if await self._map_one(client, each)]
        except NetworkError:
            await self.unmap()
            raise
        if ports and not mapped:
            raise NetworkError(REFUSED)
        return [mapped_address(ip, kind, port) for kind, port in mapped]

    async def _map_one(self, client: Client, each: Port) -> bool:
        """Noted before the router is asked: it may open the port and its answer may come too late."""
        before = self._open.pop(each, None)
        self._open[each] = client
        while len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        kind, port = each
        is_mapped = await self._ask(client.add_port_mapping, port, kind)
        if not is_mapped and before is None:
            # Somebody else's, perhaps: to take it back would be to take it from them.
            self._open.pop(each, None)
        return is_mapped

    def _external_ip(self, client: Client, found: bool) -> str:
        """libp2p takes a router for useless whose address Python calls private, ranges for documentation included,
        where test networks live: what is public is decided here."""
        ip = client.get_external_ip()
        if ip is None:
            raise NetworkError(NO_ADDRESS if found else NO_ROUTER)
        if scope_of_ip(ip) is not Scope.WIDE:
            raise NetworkError(BEHIND_ANOTHER.format(ip=ip))
        return ip

    async def unmap(self) -> None:
        """See `PortMapper`. What the router did not close is asked for again the next time."""
        for (kind, port), client in list(self._open.items()):
            try:
                is_closed = await self._ask(client.remove_port_mapping, port, kind)
            except NetworkError:
                return  # the next ones would wait as long
            if is_closed:
                self._open.pop((kind, port), None)

    async def _ask(self, method: Callable[..., Awaitable[T]], *args: object) -> T:
        return await self._in_thread(partial(trio.run, method, *args))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Raises `NetworkError`."""
        try:
            with trio.fail_after(STEP_TIMEOUT):
                return await trio.to_thread.run_sync(
                    work, abandon_on_cancel=True, limiter=self._threads
                )
        except trio.TooSlowError:
            raise NetworkError(f"The router did not answer within {STEP_TIMEOUT:g} s.") from None
        except Exception as error:
            raise NetworkError(f"UPnP failed: {error}") from error
