"""From where on rooms are kept: the arithmetic of age and size. No I/O.

A floor is a Lamport time; those are never far below the time of their message in Unix milliseconds, so that an age
is a floor as well.
"""

from __future__ import annotations

from collections.abc import Mapping

EACH = "archive_bytes"
TOGETHER = "max_archive_bytes"


def floor_of_age(now_ms: int, keep_ms: int) -> int:
    """Below it everything is older than `keep_ms`; 0 when that is for ever (0)."""
    return max(0, now_ms - keep_ms) if keep_ms else 0


def shares(sizes: Mapping[str, int], each: int, together: int) -> dict[str, tuple[int, str]]:
    """Rooms that take too much: the bytes that each of them may have, and the limit that says so.

    None may have more than `each`. Where they still have more than `together`, the largest give first, down to the
    size of the next smaller one, and so on: a small room never pays for a large one.
    """
    level = _level([min(size, each) for size in sizes.values()], together)
    most, limit = (level, TOGETHER) if level < each else (each, EACH)
    return {room: (most, limit) for room, size in sizes.items() if size > most}


def _level(sizes: list[int], together: int) -> int:
    """The largest size under which all of them have at most `together` when what is above it is cut off."""
    left = together
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return together
