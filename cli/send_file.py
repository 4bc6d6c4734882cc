"""Offers a file and watches the transfer."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from p2pchat.cli import running_node
from p2pchat.cli.control_client import NodeClient
from p2pchat.cli.tables import cut
from p2pchat.cli.transfer_lines import progress, state_words
from p2pchat.node.errors import ConfigError
from p2pchat.proto import control_pb2 as control

OVER = frozenset({control.DONE, control.DECLINED, control.CANCELLED, control.FAILED})
ERASE_REST = "\x1b[K"  # of a row, from the cursor on


def send_file(node: NodeClient, to: str, path: Path, timeout: float | None, *, json: bool) -> int:
    """`timeout`: seconds to wait for the end; None: not at all. The exit code."""
    request = control.SendFileRequest(who=to, path=str(readable(path)))
    if timeout is None:
        _show(node.ask(request).transfer, json=json)
        return 0
    transfer = _watched(node, request, time.monotonic() + timeout)
    _show(transfer, json=json)
    if transfer.state == control.DONE:
        return 0
    running_node.remark(f"Not delivered: {state_words(transfer)}")
    return running_node.NOT_REACHED


def readable(path: Path) -> Path:
    """Absolute, because the node may stand in another folder. Raises `ConfigError`."""
    whole = path.expanduser().absolute()
    if not whole.is_file():
        raise ConfigError(f"{path} is no file.")
    return whole


def _watched(
    node: NodeClient, request: control.SendFileRequest, deadline: float
) -> control.Transfer:
    """How the transfer stands at its end, or at the deadline (of `time.monotonic`)."""
    events = node.subscribe(timeout=max(deadline - time.monotonic(), 0.05))
    next(events, None)  # from here on nothing is missed
    transfer: control.Transfer = node.ask(request).transfer
    line = ProgressLine()
    with running_node.waiting():
        for state in _states(node, transfer, events):
            transfer = state
            line.show(transfer)
            if transfer.state in OVER:
                break
    line.end()
    return transfer


def _states(
    node: NodeClient, transfer: control.Transfer, events: Iterator[control.Event]
) -> Iterator[control.Transfer]:
    yield transfer
    for event in events:
        changed = event.transfer_changed.transfer
        if event.HasField("transfer_changed") and changed.id == transfer.id:
            yield changed
        if event.HasField("fell_behind"):
            found = node.ask(control.ListTransfersRequest()).transfers
            yield from (each for each in found if each.id == transfer.id)


class ProgressLine:
    """On standard error: in a terminal one line that changes, elsewhere a line for each state."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._state = -1

    def show(self, transfer: control.Transfer) -> None:
        text = progress(transfer)
        if self._is_terminal:
            # A longer one would go on in the next row, and stay there.
            shown = cut(text, shutil.get_terminal_size().columns - 1)
            print(f"\r{shown}{ERASE_REST}", end="", file=sys.stderr, flush=True)
        elif transfer.state != self._state:
            print(text, file=sys.stderr, flush=True)
        self._state = transfer.state

    def end(self) -> None:
        if self._is_terminal:
            print(file=sys.stderr)


def _show(transfer: control.Transfer, *, json: bool) -> None:
    if json:
        running_node.show_json_line(control.SendFileResponse(transfer=transfer))
    else:
        running_node.say(transfer.id)
