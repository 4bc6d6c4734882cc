"""How far an address reaches, and which of the own ones are worth telling to whom."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable, Sequence

from p2pchat.node.protocol.multiaddrs import MAX_LENGTH

TOLD = 8  # addresses in one greeting or record ...
CIRCUITS_TOLD = 4  # ... of them at most so many through relays, when there are others

# Not `ipaddress.is_private`, which also counts the ranges for documentation, where test networks live.
_LOCAL = [
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598, behind a carrier's NAT
        "169.254.0.0/16",  # link-local
        "fc00::/7",  # RFC 4193
        "fe80::/10",
    )
]


class Scope(enum.Enum):
    """From where an address leads to its host."""

    LOOPBACK = "this computer"
    LOCAL = "the same network"
    WIDE = "everywhere"
    CIRCUIT = "through a relay"


def scope_of(address: str) -> Scope:
    """Of a multiaddr; one with a name or of an unknown kind is taken to be wide."""
    if "/p2p-circuit" in address:
        return Scope.CIRCUIT
    parts = address.split("/", 3)
    if len(parts) < 3 or parts[1] not in ("ip4", "ip6"):
        return Scope.WIDE
    return scope_of_ip(parts[2])


def scope_of_ip(text: str) -> Scope:
    """Of an IP address; what is none is taken to be wide."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return Scope.WIDE
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    ip = mapped or ip
    if ip.is_loopback:
        return Scope.LOOPBACK
    is_local = any(ip.version == network.version and ip in network for network in _LOCAL)
    return Scope.LOCAL if is_local else Scope.WIDE


def worth_telling(addresses: Iterable[str], *, to_loopback: bool, limit: int = TOLD) -> list[str]:
    """The own addresses that are of use to somebody else, the widest first, at most `limit`.

    Loopback ones only to whom is reached over loopback itself.
    """
    by_scope: dict[Scope, list[str]] = {scope: [] for scope in Scope}
    for address in dict.fromkeys(addresses):
        if len(address) <= MAX_LENGTH:
            by_scope[scope_of(address)].append(address)
    direct = [*by_scope[Scope.WIDE], *by_scope[Scope.LOCAL]]
    if to_loopback:
        direct += by_scope[Scope.LOOPBACK]
    circuits = _in_turn(by_scope[Scope.CIRCUIT])[: min(limit, CIRCUITS_TOLD)]
    return [*direct[: limit - len(circuits)], *circuits]


def _in_turn(circuits: Sequence[str]) -> list[str]:
    """One of each relay before the second of any: who has two relays shall be found through both."""
    by_relay: dict[str, list[str]] = {}
    for address in circuits:
        before = address.split("/p2p-circuit")[0]
        by_relay.setdefault(before.rpartition("/p2p/")[2], []).append(address)
    longest = max(map(len, by_relay.values()), default=0)
    return [
        addresses[turn]
        for turn in range(longest)
        for addresses in by_relay.values()
        if turn < len(addresses)
    ]


def relay_of(address: str) -> str:
    """The peer id of the relay in a circuit address; empty for a direct one."""
    before, circuit, _ = address.partition("/p2p-circuit")
    return before.rpartition("/p2p/")[2] if circuit else ""
