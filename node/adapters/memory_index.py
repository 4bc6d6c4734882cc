"""`SearchIndex` in memory: for tests and simulations. Looks through every text, and keeps what it has while closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from p2pchat.node.errors import StoreError
from p2pchat.node.ports import Found, IndexState
from p2pchat.node.protocol.search_query import SearchQuery, fits
from p2pchat.proto import index_pb2 as index


class MemoryIndex:
    def __init__(self) -> None:
        self.failure: Exception | None = None  # set it to play a full disk: every write raises it
        self._is_open = False
        self._state = IndexState()
        self._texts: dict[
            tuple[bytes, str], str
        ] = {}  # by key, which begins with the time, and place

    def open(self) -> IndexState:
        self._is_open = True
        return self._state

    def close(self) -> None:
        self._is_open = False

    def begin(self, follower: bytes) -> IndexState:
        self._check_writable()
        self._texts.clear()
        self._state = IndexState(follower)
        return self._state

    def apply(self, changes: Sequence[index.Change], scanned: bytes | None) -> IndexState:
        self._check_writable()
        for change in changes:
            at = change.spot.key, change.spot.place
            if change.deleted:
                self._texts.pop(at, None)
            else:
                self._texts.setdefault(at, change.text)
        self._state = replace(self._state, scanned=scanned, messages=len(self._texts))
        return self._state

    def find(self, query: SearchQuery, place: str, limit: int, before: bytes) -> Found:
        self._check_open()
        found = [
            at
            for at in sorted(self._texts, reverse=True)
            if (not before or _position(at) < before)
            and place in ("", at[1])
            and fits(query, self._texts[at])
        ]
        spots = [index.Spot(place=name, key=key) for key, name in found[:limit]]
        return Found(spots, _position(found[limit - 1]) if len(found) > limit else b"")

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError("The search index is not open.")

    def _check_writable(self) -> None:
        self._check_open()
        if self.failure is not None:
            raise self.failure


def _position(at: tuple[bytes, str]) -> bytes:
    return at[0] + at[1].encode()
