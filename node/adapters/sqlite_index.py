"""`SearchIndex` on SQLite's FTS5, in one file that may be deleted at any time.

    words   FTS5 without content: the words of a text, and one for its place; rowid = where it stands in time
    spots   the same rowid -> where the message is
    places  number -> room or conversation
    meta    one row: what `IndexState` says, and the secret of the rowids

A rowid begins with the Lamport time, so that the newest come first without sorting: FTS5 reads its lists backwards and
stops. FTS5 forgets a text only when it is told the text again, and it must be the same.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from p2pchat.node.adapters.sqlite_errors import IndexDamagedError, plain_words
from p2pchat.node.errors import SearchUnavailableError, StoreError
from p2pchat.node.ports import Found, IndexState
from p2pchat.node.protocol.search_query import SearchQuery, normal
from p2pchat.proto import index_pb2 as index

if TYPE_CHECKING:
    # 2 MB of shared library: loaded when the index opens, not when the module is imported.
    import sqlite3

SCHEMA_VERSION = 1  # another one, older or newer, is built again
PAGE_CACHE = 1 << 10  # KiB of SQLite's page cache
WAL_PAGES = 500  # 4 KiB each; a longer log is written back into the file

UNAVAILABLE = "Search does not work with this Python: its SQLite has no full text search (FTS5). Everything else does."

# The rest of a rowid, 63 bits in all. Lamport times after the year 2248 stand together at the end.
_RANDOM_BITS = 20
_MAX_LAMPORT = (1 << 43) - 1
# Rowids that a message may have. They begin at a random one of a million with the same Lamport time, so this many
# neighbours are taken only when somebody has written most of a million messages for it; then some are not found.
_CHOICES = 64

_POSITION = struct.Struct(">q")
_LAMPORT = struct.Struct(">Q")
_DDL = """
    CREATE VIRTUAL TABLE words USING fts5(
        text, place, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2');
    CREATE TABLE spots(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key BLOB NOT NULL);
    CREATE TABLE places(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE meta(follower BLOB, scanned BLOB, messages INTEGER, secret BLOB);
"""
_INSERT = "INSERT INTO words(rowid, text, place) VALUES(?, ?, ?)"
_FORGET = "INSERT INTO words(words, rowid, text, place) VALUES('delete', ?, ?, ?)"

_Word: TypeAlias = tuple[int, str, str]  # rowid, text, place


class SqliteIndex:
    """Nothing is read, written or imported before `open`. Threads may change from call to call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._state = IndexState()
        self._secret = b""
        self._places: dict[str, int] = {}

    def open(self) -> IndexState:
        self.close()
        try:
            import sqlite3  # noqa: F401 (some Pythons are built without)
        except ImportError as error:
            raise SearchUnavailableError(UNAVAILABLE) from error
        try:
            self._open()
        except IndexDamagedError:
            self._open()  # the damaged one is gone
        return self._state

    def close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with plain_words(self._path):
                database.close()

    def begin(self, follower: bytes) -> IndexState:
        self.close()
        with plain_words(self._path):
            self._remove()
        self._open()
        with self._writing() as database:
            database.execute("UPDATE meta SET follower = ?", (follower,))
            self._state = IndexState(follower)
        return self._state

    def apply(self, changes: Sequence[index.Change], scanned: bytes | None) -> IndexState:
        final = {(change.spot.place, change.spot.key): change for change in changes}
        with self._writing() as database:
            added, removed = self._sift(database, final.values())
            # Ascending rowids spare FTS5 from writing out what it has gathered.
            for rowid, text, place, sql in sorted(
                [*((*word, _INSERT) for word in added), *((*word, _FORGET) for word in removed)]
            ):
                database.execute(sql, (rowid, text, place))
            messages = self._state.messages + len(added) - len(removed)
            database.execute("UPDATE meta SET scanned = ?, messages = ?", (scanned, messages))
            state = IndexState(self._state.follower, scanned, messages)
        self._state = state
        return state

    def find(self, query: SearchQuery, place: str, limit: int, before: bytes) -> Found:
        number = self._places.get(place)
        if place and number is None:
            return Found((), b"")
        end = _POSITION.unpack(before)[0] if len(before) == _POSITION.size else (1 << 63) - 1
        with self._reading() as database:
            found = database.execute(
                "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
                (_expression(query, number), end, limit + 1),
            ).fetchall()
            rowids = [rowid for (rowid,) in found[:limit]]
            spots = [spot for rowid in rowids for spot in _spot_at(database, rowid)]
        return Found(spots, _POSITION.pack(rowids[-1]) if len(found) > limit else b"")

    # ---- what is there already ----------------------------------------------------------------------

    def _sift(
        self, database: sqlite3.Connection, changes: Iterable[index.Change]
    ) -> tuple[list[_Word], list[_Word]]:
        """What the index lacks of the new messages, and what it has of the deleted ones. Writes their spots."""
        added: list[_Word] = []
        removed: list[_Word] = []
        for change in changes:
            place, key = self._place(database, change.spot.place), change.spot.key
            known, free = self._look_up(database, place, key)
            if change.deleted and known is not None:
                database.execute("DELETE FROM spots WHERE id = ?", (known,))
                removed.append((known, normal(change.text), _place_word(place)))
            elif not change.deleted and known is None and free is not None:
                database.execute("INSERT INTO spots VALUES(?, ?, ?)", (free, place, key))
                added.append((free, normal(change.text), _place_word(place)))
        return added, removed

    def _look_up(
        self, database: sqlite3.Connection, place: int, key: bytes
    ) -> tuple[int | None, int | None]:
        """The message's rowid, and else one that it can have."""
        first = self._first_choice(place, key)
        taken: set[int] = set()
        for rowid, in_place, at in database.execute(
            "SELECT id, place, key FROM spots WHERE id BETWEEN ? AND ?",
            (first, first + _CHOICES - 1),
        ):
            if in_place == place and at == key:
                return rowid, None
            taken.add(rowid)
        return None, next((n for n in range(first, first + _CHOICES) if n not in taken), None)

    def _first_choice(self, place: int, key: bytes) -> int:
        lamport = min(_LAMPORT.unpack_from(key)[0], _MAX_LAMPORT)
        # With a secret, so that nobody can choose messages that take another one's place.
        seed = hashlib.blake2b(b"%d|%b" % (place, key), digest_size=4, key=self._secret).digest()
        room = (1 << _RANDOM_BITS) - _CHOICES + 1
        first: int = (lamport << _RANDOM_BITS) + int.from_bytes(seed, "big") % room
        return first

    def _place(self, database: sqlite3.Connection, name: str) -> int:
        if name not in self._places:
            cursor = database.execute("INSERT INTO places(name) VALUES(?)", (name,))
            self._places[name] = cursor.lastrowid or 0
        return self._places[name]

    # ---- the file -----------------------------------------------------------------------------------

    def _open(self) -> None:
        import sqlite3

        try:
            with self._kept_whole():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
                self._database = sqlite3.connect(
                    self._path, isolation_level=None, check_same_thread=False
                )
                self._prepare(self._database)
        except BaseException:
            self.close()
            raise

    def _prepare(self, database: sqlite3.Connection) -> None:
        # One process has the data folder: no shared memory, and no looking for locks.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # the store forgets what was said to be here
        database.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
        database.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {WAL_PAGES << 12}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise IndexDamagedError("The search index is of another version.")
        if version == 0:
            _create(database)
        follower, scanned, messages, self._secret = database.execute(
            "SELECT follower, scanned, messages, secret FROM meta"
        ).fetchone()
        self._state = IndexState(follower, scanned, messages)
        self._places = {
            name: number for number, name in database.execute("SELECT id, name FROM places")
        }

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-journal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    @contextmanager
    def _kept_whole(self) -> Iterator[None]:
        """What goes wrong inside, in plain words; a damaged index is closed and removed."""
        try:
            with plain_words(self._path):
                yield
        except IndexDamagedError:
            self.close()
            with plain_words(self._path):
                self._remove()
            raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._database is None:
            raise StoreError("The search index is not open.")
        with self._kept_whole():
            yield self._database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All that is executed inside or nothing."""
        with self._reading() as database:
            places = dict(self._places)
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                self._places = places
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise


def _create(database: sqlite3.Connection) -> None:
    import sqlite3

    try:
        database.executescript(f"BEGIN; {_DDL}")
        first = IndexState()
        database.execute(
            "INSERT INTO meta VALUES(?, ?, ?, ?)",
            (first.follower, first.scanned, first.messages, os.urandom(16)),
        )
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "fts5" in str(error):  # no such module
            raise SearchUnavailableError(UNAVAILABLE) from error
        raise


def _spot_at(database: sqlite3.Connection, rowid: int) -> list[index.Spot]:
    """No spot for words whose message is not there."""
    rows = database.execute(
        "SELECT name, key FROM spots JOIN places ON places.id = place WHERE spots.id = ?", (rowid,)
    )
    return [index.Spot(place=name, key=key) for name, key in rows]


def _expression(query: SearchQuery, place: int | None) -> str:
    """In the language of FTS5, of which everything between double quotes is taken literally."""
    terms = " ".join(
        f'"{term.text.replace(chr(34), chr(34) * 2)}"{" *" if term.prefix else ""}'
        for term in query.terms
    )
    where = "" if place is None else f' AND place : "{_place_word(place)}"'
    return f"text : ({terms}){where}"


def _place_word(number: int) -> str:
    return f"p{number}"
