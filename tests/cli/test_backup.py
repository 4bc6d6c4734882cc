from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from p2pchat.cli import control_client, passphrase
from p2pchat.cli.main import run
from p2pchat.node.protocol import age
from p2pchat.proto import control_pb2 as control
from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail
from tests import store_process
from tests.node.backup.folders import make_node, members, texts

P2PCHAT = Path(sys.executable).with_name("p2pchat")
PASSPHRASE = "correct horse battery"
PATIENCE = 60  # seconds


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "WORK_FACTOR", 4)
    monkeypatch.delenv("P2PCHAT_PASSPHRASE", raising=False)
    monkeypatch.delenv("P2PCHAT_DATA_DIR", raising=False)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    make_node(tmp_path / "node")
    return tmp_path / "node"


def arguments(command: str, file: Path, data_dir: Path, *more: str) -> list[str]:
    return [command, str(file), "--data-dir", str(data_dir), *more]


def typed(command: list[str], *answers: str) -> tuple[int, str]:
    """Exit code and screen of a command whose questions are answered in a terminal."""
    child = pexpect.spawn(str(P2PCHAT), command, encoding="utf-8", timeout=PATIENCE)
    screen = ""
    try:
        for answer in answers:
            child.expect(": $")
            screen += child.before + child.after
            child.sendline(answer)
        child.expect(pexpect.EOF)
        screen += child.before
        child.close()
    finally:
        child.close(force=True)
    assert child.exitstatus is not None
    return child.exitstatus, screen


def test_there_and_back_by_the_environment(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", PASSPHRASE)
    backup, new = tmp_path / "b.age", tmp_path / "new"
    assert run(arguments("backup", backup, node)) == 0
    assert f"Written: {backup}" in capsys.readouterr().out
    assert run(arguments("restore", backup, new)) == 0
    said = capsys.readouterr()
    assert "Peer id:  12D3KooW" in said.out
    assert f"Start it: p2pchat node --data-dir {new}" in said.out
    assert "Never run this and the node" in said.err
    assert texts(new) == texts(node)


def make_mailbox(folder: Path) -> None:
    make_node(folder)
    mail = RocksdbMail(folder / "mail")
    mail.open()
    mail.close()


def test_what_was_a_mailbox_is_called_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", PASSPHRASE)
    box, backup = tmp_path / "box", tmp_path / "b.age"
    make_mailbox(box)
    assert run(arguments("backup", backup, box)) == 0
    for new, words in (
        (tmp_path / "new", f"p2pchat mailbox --data-dir {tmp_path / 'new'}\n"),
        (
            tmp_path / "new" / "workers" / "2",
            f"p2pchat mailbox --workers N --data-dir {tmp_path / 'new'} (N as before: this is its worker 2)\n",
        ),
    ):
        capsys.readouterr()
        assert run(arguments("restore", backup, new)) == 0
        said = capsys.readouterr()
        assert f"Start it: {words}" in said.out
        assert "Never run this and the mailbox" in said.err


def test_a_passphrase_that_is_no_text_is_one_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", os.fsdecode(b"caf\xe9 caf\xe9"))
    assert passphrase.new_passphrase(None) == b"caf\xe9 caf\xe9"
    assert passphrase.known_passphrase(None) == b"caf\xe9 caf\xe9"


def test_the_passphrase_comes_from_a_file(
    node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, backup = tmp_path / "secret", tmp_path / "b.age"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o644)
    given = ("--passphrase-file", str(secret))
    assert run(arguments("backup", backup, node, *given)) == 0
    assert f"Others on this computer may read {secret}" in capsys.readouterr().err
    secret.chmod(0o600)
    secret.write_text(PASSPHRASE)
    assert run(arguments("restore", backup, tmp_path / "new", *given)) == 0
    assert "may read" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "on one line"),
        (b"\n", "on one line"),
        (b"one line\nand another\n", "on one line"),
        (b"x" * 5000, "on one line"),
        (b"\xff\xfe\xff\xfe\xff", "UTF-8"),
        (b"short", "at least 8 characters"),
    ],
)
def test_a_passphrase_file_holds_a_passphrase_and_nothing_else(
    content: bytes, words: str, node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    backup = tmp_path / "b.age"
    code = run(arguments("backup", backup, node, "--passphrase-file", str(secret)))
    assert code == 2
    assert words in capsys.readouterr().err
    assert not backup.exists()


def test_without_a_terminal_it_says_how_to_give_it(
    node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments("backup", tmp_path / "b.age", node)) == 2
    assert "--passphrase-file" in capsys.readouterr().err


def test_a_terminal_asks_twice_for_a_new_one_and_once_for_a_known_one_and_shows_neither(
    node: Path, tmp_path: Path
) -> None:
    backup, new = tmp_path / "b.age", tmp_path / "new"
    code, screen = typed(arguments("backup", backup, node), PASSPHRASE, PASSPHRASE)
    assert code == 0
    assert "Passphrase for the backup:" in screen
    assert "The same again:" in screen
    assert PASSPHRASE not in screen
    code, screen = typed(arguments("restore", backup, new), "another one")
    assert code == 2
    assert "The passphrase does not open" in " ".join(screen.split())
    assert not new.exists()
    code, screen = typed(arguments("restore", backup, new), PASSPHRASE)
    assert code == 0
    assert PASSPHRASE not in screen
    assert texts(new) == texts(node)


def test_a_passphrase_that_is_not_the_same_twice_is_none(node: Path, tmp_path: Path) -> None:
    backup = tmp_path / "b.age"
    code, screen = typed(arguments("backup", backup, node), PASSPHRASE, PASSPHRASE + "x")
    assert code == 2
    assert "not the same" in screen
    assert not backup.exists()


def test_what_cannot_be_done_is_said_before_a_passphrase_is_asked_for(
    node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.age").write_text("x")
    (tmp_path / "new").mkdir()
    for command, words in (
        (arguments("backup", tmp_path / "b.age", node), "--replace"),
        (arguments("backup", tmp_path / "c.age", tmp_path / "new"), "no node has run there"),
        (arguments("backup", tmp_path / "no" / "c.age", node), "in a folder that is there"),
        (arguments("backup", tmp_path, node, "--replace"), "can be no file"),
        (arguments("backup", node / "c.age", node), "belongs elsewhere"),
        (arguments("restore", tmp_path / "b.age", node), "not empty"),
        (arguments("restore", tmp_path / "b.age", tmp_path / "new"), "no backup"),
        (arguments("restore", tmp_path / "none", tmp_path / "new"), "No such file"),
    ):
        assert run(command) == 2
        assert words in capsys.readouterr().err


def test_a_store_that_is_open_and_answers_nobody_is_said(
    node: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", PASSPHRASE)
    with store_process.start("hold", node / "store") as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "open\n"
        assert run(arguments("backup", tmp_path / "b.age", node)) == 2
        child.stdin.close()
    assert "stop it" in capsys.readouterr().err
    assert not (tmp_path / "b.age").exists()


class _PlayedNode:
    """Has made a checkpoint of one store, which is not the one that has a field of its own."""

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint

    @contextlib.contextmanager
    def asked(self, _folder: Path) -> Iterator[_PlayedNode]:
        yield self

    def ask(self, _: object, _timeout: float) -> control.MakeCheckpointResponse:
        return control.MakeCheckpointResponse(stores={"mail": str(self._checkpoint)})


def test_nothing_but_the_checkpoints_is_deleted_afterwards(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", PASSPHRASE)
    checkpoint, here = node / "mail.checkpoint", tmp_path / "here"
    shutil.copytree(node / "store", checkpoint)
    here.mkdir()
    (here / "letter.txt").write_text("mine")
    monkeypatch.chdir(here)
    monkeypatch.setattr(control_client, "node", _PlayedNode(checkpoint).asked)
    with store_process.start("hold", node / "store") as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "open\n"
        assert run(arguments("backup", tmp_path / "b.age", node)) == 0
        child.stdin.close()
    assert not checkpoint.exists()
    assert (here / "letter.txt").read_text() == "mine"


def test_being_told_to_stop_leaves_nothing_and_is_no_success(node: Path, tmp_path: Path) -> None:
    secret, backup = tmp_path / "secret", tmp_path / "b.age"
    os.mkfifo(secret, 0o600)  # whoever reads it waits
    command = arguments("backup", backup, node, "--passphrase-file", str(secret))
    child = subprocess.Popen([P2PCHAT, *command], stderr=subprocess.PIPE, text=True)
    with secret.open("w"):  # it is being read
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=PATIENCE)
    assert child.returncode == 1
    assert "Nothing was done" in said
    assert not backup.exists()


def test_further_workers_of_a_mailbox_are_named_and_left_out(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", PASSPHRASE)
    further = node / "workers" / "1"
    further.mkdir(parents=True)
    make_node(further)
    assert run(arguments("backup", tmp_path / "b.age", node)) == 0
    assert f"p2pchat backup FILE --data-dir {further}" in capsys.readouterr().err
    assert run(arguments("backup", tmp_path / "further.age", further)) == 0
    assert capsys.readouterr().err == ""
    assert not any("workers" in name for name in members(tmp_path / "b.age"))
