"""The texts that are sent: each says who wrote it and which one it is, and shows whether it was altered."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

BEGIN = "testnet"
LETTERS = "Wer reitet so spät durch Nacht und Wind? ☂ "  # with characters of 1, 2 and 3 bytes


@dataclass(frozen=True, slots=True)
class Mark:
    number: int  # of the message, in the whole run
    sender: str
    whole: bool  # as it was written


def write(number: int, sender: str, size: int) -> str:
    """With about `size` bytes behind the mark; `sender` has no spaces."""
    filling = (LETTERS * (size // len(LETTERS) + 1))[:size]
    content = f"{number} {sender} {filling}"
    return f"{BEGIN} {_sum(content):08x} {content}"


def read(text: str) -> Mark | None:
    """None: no message of a test network."""
    parts = text.split(" ", 4)
    if len(parts) < 5 or parts[0] != BEGIN or not parts[2].isdigit():
        return None
    content = text.split(" ", 2)[2]
    return Mark(int(parts[2]), parts[3], parts[1] == f"{_sum(content):08x}")


def _sum(content: str) -> int:
    return zlib.crc32(content.encode())
