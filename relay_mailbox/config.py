"""Everything a mailbox can be told, as one frozen dataclass; `cli/` fills it from flags, environment and TOML."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol import limits, names
from p2pchat.relay_mailbox.quota import Quota

MOST_ROOMS = 64  # archived at a time: as many as a node joins (`MAX_ROOMS` of its pubsub)


class RegistrationPolicy(enum.StrEnum):
    """For whom a mailbox takes mail."""

    OPEN = "open"  # for everybody who asks
    INVITE = "invite"  # for who has a token
    ALLOW_LIST = "allow-list"  # for the peers named in the configuration


@dataclass(frozen=True, slots=True)
class MailboxConfig:
    """One mailbox's settings. Limits have their unit in the comment; what each has refused is counted."""

    node: NodeConfig  # with `relay` set, the mailbox is a relay as well, within those limits
    registration: RegistrationPolicy = RegistrationPolicy.INVITE
    allowed_peers: tuple[str, ...] = ()  # base58 peer ids, for ALLOW_LIST
    retention_days: float = 30  # days; an envelope may be for less
    quota_bytes: int = 64 << 20  # bytes of envelopes, for each recipient
    quota_count: int = 10_000  # envelopes, for each recipient
    max_total_bytes: int = 10 << 30  # bytes of envelopes, in all
    max_registrations: int = 1_000  # peers
    deposit_rate: float = 2_000  # envelopes/s from one peer ...
    deposit_burst: int = 10_000  # envelopes, ... and at once
    request_rate: float = 10  # registrations, collects and look-ups a second from one peer ...
    request_burst: int = 100  # ... and at once
    max_streams_per_peer: int = 8  # mailbox streams of one peer
    max_bytes_in_flight_per_peer: int = 2 << 20  # bytes of deposits that wait for the disk
    max_bytes_in_flight: int = 64 << 20  # bytes of deposits that wait for the disk, in all
    archive_rooms: tuple[str, ...] = ()  # rooms to keep, whether or not a client asks for them
    archive_by_clients: bool = True  # registered clients may have rooms kept
    max_archived_rooms: int = MOST_ROOMS  # rooms, in all
    max_archived_rooms_per_client: int = 8  # rooms that one client has asked for
    archive_days: float = 365  # days that a room's messages are kept; 0: for ever
    archive_bytes: int = 256 << 20  # bytes of messages, for each room
    max_archive_bytes: int = 4 << 30  # bytes of messages, of all rooms

    def __post_init__(self) -> None:
        """Raises `ConfigError` for limits under which no mail could ever be taken, or no room be kept."""
        smallest = {
            "retention_days": 1 / 24,
            "quota_bytes": 16 << 10,
            "quota_count": 4,
            "max_total_bytes": self.quota_bytes,
            "max_registrations": 1,
            "deposit_rate": 1,
            "deposit_burst": limits.MAX_BATCH,
            "request_rate": 0.1,
            "request_burst": 3,
            "max_streams_per_peer": 1,
            "max_bytes_in_flight_per_peer": limits.FRAME_LIMIT,
            "max_bytes_in_flight": self.max_bytes_in_flight_per_peer,
            "max_archived_rooms": max(1, len(self.archive_rooms)),
            "max_archived_rooms_per_client": 1,
            "archive_days": 1 / 24 if self.archive_days else 0,
            "archive_bytes": 1 << 20,
            "max_archive_bytes": self.archive_bytes,
        }
        for name, least in smallest.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least:,}.")
        if self.max_archived_rooms > MOST_ROOMS:
            raise ConfigError(f"max_archived_rooms must be at most {MOST_ROOMS}.")
        for room in self.archive_rooms:
            if problem := names.room_problem(room):
                raise ConfigError(f"archive_rooms: {problem}")

    @property
    def mail_path(self) -> Path:
        return self.node.data_dir / "mail"

    @property
    def retention_ms(self) -> int:
        return round(self.retention_days * limits.DAY_MS)

    @property
    def archive_ms(self) -> int:
        """How long messages of rooms are kept; 0: for ever."""
        return round(self.archive_days * limits.DAY_MS)

    @property
    def quota(self) -> Quota:
        return Quota(self.quota_bytes, self.quota_count, self.max_total_bytes)
