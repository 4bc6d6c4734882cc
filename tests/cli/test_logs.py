"""A log for people, or one object a line for programs."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.cli import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What the log of a process changes is changed back."""
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, logging.getLogger("p2pchat").level
    hooks, raises = (threading.excepthook, sys.unraisablehook), logging.raiseExceptions
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("p2pchat").setLevel(ours)
    threading.excepthook, sys.unraisablehook = hooks
    logging.raiseExceptions = raises
    logging.captureWarnings(False)


def test_one_object_a_line_whatever_is_said(tmp_path: Path) -> None:
    logs.log_to_file(tmp_path / "log", "info", logs.JSON)
    ours = logging.getLogger("p2pchat.x")
    ours.info("a %s\nof two lines", "text")
    try:
        raise KeyError("gone")
    except KeyError:
        ours.exception("failed")
    first, second = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {"level": "info", "logger": "p2pchat.x", "message": "a text\nof two lines"}
    assert second["message"] == "failed"
    assert "KeyError: 'gone'" in second["exception"]


def test_a_service_logs_to_standard_error_unless_told_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start("", "info")
    logging.getLogger("p2pchat.x").info("here")
    assert " INFO    p2pchat.x: here" in capsys.readouterr().err
    logs.start(str(tmp_path / "log"), "info")
    logging.getLogger("p2pchat.x").info("there")
    assert "there" in (tmp_path / "log").read_text()
    assert capsys.readouterr().err == ""


def test_a_late_log_is_made_with_its_first_line(tmp_path: Path) -> None:
    logs.log_to_file(tmp_path / "log", "warning", late=True)
    logging.getLogger("p2pchat.x").info("unheard")
    assert not (tmp_path / "log").exists()
    logging.getLogger("p2pchat.x").warning("heard")
    assert "heard" in (tmp_path / "log").read_text()


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard error is what systemd says it reads for its journal."""
    there = os.fstat(sys.stderr.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{there.st_dev}:{there.st_ino}")


@pytest.mark.usefixtures("journal")
def test_each_line_for_the_journal_has_its_level(capfd: pytest.CaptureFixture[str]) -> None:
    logs.start("", "debug")
    ours = logging.getLogger("p2pchat.x")
    ours.debug("d")
    ours.info("i")
    ours.warning("w\nw")
    ours.critical("c")
    print(logs.for_journal("p2pchat: e"), file=sys.stderr)
    assert capfd.readouterr().err.splitlines() == [
        "<7>p2pchat.x: d",
        "<6>p2pchat.x: i",
        "<4>p2pchat.x: w",
        "<4>w",
        "<2>p2pchat.x: c",
        "<3>p2pchat: e",
    ]


@pytest.mark.usefixtures("journal")
def test_objects_for_the_journal_are_whole_behind_their_level(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.start("", "info", logs.JSON)
    logging.getLogger("p2pchat.x").error("e")
    level, _, rest = capfd.readouterr().err.partition(">")
    assert (level, json.loads(rest)["message"]) == ("<3", "e")


def test_a_journal_that_somebody_else_s_output_goes_to_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.start("", "info")
    logging.getLogger("p2pchat.x").info("here")
    print(logs.for_journal("there"), file=sys.stderr)
    first, second = capfd.readouterr().err.splitlines()
    assert first.endswith(" INFO    p2pchat.x: here")
    assert second == "there"
