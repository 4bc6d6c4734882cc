"""One run from the command's view: opens the place, drives, shows, and writes the report whatever happens."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from p2pchat.cli import service
from p2pchat.cli.testnet import live
from p2pchat.cli.testnet.ports import Place
from p2pchat.cli.testnet.report import report
from p2pchat.cli.testnet.report_page import page
from p2pchat.cli.testnet.run import Run
from p2pchat.cli.testnet.settings import Settings
from p2pchat.node.errors import P2pchatError, one_error

Opening = Callable[[], AbstractAsyncContextManager[Place]]

STOPPED = "The run was stopped before its verdict."
STARTING = "Starting everybody ..."
LOOKING = "Looking for the members of {project} ..."
STOPPING = "Stopping everybody ..."
TOO_EARLY = "The run was stopped before everybody was there."


def run(opening: Opening, wanted: Settings, reports: Path) -> dict[str, Any]:
    """The report, which also stands in `reports`. Raises `P2pchatError` when there was no network to report on.

    A signal stops everything in order, and leaves a report without a verdict.
    """
    with one_error():
        return trio.run(_whole, opening, wanted, reports)


async def _whole(opening: Opening, wanted: Settings, reports: Path) -> dict[str, Any]:
    written: dict[str, Any] = {}
    with trio.open_signal_receiver(*service.STOPPING) as signals:
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                screen = trio.Lock()  # who has it may write there
                nursery.start_soon(_cancel_on, signals, scope, screen)
                _tell(LOOKING.format(project=wanted.docker) if wanted.docker else STARTING)
                async with opening() as place:
                    if wanted.kinds is None:
                        _tell(*(f"Left out: {text}" for text in place.left_out))
                    await _happen(Run(place, wanted), reports, written, screen)
            nursery.cancel_scope.cancel()
    if not written:
        raise P2pchatError(TOO_EARLY)
    return written


def _tell(*lines: str) -> None:
    """Standard output is for the verdict."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


async def _cancel_on(
    signals: AsyncIterator[int], scope: trio.CancelScope, screen: trio.Lock
) -> None:
    """The receiver stays open until the end: a second signal must not tear the stop to pieces."""
    is_terminal = sys.stderr.isatty()  # which has written "^C" where our next line begins
    async for _ in signals:
        if not scope.cancel_called:
            scope.cancel()
            async with screen:  # once the table moves no more
                _tell(f"\r{STOPPING}" if is_terminal else STOPPING)
        elif is_terminal:
            _tell("")


async def _happen(driven: Run, reports: Path, written: dict[str, Any], screen: trio.Lock) -> None:
    """Fill `written` with the report, of what was until then, before anybody is stopped."""
    started, problem = datetime.now(UTC), STOPPED
    try:
        with one_error():
            async with screen, trio.open_nursery() as nursery:
                nursery.start_soon(live.show, driven, sys.stderr)
                await driven.whole()
                nursery.cancel_scope.cancel()
        problem = ""
    except P2pchatError as error:
        problem = str(error)
    finally:
        written.update(report(driven, started, problem))
        _write(written, reports)


def _write(written: dict[str, Any], folder: Path) -> None:
    (folder / "report.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    (folder / "report.html").write_text(page(written), "utf-8")
