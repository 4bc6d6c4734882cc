"""systemd finds nothing wrong with the units, and not much that they could still do."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parent.parent.parent / "deploy" / "systemd"
MAILBOX, NODE = UNITS / "p2pchat-mailbox.service", UNITS / "p2pchat-node.service"
PROGRAM = "/opt/p2pchat/.venv/bin/p2pchat"
WORST = 1.5  # of a mailbox, in systemd's points from 0 to 10; docs/operations.md states what it is
OFFLINE = 250  # the systemd that can look at a file

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not installed (Debian: apt install systemd)",
)


def analyze(*arguments: object, runtime: Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, arguments)]
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_RUNTIME_DIR": str(runtime),
        "SYSTEMD_COLORS": "0",
    }
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=60
    )


def installed(unit: Path, folder: Path) -> Path:
    """The unit, with a program that is there: /opt is of the machine that will run it."""
    assert unit.read_text().count(PROGRAM) == 1
    there = folder / unit.name
    there.write_text(unit.read_text().replace(PROGRAM, "/bin/true").replace("file:///opt", "man:"))
    return there


@needs_systemd
@pytest.mark.parametrize(("unit", "manager"), [(MAILBOX, "--system"), (NODE, "--user")])
def test_systemd_understands_every_line(unit: Path, manager: str, tmp_path: Path) -> None:
    done = analyze(manager, "--man=no", "verify", installed(unit, tmp_path), runtime=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_a_mailbox_can_do_no_more_than_it_has_to(tmp_path: Path) -> None:
    version = subprocess.run(
        ["systemd-analyze", "--version"], capture_output=True, text=True, check=True
    )
    if int(re.findall(r"\d+", version.stdout)[0]) < OFFLINE:
        pytest.skip("this systemd-analyze cannot look at a file")
    threshold = f"--threshold={round(WORST * 10)}"
    unit = installed(MAILBOX, tmp_path)
    done = analyze("security", "--offline=true", "--no-pager", threshold, unit, runtime=tmp_path)
    assert done.returncode == 0, done.stdout[-200:]
    assert "Overall exposure level" in done.stdout


def test_the_units_speak_to_systemd_and_log_to_the_journal() -> None:
    for unit in (MAILBOX, NODE):
        service = settings_of(unit)["Service"]
        assert (service["type"], service["notifyaccess"]) == ("notify", "main")
        assert service["watchdogsec"] == "30s"
        assert "--log-file" not in service["execstart"]
        assert service["execstart"].split()[0] == PROGRAM


def test_the_workers_of_a_mailbox_are_stopped_by_their_parent() -> None:
    """Told by systemd as well, they would look as if they had failed."""
    service = settings_of(MAILBOX)["Service"]
    assert service["killmode"] == "mixed"
    assert service["timeoutstopsec"] == "30s"  # longer than the parent takes, however they behave


def settings_of(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.read(unit)
    return parser
