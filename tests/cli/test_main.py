from __future__ import annotations

import io
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from p2pchat.cli import main, node
from p2pchat.node.config import NodeConfig, RoomConfig
from p2pchat.node.errors import ListenError

MAILBOX = "p2pchat:mailbox/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


class Started:
    """What `p2pchat node` would have run."""

    def __init__(self) -> None:
        self.config = NodeConfig(Path())
        self.manner = node.Manner()

    def __call__(self, config: NodeConfig, manner: node.Manner) -> int:
        self.config, self.manner = config, manner
        return 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    stand_in = Started()
    monkeypatch.setattr(node, "start", stand_in)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return stand_in


def test_flags_win_over_environment_over_file(
    started: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "chat.toml"
    file.write_text(
        "name = 'file'\nroom = ['file']\nlog-level = 'debug'\nmdns = false\nupnp = true\ndht = false"
    )
    monkeypatch.setenv("P2PCHAT_NAME", "environment")
    monkeypatch.setenv("P2PCHAT_ROOM", "environment")
    assert main.run(["node", "--config", str(file), "--name", "flag"]) == 0
    assert started.config.name == "flag"
    assert started.config.rooms == (RoomConfig("environment"),)
    assert started.manner.log_level == "debug"
    assert not started.config.mdns
    assert (started.config.upnp, started.config.dht) == (True, False)
    assert started.config.data_dir == tmp_path


def test_every_option_has_a_variable(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATA_DIR": "/somewhere",
        "ROOM": "lobby, garden",
        "PLAIN_ROOM": "attic",
        "PLAIN": "yes",
        "HEADLESS": "yes",
        "NAME": "Ada",
        "LISTEN": "/ip4/127.0.0.1/tcp/0 /ip6/::1/tcp/0",
        "BOOTSTRAP": "none",
        "MDNS": "0",
        "DHT": "no",
        "UPNP": "yes",
        "MAILBOX": f"{MAILBOX}?t=a, {MAILBOX}?t=b",
        "READ_RECEIPTS": "no",
        "MESSAGE_DAYS": "7",
        "ROOM_DAYS": "90",
        "CONTROL_LISTEN": "localhost:7443",
        "METRICS": "9464",
        "LOG_LEVEL": "WARNING",
        "LOG_FILE": "/some/log",
        "LOG_FORMAT": "JSON",
    }.items():
        monkeypatch.setenv(f"P2PCHAT_{name}", value)
    assert main.run(["node"]) == 0
    assert started.config == NodeConfig(
        data_dir=Path("/somewhere"),
        name="Ada",
        rooms=(RoomConfig("lobby"), RoomConfig("garden"), RoomConfig("attic", plain=True)),
        listen=("/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"),
        bootstrap=(),
        mdns=False,
        dht=False,
        upnp=True,
        mailboxes=(f"{MAILBOX}?t=a", f"{MAILBOX}?t=b"),
        read_receipts=False,
        message_days=7,
        room_days=90,
        control_listen="localhost:7443",
        metrics="127.0.0.1:9464",
    )
    assert started.manner == node.Manner(
        headless=True,
        plain=True,
        log_level="warning",
        log_file="/some/log",
        log_format="json",
        arguments=("node",),
    )


def test_the_variables_that_users_know(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_TOPIC", "old")
    assert main.run(["node"]) == 0
    assert started.config.rooms == (RoomConfig("old"),)

    monkeypatch.setenv("P2PCHAT_ROOM", "new")
    monkeypatch.setenv("P2PCHAT_DATA_DIR", "/new")
    assert main.run(["node"]) == 0
    assert started.config.rooms == (RoomConfig("new"),)
    assert started.config.data_dir == Path("/new")


def test_flags_are_taken_as_they_are(started: Started) -> None:
    direct = ["--mailbox", MAILBOX, "--no-read-receipts", "--message-days", "1"]
    network = ["--no-mdns", "--no-dht", "--upnp", "--listen", "none"]
    flags = ["--room", "a,b", "--room", "c", *network, *direct]
    assert main.run(["node", *flags]) == 0
    assert started.config.rooms == (RoomConfig("a,b"), RoomConfig("c"))
    assert not started.config.mdns
    assert not started.config.dht
    assert started.config.upnp
    assert started.config.listen == ()
    assert started.config.mailboxes == (MAILBOX,)
    assert not started.config.read_receipts
    assert started.config.message_days == 1


def test_the_file_may_be_named_in_the_environment(
    started: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "chat.toml").write_text("name = 'file'")
    monkeypatch.setenv("P2PCHAT_CONFIG", str(tmp_path / "chat.toml"))
    assert main.run(["node"]) == 0
    assert started.config.name == "file"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["node", "--listen", "nonsense"], "--listen: 'nonsense'"),
        (["node", "--name", "x" * 40], "--name: "),
        (["node", "--room", ""], "--room: "),
        (["node", "--log-level", "loud"], "--log-level: 'loud' is none of debug"),
        (["node", "--log-format", "xml"], "--log-format: 'xml' is none of text, json"),
        (["node", "--plain-room", "a b"], "--plain-room: "),
        (["node", "--room", "a", "--plain-room", "a"], "--plain-room: 'a' is a room of --room"),
        (["attach", "--data-dir", "/nowhere"], "needs a terminal"),
        (["node", "--config", "/nowhere.toml"], "/nowhere.toml"),
        (["node", "--listne", "x"], "--listne"),
        (["node", "--mailbox", "x"], "--mailbox: "),
        (["node", "--message-days", "0"], "--message-days: 0 is not"),
        (["node", "--message-days", "few"], "few"),
        (["nod"], "node"),
        (["node", "--data-dir", "/dev/null"], "/dev/null is not a folder"),
        (["identity", "show", "--data-dir", "/nowhere"], "no identity in /nowhere"),
        (["identity", "show", "--data-dir", "/no where"], "identity new --data-dir '/no where'"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("p2pchat: ")
    assert shown.err.count("\n") == 1
    assert part in shown.err


def test_a_wrong_word_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("P2PCHAT_MDNS", "perhaps")
    assert main.run(["node"]) == 2
    shown = capsys.readouterr().err
    assert "P2PCHAT_MDNS" in shown
    assert "Recognized values: 0, 1" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("P2PCHAT_LISTEN", "nonsense"),
        ("P2PCHAT_BOOTSTRAP", "nonsense"),
        ("CHAT_TOPIC", "x" * 65),
        ("P2PCHAT_NAME", "x" * 40),
        ("P2PCHAT_LOG_LEVEL", "loud"),
        ("P2PCHAT_PLAIN_ROOM", "x" * 65),
        ("P2PCHAT_MAILBOX", "nonsense"),
        ("P2PCHAT_MESSAGE_DAYS", "400"),
    ],
)
def test_a_wrong_value_names_its_variable(
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert main.run(["node"]) == 2
    assert capsys.readouterr().err.startswith(f"p2pchat: {variable}")


def test_a_wrong_value_names_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lobby.toml"
    for setting, option in (("listen = 'x'", "listen"), ("log_level = 'loud'", "log-level")):
        file.write_text(setting)
        assert main.run(["node", "--config", str(file)]) == 2
        assert capsys.readouterr().err.startswith(f"p2pchat: in {file}, {option}: ")
    assert main.run(["node", "--config", str(file), "--log-level", "silent"]) == 2
    assert capsys.readouterr().err.startswith("p2pchat: --log-level: ")


def test_a_node_that_cannot_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ListenError("Port 4001 is in use.")

    monkeypatch.setattr(node, "start", fail)
    assert main.run(["node"]) == 2
    assert capsys.readouterr().err == "p2pchat: Port 4001 is in use.\n"


def test_a_damaged_identity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "identity.key").write_bytes(b"garbage")
    assert main.run(["node", "--data-dir", str(tmp_path)]) == 2
    assert "damaged" in capsys.readouterr().err


def test_identity_show_and_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data-dir", str(tmp_path / "data")]
    assert main.run(["identity", "new", *where]) == 0
    made = capsys.readouterr().out
    assert "12D3KooW" in made
    key = tmp_path / "data" / "identity.key"
    assert str(key) in made
    assert stat.S_IMODE(key.stat().st_mode) == 0o600

    assert main.run(["identity", "show", *where]) == 0
    assert capsys.readouterr().out == made

    assert main.run(["identity", "new", *where]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main.run(["identity", "new", "--replace", "--yes", *where]) == 0
    assert capsys.readouterr().out != made


def test_replacing_an_identity_asks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(tmp_path)]
    assert main.run(["identity", "new", *where]) == 0
    before = (tmp_path / "identity.key").read_bytes()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main.run(["identity", "new", "--replace", *where]) == 1
    assert (tmp_path / "identity.key").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["node", "--help"], ["identity", "--help"], ["doctor", "--help"]],
)
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 0
    assert "Usage: p2pchat" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("p2pchat 0.")


def test_what_the_first_screen_does_not_wait_for() -> None:
    """Import time is what a user waits for; what takes long is imported behind the screen."""
    look = (
        "import sys, p2pchat.cli.main, p2pchat.cli.terminal.program, p2pchat.cli.terminal.screen;"
        "p2pchat.cli.node.start = lambda *_: None; p2pchat.cli.main.run(['node']);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    slow = {
        "trio",
        "libp2p",
        "multiaddr",
        "rocksdict",
        "google",
        "grpc",
        "rich",
        "pydantic",  # with typer 0.29, for every command line
        "pygments",
        "zeroconf",
    }
    assert not slow & set(done.stdout.split())
