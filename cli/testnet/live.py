"""What is to be seen while it runs: a table on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TextIO

import trio
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from p2pchat.cli.testnet.run import Run
from p2pchat.cli.testnet.samples import Sample

REFRESH = 0.5  # seconds between two pictures on a terminal
LINE_EVERY = 5.0  # seconds between two lines elsewhere, at least
MEETING = "everybody registers and meets"
LINES = 120  # of a whole run, about


async def show(run: Run, out: TextIO) -> None:
    """Until cancelled."""
    if not out.isatty():
        await _show_lines(run, out)
        return
    with Live(_picture(run), console=Console(file=out), auto_refresh=False) as live:
        try:
            while True:
                await trio.sleep(REFRESH)
                live.update(_picture(run), refresh=True)
        finally:
            live.update(_picture(run), refresh=True)


async def _show_lines(run: Run, out: TextIO) -> None:
    interval = max(LINE_EVERY, run.settings.seconds / LINES)
    while True:
        print(line(run), file=out, flush=True)
        with trio.move_on_after(interval):
            await run.until_next_phase()


def line(run: Run) -> str:
    counts = run.ledger.counts()
    told = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    told = told or (MEETING if run.phase == "meeting" else "nothing yet")
    under = "; ".join(_faults(run))
    return f"{run.now():6.0f} s  {run.phase}: {told}" + (f" [{under}]" if under else "")


def _picture(run: Run) -> Group:
    table = Table("", "memory", "files", "tasks", "missing", "fault", box=None, pad_edge=False)
    for column in table.columns[1:5]:
        column.justify = "right"
    missing = run.ledger.missing()
    under = dict(_by_member(run))
    for member in run.place.members:
        name, samples = member.name, run.samples.of[member.name]
        cells = _vitals(samples[-1]) if samples else ("", "", "")
        waits = str(missing.get(name, "") or "")
        table.add_row(name, *cells, waits, Text(under.get(name, ""), style="red"))
    whole = f" of {run.settings.seconds:.0f}" if run.phase == "traffic" else ""
    head = Text(f"{run.phase}  {run.now():.0f}{whole} s", style="bold")
    told = "  ".join(f"{name} {count}" for name, count in run.ledger.counts().items())
    told = MEETING if run.phase == "meeting" else told
    return Group(head, Text(told), table)


def _vitals(sample: Sample) -> tuple[str, str, str]:
    return (
        _cell(sample.memory / 1e6, " MB"),
        _cell(sample.descriptors, ""),
        _cell(sample.tasks, ""),
    )


def _cell(value: float, unit: str) -> str:
    return "" if math.isnan(value) else f"{value:.0f}{unit}"


def _by_member(run: Run) -> Iterator[tuple[str, str]]:
    for done in run.faults:
        if done.goes_on:
            amount = f" {done.fault.amount:+g} s" if done.fault.amount else ""
            yield from ((name, f"{done.fault.kind}{amount}") for name in done.fault.members)


def _faults(run: Run) -> Iterator[str]:
    return (f"{name}: {what}" for name, what in _by_member(run))
