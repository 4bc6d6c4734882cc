"""SQLite's errors as sentences for the user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p2pchat.node.errors import StoreError

# Primary result codes, which are the lowest 8 bits of an error's code: https://www.sqlite.org/rescode.html
_CORRUPT, _FULL, _NOT_A_DATABASE = 11, 13, 26
_FORBIDDEN = (3, 8, 14)  # PERM, READONLY, CANTOPEN


class IndexDamagedError(StoreError):
    """The file holds no index that can be used; it can only be made again."""


@contextmanager
def plain_words(path: Path) -> Iterator[None]:
    """Translate what SQLite and the file system raise. `sqlite3` has been imported by whoever calls it."""
    import sqlite3

    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The search index {path} failed: {os.strerror(error.errno or 0)}."
        ) from error
    except sqlite3.Error as error:
        raise _explain(error, path) from error


def _explain(error: Exception, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (_CORRUPT, _NOT_A_DATABASE):
        return IndexDamagedError("The search index was damaged, and is being built again.")
    if code == _FULL:
        return StoreError(f"The disk is full: {path} cannot grow until there is space again.")
    if code in _FORBIDDEN:
        return StoreError(f"No right to write to the search index {path} ({error}).")
    return StoreError(f"The search index {path} failed: {error}.")
