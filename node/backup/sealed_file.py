"""Files in the format of `protocol.age`, written and read as a stream: a chunk is in memory at a time."""

from __future__ import annotations

import os
from typing import BinaryIO

from p2pchat.node.protocol import age

PIECE = 1 << 16  # bytes that are read at a time of what nobody needs


class SealedWriter:
    """Seals what is written to it; whole only after `finish`."""

    def __init__(self, file: BinaryIO, passphrase: bytes) -> None:
        self._file = file
        self._waiting = bytearray()  # the last chunk is sealed otherwise, and nobody knows yet
        key, salt, nonce = (
            os.urandom(count) for count in (age.FILE_KEY_BYTES, age.SALT_BYTES, age.NONCE_BYTES)
        )
        file.write(age.make_header(passphrase, key, salt, age.WORK_FACTOR) + nonce)
        self._sealer = age.ChunkSealer(key, nonce)

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > age.CHUNK_BYTES:
            self._file.write(self._sealer.seal(self._take(), last=False))
        return len(data)

    def finish(self) -> None:
        self._file.write(self._sealer.seal(self._take(), last=True))

    def _take(self) -> bytes:
        chunk = bytes(self._waiting[: age.CHUNK_BYTES])
        del self._waiting[: age.CHUNK_BYTES]
        return chunk


class SealedReader:
    """Gives what was sealed, chunk by chunk, each only after it was found to be what it was. Raises `AgeError`."""

    def __init__(self, file: BinaryIO, passphrase: bytes) -> None:
        """Takes the time of the key derivation. `file` must be able to seek."""
        self._file = file
        header = age.parse_header(file.read(age.MAX_HEADER_BYTES))
        file.seek(header.length)
        nonce = file.read(age.NONCE_BYTES)
        if len(nonce) < age.NONCE_BYTES:
            raise age.AgeError("its end is missing")
        self._opener = age.ChunkOpener(age.open_header(header, passphrase), nonce)
        self._next = file.read(age.SEALED_CHUNK_BYTES)
        self._opened = b""
        self._at_end = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end, and only if it is the end that was written."""
        while not self._opened and not self._at_end:
            self._open_next()
        data, self._opened = self._opened[:size], self._opened[size:]
        return data

    def finish(self) -> None:
        """Read to the end: nothing but zeros, which a tar ends with, may follow."""
        while data := self.read(PIECE):
            if data.strip(b"\0"):
                raise age.AgeError("something stands behind its end")

    def _open_next(self) -> None:
        sealed, self._next = self._next, self._file.read(age.SEALED_CHUNK_BYTES)
        self._at_end = not self._next
        self._opened = self._opener.open(sealed, last=self._at_end)
