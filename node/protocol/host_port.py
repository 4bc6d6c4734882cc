"""Reads where a TCP server is to listen: "127.0.0.1:7443", "[::1]:7443", "localhost:7443"."""

from __future__ import annotations

EXAMPLE = "127.0.0.1:7443"


def host_and_port(text: str, example: str = EXAMPLE) -> tuple[str, int]:
    """Raises `ValueError` with half a sentence on what is wrong; `example` is what would be right."""
    if "://" in text:
        raise ValueError(
            f"a host and a port are enough, without {text.partition('://')[0]}://, as in {example}"
        )
    host, colon, port = text.rpartition(":")
    if not colon and not text.isdigit():
        raise ValueError(f"it has no port, as in {example}")
    if not (port.isascii() and port.isdigit()) or int(port[:6]) > 65_535:
        raise ValueError(f"a port is a number from 0 to 65535, as in {example}")
    is_bracketed = host[:1] == "[" and host[-1:] == "]"
    if ":" in host and not is_bracketed:
        raise ValueError(f"an IPv6 address stands in brackets, as in [::1]:{port}")
    name = host[1:-1] if is_bracketed else host
    problem = "this is no host" if name else "it has no host"
    # Such signs mean something else in gRPC's own addresses.
    if not name.isascii() or not name.isprintable() or not name or set(name) & set(" /,%[]@"):
        raise ValueError(f"{problem}, as in {example}")
    return name, int(port)
