"""What each worker is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.config import NodeConfig, RelayLimits, RoomConfig
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.file_policy import FilePolicy
from p2pchat.relay_mailbox.config import MailboxConfig, RegistrationPolicy
from p2pchat.relay_mailbox.workers import settings_text, sharing

DATA = Path("/data")
LISTEN = ("/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/127.0.0.1/tcp/0")


def config(**node: object) -> MailboxConfig:
    given_node = NodeConfig(DATA, listen=LISTEN, relay=RelayLimits())
    return MailboxConfig(dataclasses.replace(given_node, **node), archive_rooms=("plaza",))  # type: ignore[arg-type]


def test_the_first_worker_is_the_mailbox_s_own_folder() -> None:
    first, second = sharing.shares(config(), 2)
    assert (first.config.node.data_dir, second.config.node.data_dir) == (DATA, DATA / "workers/1")
    assert first.socket == DATA / "workers/0/node.sock"
    assert second.socket == DATA / "workers/1/node.sock"
    assert (first.invites, second.invites) == (None, first.socket)


def test_each_listens_one_port_further() -> None:
    announce = ("/dns4/a.example/tcp/443", "/ip4/192.0.2.1/udp/9/quic-v1")
    third = sharing.shares(config(announce=announce), 3)[2].config.node
    assert third.listen == (
        "/ip4/0.0.0.0/tcp/4003",
        "/ip4/0.0.0.0/udp/4003/quic-v1",
        "/ip4/127.0.0.1/tcp/0",
    )
    assert third.announce == ("/dns4/a.example/tcp/445", "/ip4/192.0.2.1/udp/11/quic-v1")


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        (("/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/tcp/4002"), "two workers would listen there"),
        (("/ip4/0.0.0.0/tcp/65535",), "no port 65536"),
    ],
)
def test_ports_that_do_not_fit(listen: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sharing.shares(config(listen=listen), 2)


@given(
    count=st.integers(1, sharing.MAX_WORKERS),
    total=st.integers(1 << 30, 1 << 40),
    reservations=st.integers(16, 5_000),
)
def test_shares_are_never_more_than_what_is_given(
    count: int, total: int, reservations: int
) -> None:
    relay = RelayLimits(max_reservations=reservations)
    whole = dataclasses.replace(config(relay=relay), max_total_bytes=total)
    found = [share.config for share in sharing.shares(whole, count)]
    assert total - count < sum(one.max_total_bytes for one in found) <= total
    assert sum(one.max_registrations for one in found) <= whole.max_registrations
    assert sum(one.max_archive_bytes for one in found) <= whole.max_archive_bytes
    relays = [one.node.relay for one in found if one.node.relay is not None]
    assert len(relays) == count
    assert reservations - count < sum(one.max_reservations for one in relays) <= reservations
    assert {one.quota_bytes for one in found} == {whole.quota_bytes}
    assert {one.archive_rooms for one in found} == {("plaza",)}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"max_total_bytes": 100 << 20}, "--max-total-bytes: 104,857,600 for 2 workers is"),
        ({"max_archive_bytes": 300 << 20}, "--archive-total: "),
        ({"max_registrations": 1}, "max_registrations: 1 for 2 workers is 0"),
    ],
)
def test_a_share_that_is_too_small_is_an_error(changed: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sharing.shares(dataclasses.replace(config(), **changed), 2)  # type: ignore[arg-type]


def test_a_relay_of_less_than_one_for_each_is_an_error() -> None:
    with pytest.raises(ConfigError, match="--relay-circuits: 1 is less than one"):
        sharing.shares(config(relay=RelayLimits(max_circuits=1)), 2)


def test_folders_of_workers_that_are_not_started(tmp_path: Path) -> None:
    for number in (0, 1, 3):
        (tmp_path / "workers" / str(number)).mkdir(parents=True)
    assert sharing.left_out(tmp_path, 1) == [tmp_path / "workers/1", tmp_path / "workers/3"]
    assert sharing.left_out(tmp_path, 2) == [tmp_path / "workers/3"]
    assert sharing.left_out(tmp_path, 4) == []


def test_a_configuration_survives_as_text() -> None:
    node = NodeConfig(
        DATA,
        name="ü",
        rooms=(RoomConfig("plaza", True),),
        relay=RelayLimits(max_circuits=3),
        files=FilePolicy("never", 5),
        download_dir=Path("/elsewhere"),
    )
    whole = MailboxConfig(
        node,
        RegistrationPolicy.ALLOW_LIST,
        ("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",),
        retention_days=0.5,
        archive_rooms=("plaza", "ñ"),
    )
    for one in (whole, config(relay=None)):
        assert settings_text.from_text(settings_text.to_text(one)) == one


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"node": 3}', '{"node": {"data_dir": ["x"]}}'])
def test_what_is_no_such_text(text: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        settings_text.from_text(text)
