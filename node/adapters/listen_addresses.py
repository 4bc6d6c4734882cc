"""Listen addresses: refuse unusable ones in plain words, and tell others what a wildcard stands for."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence

import ifaddr
from multiaddr import Multiaddr

from p2pchat.node.errors import ListenError

MAX_ANNOUNCED = 8  # addresses beside those we listen on


def parse(address: str) -> Multiaddr:
    """Raises `ListenError` for what is no TCP or QUIC listen address of this program."""
    try:
        parsed = Multiaddr(address)
        names = [protocol.name for protocol in parsed.protocols()]
    except Exception as error:
        raise ListenError(
            f"{address!r} is no listen address. Write one like /ip4/0.0.0.0/tcp/4001."
        ) from error
    if names not in (["ip4", "tcp"], ["ip6", "tcp"], ["ip4", "udp", "quic-v1"]):
        raise ListenError(
            f"Cannot listen on {address}. Use /ip4/<address>/tcp/<port>, /ip6/<address>/tcp/<port> or "
            "/ip4/<address>/udp/<port>/quic-v1."
        )
    return parsed


def check(address: Multiaddr) -> None:
    """Raises `ListenError` with the reason when the operating system would refuse the address.

    Needed because py-libp2p hides the reason, and shares a TCP port that another process listens on
    (it sets SO_REUSEPORT), which would split the connections between the two.
    """
    host, port, is_udp = endpoint(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as probe:
            if not is_udp:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        raise ListenError(f"Cannot listen on {address}: {_reason(error, host, port)}.") from error


def endpoint(address: Multiaddr) -> tuple[str, int, bool]:
    """Host, port, and whether it is UDP."""
    values = {protocol.name: value for protocol, value in address.items()}
    host = values.get("ip4") or values["ip6"]
    is_udp = "udp" in values
    return str(host), int(values["udp" if is_udp else "tcp"]), is_udp


def is_dialable_elsewhere(address: Multiaddr) -> bool:
    """Whether a TCP or QUIC address could mean this machine to another one, or at least to its neighbours."""
    values = {protocol.name: value for protocol, value in address.items()}
    if not {"tcp", "quic-v1"} & values.keys() or "p2p-circuit" in values:
        return False
    host = values.get("ip4") or values.get("ip6")
    if host is None:
        return bool(values.keys() & {"dns", "dns4", "dns6"})
    ip = ipaddress.ip_address(str(host))
    return not (ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.is_multicast)


def announceable(addresses: Iterable[str]) -> list[Multiaddr]:
    """The first `MAX_ANNOUNCED` TCP and QUIC addresses; what is none, or leads over a relay, is left out."""
    found: dict[Multiaddr, None] = {}
    for text in addresses:
        try:
            address = Multiaddr(text)
            names = {protocol.name for protocol in address.protocols()}
        except Exception:
            continue
        if {"tcp", "quic-v1"} & names and "p2p" not in names:
            found[address] = None
    return list(found)[:MAX_ANNOUNCED]


def expand(addresses: Iterable[Multiaddr]) -> list[Multiaddr]:
    """Wildcard addresses replaced by one for each interface; loopback comes last."""
    found: dict[str, None] = {}
    for address in addresses:
        text = str(address)
        host, _, _ = endpoint(address)
        if host == "0.0.0.0":
            found |= dict.fromkeys(text.replace(host, ip, 1) for ip in _interface_ips(4))
        elif host == "::":
            found |= dict.fromkeys(
                text.replace("/ip6/::/", f"/ip6/{ip}/", 1) for ip in _interface_ips(6)
            )
        else:
            found[text] = None
    return sorted(map(Multiaddr, found), key=_is_loopback)


def _interface_ips(version: int) -> Sequence[str]:
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            ip = ipaddress.ip_address(text)
            # A link-local address means nothing without its zone, which multiaddrs do not carry here.
            if ip.version == version and not ip.is_link_local:
                found.append(str(ip))
    return found


def _is_loopback(address: Multiaddr) -> bool:
    return ipaddress.ip_address(endpoint(address)[0]).is_loopback


def _reason(error: Exception, host: str, port: int) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return f"port {port} is in use by another program"
    if code == errno.EADDRNOTAVAIL:
        return f"this machine has no address {host}"
    if code == errno.EACCES:
        return f"port {port} needs more rights; choose one above 1023"
    return os.strerror(code) if code else str(error)
