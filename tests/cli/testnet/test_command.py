"""The command's own folders and sentences."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli.testnet import command, docker_place, harm
from p2pchat.cli.testnet.ledger import Copy, Ledger, Receipt
from p2pchat.cli.testnet.ports import PlaceError
from p2pchat.cli.testnet.vocabulary import Kind


def test_sockets_are_in_a_short_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "x" * 100)
    assert command._short_folder() == "/tmp"
    monkeypatch.setattr(tempfile, "tempdir", "/var/tmp")
    assert command._short_folder() == "/var/tmp"
    # The longest name that is put below it; 103 bytes is what macOS leaves.
    below = "/p2pchat-net-12345678/mailbox-20/node.sock"
    assert command.LONGEST_FOLDER + len(os.fsencode(below)) <= 103


def test_the_verdict_in_lines() -> None:
    ledger = Ledger(["ann", "ben"])
    first, second = (ledger.asked("ann", "", 1.0) for _ in range(2))
    empty = _written(ledger)
    assert empty[0].startswith("Bad: Nobody could say anything, so nothing is shown.")
    assert any(line.split() == ["unknown", "2"] for line in empty)
    ledger.accepted(first, "id", 2.0)
    ledger.forget_histories()
    for node in ("ann", "ben"):
        ledger.history(node, True, Copy(first, "ann", True, Receipt.NONE))
    assert _written(ledger, Kind.KILL)[0] == "Good: Nothing is lost or doubled."
    ledger.accepted(second, "id", 2.0)
    bad = _written(ledger)
    assert bad[0].startswith("Bad: Messages are lost, doubled or damaged.")
    assert bad[-1].startswith("message 1 of ann at ")
    ledger.refused(ledger.asked("ann", "", 1.0), "The disk is full.")
    assert "refused (1): The disk is full." in _written(ledger)


def test_the_verdict_says_what_was_done() -> None:
    ledger = Ledger(["ann", "ben"])
    done = _written(ledger, Kind.KILL, Kind.STOP, Kind.KILL)
    assert " faults done: kill 2, stop 1; never came: clock-skew" in done
    assert "no fault happened" not in done[0]
    assert " faults done: none; never came: clock-skew, kill, stop" in _written(ledger)
    assert _written(ledger)[0].endswith("But no fault happened.")


def test_without_faults_asked_for_none_is_missed() -> None:
    plain = {"sentence": "Nothing is lost or doubled."}
    verdict = harm.told(plain, asked=False, kinds=(), done=())
    assert verdict["sentence"] == "Nothing is lost or doubled."
    assert harm.line(verdict) == "none"


def test_an_engine_that_is_missing_is_said_first(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="--docker: there is no Docker engine here"):
        docker_place.check_engine(tmp_path / "docker.sock")


def test_without_a_verdict_the_reason_is_said() -> None:
    assert list(command._lines({"verdict": None, "problem": "Stopped."})) == ["Stopped."]


def _written(ledger: Ledger, *done: Kind) -> list[str]:
    kinds = (Kind.KILL, Kind.STOP, Kind.CLOCK_SKEW)
    verdict = harm.told(ledger.verdict().as_json(), asked=True, kinds=kinds, done=done)
    written: dict[str, Any] = {"verdict": verdict, "problem": ""}
    return list(command._lines(written))
