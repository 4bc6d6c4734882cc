"""Files of the owner that are sent, and the folder into which taken ones go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A regular file as it was when it was hashed."""

    path: str  # absolute, without symbolic links
    name: str
    size: int  # bytes
    modified_ns: int
    digest: bytes  # SHA-256 of all of it


class Files(Protocol):
    """Synchronous: called in worker threads, side by side for different files. Nothing stays open between calls.

    A file that is being taken grows under a name of ours, a `partial`; only a finished one gets a name like the one
    that was offered. Every method raises `FileError` with a sentence; a full disk is one.
    """

    def describe(self, path: str) -> FileFacts:
        """Read it to its end, without holding it in memory. Only regular files."""
        ...

    def read(self, facts: FileFacts, offset: int, length: int) -> bytes:
        """That much of it, less at its end. Raises `FileChangedError` when it is not as it was."""
        ...

    def free_bytes(self) -> int:
        """What the disk of the download folder still has for this user."""
        ...

    def write(self, partial: str, offset: int, data: bytes, *, sync: bool) -> None:
        """Into a partial, made if need be. `sync`: it is on the disk when this returns, with all before."""
        ...

    def partial_size(self, partial: str) -> int:
        """Bytes; 0 when there is none."""
        ...

    def partials(self) -> Sequence[str]: ...

    def digest(self, partial: str, size: int) -> bytes:
        """SHA-256 of its first `size` bytes; what is behind them is cut off."""
        ...

    def free_path(self, name: str) -> str:
        """Where a file of that name can stand in the download folder: with a number if there is one already."""
        ...

    def publish(self, partial: str, path: str) -> bool:
        """Give a whole partial its name; done again after a crash it changes nothing. False: the place is taken."""
        ...

    def drop(self, partial: str) -> None:
        """Delete it, if it is there."""
        ...
