"""A TCP port of the control API: who may use it shows a token, and nobody else hears or changes it on its way (TLS).

Certificate, key and token are files in the data folder, made when they are first needed. The certificate signs
itself: a client is given `control.crt` as the only one to trust.
"""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.host_port import host_and_port

log = logging.getLogger(__name__)

CERTIFICATE, KEY, TOKEN = "control.crt", "control.key", "control.token"
VALID = timedelta(days=3650)
SPARE = timedelta(days=30)  # a certificate that ends sooner is made anew
BACKDATED = timedelta(days=1)  # for a client whose clock is behind
TOKEN_BYTES = 32
SHORTEST_TOKEN = 32  # characters; a shorter one, or none, opens nothing
LONGEST_TOKEN = 1024  # characters
PENALTY = 0.5  # seconds until a wrong token is refused
PENALTIES_AT_ONCE = (
    8  # calls that are kept waiting so; more are refused at once, lest they fill the port
)

HEADER, SCHEME = "authorization", "Bearer "


class Token:
    """What a caller has to show. Refusals are counted; the log has one line for each doubling of their number."""

    REFUSAL = (
        "The token is missing or wrong: 'authorization: Bearer ...' with what control.token holds."
    )

    def __init__(self, text: str) -> None:
        self.refusals = 0
        self._expected = (SCHEME + text).encode()
        self._waiting = 0

    def fits(self, metadata: Iterable[tuple[str, str | bytes]]) -> bool:
        """In a time that does not tell how much of a wrong one is right."""
        given = [value for key, value in metadata if key == HEADER]
        if len(given) != 1:
            return False
        value = given[0].encode() if isinstance(given[0], str) else given[0]
        return hmac.compare_digest(value, self._expected)

    @contextlib.contextmanager
    def penalty(self) -> Iterator[float]:
        """Around a refusal: counts it, and gives the seconds to wait before it is said."""
        self.refusals += 1
        if self.refusals & (self.refusals - 1) == 0:
            log.warning("control API: calls with a wrong token or none: %d", self.refusals)
        self._waiting += 1
        try:
            yield PENALTY if self._waiting <= PENALTIES_AT_ONCE else 0.0
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class TlsPort:
    address: str  # "host:port"
    certificate_pem: bytes
    key_pem: bytes
    token: Token
    bound: Callable[[int], None] = lambda port: None  # told which port it has become


def tls_port(listen: str, folder: Path, now: datetime | None = None) -> TlsPort:
    """For `listen`, "host:port", with the files in `folder`, which are made if need be. Raises `ConfigError`."""
    try:
        host, _ = host_and_port(listen)
        certificate, key = _certificate(folder, host, now or datetime.now(UTC))
        return TlsPort(listen, certificate, key, Token(_token(folder / TOKEN)))
    except (OSError, ValueError) as error:
        raise ConfigError(f"The control API cannot listen on {listen}: {error}.") from error


def _token(path: Path) -> str:
    """Raises `ConfigError` when what is there is none, and `OSError`."""
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        text = secrets.token_urlsafe(TOKEN_BYTES)
        _write(path, f"{text}\n".encode())
    except UnicodeError:
        text = ""
    if not SHORTEST_TOKEN <= len(text) <= LONGEST_TOKEN or not text.isprintable():
        raise ConfigError(f"{path} holds no token: delete it, and the node makes a new one.")
    path.chmod(0o600)
    return text


def _certificate(folder: Path, host: str, now: datetime) -> tuple[bytes, bytes]:
    """Certificate and key, as PEM. Raises `OSError`."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    with contextlib.suppress(OSError, ValueError):
        made = certificate.read_bytes(), key.read_bytes()
        if _is_usable(*made, host, now):
            key.chmod(0o600)
            return made
    made = _make(host, now)
    _write(key, made[1])
    _write(certificate, made[0], mode=0o644)
    return made


def _is_usable(certificate_pem: bytes, key_pem: bytes, host: str, now: datetime) -> bool:
    """Raises `ValueError` when they cannot be read."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    key = serialization.load_pem_private_key(key_pem, None)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc - now > SPARE
        and _name(host) in names
    )


def _make(host: str, now: datetime) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "p2pchat control API")])
    names = {_name(each): None for each in (host, "localhost", "127.0.0.1", "::1")}
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """At one stroke, and never readable for others meanwhile. Raises `OSError`."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # after a power cut there is the old one, or the new one
    os.replace(made, path)
