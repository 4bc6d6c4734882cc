"""Sealing: what nobody but the recipient can open, padded so that its size says little.

Scheme 1 is HPKE (RFC 9180, base mode) with the hybrid KEM MLKEM768-X25519, also called X-Wing (KEM id 0x647a;
draft-ietf-hpke-pq, draft-connolly-cfrg-xwing-kem): ML-KEM-768 (FIPS 203) and X25519 (RFC 7748), secret as long as
either of them is. KDF HKDF-SHA256, AEAD ChaCha20-Poly1305. Sealed bytes are ML-KEM ciphertext (1,088), ephemeral
X25519 key (32), ciphertext, tag (16).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from p2pchat.node.protocol import limits

SCHEME = 1
MLKEM_KEY_BYTES = 1184  # FIPS 203, encapsulation key of ML-KEM-768
PUBLIC_KEY_BYTES = MLKEM_KEY_BYTES + 32
OVERHEAD = 1088 + 32 + 16  # bytes that sealing adds

SMALLEST_CLASS = 256  # bytes
_DOUBLING_UP_TO = 128 * 1024  # bytes; above, doubling would waste too much
_STEP = 32 * 1024  # bytes between the classes above
LARGEST_CLASS = limits.ENVELOPE_LIMIT - _STEP  # leaves room for the seal and the envelope's header
_LENGTH_BYTES = 4
MAX_PADDED = LARGEST_CLASS - _LENGTH_BYTES  # bytes that `pad` takes

_SEED_BYTES = 32
_DERIVE_INFO = b"p2pchat seal key 1"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_PARSED_KEYS = 512  # public keys kept parsed, about 8 KiB each


class SealError(ValueError):
    """A public key that is none, or bytes that this key, with this info, does not open."""


class PaddingError(ValueError):
    """More than the largest size class, or bytes that `pad` has not made."""


class SealKey:
    """The private half of a seal key.

    Its 32-byte seed is an X-Wing decapsulation key, so that any X-Wing implementation can use it.
    Raises `UnsupportedAlgorithm` where cryptography was built without ML-KEM (OpenSSL before 3.5).
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _SEED_BYTES:
            raise ValueError("the seed of a seal key has 32 bytes")
        expanded = hashlib.shake_256(seed).digest(96)  # expandDecapsulationKey of the X-Wing draft
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._key = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        # ML-KEM-768 encapsulation key (1,184 bytes), then X25519 public key (32), as in the X-Wing draft.
        self.public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    @classmethod
    def derive(cls, identity_seed: bytes) -> SealKey:
        """The seal key that follows from an identity's 32-byte seed, by HKDF-SHA256 (RFC 5869).

        So the identity file alone brings it back.
        """
        if len(identity_seed) != _SEED_BYTES:
            raise ValueError("the seed of an identity has 32 bytes")
        hkdf = HKDF(algorithm=hashes.SHA256(), length=_SEED_BYTES, salt=None, info=_DERIVE_INFO)
        return cls(hkdf.derive(identity_seed))

    def open(self, ciphertext: bytes, info: bytes) -> bytes:
        """Raises `SealError` for what was sealed to another key or with another info, or changed since."""
        try:
            return _SUITE.decrypt(ciphertext, self._key, info=info)
        except (InvalidTag, ValueError):
            raise SealError("sealed to another key, or changed on the way") from None


def seal(plaintext: bytes, public: bytes, info: bytes) -> bytes:
    """Raises `SealError` when `public` is no seal key; whether it is one may show only here."""
    try:
        return _SUITE.encrypt(plaintext, _parsed(public), info=info)
    except ValueError as error:  # an X25519 key of low order is found out only on use
        raise SealError(f"not a seal key: {error}") from None


@lru_cache(maxsize=_PARSED_KEYS)
def _parsed(public: bytes) -> hpke.MLKEM768X25519PublicKey:
    if len(public) != PUBLIC_KEY_BYTES:
        raise ValueError(f"it has {len(public)} bytes instead of {PUBLIC_KEY_BYTES}")
    return hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:MLKEM_KEY_BYTES]),
        X25519PublicKey.from_public_bytes(public[MLKEM_KEY_BYTES:]),
    )


def pad(data: bytes) -> bytes:
    """4-byte big-endian length, data, zeros up to a size class: 256, 512, ... 131,072, then every 32 KiB.

    Raises `PaddingError` above `MAX_PADDED`.
    """
    if len(data) > MAX_PADDED:
        raise PaddingError(f"{len(data)} bytes are more than {MAX_PADDED}")
    used = _LENGTH_BYTES + len(data)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data + bytes(_size_class(used) - used)


def unpad(padded: bytes) -> bytes:
    """The data. Raises `PaddingError` for everything that `pad` does not make."""
    used = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if used > LARGEST_CLASS or len(padded) != _size_class(used):
        raise PaddingError("not of the size class that its length asks for")
    if padded.count(0, used) != len(padded) - used:
        raise PaddingError("padded with something else than zeros")
    return padded[_LENGTH_BYTES:used]


def _size_class(used: int) -> int:
    if used > _DOUBLING_UP_TO:
        return -(-used // _STEP) * _STEP
    return max(SMALLEST_CLASS, 1 << (used - 1).bit_length())


def length_prefixed(*fields: bytes | int) -> bytes:
    """Each field as 4-byte big-endian length and bytes, numbers as 8 bytes big-endian.

    What is signed, hashed or bound to a seal: no two lists of fields give the same bytes.
    """
    encoded = (field if isinstance(field, bytes) else field.to_bytes(8, "big") for field in fields)
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)
