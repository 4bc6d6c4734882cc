"""How file transfers look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.tables import table
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render import hint, person, size
from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.proto import control_pb2 as control

NAME_WIDTH = 40  # characters of a file's name in a table
HEAD = ("Transfer", "With", "File", "Size", "State")
NO_TRANSFERS = "No file was sent or offered: p2pchat send --to WHO --file PATH sends one."


def transfer_lines(found: Sequence[control.Transfer], width: int = 0) -> Iterator[Line]:
    if not found:
        yield hint(NO_TRANSFERS)
        return
    yield from table(HEAD, [_row(each) for each in found], width)


def _row(transfer: control.Transfer) -> Sequence[str]:
    direction = "to" if transfer.outgoing else "from"
    who = person(transfer.peer, transfer.name).text
    name = safe_name(transfer.file_name, NAME_WIDTH)
    return transfer.id, f"{direction} {who}", name, size(transfer.size), state_words(transfer)


def state_words(transfer: control.Transfer) -> str:
    """`running, 45 %`, `failed: why`."""
    known = transfer.state in control.TransferState.values() and transfer.state
    words = control.TransferState.Name(transfer.state).lower() if known else "unknown"
    if transfer.state in (control.RUNNING, control.WAITING):
        words += f", {percent(transfer)} %"
    return f"{words}: {safe_line(transfer.problem)}" if transfer.problem else words


def percent(transfer: control.Transfer) -> int:
    return min(transfer.done, transfer.size) * 100 // transfer.size if transfer.size else 100


def progress(transfer: control.Transfer) -> str:
    """`holiday.jpg: running, 45 %: 4.5 MiB of 10.0 MiB, 2.0 MiB/s`."""
    name = safe_name(transfer.file_name, NAME_WIDTH)
    speed = f", {size(round(transfer.bytes_per_second))}/s" if transfer.bytes_per_second else ""
    amount = f"{size(transfer.done)} of {size(transfer.size)}"
    return f"{name}: {state_words(transfer)}, {amount}{speed}"
