"""Turns what the user gave into a `NodeConfig`, or into one sentence about what is wrong with it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from p2pchat.cli.file_options import FileOptions
from p2pchat.node.config import DEFAULT_LISTEN, PUBLIC_BOOTSTRAP, NodeConfig, RoomConfig
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol import names, peer_id

if TYPE_CHECKING:
    from p2pchat.node.protocol.links import MailboxLink

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
NONE = "none"  # instead of addresses
MESSAGE_DAYS = range(1, 366)
ROOM_DAYS = range(36_501)  # 0: for ever

# Components that may begin an address, and those that carry a port.
_HOSTS = frozenset({"ip4", "ip6", "dns", "dns4", "dns6", "dnsaddr"})
_PORTS = frozenset({"tcp", "udp"})

LISTEN_EXAMPLE = "/ip4/0.0.0.0/tcp/4001"
BOOTSTRAP_EXAMPLE = "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooW… (another node's /info shows its own)"
CONTROL_EXAMPLE = "127.0.0.1:7443"
METRICS = ("127.0.0.1", "127.0.0.1:9464, or 9464 alone")  # where a port alone is, and an example
LINK = "p2pchat:"


@dataclass(frozen=True, slots=True)
class Given:
    """The options of `p2pchat node`, as they were given; empty or None where nothing was."""

    data_dir: str = ""
    name: str = ""
    rooms: tuple[str, ...] = ()
    plain_rooms: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    mdns: bool = True
    dht: bool = True
    upnp: bool = False
    mailboxes: tuple[str, ...] = ()
    read_receipts: bool = True
    message_days: int = 30
    room_days: int = 0
    files: FileOptions = field(default_factory=FileOptions)
    control_listen: str = ""
    metrics: str = ""
    log_level: str = "info"
    log_format: str = "text"
    origins: Mapping[str, str] = field(default_factory=dict)  # see `called`

    def called(self, option: str) -> str:
        """What the user knows an option by: its flag, or where else its value came from."""
        return self.origins.get(option, f"--{option}")


def node_config(given: Given) -> NodeConfig:
    """Raises `ConfigError`. Touches nothing."""
    _check_log(given)
    return NodeConfig(
        data_dir=data_dir(given.data_dir),
        name=_name(given),
        rooms=_rooms(given),
        listen=_listen(given.listen, given.called("listen")),
        bootstrap=_bootstrap(given.bootstrap, given.called("bootstrap")),
        mdns=given.mdns,
        dht=given.dht,
        upnp=given.upnp,
        mailboxes=_mailboxes(given.mailboxes, given.called("mailbox")),
        read_receipts=given.read_receipts,
        message_days=_days(given, "message-days", given.message_days, MESSAGE_DAYS),
        room_days=_days(given, "room-days", given.room_days, ROOM_DAYS),
        files=given.files.policy(given.called),
        download_dir=given.files.folder(),
        control_listen=_host_port(given, "control-listen", given.control_listen),
        metrics=_host_port(given, "metrics", given.metrics, *METRICS),
    )


def _host_port(
    given: Given, option: str, text: str, host: str = "", example: str = CONTROL_EXAMPLE
) -> str:
    """`host` is where a port alone is; empty: it cannot stand alone. `example`: what would be right."""
    from p2pchat.node.protocol.host_port import host_and_port

    text = text.strip()
    whole = f"{host}:{text}" if host and text.isdigit() else text
    try:
        if whole:
            host_and_port(whole, example)
    except ValueError as error:
        raise ConfigError(f"{given.called(option)}: {text!r} is not usable: {error}.") from error
    return whole


def _check_log(given: Given) -> None:
    _check_choice(given, "log-level", given.log_level, LOG_LEVELS)
    _check_choice(given, "log-format", given.log_format, LOG_FORMATS)


def _check_choice(given: Given, option: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigError(f"{given.called(option)}: {value!r} is none of {', '.join(choices)}.")


def _name(given: Given) -> str:
    name = given.name.strip()
    if problem := name and names.name_problem(name):
        raise ConfigError(f"{given.called('name')}: {problem}")
    return name


def _rooms(given: Given) -> tuple[RoomConfig, ...]:
    """A name has one room here: its plain room and its signed one never meet, and both look alike."""
    signed_rooms = [names.bare_room(room) for room in given.rooms]
    plain_rooms = [names.bare_room(room) for room in given.plain_rooms]
    for option, rooms in (("room", signed_rooms), ("plain-room", plain_rooms)):
        for room in rooms:
            if problem := names.room_problem(room):
                raise ConfigError(f"{given.called(option)}: {problem}")
    for room in plain_rooms:
        if room in signed_rooms:
            plain, signed = given.called("plain-room"), given.called("room")
            raise ConfigError(
                f"{plain}: {room!r} is a room of {signed} as well; it can be one only."
            )
    asked = dict.fromkeys(signed_rooms, False) | dict.fromkeys(plain_rooms, True)
    return tuple(RoomConfig(room, plain) for room, plain in asked.items())


def _days(given: Given, option: str, days: int, allowed: range) -> int:
    if days not in allowed:
        wanted = f"a number from {allowed[0]} to {allowed[-1]}"
        raise ConfigError(f"{given.called(option)}: {days:,} is not {wanted}.")
    return days


def data_dir(given: str) -> Path:
    """The data folder; the platform's place for user data when none was given."""
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("p2pchat", appauthor=False)


def prepare_data_dir(folder: Path) -> None:
    """Make the data folder, for its owner only, or see that it can be used. Raises `ConfigError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigError(f"The data folder {folder} is not a folder.") from None
    except OSError as error:
        raise ConfigError(f"Cannot make the data folder {folder}: {error.strerror}.") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"The data folder {folder} cannot be read and written by this user.")


# ---- addresses ------------------------------------------------------------------------------------------


def _listen(given: tuple[str, ...], called: str) -> tuple[str, ...]:
    """Empty for a node that is reached only through relays."""
    if _is_none(given, called):
        return ()
    for address in given:
        if problem := address_problem(address, LISTEN_EXAMPLE) or _not_listenable(address):
            raise ConfigError(f"{called}: {address!r} is not usable: {problem}")
    return tuple(dict.fromkeys(given)) or DEFAULT_LISTEN


def _bootstrap(given: tuple[str, ...], called: str) -> tuple[str, ...]:
    if _is_none(given, called):
        return ()
    found: list[str] = []
    for text in given:
        if text.strip()[: len(LINK)].lower() == LINK:
            found += _addresses_of_link(text, called)
        elif problem := address_problem(text, BOOTSTRAP_EXAMPLE) or _peerless(text):
            raise ConfigError(f"{called}: {text!r} is not usable: {problem}")
        else:
            found.append(text)
    return tuple(dict.fromkeys(found)) or PUBLIC_BOOTSTRAP


def _addresses_of_link(text: str, called: str) -> list[str]:
    """Those of the mailbox, each with its peer id; such as no version of ours could dial are left out."""
    from p2pchat.node.protocol import p2p_address, worker_choice

    link = _mailbox_link(text, called, "an address of that computer, or a mailbox's link, will do.")
    usable = [
        p2p_address.with_peer(address, worker.peer)
        for worker in worker_choice.workers_of(link)
        for address in worker.addresses
        if address_problem(address) is None
    ]
    if not usable:
        raise ConfigError(f"{called}: this link does not say where the mailbox is.")
    return usable


def _is_none(given: tuple[str, ...], called: str) -> bool:
    if NONE in given and len(set(given)) > 1:
        raise ConfigError(f"{called}: {NONE!r} cannot stand beside addresses.")
    return NONE in given


def _mailboxes(given: tuple[str, ...], called: str) -> tuple[str, ...]:
    for text in given:
        _mailbox_link(text, called, "/contact add takes it.")
    return tuple(dict.fromkeys("".join(text.split()) for text in given))


def _mailbox_link(text: str, called: str, remedy: str) -> MailboxLink:
    """`remedy`: what to do with the link of a person."""
    from p2pchat.node.protocol.links import LinkError, MailboxLink, parse_link  # loads protobuf

    try:
        link = parse_link(text)
    except LinkError as error:
        raise ConfigError(f"{called}: {error}") from error
    if not isinstance(link, MailboxLink):
        raise ConfigError(f"{called}: this is the link of a person, not of a mailbox; {remedy}")
    return link


def address_problem(address: str, example: str = LISTEN_EXAMPLE) -> str | None:
    """What is plainly wrong with a multiaddr; the network looks closer, once it is loaded."""
    first, _, rest = address.partition("/")
    parts = rest.split("/")
    if first or parts[0] not in _HOSTS:
        return f"an address looks like {example}."
    if not all(parts) or len(parts) < 2:
        return "a part of it is empty."
    pairs = list(itertools.pairwise(parts))
    if parts[0] in ("ip4", "ip6") and (problem := _ip_problem(parts[0], parts[1])):
        return problem
    ports = [value for kind, value in pairs if kind in _PORTS]
    if not all(_is_port(port) for port in ports) or parts[-1] in _PORTS:
        return "a port is a number from 0 to 65535."
    return next(filter(None, (_peer_problem(v) for k, v in pairs if k in ("p2p", "ipfs"))), None)


def _not_listenable(address: str) -> str | None:
    parts = address.split("/")
    if parts[1] == "dnsaddr" or not _PORTS & set(parts):
        return f"to listen, it needs an IP address and a port, e.g. {LISTEN_EXAMPLE}."
    return None


def _peerless(address: str) -> str | None:
    if "p2p" not in address.split("/"):
        return f"it has to end in /p2p/ and the peer id of who is there, e.g. {BOOTSTRAP_EXAMPLE}."
    return None


def _ip_problem(kind: str, value: str) -> str | None:
    import ipaddress

    read: Callable[[str], object] = (
        ipaddress.IPv4Address if kind == "ip4" else ipaddress.IPv6Address
    )
    try:
        read(value)
    except ValueError:
        return f"{value!r} is not an {'IPv4' if kind == 'ip4' else 'IPv6'} address."
    return None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:6]) <= 65_535


def _peer_problem(text: str) -> str | None:
    try:
        peer_id.from_text(text)
    except ValueError:
        return f"{text!r} is not a peer id."
    return None
