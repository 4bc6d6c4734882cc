"""Multiaddrs in the binary form in which libp2p's protocols carry them, and as the text that this program uses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from p2pchat.node.protocol import peer_id

MAX_LENGTH = 256  # characters of an address that is worth keeping; also bytes of its binary form
# Reading a bad address costs up to 30 times of what a common one costs: of many only so much is read.
_LOOKED_AT = 2  # addresses for each one that is wanted ...
_BYTES_READ = 80  # ... and bytes; real ones have 8 to 60, few up to 130
_REMEMBERED = 2048  # addresses, up to 0.6 KB each: the same ones are told again and again


def to_bytes(address: str) -> bytes:
    """Raises `ValueError` for what is no multiaddr."""
    from multiaddr import Multiaddr  # 0.1 s, which a start shall not wait for

    try:
        return bytes(Multiaddr(address).to_bytes())
    except Exception as error:
        raise ValueError(f"{address!r} is no multiaddr") from error


def from_bytes(data: bytes) -> str:
    """Raises `ValueError` for what is no multiaddr in its one binary form, or too long to keep."""
    if not 0 < len(data) <= MAX_LENGTH:  # before it costs anything
        raise ValueError("an address too long to keep")
    text = _read(data)
    if not text:
        raise ValueError("no multiaddr, or too long to keep")
    return text


@lru_cache(maxsize=_REMEMBERED)
def _read(data: bytes) -> str:
    """Empty for what is not worth keeping. The library fills up with zeros what is cut off: hence the way back."""
    from multiaddr import Multiaddr

    try:
        text = str(Multiaddr(data))
        good = 0 < len(text) <= MAX_LENGTH and to_bytes(text) == data
    except Exception:  # of any kind that the library has
        return ""
    return text if good else ""


def all_to_bytes(addresses: Iterable[str]) -> list[bytes]:
    """Those that are multiaddrs, in their order."""
    found = []
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.append(to_bytes(address))
    return found


def all_from_bytes(addresses: Iterable[bytes], limit: int, peer: bytes = b"") -> list[str]:
    """The first `limit` that can be read, each once and without a final `/p2p/<peer>`: one bad one must not cost the
    others. Who tells much more than that is not read to the end."""
    ending = f"/p2p/{peer_id.to_text(peer)}" if peer else ""
    found: dict[str, None] = {}
    left = _BYTES_READ * limit
    for data in islice(addresses, _LOOKED_AT * limit):
        left -= len(data) if len(data) <= MAX_LENGTH else 0
        if len(found) >= limit or left < 0:
            break
        with contextlib.suppress(ValueError):
            text = from_bytes(data)
            if text := text.removesuffix(ending):
                found[text] = None
    return list(found)
