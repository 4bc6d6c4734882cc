"""From options to a `MailboxConfig`, and what is said about nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import mailbox_settings, options
from p2pchat.cli.mailbox_settings import LISTEN, LISTEN_IP6, ArchiveGiven, MailboxGiven, RelayGiven
from p2pchat.cli.settings import Given
from p2pchat.node.config import PUBLIC_BOOTSTRAP, RelayLimits
from p2pchat.node.errors import ConfigError
from p2pchat.relay_mailbox.config import MailboxConfig, RegistrationPolicy

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
OTHER = "12D3KooWNvSZnPi3RrhrTwEY4LuuBeB6K6facKUCJcyWG1aoDd2p"


def config(node: Given | None = None, **given: Any) -> MailboxConfig:
    return mailbox_settings.mailbox_config(MailboxGiven(node or Given(), **given))


def test_what_is_not_given_is_the_default() -> None:
    made = config()
    assert made.node.data_dir.name == "p2pchat-mailbox"
    assert set(made.node.listen) - {LISTEN_IP6} == set(LISTEN)
    assert made.node.bootstrap == PUBLIC_BOOTSTRAP
    assert made.node.relay == RelayLimits()
    assert made == MailboxConfig(made.node)


@pytest.mark.parametrize("has_ip6", [True, False])
def test_ip6_where_there_is_some(monkeypatch: pytest.MonkeyPatch, has_ip6: bool) -> None:
    monkeypatch.setattr(mailbox_settings, "_has_ip6", lambda: has_ip6)
    assert (LISTEN_IP6 in config().node.listen) == has_ip6


def test_what_is_given_is_taken() -> None:
    made = config(
        Given(data_dir="some/folder", name="Post", listen=("/ip4/127.0.0.1/tcp/0",), mdns=False),
        retention="12h",
        quota_bytes="1 MiB",
        quota_count=100,
        max_total_bytes="2GB",
        registration="Allow-List",
        allow=(PEER, OTHER, PEER),
        deposit_rate=5.5,
        deposit_burst=300,
        relay_limits=RelayGiven(1, 2, 3, "4KiB", "5min"),
        archive=ArchiveGiven(("lobby", "garden", "lobby"), False, "12h", "1MiB", "2MiB", 5, 2),
    )
    assert made == MailboxConfig(
        made.node,
        registration=RegistrationPolicy.ALLOW_LIST,
        allowed_peers=(PEER, OTHER),
        retention_days=0.5,
        quota_bytes=1 << 20,
        quota_count=100,
        max_total_bytes=2_000_000_000,
        deposit_rate=5.5,
        deposit_burst=300,
        archive_rooms=("lobby", "garden"),
        archive_by_clients=False,
        archive_days=0.5,
        archive_bytes=1 << 20,
        max_archive_bytes=2 << 20,
        max_archived_rooms=5,
        max_archived_rooms_per_client=2,
    )
    assert made.node.data_dir == Path.cwd() / "some/folder"
    assert made.node.listen == ("/ip4/127.0.0.1/tcp/0",)
    assert (made.node.name, made.node.mdns) == ("Post", False)
    assert made.node.relay == RelayLimits(
        max_reservations=1,
        max_circuits=2,
        max_circuits_per_peer=3,
        circuit_bytes=4096,
        circuit_seconds=300,
    )


@pytest.mark.parametrize("text", ["0", "0d"])
def test_rooms_may_be_kept_for_ever(text: str) -> None:
    assert config(archive=ArchiveGiven(retention=text)).archive_days == 0


def test_no_relay() -> None:
    assert config(relay=False).node.relay is None


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"retention": "soon"}, "--retention: 'soon' is no time, such as 12h or 30d"),
        ({"retention": "10min"}, "--retention: '10min' is not from 1h to 3650d"),
        ({"retention": "9" * 30}, "--retention: .* is not from"),
        ({"retention": "9" * 400}, "--retention: .* is no time"),
        ({"retention": "-1"}, "--retention"),
        ({"retention": "nan"}, "--retention"),
        ({"quota_bytes": "64 parsecs"}, "--quota-bytes: .* is no size in bytes, such as 64MiB"),
        ({"quota_bytes": "1"}, "--quota-bytes must be at least 16,384"),
        ({"quota_bytes": "11GiB"}, "--max-total-bytes: 10.0 GiB for all .* less than 11.0 GiB"),
        ({"quota_count": 0}, "--quota-count must be at least 4"),
        ({"quota_count": -5}, "--quota-count must be at least 4"),
        ({"max_total_bytes": "1MiB"}, r"--max-total-bytes: 1.0 MiB .* \(--quota-bytes\)"),
        ({"registration": "everybody"}, "--registration: 'everybody' is none of open, invite"),
        ({"registration": "allow-list"}, "--allow names nobody"),
        ({"allow": (PEER,)}, "--allow needs --registration allow-list"),
        ({"registration": "allow-list", "allow": ("bob",)}, "--allow: 'bob' is not a peer id"),
        ({"deposit_rate": 0.0}, "--deposit-rate must be at least 1"),
        ({"deposit_burst": 1}, "--deposit-burst must be at least"),
        ({"announce": ("here",)}, "--announce: 'here' is not usable"),
        ({"announce": ("mail.example.org",)}, "looks like /dns4/mail.example.org/tcp/4001"),
        ({"announce": ("/ip4/0.0.0.0/tcp/1",)}, "--announce: .* every address of this machine"),
        ({"announce": ("/ip6/::/tcp/1",)}, "--announce: .* every address of this machine"),
        ({"announce": ("/ip4/1.2.3.4/tcp/1",) * 9}, "--announce: a link has room for 8"),
        ({"announce": (f"/dns4/{'x' * 140}/tcp/1",)}, "--announce: .* too long"),
        ({"archive": ArchiveGiven(("two words",))}, "--archive-room: A room's name cannot"),
        ({"archive": ArchiveGiven(tuple(map(str, range(65))))}, "--archive-room: .* 64 rooms"),
        ({"archive": ArchiveGiven(("a", "b"), max_rooms=1)}, "--archive-max-rooms .* least 2"),
        ({"archive": ArchiveGiven(max_rooms=65)}, "--archive-max-rooms must be at most 64"),
        ({"archive": ArchiveGiven(rooms_per_client=0)}, "--archive-rooms-per-client must be"),
        ({"archive": ArchiveGiven(retention="1min")}, "--archive-retention: '1min' is not from"),
        ({"archive": ArchiveGiven(quota="1")}, "--archive-quota must be at least"),
        ({"archive": ArchiveGiven(quota="much")}, "--archive-quota: 'much' is no size"),
        (
            {"archive": ArchiveGiven(total="1MiB")},
            r"--archive-total: 1.0 MiB for all rooms .* \(--archive-quota\)",
        ),
        ({"relay_limits": RelayGiven(reservations=0)}, "--relay-reservations must be .* 1"),
        ({"relay_limits": RelayGiven(circuit_bytes="much")}, "--relay-circuit-bytes: 'much'"),
        ({"relay_limits": RelayGiven(circuit_time="0")}, "--relay-circuit-time must be .* 1"),
    ],
)
def test_bad_values_name_their_option(given: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        config(**given)


def test_bad_values_name_where_they_came_from() -> None:
    origins = {"quota-count": "P2PCHAT_QUOTA_COUNT", "listen": "in box.toml, listen"}
    with pytest.raises(ConfigError, match=r"^P2PCHAT_QUOTA_COUNT must be"):
        config(Given(origins=origins), quota_count=1)
    with pytest.raises(ConfigError, match=r"^in box\.toml, listen: 'x'"):
        config(Given(origins=origins, listen=("x",)))


def test_announced_addresses_go_without_the_mailboxs_own_peer_id() -> None:
    place = "/dns4/example.org/tcp/4001"
    given = (f"{place}/p2p/{PEER}", place)
    assert mailbox_settings.announced(given, "--announce", PEER) == (place,)
    with pytest.raises(ConfigError, match=f"ends in another peer id than {OTHER}"):
        mailbox_settings.announced(given, "--announce", OTHER)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0", 0),
        ("1024", 1024),
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        ("1.5KiB", 1536),
        ("2GB", 2_000_000_000),
        (" 1 TiB ", 1 << 40),
        ("7B", 7),
    ],
)
def test_sizes(text: str, octets: int) -> None:
    assert options.size(text, "--size") == octets


@pytest.mark.parametrize("text", ["", "MiB", "1e9", "-1", "1 2", "0x10", "1MiBs", "1,5GB", "٣"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ConfigError, match="--size"):
        options.size(text, "--size")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30 * 86_400),
        ("30d", 30 * 86_400),
        ("12h", 43_200),
        ("1.5 min", 90),
        ("2w", 1_209_600),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert options.seconds(text, "--time", "d") == seconds
