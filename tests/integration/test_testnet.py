"""`p2pchat testnet` as a user starts it: tiny networks of real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

P2PCHAT = Path(sys.executable).with_name("p2pchat")
PATIENCE = 240.0  # seconds; a hang fails, a slow machine does not


class Testnet:
    """The command, with its report and everybody's data below one folder."""

    __test__ = False

    def __init__(self, folder: Path, *options: str) -> None:
        self.reports = folder / "report"
        command = [str(P2PCHAT), "testnet", "--report", str(self.reports), *options]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._folder = folder

    def until(self, *parts: str) -> None:
        """A line of its progress has all the parts."""
        assert self.process.stderr is not None
        heard = []
        for line in self.process.stderr:
            heard.append(line)
            if all(part in line for part in parts):
                return
        pytest.fail(f"it ended before it said {parts}: {''.join(heard)}")

    def end(self, expected: int) -> str:
        """Its standard output, after an exit code as expected."""
        said, errors = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == expected, f"{said}\n{errors}"
        return said

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.reports / "report.json").read_text())
        return found

    def data(self) -> Path:
        [found] = self._folder.glob("p2pchat-net-*")
        return found

    def others(self) -> list[psutil.Process]:
        """Everybody that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def of(self, name: str) -> psutil.Process:
        path = str(self.data() / name)
        return next(each for each in self.others() if path in each.cmdline())


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, for sockets are in it: pytest's own may be too long."""
    with tempfile.TemporaryDirectory(prefix="tn-", dir="/tmp") as made:
        yield Path(made)


@contextmanager
def network(folder: Path, *options: str) -> Iterator[Testnet]:
    """Whatever a test finds, nobody is left."""
    started = Testnet(folder, *options)
    others: list[psutil.Process] = []
    try:
        yield started
        others = started.others() if started.process.poll() is None else []
    finally:
        for each in others:
            each.kill()
        started.process.kill()
        started.process.communicate()


def test_killed_nodes_lose_nothing(folder: Path) -> None:
    options = ("--nodes", "2", "--mailboxes", "1", "--seconds", "6", "--faults", "kill", "--json")
    with network(folder, *options) as started:
        said = started.end(0)
    found = started.report()
    verdict = json.loads(said)
    assert verdict == found["verdict"]
    assert verdict["good"]
    assert verdict["sent"] > 0
    assert verdict["arrived"] == verdict["expected"] > 0
    assert found["faults"]
    assert verdict["faults_done"] == {"kill": len(found["faults"])}
    assert all(each["kind"] == "kill" and each["ended"] for each in found["faults"])
    assert all(member["samples"] for member in found["members"])
    assert not list(folder.glob("p2pchat-net-*"))
    page = (started.reports / "report.html").read_text()
    assert "Nothing is lost or doubled" in page
    assert str(folder) not in page + json.dumps(found)


@pytest.mark.soak
def test_a_recipient_whose_store_was_wiped_is_found_out(folder: Path) -> None:
    options = ("--nodes", "2", "--mailboxes", "1", "--seconds", "9", "--settle", "3")
    with network(folder, *options, "--faults", "none") as started:
        started.until("traffic: sent", "read ")
        shutil.rmtree(started.data() / "node-2" / "store")
        started.of("node-2").kill()
        said = started.end(1)
    found = started.report()
    assert found["verdict"]["lost"] > 0
    assert any(each["where"] == "node-2" for each in found["verdict"]["findings"])
    assert any("node-2 ended" in text for text in found["ended_unasked"])
    assert "Bad" in said


def test_nobody_outlives_a_killed_driver_not_even_who_is_stopped(folder: Path) -> None:
    options = ("--nodes", "2", "--mailboxes", "1", "--seconds", "600", "--faults", "none")
    with network(folder, *options) as started:
        started.until("traffic")
        started.of("node-1").suspend()
        started.of("mailbox-1").suspend()
        others = started.others()
        assert len(others) == 4  # with the guard
        started.process.send_signal(signal.SIGKILL)
        _, left = psutil.wait_procs(others, PATIENCE)
        assert not left
        assert not list(folder.glob("p2pchat-net-*"))  # the guard is the last to go


def test_ctrl_c_stops_in_order_and_leaves_a_report(folder: Path) -> None:
    options = ("--nodes", "2", "--mailboxes", "0", "--seconds", "600", "--faults", "stop")
    with network(folder, *options) as started:
        started.until("traffic: sent")
        others = started.others()
        started.process.send_signal(signal.SIGINT)
        started.until("Stopping everybody ...")
        said = started.end(1)
        _, left = psutil.wait_procs(others, PATIENCE)
    assert not left
    assert "stopped" in said
    assert started.report()["verdict"] is None
    assert started.report()["counts"]["sent"] > 0
    assert not list(folder.glob("p2pchat-net-*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--faults", "fire"), "there is no fault 'fire'"),
        (("--nodes", "1"), "--nodes must be from 2"),
        (("--faults", "partition"), "cannot be done here"),
    ],
)
def test_wrong_use_is_exit_code_2(folder: Path, options: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [P2PCHAT, "testnet", *options],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
