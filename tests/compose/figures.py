"""What was seen and measured: shown as a table at the end of a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

MEGABYTE = 1_000_000  # bytes, as `docker images` counts

# Of this run, in the order in which it was seen.
seen: dict[str, str] = {}


def note(what: str, value: str) -> None:
    seen[what] = value


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    note(what, f"{time.monotonic() - began:.1f} s")


def megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.0f} MB"
