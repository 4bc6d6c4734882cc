"""Writes a backup."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from p2pchat.node.backup import contents
from p2pchat.node.backup.beside import file_beside
from p2pchat.node.backup.failing import in_words
from p2pchat.node.backup.sealed_file import SealedWriter
from p2pchat.node.errors import ConfigError


def make(
    data_dir: Path,
    stores: Mapping[str, Path],
    target: Path,
    passphrase: bytes,
    *,
    made_at_ms: int,
    replace: bool = False,
) -> int:
    """Write the folder's backup to `target`, whole or not at all; its size in bytes.

    `stores` are the folders to read stores from, by name; they must stay as they are meanwhile. Raises `UserError`.
    """
    check(data_dir, target, replace=replace)
    with in_words(f"Cannot write the backup {target}"), file_beside(target, replace=replace) as out:
        _write(out, data_dir, stores, passphrase, made_at_ms)
        return out.tell()


def check(data_dir: Path, target: Path, *, replace: bool) -> None:
    """Raises `UserError` where a backup cannot be made; to be asked before a passphrase is."""
    with in_words(f"Cannot write a backup of {data_dir} to {target}"):
        _check(data_dir, target, replace=replace)


def _check(data_dir: Path, target: Path, *, replace: bool) -> None:
    if not (data_dir / contents.IDENTITY).is_file():
        raise ConfigError(f"There is no {contents.IDENTITY} in {data_dir}: no node has run there.")
    if os.path.lexists(target) and not replace:
        raise ConfigError(f"{target} is there already; --replace writes over it.")
    if target.is_dir() or not target.parent.is_dir():
        raise ConfigError(f"{target} can be no file: name one in a folder that is there.")
    if target.resolve().is_relative_to(data_dir.resolve()):
        raise ConfigError(f"{target} is in the data folder itself: a backup belongs elsewhere.")


def _write(
    out: BinaryIO, data_dir: Path, stores: Mapping[str, Path], passphrase: bytes, made_at_ms: int
) -> None:
    sealed = SealedWriter(out, passphrase)
    mark = {"form": contents.FORM, "made_at_ms": made_at_ms}
    with _tar_into(sealed) as tar:
        _add(tar, contents.MARK, json.dumps(mark).encode())
        for name, path in contents.small_files(data_dir):
            _add(tar, name, path.read_bytes())
        for name, path in contents.store_files(stores):
            with path.open("rb") as file:
                info = _member(name, path.stat().st_size)
                tar.addfile(info, file)
    sealed.finish()


def _tar_into(sealed: SealedWriter) -> AbstractContextManager[tarfile.TarFile]:
    return tarfile.open(mode="w|", fileobj=sealed, format=tarfile.GNU_FORMAT)  # type: ignore[call-overload, no-any-return]


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    tar.addfile(_member(name, len(data)), io.BytesIO(data))


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Says nothing about this machine: neither who owns the file nor when it was written."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info
