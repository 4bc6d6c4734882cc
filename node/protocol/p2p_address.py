"""Multiaddrs that say who is there: they end in `/p2p/<peer id>`."""

from __future__ import annotations

from p2pchat.node.protocol import peer_id


def peer_of(address: str) -> str:
    """The peer id in base58. Raises `ValueError` when the address does not end in one."""
    _, separator, peer = address.rpartition("/p2p/")
    try:
        peer_id.from_text(peer if separator else "")
    except ValueError:
        raise ValueError(f"{address!r} does not end in /p2p/<peer id>") from None
    return peer


def with_peer(address: str, peer: str) -> str:
    """The address, ending in `/p2p/<peer>`."""
    ending = f"/p2p/{peer}"
    return address if address.endswith(ending) else address + ending


def is_dnsaddr(address: str) -> bool:
    """Whether it has to be looked up in the DNS before anybody can be dialled there."""
    return address.startswith("/dnsaddr/")
