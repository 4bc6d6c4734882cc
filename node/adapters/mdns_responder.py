"""One life of a zeroconf instance. Importing this module imports zeroconf; everything here may block."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from zeroconf import (  # type: ignore[attr-defined]  # public, but missing from its __all__
    DNSRecord,
    DNSText,
    IPVersion,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
    current_time_millis,
)
from zeroconf import Error as ZeroconfError
from zeroconf.asyncio import AsyncServiceBrowser

from p2pchat.node.errors import NetworkError
from p2pchat.node.protocol import mdns_text

log = logging.getLogger(__name__)

SERVICE = "_p2p._udp.local."
PORT = (
    4001  # a service needs one; libp2p reads the TXT record only, and go-libp2p says 4001 as well
)

Hear = Callable[[Iterable[bytes]], None]


class Responder:
    """Asks for libp2p peers, tells `hear` every TXT record of theirs, and answers for this node.

    `hear` is called in zeroconf's thread. Raises `NetworkError` when multicast is impossible.
    """

    def __init__(self, name: str, interfaces: Sequence[str | int], hear: Hear) -> None:
        self.interfaces = interfaces
        self._name = name
        self._info: ServiceInfo | None = None
        self._zeroconf = _open(list(interfaces))
        self._browser: AsyncServiceBrowser | None = None
        self._soon(self._browse(hear))

    def announce(self, addresses: Sequence[str]) -> None:
        """Say so now and whenever asked; does not wait for it."""
        text = mdns_text.encode(addresses)
        if not text or (self._info is not None and self._info.text == text):
            return
        before, self._info = self._info, self._describe(addresses, text)
        if before is None:
            # No probing for another owner of the name: it is random.
            register = self._zeroconf.async_register_service(
                self._info, cooperating_responders=True
            )
            self._soon(register)
        else:
            self._soon(self._zeroconf.async_update_service(self._info))

    def close(self) -> None:
        """Say goodbye; takes 0.25 s."""
        try:
            self._zeroconf.close()
        except (ZeroconfError, OSError, RuntimeError) as error:
            log.debug("closing mDNS: %s", error)

    def _describe(self, addresses: Sequence[str], text: bytes) -> ServiceInfo:
        return ServiceInfo(
            SERVICE,
            f"{self._name}.{SERVICE}",
            PORT,
            properties=text,
            server=f"{self._name}.local.",
            addresses=_packed_ips(addresses),
        )

    async def _browse(self, hear: Hear) -> None:
        listener = _TextListener(hear)
        self._zeroconf.async_add_listener(listener, None)
        # What came in between opening and now is known, and so nobody would say it again.
        cache = self._zeroconf.cache
        listener.take(record for name in cache.names() for record in cache.entries_with_name(name))
        # Its questions are what counts here; the listener sees the answers.
        self._browser = AsyncServiceBrowser(self._zeroconf, SERVICE, handlers=[_ignore])

    def _soon(self, work: Coroutine[Any, Any, object]) -> None:
        assert self._zeroconf.loop is not None
        asyncio.run_coroutine_threadsafe(work, self._zeroconf.loop).add_done_callback(_log_failure)


class _TextListener(RecordUpdateListener):
    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    def async_update_records(
        self, zeroconf: Zeroconf, now: float, records: list[RecordUpdate]
    ) -> None:
        self.take(update.new for update in records)

    def take(self, records: Iterable[DNSRecord]) -> None:
        now = current_time_millis()
        texts = [
            record.text
            for record in records
            if isinstance(record, DNSText)
            and record.name.lower().endswith(f".{SERVICE}")
            and not record.is_expired(now)  # a goodbye
        ]
        if texts:
            self._hear(texts)


def _open(interfaces: list[str | int]) -> Zeroconf:
    try:
        zeroconf = _open_both_families(interfaces)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise NetworkError(
            f"Nobody on the local network can be found: multicast does not work ({reason})."
        ) from error
    if not zeroconf.engine.senders:
        zeroconf.close()
        raise NetworkError(
            "Nobody on the local network can be found: no network interface can multicast."
        )
    return zeroconf


def _open_both_families(interfaces: list[str | int]) -> Zeroconf:
    ip4 = [interface for interface in interfaces if isinstance(interface, str)]
    ip6 = [interface for interface in interfaces if isinstance(interface, int)]
    if ip4 and ip6:
        try:
            return Zeroconf(interfaces=interfaces, ip_version=IPVersion.All)
        except (OSError, RuntimeError) as error:
            log.debug("mDNS on IPv4 only: %s", error)
    if ip4:
        return Zeroconf(interfaces=ip4, ip_version=IPVersion.V4Only)
    return Zeroconf(interfaces=interfaces, ip_version=IPVersion.V6Only)


def _packed_ips(addresses: Sequence[str]) -> list[bytes]:
    """The first of each family. Nobody needs them, but some routers and clients want address records."""
    found: dict[int, bytes] = {}
    for address in mdns_text.usable(addresses):
        try:
            ip = ipaddress.ip_address(address.split("/")[2])
        except ValueError:
            continue
        found.setdefault(ip.version, ip.packed)
    return list(found.values())


def _log_failure(done: Future[object]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("mDNS: %s", error or type(error).__name__)


def _ignore(**_: object) -> None: ...
