"""Reads where a TCP server is to listen: "127.0.0.1:7443", "[::1]:7443", "localhost:7443"."""

from __future__ import annotations

EXAMPLE = "127.0.0.1:7443"


def host_and_port(text: str) -> tuple[str, int]:
    """Raises `ValueError` with half a sentence on what is wrong."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit()) or int(port[:6]) > 65_535:
        raise ValueError(f"it has no port from 0 to 65535, as in {EXAMPLE}")
    is_bracketed = host[:1] == "[" and host[-1:] == "]"
    if ":" in host and not is_bracketed:
        raise ValueError(f"an IPv6 address stands in brackets, as in [::1]:{port}")
    name = host[1:-1] if is_bracketed else host
    # Such signs mean something else in gRPC's own addresses.
    if not name.isascii() or not name.isprintable() or not name or set(name) & set(" /,%[]@"):
        raise ValueError(f"it has no host, as in {EXAMPLE}")
    return name, int(port)
