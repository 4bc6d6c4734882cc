"""libp2p's mDNS (specification: discovery/mdns.md) on the zeroconf package.

py-libp2p's own is not used: it cannot see js-libp2p peers, which answer with a TXT record and no address record.
zeroconf is imported, opened and closed in worker threads, and works in a thread of its own.
"""

from __future__ import annotations

import importlib
import ipaddress
import logging
import random
import string
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

import trio

from p2pchat.node.errors import NetworkError
from p2pchat.node.protocol import mdns_text

if TYPE_CHECKING:
    from p2pchat.node.adapters.mdns_responder import Responder

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

log = logging.getLogger(__name__)

CHECK_EVERY = 15.0  # seconds between looks at the network interfaces; also until a failed start is tried again
OPEN_TIMEOUT = 5.0  # seconds; it takes milliseconds
CLOSE_TIMEOUT = 0.8  # seconds for the goodbyes at the end (they take 0.25)
REPEAT_AFTER = 60.0  # seconds until a peer is told again that has not changed
MAX_WAITING = 256  # peers heard of in zeroconf's thread and not taken over yet; more are dropped
MAX_REMEMBERED = 1024  # peers of which the last telling is remembered
NO_INTERFACE = "No network interface is up: nobody on the local network can be found."
NAME_LENGTH = 40  # characters of the random name; the specification asks for 32 to 63


class Mdns:
    """The `LocalDiscovery` port: announces this node and hears of others, on every interface."""

    def __init__(self, interfaces: Callable[[], tuple[str | int, ...]] | None = None) -> None:
        self._interfaces = interfaces or multicast_interfaces
        self._addresses: Sequence[str] = ()
        self._changed = trio.Event()

    def announce(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)
        self._changed.set()

    async def run(
        self,
        peer: str,
        found: Callable[[str, Sequence[str]], None],
        report: Callable[[str], None],
    ) -> None:
        module = await trio.to_thread.run_sync(
            importlib.import_module, "p2pchat.node.adapters.mdns_responder"
        )
        finds = Finds(peer, found)
        name = "".join(random.choices(string.ascii_lowercase + string.digits, k=NAME_LENGTH))

        def open_responder(interfaces: Sequence[str | int]) -> Responder:
            responder: Responder = module.Responder(name, interfaces, finds.hear)
            return responder

        responder: Responder | None = None
        try:
            while True:
                self._changed = trio.Event()
                try:
                    responder = await self._refresh(responder, open_responder)
                    responder.announce(self._addresses)
                    report("")
                except NetworkError as error:
                    await _close(responder)
                    responder = None
                    report(str(error))
                with trio.move_on_after(CHECK_EVERY):
                    await self._changed.wait()
        finally:
            await _close(responder)

    async def _refresh(
        self,
        responder: Responder | None,
        open_responder: Callable[[Sequence[str | int]], Responder],
    ) -> Responder:
        """The one there is, or a new one when the interfaces have changed. Raises `NetworkError`."""
        # Milliseconds; shielded because what a thread has opened must not be lost.
        with trio.move_on_after(OPEN_TIMEOUT, shield=True):
            interfaces = await _in_thread(self._interfaces)
            if responder is not None and set(responder.interfaces) == set(interfaces):
                return responder
            await _close(responder)
            if not interfaces:
                raise NetworkError(NO_INTERFACE)
            return await _in_thread(open_responder, interfaces)
        raise NetworkError(f"mDNS did not start within {OPEN_TIMEOUT:g} s.")


async def _in_thread(work: Callable[[*Ts], T], *args: *Ts) -> T:
    return await trio.to_thread.run_sync(work, *args, abandon_on_cancel=True)


async def _close(responder: Responder | None) -> None:
    if responder is not None:
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
            await trio.to_thread.run_sync(responder.close, abandon_on_cancel=True)


class Finds:
    """Takes what zeroconf's thread hears over into trio, and tells it, each peer once in a while."""

    def __init__(self, own: str, found: Callable[[str, Sequence[str]], None]) -> None:
        self._own = own
        self._found = found
        self._token = trio.lowlevel.current_trio_token()
        self._lock = threading.Lock()
        self._waiting: dict[str, list[str]] = {}
        self._told: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()

    def hear(self, texts: Iterable[bytes]) -> None:
        """The TXT records of one answer; called in zeroconf's thread."""
        with self._lock:
            for peer, addresses in mdns_text.decode(texts).items():
                if peer != self._own and (
                    peer in self._waiting or len(self._waiting) < MAX_WAITING
                ):
                    self._waiting[peer] = addresses
            if not self._waiting:
                return
        try:
            self._token.run_sync_soon(self._take_over, idempotent=True)
        except trio.RunFinishedError:
            log.debug("heard of somebody while the program ended")

    def _take_over(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        now = trio.current_time()
        for peer, addresses in waiting.items():
            told_at, told = self._told.get(peer, (now, []))
            if addresses == told and now - told_at < REPEAT_AFTER:
                continue
            self._told[peer] = now, addresses
            self._told.move_to_end(peer)
            if len(self._told) > MAX_REMEMBERED:
                self._told.popitem(last=False)
            self._found(peer, addresses)


def multicast_interfaces() -> tuple[str | int, ...]:
    """An IPv4 address, or for IPv6 the index, of each interface; loopback only when there is no other.

    Raises `NetworkError`.
    """
    import ifaddr

    found: dict[str | int, None] = {}
    loopback: dict[str | int, None] = {}
    try:
        adapters = list(ifaddr.get_adapters())
    except OSError as error:
        raise NetworkError(f"Cannot list the network interfaces: {error.strerror}.") from error
    for adapter in adapters:
        for entry in adapter.ips:
            ip = ipaddress.ip_address(entry.ip if isinstance(entry.ip, str) else entry.ip[0])
            if ip.version == 4:
                (loopback if ip.is_loopback else found)[str(ip)] = None
            elif not ip.is_loopback and adapter.index is not None:
                found[adapter.index] = None
    return tuple(found or loopback)
