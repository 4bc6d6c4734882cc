"""The node's lasting Ed25519 identity, kept in `identity.key`.

File format: libp2p's protobuf PrivateKey {type 1: Ed25519, data: 32-byte seed + 32-byte public key}, 68 bytes,
as go-libp2p (kubo) writes it; py-libp2p's `save_identity` leaves out the public key.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.errors import IdentityError
from p2pchat.node.protocol import peer_id

_PREFIX = bytes.fromhex("08011240")
_FILE_BYTES = len(_PREFIX) + 64


@dataclass(frozen=True, slots=True)
class Identity:
    """An Ed25519 key pair and the peer id that follows from it."""

    seed: bytes  # 32 bytes, secret

    def __repr__(self) -> str:
        return f"<Identity {self.peer}>"

    @classmethod
    def generate(cls) -> Identity:
        return cls(os.urandom(32))

    @property
    def public_key(self) -> bytes:
        """Raw, 32 bytes."""
        return self.private_key.public_key().public_bytes_raw()

    @property
    def private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def peer_bytes(self) -> bytes:
        """Binary peer id, 38 bytes."""
        return peer_id.from_public_key(self.public_key)

    @property
    def peer(self) -> str:
        """Base58 peer id."""
        return peer_id.to_text(self.peer_bytes)

    def encode(self) -> bytes:
        return _PREFIX + self.seed + self.public_key

    @classmethod
    def decode(cls, data: bytes) -> Identity:
        """Raises `ValueError` when the bytes are no Ed25519 identity."""
        if len(data) != _FILE_BYTES or not data.startswith(_PREFIX):
            raise ValueError("not an Ed25519 identity")
        identity = cls(data[len(_PREFIX) : len(_PREFIX) + 32])
        if identity.public_key != data[-32:]:
            raise ValueError("its two halves do not belong together")
        return identity


def load(path: Path) -> Identity:
    """Raises `IdentityError` with a sentence for the user."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IdentityError(f"Cannot read the identity file {path}: {error.strerror}.") from error
    try:
        return Identity.decode(data)
    except ValueError as error:
        raise IdentityError(
            f"The identity file {path} is damaged ({error}). Restore it from a backup, or move it away to "
            "start with a new identity: others will then see you as somebody else."
        ) from error


def load_or_create(path: Path) -> Identity:
    """The identity in `path`, made and saved first when there is none. Raises `IdentityError`."""
    # lexists, not exists: a dangling link must not silently become a new identity.
    if os.path.lexists(path):
        return load(path)
    try:
        return create(path)
    except IdentityError:
        if not os.path.lexists(path):
            raise
        return load(path)  # another process was faster


def create(path: Path, *, replace: bool = False) -> Identity:
    """Write a new identity, mode 0600, whole or not at all; an existing file needs `replace`."""
    identity = Identity.generate()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(identity.encode())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)  # fails when somebody else was first
    except OSError as error:
        if isinstance(error, FileExistsError) and os.path.lexists(path):
            raise IdentityError(f"There is an identity in {path} already.") from None
        raise IdentityError(f"Cannot write the identity file {path}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return identity
