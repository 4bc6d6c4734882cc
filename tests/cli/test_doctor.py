"""`p2pchat doctor` as it is typed: whom it asks, what it says, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import trio

from p2pchat.cli import data_folder, doctor, logs, mailbox_settings, main, settings
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ListenError
from p2pchat.proto.actors_pb2 import Check, Diagnosis
from tests.node.control.stage import role_served
from tests.node.control.test_every_role import playing, stopping

WELL = [Check(name="disk", finding="Much is free.")]
ILL = [*WELL, Check(name="peers", verdict=Check.FAILED, finding="Nobody.", advice="Wait.")]
MAILBOX = "p2pchat:mailbox/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


class TriedOut:
    """Stands where a node would be started."""

    def __init__(self) -> None:
        self.checks: Sequence[Check] = WELL
        self.config = NodeConfig(Path())
        self.folder: set[str] = set()  # what was in it

    def __call__(self, config: NodeConfig, who: identity.Identity) -> Sequence[Check]:
        self.config = config
        self.folder = {path.name for path in config.data_dir.iterdir()}
        return self.checks


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> TriedOut:
    for name in [name for name in os.environ if name.startswith("P2PCHAT_")] + ["DATA_DIR"]:
        monkeypatch.delenv(name, raising=False)
    stand_in = TriedOut()
    monkeypatch.setattr(doctor, "_run", stand_in)
    return stand_in


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    """The default folders of a node and of a mailbox."""
    node, box = tmp_path / "node", tmp_path / "box"
    monkeypatch.setattr(settings, "data_dir", lambda given: Path(given) if given else node)
    monkeypatch.setattr(mailbox_settings, "data_dir", lambda given: box)
    return node, box


def make_mail(folder: Path) -> None:
    (folder / "mail").mkdir(parents=True)
    (folder / "mail" / "CURRENT").touch()


# ---- nothing runs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("checks", "code"), [(WELL, 0), (ILL, 1)])
def test_a_node_is_tried_out_in_its_own_folder(
    checks: list[Check],
    code: int,
    tried: TriedOut,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    identity.create(tmp_path / "identity.key")
    tried.checks = checks
    network = ["--listen", "/ip4/127.0.0.1/tcp/0", "--bootstrap", f"{MAILBOX}?a=/ip4/1.2.3.4/tcp/1"]
    more = ["--no-mdns", "--no-dht", "--upnp", "--mailbox", MAILBOX]
    assert main.run(["doctor", "--data-dir", str(tmp_path), *network, *more]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith("  ok    disk ")
    config = tried.config
    assert config.data_dir == tmp_path
    assert config.listen == ("/ip4/127.0.0.1/tcp/0",)
    assert config.bootstrap[0].startswith("/ip4/1.2.3.4/tcp/1/p2p/12D3")
    assert (config.mdns, config.dht, config.upnp) == (False, False, True)
    assert config.mailboxes == (MAILBOX,)
    assert (config.rooms, config.default_room, config.rejoin) == ((), False, False)


def test_for_programs(tried: TriedOut, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    identity.create(tmp_path / "identity.key")
    tried.checks = ILL
    assert main.run(["doctor", "--data-dir", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "checks": [
            {"name": "disk", "verdict": "OK", "finding": "Much is free.", "advice": ""},
            {"name": "peers", "verdict": "FAILED", "finding": "Nobody.", "advice": "Wait."},
        ],
        "ok": False,
    }


def test_the_file_of_a_node_will_do(tried: TriedOut, tmp_path: Path) -> None:
    identity.create(tmp_path / "identity.key")
    file = tmp_path / "chat.toml"
    file.write_text(f"data-dir = '{tmp_path}'\nname = 'Ada'\nroom = ['den']\nupnp = true")
    assert main.run(["doctor", "--config", str(file)]) == 0
    assert tried.config.data_dir == tmp_path
    assert tried.config.upnp
    assert tried.config.rooms == ()


def test_a_question_makes_nobody_an_identity(
    tried: TriedOut, homes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    node, _ = homes
    assert main.run(["doctor"]) == 0
    assert not node.exists()
    assert tried.folder == {"identity.key"}
    assert not tried.config.data_dir.exists()  # any more
    assert f"There is no node in {node} yet" in capsys.readouterr().err


def test_where_there_is_only_a_mailbox_one_is_told_how_to_ask_it(
    tried: TriedOut, homes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, box = homes
    make_mail(box)
    assert main.run(["doctor"]) == 2
    assert f"p2pchat doctor --data-dir {box}" in capsys.readouterr().err


def test_a_mailbox_that_does_not_run_is_not_tried_out(
    tried: TriedOut, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_mail(tmp_path)
    identity.create(tmp_path / "identity.key")
    assert main.run(["doctor", "--data-dir", str(tmp_path)]) == 2
    assert f"p2pchat mailbox --data-dir {tmp_path}" in capsys.readouterr().err
    assert tried.folder == set()


def test_a_port_that_is_taken_is_what_was_asked_for(
    tried: TriedOut,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> Sequence[Check]:
        raise ListenError("Port 4001 is in use.")

    identity.create(tmp_path / "identity.key")
    monkeypatch.setattr(doctor, "_run", fail)
    assert main.run(["doctor", "--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith("  FAIL  listening  Port 4001 is in use.\n")


def test_something_runs_there_and_has_no_socket(
    tried: TriedOut,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(data_folder, "is_in_use", lambda store: store == tmp_path / "store")
    monkeypatch.setattr(doctor, "SOCKET_PATIENCE", 0.0)
    assert main.run(["doctor", "--data-dir", str(tmp_path)]) == 1  # nothing was asked wrongly
    shown = capsys.readouterr().err
    assert "does not answer" in shown
    assert "/doctor" in shown


def test_one_that_is_stopped_while_it_loads_has_found_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 0)  # lets Python see the signal

    identity.create(tmp_path / "identity.key")
    monkeypatch.setattr(logs, "log_to_file", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    alone = ["--listen", "none", "--bootstrap", "none", "--no-mdns"]
    assert main.run(["doctor", "--data-dir", str(tmp_path), *alone]) == 1
    assert capsys.readouterr() == ("", f"p2pchat: {doctor.STOPPED}\n")
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--bootstrap", "nonsense"], "--bootstrap: 'nonsense'"),
        (["--bootstrap", "p2pchat:peer/x"], "--bootstrap: "),
        (["--listen", "here"], "--listen: 'here'"),
        (["--mailbox", "x"], "--mailbox: "),
        (["--name", "Ada"], "--name"),
    ],
)
def test_bad_use(
    words: list[str], part: str, tried: TriedOut, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["doctor", "--data-dir", "/nowhere", *words]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert part in shown.err


# ---- something runs -------------------------------------------------------------------------------------


async def ask(folder: Path, answer: Callable[[], Awaitable[object]], *words: str) -> int:
    command = ["doctor", "--data-dir", str(folder), *words]
    async with playing(answer) as front, role_served(folder / "node.sock", front):
        assert stat.S_IMODE((folder / "node.sock").stat().st_mode) == 0o600
        return await trio.to_thread.run_sync(main.run, command)


@pytest.mark.parametrize(("checks", "code"), [(WELL, 0), (ILL, 1)])
async def test_what_runs_is_asked(
    checks: list[Check],
    code: int,
    tried: TriedOut,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def diagnosis() -> Diagnosis:
        return Diagnosis(checks=checks)

    assert await ask(tmp_path, diagnosis, "--no-dht", "--listen", "none") == code
    shown = capsys.readouterr()
    assert shown.out.startswith("  ok    disk ")
    assert "--listen, --dht changed nothing" in shown.err
    assert tried.folder == set()
    assert await ask(tmp_path, diagnosis) == code
    assert capsys.readouterr().err == ""


async def test_a_node_that_is_stopping(
    tried: TriedOut, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await ask(tmp_path, stopping) == 1
    assert capsys.readouterr().err == (
        "p2pchat: The node cannot answer: The program is stopping.\n"
    )
