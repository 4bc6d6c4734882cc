"""Peers have names for a day in a log, whoever writes their ids into it."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from p2pchat.cli import logs
from p2pchat.cli.discreet_log import discreet
from tests.cli.test_logs import as_before  # noqa: F401  # undoes what a log changes
from tests.direct_builders import peer_text

ADA, BOB = peer_text(1), peer_text(2)
RSA = "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"
DAY = 86_400  # seconds


def record(text: str, *args: object, at: float = 1_800_000_000) -> logging.LogRecord:
    made = logging.LogRecord("p2pchat.x", logging.INFO, "x.py", 1, text, args, None)
    made.created = at
    return made


def test_a_peer_has_the_same_name_all_day_and_another_tomorrow() -> None:
    formatter = discreet(logging.Formatter("%(message)s"), "info")
    first = formatter.format(record("delivering to %s", ADA))
    assert re.fullmatch(r"delivering to peer-[0-9a-f]{8}", first)
    assert formatter.format(record("delivering to %s", ADA)) == first
    assert formatter.format(record("delivering to %s", BOB)) != first
    assert formatter.format(record("delivering to %s", ADA, at=1_800_000_000 + DAY)) != first
    elsewhere = discreet(logging.Formatter("%(message)s"), "info")
    assert elsewhere.format(record("delivering to %s", ADA)) != first


@pytest.mark.parametrize(
    "text", [f"/ip4/192.0.2.1/tcp/4001/p2p/{ADA}/p2p-circuit", f"<peer {ADA}>", f"x{ADA}y", RSA]
)
def test_wherever_an_id_stands(text: str) -> None:
    written = discreet(logging.Formatter("%(message)s"), "warning").format(record(text))
    assert "peer-" in written
    assert ADA not in written
    assert RSA not in written


def test_at_debug_everything_is_said(tmp_path: Path) -> None:
    logs.log_to_file(tmp_path / "log", "debug")
    logging.getLogger("p2pchat.x").debug("delivering to %s", ADA)
    assert ADA in (tmp_path / "log").read_text()


@pytest.mark.parametrize("form", [logs.TEXT, logs.JSON])
def test_in_tracebacks_and_of_libraries_as_well(tmp_path: Path, form: str) -> None:
    logs.log_to_file(tmp_path / "log", "info", form)
    try:
        raise KeyError(ADA)
    except KeyError:
        logging.getLogger("zeroconf").exception("lost %s", BOB)
    text = (tmp_path / "log").read_text()
    assert "KeyError" in text
    assert ADA not in text
    assert BOB not in text
    assert text.count("peer-") == 2
