"""Multiaddrs that name a host (`/dns/`, `/dns4/`, `/dns6/`), replaced by the addresses behind the name."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

import trio
from multiaddr import Multiaddr

log = logging.getLogger(__name__)

_FAMILIES = {"dns": socket.AF_UNSPEC, "dns4": socket.AF_INET, "dns6": socket.AF_INET6}


async def resolve(addresses: Sequence[Multiaddr]) -> list[Multiaddr]:
    """In the same order; a name that cannot be resolved is left out."""
    resolved: list[Multiaddr] = []
    for address in addresses:
        kind, host = next((p.name, str(value)) for p, value in address.items())
        if kind in _FAMILIES:
            resolved += [
                Multiaddr(str(address).replace(f"/{kind}/{host}", ip, 1))
                for ip in await _look_up(host, _FAMILIES[kind])
            ]
        else:
            resolved.append(address)
    return resolved


async def _look_up(host: str, family: socket.AddressFamily) -> list[str]:
    try:
        found = await trio.socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    except OSError as error:
        log.debug("cannot look up %s: %s", host, error)
        return []
    return [f"/ip6/{a[0]}" if f == socket.AF_INET6 else f"/ip4/{a[0]}" for f, *_, a in found]
