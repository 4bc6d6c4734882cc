"""A column family used as a queue: its keys are numbers that only grow."""

from __future__ import annotations

from p2pchat.node.adapters.direct_keys import number_key, number_of
from p2pchat.node.adapters.rocksdb_database import Pair, RocksdbDatabase

_END = b"\xff" * 9  # greater than every key


class RocksdbQueue:
    """Gives out numbers for new entries, and finds the oldest ones without stepping over those that are gone.

    Entries are written and deleted by the caller, with `number_key(number)` as their key.
    """

    def __init__(self, database: RocksdbDatabase, family: str) -> None:
        self._database = database
        self._family = family
        self._last: int | None = None  # number given out; None: to be looked up
        self._floor = (
            0  # numbers given out before the database was opened again: positions stay valid
        )
        self._start = b""  # no entry's key is below

    def rewind(self) -> None:
        """To be called when the database was opened: another process may have used it meanwhile."""
        self._floor = max(self._floor, self._last or 0)
        self._last, self._start = None, b""

    def new_number(self, step: int = 1) -> int:
        """Greater by `step` than the last one before it; 1 or more. Raises `StoreError`."""
        self._last = self._last_given() + step
        return self._last

    def behind(self, key: bytes) -> int:
        """How far the last number given out is above this entry's."""
        return self._last_given() - number_of(key)

    def oldest(self, limit: int, after: bytes = b"", max_bytes: int | None = None) -> list[Pair]:
        """Up to `limit` entries with keys above `after`, as `RocksdbDatabase.oldest`."""
        # Before anything is read and deleted: numbers given out later must not fall below where reading goes on.
        self._last_given()
        start = max(after + b"\x00" if after else b"", self._start)
        found = self._database.oldest(self._family, start, b"", limit, max_bytes)
        # A deletion that failed is going to be taken back: the entry is there again then.
        if not after and limit > 0 and not self._database.failed:
            self._start = found[0][0] if found else number_key(self._last_given() + 1)
        return found

    def _last_given(self) -> int:
        if self._last is None:
            newest = self._database.newest(self._family, b"", _END, 1)
            with self._database.plain_words():
                self._last = max(self._floor, number_of(newest[0][0]) if newest else 0)
        return self._last
