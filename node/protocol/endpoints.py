"""Where a host can be dialled directly: the IP address in a multiaddr, and the port there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

TCP, QUIC = "tcp", "quic-v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Both are parts of a multiaddr: "/ip4/203.0.113.7" and "/tcp/4001". An address of the memory network has a host
    only."""

    host: str
    service: str

    def __str__(self) -> str:
        return self.host + self.service

    @property
    def family(self) -> str:
        """ "ip4", "ip6" or "memory"."""
        return self.host.split("/", 2)[1]

    @property
    def ip(self) -> str:
        """As text; of the memory network, its number."""
        return self.host.split("/", 2)[2]

    @property
    def transport(self) -> str:
        """ "tcp" or "quic-v1"; of the memory network "memory"."""
        if self.service.startswith("/tcp/"):
            return TCP
        return QUIC if self.service else "memory"

    @property
    def port(self) -> int:
        """0 on the memory network."""
        return int(self.service.split("/")[2]) if self.service else 0


def parse(address: str) -> Endpoint | None:
    """None for a circuit, a name, an address at which nobody can be dialled, and what is no such multiaddr.

    A final `/p2p/<peer id>` does not matter.
    """
    if "/p2p-circuit" in address:
        return None
    match address.partition("/p2p/")[0].split("/"):
        case ["", "memory", number]:
            return Endpoint(f"/memory/{number}", "")
        case ["", "ip4" | "ip6", ip, "tcp", port]:
            return _endpoint(ip, f"/tcp/{port}", port)
        case ["", "ip4" | "ip6", ip, "udp", port, "quic-v1"]:
            return _endpoint(ip, f"/udp/{port}/quic-v1", port)
    return None


def _endpoint(ip: str, service: str, port: str) -> Endpoint | None:
    host = _host(ip)
    is_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16
    return Endpoint(host, service) if host and is_port else None


def _host(text: str) -> str:
    """Empty for what is no address of one host, or means nothing without its zone."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    is_zoned = isinstance(ip, ipaddress.IPv6Address) and ip.is_link_local
    is_reserved = isinstance(ip, ipaddress.IPv4Address) and ip.is_reserved
    if ip.is_unspecified or ip.is_multicast or is_zoned or is_reserved:
        return ""
    return f"/ip{ip.version}/{ip}"


def parse_all(addresses: Iterable[str]) -> list[Endpoint]:
    """Those that can be dialled directly, each once, in their order."""
    found = (parse(address) for address in addresses)
    return list(dict.fromkeys(endpoint for endpoint in found if endpoint is not None))
