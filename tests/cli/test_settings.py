import os
import stat
from pathlib import Path

import pytest

from p2pchat.cli import settings
from p2pchat.cli.settings import Given, node_config
from p2pchat.node.config import DEFAULT_LISTEN, PUBLIC_BOOTSTRAP, RoomConfig
from p2pchat.node.errors import ConfigError

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
OTHER = "12D3KooWQXRL37LdcJFwV2ueaDNN7H2FUAPJh9aJRij89VSxZBa1"
MAILBOX = f"p2pchat:mailbox/{PEER}?a=/ip4/1.2.3.4/tcp/4001&t=token"


def test_what_is_not_given_is_the_default() -> None:
    config = node_config(Given())
    assert config.data_dir.name == "p2pchat"
    assert config.name == ""
    assert config.rooms == ()
    assert config.listen == DEFAULT_LISTEN
    assert config.bootstrap == PUBLIC_BOOTSTRAP
    assert config.mdns
    assert config.dht
    assert not config.upnp
    assert config.mailboxes == ()
    assert config.read_receipts
    assert config.message_days == 30
    assert config.control_listen == ""
    assert config.metrics == ""


def test_what_is_given_is_taken_once() -> None:
    config = node_config(
        Given(
            data_dir="some/folder",
            name=" Ada ",
            control_listen="localhost:7443 ",
            rooms=("lobby", "garden", "#lobby"),
            plain_rooms=("#attic",),
            listen=("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0"),
            bootstrap=("none",),
            mdns=False,
            dht=False,
            upnp=True,
            mailboxes=(f"{MAILBOX[:30]}\n {MAILBOX[30:]}", MAILBOX),
            read_receipts=False,
            message_days=365,
        )
    )
    assert config.data_dir == Path.cwd() / "some/folder"
    assert config.name == "Ada"
    assert config.rooms == (
        RoomConfig("lobby"),
        RoomConfig("garden"),
        RoomConfig("attic", plain=True),
    )
    assert config.listen == ("/ip4/127.0.0.1/tcp/0",)
    assert config.bootstrap == ()
    assert not config.mdns
    assert not config.dht
    assert config.upnp
    assert config.mailboxes == (MAILBOX,)
    assert not config.read_receipts
    assert config.message_days == 365
    assert config.control_listen == "localhost:7443"


def test_the_link_of_a_mailbox_stands_for_its_addresses() -> None:
    relayed = f"/ip4/5.6.7.8/tcp/1/p2p/{OTHER}/p2p-circuit"
    ours = (f"/dns4/mail.example/tcp/4001/p2p/{PEER}", "/memory/1", relayed)
    addresses = "&a=".join(("/ip4/1.2.3.4/tcp/4001", *ours))
    link = f" P2PCHAT:mailbox/{PEER}?a={addresses}&t=token\n"
    other = f"/dnsaddr/example.org/p2p/{OTHER}"
    given = Given(bootstrap=(link, other, f"/ip4/1.2.3.4/tcp/4001/p2p/{PEER}"))
    assert node_config(given).bootstrap == (
        f"/ip4/1.2.3.4/tcp/4001/p2p/{PEER}",
        f"/dns4/mail.example/tcp/4001/p2p/{PEER}",
        f"{relayed}/p2p/{PEER}",
        other,
    )


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("9464", "127.0.0.1:9464"),
        (" 0 ", "127.0.0.1:0"),
        ("[::1]:9464", "[::1]:9464"),
        ("0.0.0.0:9464", "0.0.0.0:9464"),
        ("metrics.example:9464", "metrics.example:9464"),
    ],
)
def test_where_metrics_are(given: str, place: str) -> None:
    assert node_config(Given(metrics=given)).metrics == place


def test_a_node_that_listens_nowhere() -> None:
    assert node_config(Given(listen=("none",))).listen == ()


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (Given(name="x" * 33), "--name: .* at most 32"),
        (Given(name="a\x1b"), "--name: .* control"),
        (Given(rooms=("two words",)), "--room: "),
        (Given(plain_rooms=("two words",)), "--plain-room: "),
        (Given(rooms=("a",), plain_rooms=("a",)), "--plain-room: 'a' is a room of --room as well"),
        (Given(log_format="xml"), "--log-format: 'xml' is none of text, json"),
        (Given(listen=("localhost:4001",)), "--listen: 'localhost:4001' .* looks like"),
        (Given(listen=(f"/dnsaddr/example.org/p2p/{PEER}",)), "--listen: .* IP address and a port"),
        (Given(bootstrap=("/ip4/1.2.3.4/tcp/4001",)), "--bootstrap: .* end in /p2p/"),
        (Given(bootstrap=("foo",)), "--bootstrap: .* looks like .*/p2p/12D3KooW…"),
        (
            Given(bootstrap=(f"p2pchat:peer/{PEER}?a=/ip4/1.2.3.4/tcp/1",)),
            "--bootstrap: .* a person, not of a mailbox; an address of that computer",
        ),
        (Given(bootstrap=(MAILBOX.replace("KooW", "K"),)), "--bootstrap: .* damaged: its peer id"),
        (Given(bootstrap=("p2pchat:mail",)), "--bootstrap: .* of a kind that .* does not know"),
        (Given(bootstrap=(f"p2pchat:mailbox/{PEER}?t=x",)), "--bootstrap: .* does not say where"),
        (
            Given(bootstrap=(f"p2pchat:mailbox/{PEER}?a=/memory/1",)),
            "--bootstrap: .* does not say where",
        ),
        (Given(bootstrap=("none", MAILBOX)), "--bootstrap: 'none' cannot stand beside"),
        (Given(bootstrap=(PEER,)), "--bootstrap: .* looks like .*/p2p/12D3KooW…"),
        (Given(log_level="loud"), "--log-level: 'loud' is none of debug"),
        (Given(listen=("x",), origins={"listen": "P2PCHAT_LISTEN"}), "P2PCHAT_LISTEN: 'x'"),
        (Given(listen=("none", "/ip4/1.2.3.4/tcp/1")), "--listen: 'none' cannot stand beside"),
        (Given(mailboxes=("foo",)), "--mailbox: .* begins with"),
        (Given(mailboxes=(f"p2pchat:peer/{PEER}",)), "--mailbox: .* a person, not of a mailbox"),
        (Given(message_days=0), "--message-days: 0 is not a number from 1 to 365"),
        (Given(message_days=366), "--message-days: 366 is not"),
        (Given(room_days=-1), "--room-days: -1 is not a number from 0 to 36500"),
        (Given(control_listen="7443"), "--control-listen: '7443' is not usable: it has no host"),
        (
            Given(control_listen="localhost"),
            "--control-listen: .* has no port, as in 127.0.0.1:7443",
        ),
        (
            Given(metrics="localhost"),
            "--metrics: 'localhost' is not usable: it has no port, as in 127.0.0.1:9464, or 9464 alone",
        ),
        (Given(metrics=":9464"), "--metrics: ':9464' .*: it has no host, .*, or 9464 alone"),
        (
            Given(metrics="http://127.0.0.1:1"),
            "--metrics: .*: a host and a port .* without http://",
        ),
        (Given(metrics="99999"), "--metrics: '99999' is not usable: a port is a number from 0 to"),
        (Given(metrics="::1:9464"), "--metrics: '::1:9464' is not usable: an IPv6 address stands"),
        (Given(bootstrap=("none", f"/ip4/1.2.3.4/tcp/4001/p2p/{PEER}")), "--bootstrap: 'none'"),
    ],
)
def test_bad_values_name_their_option(given: Given, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        node_config(given)


@pytest.mark.parametrize(
    "address",
    [
        *DEFAULT_LISTEN,
        *PUBLIC_BOOTSTRAP,
        "/ip6/::1/tcp/65535",
        "/dns4/example.org/tcp/4001/ws",
        f"/ip4/1.2.3.4/udp/4001/quic-v1/p2p/{PEER}",
    ],
)
def test_good_addresses(address: str) -> None:
    assert settings.address_problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "ip4/1.2.3.4/tcp/1",
        "/ip5/1.2.3.4/tcp/1",
        "/ip4",
        "/ip4/",
        "/ip4/1.2.3/tcp/1",
        "/ip4/::1/tcp/1",
        "/ip6/1.2.3.4/tcp/1",
        "/ip4/1.2.3.4/tcp",
        "/ip4/1.2.3.4/tcp/",
        "/ip4/1.2.3.4/tcp/65536",
        "/ip4/1.2.3.4/tcp/-1",
        "/ip4/1.2.3.4/tcp/http",
        "/ip4/1.2.3.4/tcp/1/p2p/QmNot0a0peer",
    ],
)
def test_bad_addresses_get_a_sentence(address: str) -> None:
    assert (settings.address_problem(address) or "").endswith(".")


# ---- data folder ----------------------------------------------------------------------------------------


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    settings.prepare_data_dir(folder)
    settings.prepare_data_dir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is not a folder"):
        settings.prepare_data_dir(tmp_path / "file")
    with pytest.raises(ConfigError, match="Cannot make"):
        settings.prepare_data_dir(tmp_path / "file" / "below")


def test_a_folder_without_write_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(ConfigError, match="cannot be read and written"):
        settings.prepare_data_dir(tmp_path)
