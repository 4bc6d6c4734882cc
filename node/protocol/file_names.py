"""Names of files that others offer: made safe and unique. What comes in is never used as a path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

OFFERED_BYTES = 255  # of UTF-8, in an offer
NAME_BYTES = (
    180  # of UTF-8, on the disk, so that a number still fits into the 255 that file systems take
)
EXTENSION_BYTES = 20  # of UTF-8, kept when a name is cut
NAMELESS = "file"
REPLACEMENT = "_"

_SEPARATORS = re.compile(r"[/\\]")
# What turns the reading direction, moves the cursor or cannot be seen; and what some file systems do not take.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORBIDDEN = frozenset('<>:"|?*\u115f\u1160\u3164\uffa0\u2800')
# Devices on Windows, with any extension.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.I)


def safe(offered: str) -> str:
    """A name for a file in a folder of our own: one that is no path, hides nothing and is no option of a command."""
    last = next(filter(None, map(str.strip, reversed(_SEPARATORS.split(offered)))), "")
    seen = "".join(map(_seen, unicodedata.normalize("NFC", last)))
    plain = " ".join(seen.split()).lstrip(".-~ ").rstrip(". ")
    if _RESERVED.match(plain):
        plain = REPLACEMENT + plain
    return _cut(plain, NAME_BYTES).rstrip(". ") or NAMELESS


def unique(name: str, taken: Collection[str]) -> str:
    """`name`, or with a number behind it; differing only in case is no difference."""
    folded = {folded_name(each) for each in taken}
    return next(each for each in _numbered(name) if folded_name(each) not in folded)


def folded_name(name: str) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def to_offer(name: str) -> str:
    """An own file's name as others are told it: text of 1 to 255 bytes."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    return _cut(text, OFFERED_BYTES) or NAMELESS


def _seen(character: str) -> str:
    if character in _FORBIDDEN or unicodedata.category(character) in _UNSEEN:
        return REPLACEMENT
    return character


def _numbered(name: str) -> Iterator[str]:
    yield name
    stem, extension = _parts(name)
    number = 1
    while True:
        yield f"{stem} ({number}){extension}"
        number += 1


def _cut(name: str, limit: int) -> str:
    """At most `limit` bytes, with the extension."""
    if len(name.encode()) <= limit:
        return name
    stem, extension = _parts(name)
    room = limit - len(extension.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + extension


def _parts(name: str) -> tuple[str, str]:
    """Stem and extension, the dot with the latter; what is no short extension belongs to the stem."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > EXTENSION_BYTES or " " in extension:
        return name, ""
    return stem, dot + extension
