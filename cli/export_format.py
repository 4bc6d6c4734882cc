"""Reads the lines of an export: docs/scripting.md. Nothing in the file is believed before it has been looked at."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

FORMAT = "p2pchat-export"
VERSION = 1  # raised when older programs would misread what is written
LONGEST_LINE = (
    1 << 20
)  # bytes; a message of 64 KiB has at most 0.6 MB, as text with escapes and as a record

Entry = Mapping[str, Any]


class FormatError(Exception):
    """A sentence about what is wrong with the file."""


def entries(lines: BinaryIO) -> Iterator[tuple[int, Entry]]:
    """The objects of the file with the numbers of their lines, the header first, without the last one, which says that
    it is whole.

    Raises `FormatError`, also behind good ones.
    """
    messages = 0
    is_whole = False
    for number, entry in enumerate(_objects(lines), 1):
        if number == 1:
            _check_header(entry)
        is_whole = entry["type"] == "end"
        if is_whole:
            break
        messages += entry["type"] == "message"
        yield number, entry
    if not is_whole or entry.get("messages") != messages:
        raise FormatError("The file is not whole.")


def record_of(entry: Entry) -> bytes:
    """Empty for what is none: the node refuses that."""
    packed = entry.get("record")
    try:
        return base64.b64decode(packed, validate=True) if isinstance(packed, str) else b""
    except binascii.Error:
        return b""


def text(entry: Entry, name: str) -> str:
    """Empty for anything else than a text."""
    found = entry.get(name)
    return found if isinstance(found, str) else ""


def _objects(lines: BinaryIO) -> Iterator[dict[str, Any]]:
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise FormatError(f"Line {number:,} is too long.")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise FormatError(f"Line {number:,} is no JSON.") from None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise FormatError(f"Line {number:,} is no object with a type.")
        yield found


def _check_header(entry: Entry) -> None:
    if entry["type"] != "header" or entry.get("format") != FORMAT:
        raise FormatError("This is no export of p2pchat.")
    version = entry.get("version")
    if type(version) is not int or version > VERSION:
        raise FormatError("A newer version of p2pchat has written this.")
