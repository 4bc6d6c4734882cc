"""Turns what the operator gave into a `MailboxConfig`, or into one sentence about what is wrong with it."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p2pchat.cli import options, settings
from p2pchat.cli.terminal.render import size as readable_size
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol import mailbox_record, names, peer_id
from p2pchat.node.protocol.links import MAX_ADDRESSES, MAX_WORKERS
from p2pchat.relay_mailbox.config import MOST_ROOMS, MailboxConfig, RegistrationPolicy

PORT = 4001  # as most libp2p programs: firewalls and examples know it
LISTEN = (f"/ip4/0.0.0.0/tcp/{PORT}", f"/ip4/0.0.0.0/udp/{PORT}/quic-v1")
LISTEN_IP6 = f"/ip6/::/tcp/{PORT}"
ANNOUNCE_EXAMPLE = f"/dns4/mail.example.org/tcp/{PORT}"

HOUR = 3600.0  # seconds
DAY = 24 * HOUR
MAX_RETENTION = 3650 * DAY

# Fields of MailboxConfig, by the option that sets them.
_FIELDS = {
    "quota_bytes": "quota-bytes",
    "quota_count": "quota-count",
    "max_total_bytes": "max-total-bytes",
    "deposit_rate": "deposit-rate",
    "deposit_burst": "deposit-burst",
    "archive_bytes": "archive-quota",
    "max_archive_bytes": "archive-total",
    "max_archived_rooms": "archive-max-rooms",
    "max_archived_rooms_per_client": "archive-rooms-per-client",
}


@dataclass(frozen=True, slots=True)
class MailboxGiven:
    """The options of `p2pchat mailbox` that a node has not, as they were given; None where nothing was."""

    node: settings.Given
    retention: str | None = None  # days, or with a unit
    quota_bytes: str | None = None
    quota_count: int | None = None
    max_total_bytes: str | None = None
    registration: str = RegistrationPolicy.INVITE.value
    allow: tuple[str, ...] = ()
    deposit_rate: float | None = None
    deposit_burst: int | None = None
    relay: bool = True
    relay_limits: RelayGiven = field(default_factory=lambda: RelayGiven())
    archive: ArchiveGiven = field(default_factory=lambda: ArchiveGiven())
    announce: tuple[str, ...] = ()
    workers: int = 1  # processes

    def called(self, option: str) -> str:
        return self.node.called(option)


@dataclass(frozen=True, slots=True)
class RelayGiven:
    """The options about the relay; None where nothing was given."""

    reservations: int | None = None
    circuits: int | None = None
    circuits_per_peer: int | None = None
    circuit_bytes: str | None = None
    circuit_time: str | None = None  # seconds, or with a unit


@dataclass(frozen=True, slots=True)
class ArchiveGiven:
    """The options about archived rooms; None where nothing was given."""

    rooms: tuple[str, ...] = ()
    by_clients: bool = True
    retention: str | None = None  # days, or with a unit
    quota: str | None = None
    total: str | None = None
    max_rooms: int | None = None
    rooms_per_client: int | None = None


def mailbox_config(given: MailboxGiven) -> MailboxConfig:
    """Raises `ConfigError`. Looks whether there is IPv6, and touches nothing."""
    announce = announced(given.announce, given.called("announce"))
    node = dataclasses.replace(
        settings.node_config(_with_listen(given.node)),
        data_dir=data_dir(given.node.data_dir),
        relay=_relay(given) if given.relay else None,
        announce=announce,
    )
    registration = _registration(given)
    limits = {
        "retention_days": _retention(given, "retention", given.retention),
        "quota_bytes": _size(given, "quota-bytes", given.quota_bytes),
        "quota_count": given.quota_count,
        "max_total_bytes": _size(given, "max-total-bytes", given.max_total_bytes),
        "deposit_rate": given.deposit_rate,
        "deposit_burst": given.deposit_burst,
        **_archive_limits(given),
    }
    with _naming_options(given):
        config = MailboxConfig(
            node,
            registration,
            _allowed(given, registration),
            archive_rooms=_archive_rooms(given),
            archive_by_clients=given.archive.by_clients,
        )
        chosen = {name: value for name, value in limits.items() if value is not None}
        _check_totals(given, {name: chosen.get(name, getattr(config, name)) for name in limits})
        return dataclasses.replace(config, **chosen)  # type: ignore[arg-type]


def workers(given: MailboxGiven) -> int:
    """Processes that share the work. Raises `ConfigError`."""
    if not 1 <= given.workers <= MAX_WORKERS:
        called = given.called("workers")
        raise ConfigError(f"{called}: {given.workers:,} is not a number from 1 to {MAX_WORKERS}.")
    return given.workers


def data_dir(given: str) -> Path:
    """The data folder; the platform's place for user data when none was given."""
    if given:
        return settings.data_dir(given)
    import platformdirs

    return platformdirs.user_data_path("p2pchat-mailbox", appauthor=False)


def announced(addresses: Sequence[str], called: str, peer: str = "") -> tuple[str, ...]:
    """Multiaddrs for links, without the mailbox's own `/p2p/<peer>` at their ends. Raises `ConfigError`."""
    if len(addresses) > MAX_ADDRESSES:
        raise ConfigError(f"{called}: a link has room for {MAX_ADDRESSES} addresses.")
    found = []
    for address in addresses:
        if problem := settings.address_problem(address, ANNOUNCE_EXAMPLE) or _nowhere(address):
            raise ConfigError(f"{called}: {address!r} is not usable: {problem}")
        place, is_named, named = address.rpartition("/p2p/")
        if is_named and peer and named != peer:
            raise ConfigError(f"{called}: {address!r} ends in another peer id than {peer}.")
        found.append(place if is_named else address)
        if not mailbox_record.is_address(found[-1]):
            raise ConfigError(f"{called}: {address!r} is not usable: it is too long for a link.")
    return tuple(dict.fromkeys(found))


def _nowhere(address: str) -> str | None:
    import ipaddress

    kind, host = address.split("/")[1:3]
    if kind in ("ip4", "ip6") and ipaddress.ip_address(host).is_unspecified:
        return (
            "it means every address of this machine, and leads nobody to it; name the address or the name that others "
            f"use, e.g. {ANNOUNCE_EXAMPLE}."
        )
    return None


def _with_listen(given: settings.Given) -> settings.Given:
    if given.listen:
        return given
    return dataclasses.replace(given, listen=(*LISTEN, LISTEN_IP6) if _has_ip6() else LISTEN)


def _has_ip6() -> bool:
    """Many containers have none, and a listen address that does not work ends the start."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def _registration(given: MailboxGiven) -> RegistrationPolicy:
    try:
        return RegistrationPolicy(given.registration.lower())
    except ValueError:
        policies = ", ".join(RegistrationPolicy)
        called = given.called("registration")
        raise ConfigError(f"{called}: {given.registration!r} is none of {policies}.") from None


def _allowed(given: MailboxGiven, registration: RegistrationPolicy) -> tuple[str, ...]:
    allow = given.called("allow")
    by_list = registration is RegistrationPolicy.ALLOW_LIST
    if by_list != bool(given.allow):
        missing = "--allow names nobody" if by_list else f"{allow} needs --registration allow-list"
        raise ConfigError(f"{missing}: both are needed, or none.")
    for peer in given.allow:
        try:
            peer_id.from_text(peer)
        except ValueError:
            raise ConfigError(f"{allow}: {peer!r} is not a peer id.") from None
    return tuple(dict.fromkeys(given.allow))


def _retention(given: MailboxGiven, option: str, text: str | None) -> float | None:
    """Days."""
    if text is None:
        return None
    called = given.called(option)
    seconds = options.seconds(text, called, "d")
    if not HOUR <= seconds <= MAX_RETENTION:
        raise ConfigError(f"{called}: {text!r} is not from 1h to {MAX_RETENTION // DAY:g}d.")
    return seconds / DAY


def _archive_rooms(given: MailboxGiven) -> tuple[str, ...]:
    called, rooms = given.called("archive-room"), tuple(dict.fromkeys(given.archive.rooms))
    for room in rooms:
        if problem := names.room_problem(room):
            raise ConfigError(f"{called}: {problem}")
    if len(rooms) > MOST_ROOMS:
        raise ConfigError(f"{called}: a mailbox archives at most {MOST_ROOMS} rooms.")
    return rooms


def _archive_limits(given: MailboxGiven) -> dict[str, float | None]:
    archive = given.archive
    return {
        "archive_days": _archive_retention(given, archive.retention),
        "archive_bytes": _size(given, "archive-quota", archive.quota),
        "max_archive_bytes": _size(given, "archive-total", archive.total),
        "max_archived_rooms": archive.max_rooms,
        "max_archived_rooms_per_client": archive.rooms_per_client,
    }


def _archive_retention(given: MailboxGiven, text: str | None) -> float | None:
    """Days; 0: for ever."""
    option = "archive-retention"
    if text is not None and options.seconds(text, given.called(option), "d") == 0:
        return 0
    return _retention(given, option, text)


def _size(given: MailboxGiven, option: str, text: str | None) -> int | None:
    return None if text is None else options.size(text, given.called(option))


def _check_totals(given: MailboxGiven, limits: dict[str, float]) -> None:
    for total, quota, kind in (
        ("max_total_bytes", "quota_bytes", "recipients"),
        ("max_archive_bytes", "archive_bytes", "rooms"),
    ):
        if limits[total] < limits[quota]:
            raise ConfigError(
                f"{given.called(_FIELDS[total])}: {readable_size(int(limits[total]))} for all {kind} is less than "
                f"{readable_size(int(limits[quota]))} for one ({given.called(_FIELDS[quota])})."
            )


@contextlib.contextmanager
def _naming_options(given: MailboxGiven) -> Iterator[None]:
    """`MailboxConfig` speaks of its fields; the operator knows options."""
    try:
        yield
    except ConfigError as error:
        field_name, _, problem = str(error).partition(" ")
        option = _FIELDS.get(field_name)
        if option is None:
            raise
        raise ConfigError(f"{given.called(option)} {problem}") from error


def _relay(given: MailboxGiven) -> RelayLimits:
    limits = given.relay_limits
    time, traffic = limits.circuit_time, limits.circuit_bytes
    wanted = {
        "relay-reservations": ("max_reservations", limits.reservations),
        "relay-circuits": ("max_circuits", limits.circuits),
        "relay-circuits-per-peer": ("max_circuits_per_peer", limits.circuits_per_peer),
        "relay-circuit-bytes": ("circuit_bytes", _size(given, "relay-circuit-bytes", traffic)),
        "relay-circuit-time": (
            "circuit_seconds",
            None
            if time is None
            else round(options.seconds(time, given.called("relay-circuit-time"), "s")),
        ),
    }
    for option, (_, value) in wanted.items():
        if value is not None and value < 1:
            raise ConfigError(
                f"{given.called(option)} must be at least 1; --no-relay turns it off."
            )
    chosen = {name: value for name, value in wanted.values() if value is not None}
    return dataclasses.replace(RelayLimits(), **chosen)
