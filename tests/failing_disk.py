"""Disks that fail, for tests of stores on RocksDB."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from p2pchat.node.adapters.rocksdb_handle import Entry, Handle


class FailingSync:
    """Makes that many writes, from now on, reach the log and then fail; `failures` may be set again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
        self.failures = failures
        self._write = Handle.write
        monkeypatch.setattr(Handle, "write", lambda handle, entries: self(handle, entries))

    def __call__(self, handle: Handle, entries: Sequence[Entry]) -> None:
        self._write(handle, entries)
        if entries and self.failures:
            self.failures -= 1
            raise Exception("IO error: Input/output error: While fdatasync: 000009.log")


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """A limit in bytes on every file that this process writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
