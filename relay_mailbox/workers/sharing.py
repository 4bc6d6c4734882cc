"""What each worker of a mailbox is told: ports and a folder of its own, and its share of what is for all of them.

No I/O. The operator's limits for one recipient or one room hold in each worker; what is given in all is divided.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from p2pchat.node.config import NodeConfig, RelayLimits
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.links import MAX_WORKERS
from p2pchat.relay_mailbox.config import MailboxConfig

__all__ = ["MAX_WORKERS", "Share", "left_out", "shares"]

FOLDER = "workers"  # inside of the data folder
_SOCKET = "node.sock"
_PORTS = ("tcp", "udp")
# Fields that are for the whole mailbox: the option that sets each, what its share must hold, and the option of that.
_DIVIDED = (
    ("max_total_bytes", "--max-total-bytes", "quota_bytes", "one recipient (--quota-bytes)"),
    ("max_archive_bytes", "--archive-total", "archive_bytes", "one room (--archive-quota)"),
    ("max_registrations", "max_registrations", "", ""),
)
_RELAY_DIVIDED = {
    "max_reservations": "--relay-reservations",
    "max_circuits": "--relay-circuits",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One worker. The first one is the mailbox's own data folder: a mailbox may get workers at any time."""

    number: int
    config: MailboxConfig
    socket: Path  # its control socket
    invites: Path | None  # the control socket of the worker that keeps them; None: this one


def shares(config: MailboxConfig, count: int) -> Sequence[Share]:
    """Of a mailbox with `count` workers. Raises `ConfigError` when the shares are too small, or ports meet."""
    found = [_share(config, number, count) for number in range(count)]
    _check_ports([share.config.node for share in found])
    return found


def folder(data_dir: Path, number: int) -> Path:
    """Of a worker's identity, store and mail."""
    return data_dir / FOLDER / str(number) if number else data_dir


def socket(data_dir: Path, number: int) -> Path:
    """Of a worker; the one in the data folder itself is for all of them."""
    return data_dir / FOLDER / str(number) / _SOCKET


def left_out(data_dir: Path, count: int) -> Sequence[Path]:
    """The folders of workers that have been there, and are none of `count`."""
    others = (folder(data_dir, number) for number in range(max(1, count), MAX_WORKERS))
    return [path for path in others if path.is_dir()]


def _share(config: MailboxConfig, number: int, count: int) -> Share:
    node = dataclasses.replace(
        config.node,
        data_dir=folder(config.node.data_dir, number),
        listen=_moved(config.node.listen, number),
        announce=_moved(config.node.announce, number),
        relay=_relay(config.node.relay, count),
        metrics="",  # answered for all of them by who starts them
    )
    divided = {name: _part(config, count, name, *rest) for name, *rest in _DIVIDED}
    of_first = socket(config.node.data_dir, 0) if number else None
    return Share(
        number,
        dataclasses.replace(config, node=node, **divided),  # type: ignore[arg-type]
        socket(config.node.data_dir, number),
        of_first,
    )


def _part(config: MailboxConfig, count: int, name: str, option: str, quota: str, what: str) -> int:
    total: int = getattr(config, name)
    part, least = total // count, getattr(config, quota) if quota else 1
    if part < least:
        enough = f"what is for {what}" if what else "one"
        raise ConfigError(
            f"{option}: {total:,} for {count} workers is {part:,} for each of them, which is less than {enough}: "
            f"{least:,}. Give more, or fewer --workers."
        )
    return part


def _relay(limits: RelayLimits | None, count: int) -> RelayLimits | None:
    if limits is None:
        return None
    for name, option in _RELAY_DIVIDED.items():
        if getattr(limits, name) < count:
            raise ConfigError(
                f"{option}: {getattr(limits, name):,} is less than one for each of {count} workers. Give more, or "
                "fewer --workers."
            )
    return dataclasses.replace(
        limits, **{name: getattr(limits, name) // count for name in _RELAY_DIVIDED}
    )


# ---- ports ----------------------------------------------------------------------------------------------


def _moved(addresses: Sequence[str], number: int) -> tuple[str, ...]:
    return tuple(_with_next_port(address, number) for address in addresses)


def _with_next_port(address: str, number: int) -> str:
    """`number` ports further; port 0 stays: the system chooses."""
    parts = address.split("/")
    for place, (kind, port) in enumerate(itertools.pairwise(parts)):
        if kind in _PORTS and port.isdecimal() and int(port):
            if int(port) + number > 65_535:
                raise ConfigError(f"{address}: there is no port {int(port) + number} for a worker.")
            parts[place + 1] = str(int(port) + number)
            break  # what follows is inside of that, or behind a relay
    return "/".join(parts)


def _check_ports(nodes: Sequence[NodeConfig]) -> None:
    listened = [address for node in nodes for address in node.listen]
    fixed = [address for address in listened if not {"tcp/0", "udp/0"} & _pairs(address)]
    for address in fixed:
        if fixed.count(address) > 1:
            raise ConfigError(
                f"{address}: two workers would listen there. Each takes the ports of --listen and adds its number: "
                "leave room between them."
            )


def _pairs(address: str) -> set[str]:
    return {f"{kind}/{value}" for kind, value in itertools.pairwise(address.split("/"))}
