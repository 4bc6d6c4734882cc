"""The age file format, version 1, with a passphrase: what a backup is sealed in.

Source: the age specification, https://c2sp.org/age (stanza "scrypt"; payload by the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance"). A file of
this module can be opened by any program that knows age, and by nothing that does not know the passphrase:

    age-encryption.org/v1
    -> scrypt <salt, 16 bytes> <log2 of the work factor>
    <file key, 16 bytes, sealed with the key that scrypt makes of the passphrase>
    --- <HMAC-SHA-256 of everything above, with a key that follows from the file key>
    <nonce, 16 bytes><chunks>

Each chunk is 64 KiB of plaintext under ChaCha20-Poly1305 with a nonce that counts up and says whether it is the last
one: a chunk that is changed, missing, added or in another place fails, and so does a file that ends too early.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

# scrypt with N = 2^17, r = 8, p = 1 takes 128 MiB and some tenths of a second: the first choice of the OWASP Password
# Storage Cheat Sheet for scrypt. r and p are the format's.
WORK_FACTOR = 17
MOST_WORK_FACTOR = 20  # 1 GiB of memory; a file that asks for more is refused
FILE_KEY_BYTES = 16
SALT_BYTES = 16
NONCE_BYTES = 16
CHUNK_BYTES = 64 * 1024  # of plaintext; only the last one is shorter
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
MAX_HEADER_BYTES = 512  # before the payload's nonce; the longest header of this kind has 170

MAGIC = b"age-encryption.org/v1\n"
_LABEL = b"age-encryption.org/v1/scrypt"
_B64 = rb"[A-Za-z0-9+/]+"
_HEADER = re.compile(
    re.escape(MAGIC)
    + rb"-> scrypt (?P<salt>%b) (?P<work>[1-9][0-9]?)\n(?P<body>%b)\n---(?P<mac> %b)\n"
    % (_B64, _B64, _B64)
)
_NO_NONCE = bytes(12)  # the key that it goes with is used once


class AgeError(ValueError):
    """The file cannot be opened; the message is a clause that says why."""


class WrongPassphraseError(AgeError):
    """It is another passphrase, or the first lines of the file are not what they were."""


class Header(NamedTuple):
    salt: bytes
    work_factor: int  # log2 of N
    body: bytes  # the sealed file key
    mac: bytes
    signed: bytes  # what the MAC covers
    length: int  # bytes; the payload's nonce stands behind it


# ---- header ---------------------------------------------------------------------------------------------


def make_header(passphrase: bytes, file_key: bytes, salt: bytes, work: int) -> bytes:
    """The first lines of a file. `file_key` and `salt` are 16 random bytes each, new for every file; `work` is the
    base-2 logarithm of scrypt's N."""
    body = ChaCha20Poly1305(_wrap_key(passphrase, salt, work)).encrypt(_NO_NONCE, file_key, None)
    stanza = b"-> scrypt %b %d\n%b\n" % (_to_text(salt), work, _to_text(body))
    signed = MAGIC + stanza + b"---"
    return signed + b" " + _to_text(_mac(file_key, signed)) + b"\n"


def parse_header(begin: bytes) -> Header:
    """Of a file that begins with these bytes (up to `MAX_HEADER_BYTES`). Raises `AgeError`."""
    if not begin.startswith(MAGIC):
        raise AgeError("it is no backup")
    found = _HEADER.match(begin)
    if found is None:
        raise AgeError("its first lines are damaged, or it was not made with a passphrase")
    header = Header(
        salt=_from_text(found["salt"]),
        work_factor=int(found["work"]),
        body=_from_text(found["body"]),
        mac=_from_text(found["mac"][1:]),
        signed=begin[: found.start("mac")],
        length=found.end(),
    )
    if len(header.salt) != SALT_BYTES or len(header.body) != FILE_KEY_BYTES + TAG_BYTES:
        raise AgeError("its first lines are damaged")
    if header.work_factor > MOST_WORK_FACTOR:
        raise AgeError(f"it asks for too much memory (2^{header.work_factor} KiB)")
    return header


def open_header(header: Header, passphrase: bytes) -> bytes:
    """The file key. Takes as long and as much memory as the work factor says. Raises `AgeError`."""
    wrap_key = _wrap_key(passphrase, header.salt, header.work_factor)
    try:
        file_key = ChaCha20Poly1305(wrap_key).decrypt(_NO_NONCE, header.body, None)
    except InvalidTag as error:
        raise WrongPassphraseError("the passphrase is wrong") from error
    if not hmac.compare_digest(_mac(file_key, header.signed), header.mac):
        raise AgeError("its first lines are damaged")
    return file_key


def _wrap_key(passphrase: bytes, salt: bytes, work: int) -> bytes:
    return Scrypt(salt=_LABEL + salt, length=32, n=1 << work, r=8, p=1).derive(passphrase)


def _mac(file_key: bytes, signed: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), signed, "sha256")


def _derived(file_key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt or None, info=info).derive(file_key)


def _to_text(data: bytes) -> bytes:
    """Base64 without the padding."""
    return base64.b64encode(data).rstrip(b"=")


def _from_text(text: bytes) -> bytes:
    """Only the one spelling that `_to_text` gives."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise AgeError("its first lines are damaged") from error
    if _to_text(data) != text:
        raise AgeError("its first lines are damaged")
    return data


# ---- payload --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counter:
    """Nonces: 11 bytes that count chunks, big endian, and whether it is the last one."""

    number: int = 0

    def next(self, *, last: bool) -> bytes:
        nonce = self.number.to_bytes(11, "big") + bytes([last])
        self.number += 1
        return nonce


class ChunkSealer:
    """Seals a payload, chunk by chunk: each of `CHUNK_BYTES`, the last one shorter or as long."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        """`nonce`: 16 random bytes, written before the chunks."""
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._counter = _Counter()

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        if len(chunk) > CHUNK_BYTES or (not last and len(chunk) < CHUNK_BYTES):
            raise ValueError("only the last chunk is shorter")
        return self._cipher.encrypt(self._counter.next(last=last), chunk, None)


class ChunkOpener:
    """Opens what a `ChunkSealer` has sealed."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._counter = _Counter()

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        """`last`: the file ends behind it. Raises `AgeError` when it is not what was sealed there."""
        is_first = self._counter.number == 0
        try:
            chunk = self._cipher.decrypt(self._counter.next(last=last), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise AgeError("it is damaged, or its end is missing") from error
        if last and not chunk and not is_first:
            raise AgeError("it is damaged")  # the format has no empty last chunk
        return chunk
