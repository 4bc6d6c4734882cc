"""UUIDv7 (RFC 9562, section 5.7); Python's own comes with 3.14."""

from __future__ import annotations


def make(now_ms: int, randomness: bytes) -> bytes:
    """16 bytes: 48 bits of Unix milliseconds, version and variant, and 74 of the 80 random bits given."""
    if len(randomness) != 10:
        raise ValueError("a UUIDv7 takes 10 random bytes")
    tail = bytearray(randomness)
    tail[0] = 0x70 | (tail[0] & 0x0F)
    tail[2] = 0x80 | (tail[2] & 0x3F)
    return (now_ms & 0xFFFF_FFFF_FFFF).to_bytes(6, "big") + bytes(tail)


def time_ms(made: bytes) -> int:
    """The Unix milliseconds that stand in what `make` has made."""
    return int.from_bytes(made[:6], "big")
