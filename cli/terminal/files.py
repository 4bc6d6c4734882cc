"""Files of a session: what is sent and offered, the commands about it, and how far it is."""

from __future__ import annotations

import os
from collections.abc import Callable

from p2pchat.cli.terminal import commands, render, render_files
from p2pchat.cli.terminal.contacts import Contacts
from p2pchat.cli.terminal.front import Front
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render_direct import Partner
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol import peer_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

STEP = 10  # percent between two lines about one file
REMEMBERED = 1000  # transfers whose last line is known

IN_A_ROOM = "Files go to one person: /send <who> <path>, or /dm <who> and then /send <path>. A room takes none."

_UNFINISHED = frozenset({records.OFFERED, records.WAITING, records.RUNNING})

Fits = Callable[[actors.TransferStatus], bool]


class Files:
    def __init__(self, front: Front, contacts: Contacts) -> None:
        self._front = front
        self._contacts = contacts
        # What was said last of each transfer: state, tenths, problem, whether by mailbox.
        self._said: dict[bytes, tuple[int, int, str, bool]] = {}

    # ---- commands -----------------------------------------------------------------------------------

    async def carry_out(self, command: commands.FileCommand, partner: Partner | None) -> None:
        """`partner` is the one of the open conversation. Raises `P2pchatError` with a sentence."""
        match command:
            case commands.SendFile():
                await self._send(command, partner)
            case commands.AcceptFile(which):
                found = await self._meant(which, partner, _is_offered)
                accept = actors.AcceptFile(transfer=found)
                status = await self._front.ask(accept, actors.TransferStatus)
                await self._front.show([render_files.accepted(status)])
            case commands.DeclineFile(which):
                found = await self._meant(which, partner, _is_offered)
                await self._front.ask(actors.DeclineFile(transfer=found), actors.Done)
            case commands.CancelFile(which):
                found = await self._meant(which, partner, _is_unfinished)
                await self._front.ask(actors.CancelTransfer(transfer=found), actors.Done)
            case commands.ShowFiles():
                await self._front.show(render_files.files(await self._list()))

    async def _send(self, command: commands.SendFile, partner: Partner | None) -> None:
        peer, path = await self._destination(command, partner)
        if not peer:
            await self._front.show([render.hint(IN_A_ROOM)])
            return
        question = actors.OfferFile(text=peer, path=path)
        # Without a deadline: a large file is read to its end before it is offered.
        status = await self._front.node.ui.request(question, actors.TransferStatus)
        await self._front.show([render_files.sent(status)])

    async def _destination(
        self, command: commands.SendFile, partner: Partner | None
    ) -> tuple[str, str]:
        """To whom and what; in a conversation a file of that whole name comes first."""
        whole, path = _absolute(command.whole), _absolute(command.path)
        if partner is not None and (_is_there(whole) or not command.who):
            return partner.peer, whole
        if not command.who:
            return "", ""
        if partner is not None and not _is_there(path):
            return partner.peer, whole
        return (await self._contacts.resolve(command.who)).peer, path

    async def _list(self) -> list[actors.TransferStatus]:
        listed = await self._front.ask(actors.ListTransfers(), actors.TransferList)
        return list(listed.transfers)

    async def _meant(self, which: str, partner: Partner | None, fits: Fits) -> str:
        """Without an id: the only one there is, of this conversation if one is open."""
        if which:
            return which
        found = [status for status in await self._list() if fits(status)]
        if partner is not None:
            found = [each for each in found if peer_id.to_text(each.record.peer) == partner.peer]
        if len(found) == 1:
            return found[0].record.offer.transfer.hex()
        if not found:
            raise RequestRejectedError(actors.INVALID, "There is no such file; /files lists all.")
        ends = ", ".join(map(render_files.end_of, found[:5]))
        raise RequestRejectedError(actors.AMBIGUOUS, f"Which one? There are {ends}; see /files.")

    # ---- events -------------------------------------------------------------------------------------

    def lines_of(self, event: actors.TransferChanged) -> list[Line]:
        """Once for each change, and a line each `STEP` percent while it runs."""
        status = event.transfer
        record = status.record
        key = record.peer + bytes([record.outgoing]) + record.offer.transfer
        is_running = record.state == records.RUNNING
        tenths = render_files.percent(record) // STEP if is_running else 0
        state = records.WAITING if is_running and not tenths else record.state
        now = (state, tenths, record.problem, record.by_mailbox)
        before = self._said.get(key)
        if now == before:
            return []
        self._said[key] = now
        while len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        if is_running:
            return [render_files.progress(status)] if tenths else []
        if record.state == records.OFFERED:
            return [] if record.outgoing else render_files.offer_made(status)
        if record.state == records.WAITING and before and before[0] == records.RUNNING:
            return render_files.changed(status) if record.problem else []
        return render_files.changed(status)


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path else ""


def _is_there(path: str) -> bool:
    return os.path.exists(path)


def _is_offered(status: actors.TransferStatus) -> bool:
    return not status.record.outgoing and status.record.state == records.OFFERED


def _is_unfinished(status: actors.TransferStatus) -> bool:
    return status.record.state in _UNFINISHED
