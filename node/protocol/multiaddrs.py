"""Multiaddrs in the binary form in which libp2p's protocols carry them, and as the text that this program uses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from p2pchat.node.protocol import peer_id

MAX_LENGTH = 256  # characters of an address that is worth keeping


def to_bytes(address: str) -> bytes:
    """Raises `ValueError` for what is no multiaddr."""
    from multiaddr import Multiaddr  # 0.1 s, which a start shall not wait for

    try:
        return bytes(Multiaddr(address).to_bytes())
    except Exception as error:
        raise ValueError(f"{address!r} is no multiaddr") from error


def from_bytes(data: bytes) -> str:
    """Raises `ValueError` for what is no multiaddr, or too long to keep."""
    from multiaddr import Multiaddr

    try:
        text = str(Multiaddr(data))
    except Exception as error:
        raise ValueError("no multiaddr") from error
    if not 0 < len(text) <= MAX_LENGTH:
        raise ValueError("an address too long to keep")
    return text


def all_to_bytes(addresses: Iterable[str]) -> list[bytes]:
    """Those that are multiaddrs, in their order."""
    found = []
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.append(to_bytes(address))
    return found


def all_from_bytes(addresses: Iterable[bytes], limit: int, peer: bytes = b"") -> list[str]:
    """The first `limit` that can be read, each once and without a final `/p2p/<peer>`: one bad one must not cost the
    others."""
    ending = f"/p2p/{peer_id.to_text(peer)}" if peer else ""
    found: dict[str, None] = {}
    for data in addresses:
        if len(found) >= limit:
            break
        with contextlib.suppress(ValueError):
            text = from_bytes(data)
            if text := text.removesuffix(ending):
                found[text] = None
    return list(found)
