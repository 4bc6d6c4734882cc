"""The command line of `p2pchat mailbox`, and what it says first."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from p2pchat.cli import mailbox, main, options
from p2pchat.cli.mailbox_service import first_lines
from p2pchat.cli.mailbox_settings import ArchiveGiven, MailboxGiven, RelayGiven, mailbox_config
from p2pchat.cli.settings import Given
from p2pchat.node.errors import ConfigError
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.config import MailboxConfig, RegistrationPolicy

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


class Started:
    given: MailboxGiven
    log_file: str
    link_file: str

    def __call__(self, given: MailboxGiven, log_file: str, link_file: str) -> None:
        self.given, self.log_file, self.link_file = given, log_file, link_file

    @property
    def plain(self) -> MailboxGiven:
        """Without where the values came from."""
        return replace(self.given, node=replace(self.given.node, origins={}))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    for name in [name for name in os.environ if name.startswith("P2PCHAT_")] + ["DATA_DIR"]:
        monkeypatch.delenv(name, raising=False)
    stand_in = Started()
    monkeypatch.setattr(mailbox, "start", stand_in)
    return stand_in


EVERYTHING = MailboxGiven(
    Given(
        data_dir="/somewhere",
        name="Post",
        listen=("/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"),
        bootstrap=("none",),
        mdns=False,
        dht=False,
        upnp=True,
        metrics="9464",
        log_level="warning",
    ),
    retention="12h",
    quota_bytes="1MiB",
    quota_count=100,
    max_total_bytes="2GiB",
    registration="allow-list",
    allow=(PEER,),
    deposit_rate=5.0,
    deposit_burst=300,
    relay=False,
    relay_limits=RelayGiven(1, 2, 3, "4096", "5"),
    archive=ArchiveGiven(("lobby", "garden"), False, "90", "1GiB", "8GiB", 5, 2),
    announce=("/dns4/example.org/tcp/4001",),
)


def test_nothing_given(started: Started) -> None:
    assert main.run(["mailbox"]) == 0
    assert started.plain == MailboxGiven(Given(name="mailbox"))
    assert started.log_file == ""


def test_every_option_has_a_flag(started: Started) -> None:
    flags = (
        f"--data-dir /somewhere --name Post --listen /ip4/127.0.0.1/tcp/0 --listen /ip6/::1/tcp/0 --bootstrap none "
        f"--no-mdns --no-dht --upnp --log-level WARNING --log-file /log --link-file /link --retention 12h "
        f"--quota-bytes 1MiB "
        f"--quota-count 100 --max-total-bytes 2GiB --registration allow-list --allow {PEER} --deposit-rate 5 "
        f"--deposit-burst 300 "
        f"--no-relay --relay-reservations 1 --relay-circuits 2 --relay-circuits-per-peer 3 "
        f"--relay-circuit-bytes 4096 --relay-circuit-time 5 --announce /dns4/example.org/tcp/4001 "
        f"--archive-room lobby --archive-room garden --no-archive-by-clients --archive-retention 90 "
        f"--archive-quota 1GiB --archive-total 8GiB --archive-max-rooms 5 --archive-rooms-per-client 2 "
        f"--metrics 9464"
    )
    assert main.run(["mailbox", *flags.split()]) == 0
    assert started.plain == EVERYTHING
    assert (started.log_file, started.link_file) == ("/log", "/link")


def test_every_option_has_a_variable(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATA_DIR": "/somewhere",
        "NAME": "Post",
        "LISTEN": "/ip4/127.0.0.1/tcp/0 /ip6/::1/tcp/0",
        "BOOTSTRAP": "none",
        "MDNS": "no",
        "DHT": "no",
        "UPNP": "1",
        "LOG_LEVEL": "warning",
        "LOG_FILE": "/log",
        "LINK_FILE": "/link",
        "RETENTION": "12h",
        "QUOTA_BYTES": "1MiB",
        "QUOTA_COUNT": "100",
        "MAX_TOTAL_BYTES": "2GiB",
        "REGISTRATION": "allow-list",
        "ALLOW": PEER,
        "DEPOSIT_RATE": "5",
        "DEPOSIT_BURST": "300",
        "RELAY": "0",
        "RELAY_RESERVATIONS": "1",
        "RELAY_CIRCUITS": "2",
        "RELAY_CIRCUITS_PER_PEER": "3",
        "RELAY_CIRCUIT_BYTES": "4096",
        "RELAY_CIRCUIT_TIME": "5",
        "ANNOUNCE": "/dns4/example.org/tcp/4001",
        "ARCHIVE_ROOM": "lobby, garden",
        "ARCHIVE_BY_CLIENTS": "no",
        "ARCHIVE_RETENTION": "90",
        "ARCHIVE_QUOTA": "1GiB",
        "ARCHIVE_TOTAL": "8GiB",
        "ARCHIVE_MAX_ROOMS": "5",
        "ARCHIVE_ROOMS_PER_CLIENT": "2",
        "METRICS": "9464",
        "MAILBOX": "is the node's, and means nothing here",
    }.items():
        monkeypatch.setenv(f"P2PCHAT_{name}", value)
    assert main.run(["mailbox"]) == 0
    assert started.plain == EVERYTHING
    assert started.given.called("quota-count") == "P2PCHAT_QUOTA_COUNT"
    assert (started.log_file, started.link_file) == ("/log", "/link")


def test_every_option_can_stand_in_a_file(started: Started, tmp_path: Path) -> None:
    file = tmp_path / "box.toml"
    file.write_text(
        f"""
        data-dir = "/somewhere"
        name = "Post"
        listen = ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"]
        bootstrap = "none"
        mdns = false
        dht = false
        upnp = true
        log-level = "warning"
        log-file = "/log"
        link-file = "/link"
        retention = "12h"
        quota_bytes = "1MiB"
        quota-count = 100
        max-total-bytes = "2GiB"
        registration = "allow-list"
        allow = ["{PEER}"]
        deposit-rate = 5
        deposit-burst = 300
        relay = false
        relay-reservations = 1
        relay-circuits = 2
        relay-circuits-per-peer = 3
        relay-circuit-bytes = 4096
        relay-circuit-time = 5
        announce = "/dns4/example.org/tcp/4001"
        archive-room = ["lobby", "garden"]
        archive-by-clients = false
        archive-retention = 90
        archive-quota = "1GiB"
        archive-total = "8GiB"
        archive-max-rooms = 5
        archive-rooms-per-client = 2
        metrics = 9464
        """
    )
    assert main.run(["mailbox", "--config", str(file)]) == 0
    assert started.plain == EVERYTHING
    assert started.given.called("allow") == f"in {file}, allow"
    assert (started.log_file, started.link_file) == ("/log", "/link")
    assert main.run(["mailbox", "--config", str(file), "--retention", "7"]) == 0
    assert started.given.retention == "7"


def test_the_file_knows_every_option() -> None:
    known = {key.replace("-", "_") for key in mailbox.FILE_KEYS}
    parameters = set(mailbox.run.__annotations__) - {"context", "config", "return"}
    assert known == parameters


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("retenton = 5", "did you mean 'retention'"),
        ("quota-count = '5'", "quota-count must be a whole number"),
        ("quota-count = true", "quota-count must be a whole number, not True"),
        ("retention = false", "retention must be a text or a whole number or a number"),
        ("allow = [1]", "allow must be a list of texts"),
        ("name =", "not valid TOML"),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "box.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=part):
        options.read_file(file, mailbox.FILE_KEYS)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--retention", "soon"], "--retention: 'soon'"),
        (["--quota-count", "few"], "--quota-count"),
        (["--announce", "x"], "--announce: 'x'"),
        (["--log-level", "loud"], "--log-level: 'loud'"),
        (["--data-dir", "/dev/null"], "/dev/null is not a folder"),
        (["--room", "lobby"], "--room"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["mailbox", *words]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert part in shown.err


# ---- what it says first ---------------------------------------------------------------------------------


def said(config: MailboxConfig, *uses_left: int) -> list[str]:
    here = actors.MailboxDescription(
        peer=PEER,
        link="p2pchat:mailbox/plain",
        addresses=["/a", "/b"],
        registration=config.registration,
    )
    invites = [actors.InviteDescription(link=f"p2pchat:mailbox/{n}") for n in range(len(uses_left))]
    for invite, uses in zip(invites, uses_left, strict=True):
        invite.invite.id, invite.invite.uses_left = "id", uses
    return list(first_lines(config, here, invites))


def with_policy(policy: RegistrationPolicy) -> MailboxConfig:
    return replace(mailbox_config(MailboxGiven(Given(data_dir="/somewhere"))), registration=policy)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["status", "--help"], ["invites", "-h"]):
        assert main.run(["mailbox", *words]) == 0
        assert "Usage: p2pchat mailbox" in capsys.readouterr().out


def test_one_fact_a_line() -> None:
    assert said(with_policy(RegistrationPolicy.OPEN)) == [
        f"Peer id: {PEER}",
        "Data folder: /somewhere",
        "Listening: /a",
        "Listening: /b",
        "Registration: open",
        "Link: p2pchat:mailbox/plain",
    ]


def test_what_is_announced_is_not_where_it_listens() -> None:
    named = ("/dns4/box.example.org/tcp/1",)
    here = actors.MailboxDescription(
        peer=PEER, addresses=[f"{named[0]}/p2p/{PEER}", f"/a/p2p/{PEER}"]
    )
    lines = list(first_lines(with_policy(RegistrationPolicy.OPEN), here, [], named))
    assert lines[2:4] == [f"Announced: {named[0]}/p2p/{PEER}", f"Listening: /a/p2p/{PEER}"]


def test_the_link_of_the_first_invite_that_has_uses_left() -> None:
    config = with_policy(RegistrationPolicy.INVITE)
    assert said(config, 0, 1, 5)[-2:] == [
        "Invite: id, good for 1 more use",
        "Link: p2pchat:mailbox/1",
    ]
    assert not [line for line in said(config, 0) if line.startswith("Link")]
    assert "invites --new" in said(config)[-1]


def test_what_other_commands_do_not_wait_for() -> None:
    look = (
        "import sys, p2pchat.cli.main as m; m.run(['mailbox', 'status', '--data-dir', '/nowhere']);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert not {"trio", "libp2p", "rocksdict", "grpc", "rich"} & set(done.stdout.split())
