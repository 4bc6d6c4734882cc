"""Carries out what was typed about files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from p2pchat.cli.terminal import commands as line
from p2pchat.cli.tui import answers
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.outcome import Outcome, hint
from p2pchat.cli.tui.state import CONVERSATIONS, ChatState
from p2pchat.proto import control_pb2 as control


class FileErrands:
    """As `Errands`."""

    def __init__(self, link: NodeLink, state: ChatState, columns: Callable[[], int]) -> None:
        self._link = link
        self._state = state
        self._columns = columns

    def handlers(self) -> dict[type, Callable[[Any], Awaitable[Outcome]]]:
        return {
            line.SendFile: self._send_file,
            line.AcceptFile: self._accept,
            line.DeclineFile: self._decline,
            line.CancelFile: self._cancel,
            line.ShowFiles: self._show_files,
        }

    async def _send_file(self, command: line.SendFile) -> Outcome:
        """To the person of the conversation, unless that names no file and there is somebody in front."""
        peer, whole = peer_here(self._state), _absolute(command.whole)
        if peer and (whole.is_file() or not command.who):
            request = control.SendFileRequest(who=peer, path=str(whole))
        elif command.who:
            path = str(_absolute(command.path))
            request = control.SendFileRequest(who=command.who, path=path)
        else:
            return hint("Files go to one person: open the conversation first, e.g. /dm Bob.")
        found = await self._link.ask(request)
        self._state.set_transfer(found.transfer)
        return Outcome(ask={CONVERSATIONS})

    async def _accept(self, command: line.AcceptFile) -> Outcome:
        transfer = command.which or self._last_transfer(is_offer=True)
        if not transfer:
            return hint("There is no file to accept. /files lists them.")
        found = await self._link.ask(control.AcceptFileRequest(transfer=transfer))
        self._state.set_transfer(found.transfer)
        return Outcome()

    async def _decline(self, command: line.DeclineFile) -> Outcome:
        transfer = command.which or self._last_transfer(is_offer=True)
        if not transfer:
            return hint("There is no file to decline. /files lists them.")
        await self._link.ask(control.DeclineFileRequest(transfer=transfer))
        return Outcome()

    async def _cancel(self, command: line.CancelFile) -> Outcome:
        transfer = command.which or self._last_transfer(is_offer=False)
        if not transfer:
            return hint("There is no file to cancel. /files lists them.")
        await self._link.ask(control.CancelTransferRequest(transfer=transfer))
        return Outcome()

    def _last_transfer(self, *, is_offer: bool) -> str:
        """An offer to this node, or anything that is under way."""
        for each in reversed(self._state.transfers.values()):
            offered = each.state == control.OFFERED and not each.outgoing
            going = each.state in (control.OFFERED, control.WAITING, control.RUNNING)
            if offered if is_offer else going:
                return each.id
        return ""

    async def _show_files(self, _: object) -> Outcome:
        found = await self._link.ask(control.ListTransfersRequest())
        for transfer in reversed(found.transfers):
            self._state.set_transfer(transfer)
        return Outcome(answers.transfers(found.transfers, self._columns()))


def peer_here(state: ChatState) -> str:
    """The person of the open conversation; empty in a room."""
    return state.here.status.conversation.peer if state.here else ""


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
