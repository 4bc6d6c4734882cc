"""The library that makes a process's disk full or slow and its clock wrong (`faults.c`), and the switches for it."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
COMPILER = "cc"
PATIENCE = 60.0  # seconds for the compiler, on a busy machine
SWITCH_SIZE = 4096  # bytes; a page
WRITE_SHARE = 1 / 20  # of what a slow disk adds to a sync, it adds to a write

# As `struct switches` in faults.c: eight bytes each, in this order.
_WORD = struct.Struct("@q")
_FULL, _SYNC, _WRITE, _OFFSET, _REFUSED, _DELAYED, _SHIFTED = (8 * place for place in range(7))


def unavailable() -> str:
    """Why the library cannot be had here, as a sentence; empty: it can."""
    if not sys.platform.startswith("linux"):
        return "Only Linux lets a library be put in front of the C library's calls."
    if shutil.which(COMPILER) is None:
        return f"There is no C compiler ({COMPILER}) for the library that does it."
    return ""


def build(folder: Path) -> tuple[Path | None, str]:
    """Compile it into `folder`; or None, and a sentence why not."""
    if problem := unavailable():
        return None, problem
    library = folder / "faults.so"
    made = ("-shared", "-fPIC", "-o", str(library))
    command = [COMPILER, "-O2", *made, str(SOURCE), "-ldl", "-lpthread"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"The C compiler could not be run: {error}."
    if done.returncode:
        return None, f"The C compiler failed: {' '.join(done.stderr.split())[:300]}"
    return library, ""


@dataclass(frozen=True, slots=True)
class Effects:
    """How many calls of the process were met so far."""

    refused: int  # writes and syncs for which the disk was full
    delayed: int
    shifted: int  # readings of the clock


class Switch:
    """Of one process, and those that come after it with the same environment."""

    def __init__(self, path: Path, folder: Path) -> None:
        """`folder` is its disk, and is there already."""
        self._path, self._folder = path, folder
        path.write_bytes(bytes(SWITCH_SIZE))
        with path.open("r+b") as file:
            self._words = mmap.mmap(file.fileno(), SWITCH_SIZE)

    def environment(self, library: Path) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library),
            "TESTNET_SWITCH": str(self._path),
            "TESTNET_FOLDER": str(self._folder),
        }

    def disk_full(self, full: bool) -> None:
        self._put(_FULL, int(full))

    def disk_slow(self, seconds: float) -> None:
        """Every sync takes so much longer; 0: no more."""
        self._put(_SYNC, int(seconds * 1e6))
        self._put(_WRITE, int(seconds * WRITE_SHARE * 1e6))

    def clock_ahead(self, seconds: float) -> None:
        """Or behind, when negative; 0: right."""
        self._put(_OFFSET, int(seconds * 1e9))

    def all_off(self) -> None:
        self.disk_full(False)
        self.disk_slow(0.0)
        self.clock_ahead(0.0)

    def effects(self) -> Effects:
        return Effects(*(self._get(place) for place in (_REFUSED, _DELAYED, _SHIFTED)))

    def close(self) -> None:
        self._words.close()

    def _put(self, place: int, value: int) -> None:
        # Eight bytes at a multiple of eight go in one piece: nobody reads half of the old and half of the new.
        self._words[place : place + _WORD.size] = _WORD.pack(value)

    def _get(self, place: int) -> int:
        return int(_WORD.unpack_from(self._words, place)[0])
