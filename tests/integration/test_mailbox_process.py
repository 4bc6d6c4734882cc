"""`p2pchat mailbox` as a process of its own, and its operator's commands as others."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.protocol.links import MailboxLink, parse_link

P2PCHAT = Path(sys.executable).with_name("p2pchat")
PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
PATIENCE = 60.0  # seconds
QUIET = ("--listen", "/ip4/127.0.0.1/tcp/0", "--bootstrap", "none", "--no-mdns")
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("P2PCHAT_") and name != "DATA_DIR"
}


class MailboxProcess:
    """A running one; `facts` is what it says first, by the word before the colon."""

    def __init__(self, folder: Path, *more: str) -> None:
        self._process = subprocess.Popen(
            [str(P2PCHAT), "mailbox", "--data-dir", str(folder), *QUIET, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self.facts: dict[str, str] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, fact = line.rstrip("\n").partition(": ")
            self.facts[word] = fact
            if word == "Link":
                break

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and log."""
        self._process.send_signal(number)
        return self.end()

    def end(self) -> tuple[int, str]:
        """Exit code and log, once it has ended by itself."""
        _, log = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, log

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def running(folder: Path, *more: str) -> Iterator[MailboxProcess]:
    with contextlib.closing(MailboxProcess(folder, *more)) as process:
        yield process


def operate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(P2PCHAT), "mailbox", *words, "--data-dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=ENVIRONMENT,
    )


def status(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(operate(folder, "status", "--json").stdout)
    return found


def test_a_life_and_another(tmp_path: Path) -> None:
    with running(tmp_path) as mailbox:
        link = parse_link(mailbox.facts["Link"])
        assert isinstance(link, MailboxLink)
        assert link.token
        assert link.peer == mailbox.facts["Peer id"]
        assert f"{link.addresses[0]}/p2p/{link.peer}" == mailbox.facts["Listening"]
        assert mailbox.facts["Registration"] == "invite"

        assert link.peer in operate(tmp_path, "status").stdout
        made = operate(tmp_path, "invites", "--new", "--uses", "2", "--label", "friends").stdout
        assert operate(tmp_path, "block", PEER, "--note", "spam").returncode == 0
        before = operate(tmp_path, "invites").stdout
        assert made.splitlines()[0] in before
        assert mailbox.facts["Link"] in before
        assert (status(tmp_path)["invites"], status(tmp_path)["blocked"]) == (2, 1)

        code, log = mailbox.stop()
        assert code == 0
        assert "Traceback" not in log
        assert link.peer not in log

    gone = operate(tmp_path, "status")
    assert (gone.returncode, gone.stdout) == (2, "")
    assert gone.stderr == f"p2pchat: No mailbox is running on {tmp_path}.\n"

    with running(tmp_path) as again:
        found = parse_link(again.facts["Link"])
        assert isinstance(found, MailboxLink)
        assert (found.peer, found.token) == (link.peer, link.token)
        assert len(operate(tmp_path, "invites").stdout.splitlines()) == 4
        assert PEER in operate(tmp_path, "blocks").stdout
        assert again.stop(signal.SIGINT)[0] == 0


def test_after_a_kill_the_socket_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path) as mailbox:
        assert mailbox.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    assert (tmp_path / "node.sock").exists()
    with running(
        tmp_path, "--registration", "open", "--announce", "/dns4/a.example/tcp/1"
    ) as again:
        assert again.facts["Link"].endswith("?a=/dns4/a.example/tcp/1")
        assert status(tmp_path)["registration"] == "open"
        assert again.stop()[0] == 0


@pytest.mark.parametrize("name", ["short", "long" * 40])
def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with running(folder) as first:
        with running(folder) as second:
            assert second.facts == {}
            code, said = second.end()
            assert code == 2
            assert said.splitlines()[-1].startswith("p2pchat: ")
            assert "Traceback" not in said
        assert operate(folder, "status").returncode == 0
        assert first.stop()[0] == 0
