"""The index of `/search` as the search actor sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from p2pchat.node.protocol.search_query import SearchQuery
from p2pchat.proto import index_pb2 as index


@dataclass(frozen=True, slots=True)
class IndexState:
    follower: bytes = b""  # the name under which it follows a store; empty: a new index
    # How far it has got with the messages from before it followed: a scan's `last`; None: it has them all.
    scanned: bytes | None = b""
    messages: int = 0  # in the index


@dataclass(frozen=True, slots=True)
class Found:
    spots: Sequence[index.Spot]  # newest first
    last: bytes  # leads to the next page; empty: there is none


class SearchIndex(Protocol):
    """Finds messages by their words. Synchronous, one call at a time; derived from a store, so it may be lost.

    Every method raises `StoreError` when the disk fails or is full, or when the index was damaged and is lost.
    """

    def open(self) -> IndexState:
        """Raises `SearchUnavailableError` too. A damaged index, or one of another version, is a new one then."""
        ...

    def close(self) -> None: ...

    def begin(self, follower: bytes) -> IndexState:
        """Empty it, to be filled from a store."""
        ...

    def apply(self, changes: Sequence[index.Change], scanned: bytes | None) -> IndexState:
        """All of them or none, durably; what the index has or lacks already changes nothing.

        `scanned` is for the state; an earlier one stays true when changes did not come from a scan.
        """
        ...

    def find(self, query: SearchQuery, place: str, limit: int, before: bytes) -> Found:
        """The newest messages of `place` (empty: of all) that fit, by Lamport time; `before` is a page's `last`."""
        ...
