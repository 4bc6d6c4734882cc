"""Direct messages of a session: the open conversation, what arrives, how far own messages are, what was read."""

from __future__ import annotations

import trio
from google.protobuf.message import Message

from p2pchat.cli.terminal import render, render_direct
from p2pchat.cli.terminal.bookmarks import Bookmarks, heading
from p2pchat.cli.terminal.contacts import Contacts
from p2pchat.cli.terminal.deliveries import Deliveries
from p2pchat.cli.terminal.front import Front
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.read_marks import ReadMarks
from p2pchat.cli.terminal.render_direct import DirectView, Partner
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

STRANGERS = 1000  # whose first message comes with a hint; more are no news
SAFE_WAIT = 10.0  # seconds at the end of a pipe for own messages to be stored or delivered


class Conversations:
    """Events go in by `lines_of`; `due_at` says when `due` has more to show."""

    def __init__(self, front: Front, contacts: Contacts) -> None:
        self._front = front
        self._contacts = contacts
        self._view = DirectView()
        self._deliveries = Deliveries(self._view)
        self._marks = ReadMarks()
        self._bookmarks = Bookmarks()
        self._met: set[str] = set()  # who needs no hint any more
        self._progress = trio.lowlevel.ParkingLot()
        self._partner: Partner | None = None

    # ---- the open conversation ----------------------------------------------------------------------

    @property
    def current(self) -> Partner | None:
        """To whom typed lines go; None: to the room."""
        if self._partner is None:
            return None
        return self._contacts.partner(self._partner.peer, self._partner.name)

    async def enter(self, who: str, room: str) -> None:
        """`room` is the way back, as it is shown. Raises `P2pchatError`."""
        self._partner = await self._contacts.resolve(who)
        back = f"alone leads back to {room}" if room else "alone ends it"
        name = render_direct.label(self._partner)
        await self._front.show(
            [render.note(f"What you type now goes to {name} and nobody else; /dm {back}")]
        )

    def leave(self) -> bool:
        """Whether one was open."""
        was_open, self._partner = self._partner is not None, None
        return was_open

    async def show_history(self, partner: Partner, limit: int, *, more: bool) -> None:
        before = self._bookmarks.before(partner.peer, more=more)
        question = actors.ReadDirectHistory(peer=partner.peer, limit=limit, before=before)
        page = await self._front.ask(question, actors.DirectHistoryPage)
        self._bookmarks.turned(partner.peer, page.first)
        for record in page.records:
            if not record.outgoing and not record.read:
                self._coming(partner, record)
        name = render_direct.label(partner)
        head = heading(
            len(page.records), limit, f"with {name}", earlier=bool(before), more=bool(page.first)
        )
        if not (page.records or before or page.first):
            head = render.note(f"Nothing has been written between you and {name} yet.")
        await self._front.show([head, *self._view.history(partner, page.records)])
        self.shown()

    # ---- events -------------------------------------------------------------------------------------

    def lines_of(self, event: Message, now: float) -> list[Line]:
        """What is to be shown at once. `now` is a time of trio's clock."""
        match event:
            case actors.DirectArrived():
                partner = self._contacts.partner(event.peer, event.name)
                return [
                    line for record in event.records for line in self._arrived(partner, record, now)
                ]
            case actors.DeliveriesChanged():
                partner = self._contacts.partner(event.peer, event.name)
                for change in event.changes:
                    self._deliveries.changed(partner, change, now)
        return []

    def _arrived(self, partner: Partner, record: records.DirectRecord, now: float) -> list[Line]:
        if record.outgoing:
            self._met.add(partner.peer)
            self._contacts.written_to(partner.peer)
            self._deliveries.written(partner, record, now)
            return []
        self._coming(partner, record)
        lines = self._deliveries.flush(partner.peer) + self._view.incoming(partner, record)
        if self._is_new(partner):
            self._met.add(partner.peer)
            lines += render_direct.stranger(partner)
        return lines

    def _is_new(self, partner: Partner) -> bool:
        is_met = partner.peer in self._met or len(self._met) >= STRANGERS
        return not is_met and not self._contacts.is_added(partner.peer)

    @property
    def due_at(self) -> float:
        """On trio's clock; infinite when nothing waits."""
        return self._deliveries.due_at

    def due(self, now: float) -> list[Line]:
        """To be called after the events of a batch, and at `due_at`."""
        self._progress.unpark_all()
        return self._deliveries.due(now)

    def flush(self) -> list[Line]:
        """Everything that waits for its state, with the state it has."""
        return self._deliveries.flush_all()

    # ---- own messages -------------------------------------------------------------------------------

    def saved(self, record: records.DirectRecord) -> None:
        """The node has answered that it keeps this own message."""
        self._deliveries.saved(record)

    @property
    def unsent(self) -> int:
        """Own messages of this session that only this node holds."""
        return self._deliveries.unsent

    @property
    def failed(self) -> int:
        """Own messages of this session that were refused or have expired."""
        return self._deliveries.failed

    async def wait_until_safe(self) -> None:
        """Until somebody else holds every own message, or `SAFE_WAIT` has passed."""
        with trio.move_on_after(SAFE_WAIT):
            while self.unsent:
                await self._progress.park()

    # ---- what has been read -------------------------------------------------------------------------

    def _coming(self, partner: Partner, record: records.DirectRecord) -> None:
        if self._front.console.is_watched:
            self._marks.coming(partner.peer, record.id)

    def shown(self) -> None:
        """What came in is on the screen."""
        self._marks.shown()

    async def mark_read(self) -> None:
        """Somebody has pressed Enter. Returns when the node knows, or cannot be told now."""
        for peer, ids in self._marks.entered():
            try:
                await self._front.ask(actors.MarkShown(peer=peer, ids=ids), actors.Done)
            except P2pchatError:
                self._marks.give_back(peer, ids)
