"""Puts a backup in place."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from p2pchat.node import identity
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.backup import contents
from p2pchat.node.backup.beside import folder_beside
from p2pchat.node.backup.failing import BackupError, in_words
from p2pchat.node.backup.sealed_file import PIECE, SealedReader
from p2pchat.node.errors import ConfigError, IdentityError, StoreError, StoreTooNewError
from p2pchat.node.protocol import age
from p2pchat.node.protocol.age import AgeError, WrongPassphraseError

_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE)  # a sparse file is none of them
NEWER = "it was made by a newer version of p2pchat: update p2pchat to use it"
_MAX_MARK = 4096  # bytes
_LAST_MS = 1 << 43  # Unix milliseconds, in the year 2248: no clock shows later


@dataclass(frozen=True, slots=True)
class Restored:
    peer: str
    made_at_ms: int  # Unix milliseconds on the clock of the machine that made it
    is_mailbox: bool


def check_place(folder: Path) -> None:
    """Raises `UserError` where nothing can be restored to: there must be nothing, or an empty folder."""
    with in_words(f"Cannot restore to {folder}"):
        _check_place(folder)


def _check_place(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConfigError(f"{folder} is no folder: restore into a new or an empty one.")
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder} is not empty: restore into a new or an empty folder, e.g. with --data-dir."
        )


def check_source(source: Path) -> None:
    """Raises `BackupError` for a file that cannot be a backup; to be asked before a passphrase is."""
    with (
        in_words(f"Cannot read the backup {source}"),
        source.open("rb") as file,
        _damage_in_words(source),
    ):
        age.parse_header(file.read(age.MAX_HEADER_BYTES))


def restore(source: Path, folder: Path, passphrase: bytes) -> Restored:
    """Put the backup in `source` in place as the data folder `folder`, whole or not at all.

    Nothing appears under that name before the whole file was found to be what was written. Raises `UserError`.
    """
    check_place(folder)
    with in_words(f"Cannot read the backup {source}"), source.open("rb") as file:
        reader = _opened(file, source, passphrase)
        with in_words(f"Cannot restore to {folder}"):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with folder_beside(folder) as place:
                return _unpack_and_settle(reader, source, place)


def _opened(file: BinaryIO, source: Path, passphrase: bytes) -> SealedReader:
    with _damage_in_words(source):
        return SealedReader(file, passphrase)


def _unpack_and_settle(reader: SealedReader, source: Path, place: Path) -> Restored:
    with _damage_in_words(source):
        made_at_ms = _unpack(reader, place)
        reader.finish()
        peer = _identity_in(place)
        _settle(place / "store")
    return Restored(peer, made_at_ms, (place / "mail").is_dir())


@contextmanager
def _damage_in_words(source: Path) -> Iterator[None]:
    try:
        yield
    except WrongPassphraseError as error:
        raise BackupError(
            f"The passphrase does not open {source}: it is another one, or the file is damaged at its beginning."
        ) from error
    except (AgeError, tarfile.TarError) as error:
        raise BackupError(
            f"The backup {source} cannot be used: {error}. Nothing was restored."
        ) from error


# ---- members --------------------------------------------------------------------------------------------


def _unpack(reader: SealedReader, place: Path) -> int:
    """When it was made. Writes only what is named as a backup's files are, and nothing twice."""
    with tarfile.open(mode="r|", fileobj=reader) as tar:  # type: ignore[call-overload]
        made_at_ms = _read_mark(tar)
        for _ in range(contents.MAX_FILES):
            if (member := tar.next()) is None:
                return made_at_ms
            if not _is_allowed(member):
                break
            _write(place / member.name, tar.extractfile(member))
    raise AgeError("there is something in it that does not belong into a backup")


def _read_mark(tar: tarfile.TarFile) -> int:
    first = tar.next()
    if first is None or first.name != contents.MARK or first.size > _MAX_MARK:
        raise AgeError("something else is in it than a node")
    file = tar.extractfile(first)
    try:
        mark = json.loads(file.read() if file is not None else b"")
        form, made_at_ms = int(mark["form"]), int(mark["made_at_ms"])
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise AgeError("it does not say what it is") from error
    if not 0 <= made_at_ms <= _LAST_MS:
        raise AgeError("it does not say when it was made")
    if form > contents.FORM:
        raise AgeError(NEWER)
    return made_at_ms


def _is_allowed(member: tarfile.TarInfo) -> bool:
    is_file = member.type in _REGULAR and not member.issparse()
    return is_file and member.name != contents.MARK and contents.is_safe_name(member.name)


def _write(path: Path, data: IO[bytes] | None) -> None:
    assert data is not None  # it is a file
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise AgeError("a file is in it twice") from error
    with os.fdopen(descriptor, "wb") as file:
        while piece := data.read(PIECE):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _identity_in(place: Path) -> str:
    """Whose backup it is, base58."""
    try:
        return identity.load(place / contents.IDENTITY).peer
    except IdentityError as error:
        raise AgeError("it holds no identity, or one that is damaged") from error


# ---- going back in time ---------------------------------------------------------------------------------


def _settle(path: Path) -> None:
    """See that the store can be opened, and have the node say anew where its mailboxes are: docs/backup.md."""
    if not path.is_dir():
        return
    store = RocksdbStore(path)
    try:
        store.open()
        own = store.load_own_mailboxes()
        own.restored = True
        store.save_own_mailboxes(own)
    except StoreTooNewError as error:
        raise AgeError(NEWER) from error
    except StoreError as error:
        raise AgeError("the message store in it is damaged") from error
    finally:
        store.close()
