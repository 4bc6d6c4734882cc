"""The command's own folders and sentences."""

import os
import tempfile
from typing import Any

import pytest

from p2pchat.cli.testnet import command
from p2pchat.cli.testnet.ledger import Copy, Ledger, Receipt


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
    assert empty[0] == "Bad: Nobody could say anything, so nothing is shown."
    assert any(line.split() == ["unknown", "2"] for line in empty)
    ledger.accepted(first, "id", 2.0)
    ledger.forget_histories()
    for node in ("ann", "ben"):
        ledger.history(node, True, Copy(first, "ann", True, Receipt.NONE))
    assert _written(ledger)[0] == "Good: Nothing is lost or doubled."
    ledger.accepted(second, "id", 2.0)
    bad = _written(ledger)
    assert bad[0] == "Bad: Messages are lost, doubled or damaged."
    assert bad[-1].startswith("message 1 of ann at ")


def test_without_a_verdict_the_reason_is_said() -> None:
    assert list(command._lines({"verdict": None, "problem": "Stopped."})) == ["Stopped."]


def _written(ledger: Ledger) -> list[str]:
    written: dict[str, Any] = {"verdict": ledger.verdict().as_json(), "problem": ""}
    return list(command._lines(written))
