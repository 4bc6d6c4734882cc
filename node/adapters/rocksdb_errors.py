"""RocksDB's errors, and the file system's below it, as sentences for the user."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from google.protobuf.message import DecodeError

from p2pchat.node.errors import StoreError, StoreInUseError

# Parts of RocksDB's status texts, which are all that tells its errors apart.
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_IN_USE = ("lock hold by current process", "While lock file")
_FORBIDDEN = ("Permission denied", "Read-only file system", "Operation not permitted")
_DAMAGED = ("Corruption", "Invalid argument", "Not implemented", "No such file or directory")


@contextmanager
def plain_words(path: Path, noun: str, contents: str) -> Iterator[None]:
    """Translate what RocksDB, the file system and the parsing of stored values raise into `StoreError`s.

    `noun` names the database at `path` ("message store"), `contents` what is lost with it ("history").
    """
    try:
        yield
    except OSError as error:
        raise _explain(os.strerror(error.errno or errno.EIO), path, noun, contents) from error
    except (DecodeError, struct.error) as error:
        raise _explain(f"Corruption: {error}", path, noun, contents) from error
    except Exception as error:
        # rocksdict raises nothing but Exception itself, so bugs of ours pass through.
        if type(error) is not Exception:
            raise
        raise _explain(str(error), path, noun, contents) from error


def _explain(text: str, path: Path, noun: str, contents: str) -> StoreError:
    if any(sign in text for sign in _IN_USE):
        return StoreInUseError(
            f"The {noun} in {path} is in use by another process. Stop that one, or use another "
            "data folder."
        )
    if any(sign in text for sign in _FULL):
        return StoreError(
            f"The disk is full: nothing can be saved in {path} until there is space again."
        )
    if any(sign in text for sign in _FORBIDDEN):
        return StoreError(f"No right to write to the {noun} in {path} ({text}).")
    if any(sign in text for sign in _DAMAGED):
        return StoreError(
            f"The {noun} in {path} is damaged ({text}). Restore the folder from a backup, or move it "
            f"away to start with an empty one: the {contents} in it is lost then, your identity stays."
        )
    return StoreError(f"The {noun} in {path} failed: {text}.")
