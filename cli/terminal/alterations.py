"""Single messages of a session: changed, taken back, deleted; and people and rooms to hear less of."""

from __future__ import annotations

from p2pchat.cli.terminal import commands, render_alterations
from p2pchat.cli.terminal.contacts import Contacts
from p2pchat.cli.terminal.front import Front
from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import Line, Span
from p2pchat.cli.terminal.render_direct import Partner, label
from p2pchat.cli.terminal.rooms import NO_ROOM, Rooms
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

LOOK_BACK = 1000  # messages among which one is looked for: a page of the store

NONE_OF_YOURS = "There is no such message of yours among the last ones here."
NONE = "There is no such message here."


class Alterations:
    """`partner` is always that of the open conversation; None: what is meant is in the current room."""

    def __init__(self, front: Front, contacts: Contacts, rooms: Rooms) -> None:
        self._front = front
        self._contacts = contacts
        self._rooms = rooms
        self._me = front.node.identity.peer_bytes

    # ---- commands -------------------------------------------------------------------------------------

    async def carry_out(self, command: commands.AlteringCommand, partner: Partner | None) -> None:
        """Raises `P2pchatError` with a sentence."""
        match command:
            case commands.EditMessage(text, nth):
                await self._alter(partner, nth, text=text)
            case commands.RetractMessage(nth):
                await self._alter(partner, nth, retract=True)
            case commands.DeleteMessage(nth):
                await self._delete(partner, nth)
            case commands.Block(who, undo):
                await self._block(who, undo=undo)
            case commands.ShowBlocked():
                found = await self._front.ask(actors.ListBlocked(), actors.BlockedList)
                await self._front.show(render_alterations.blocked_list(found.peers))
            case commands.Mute():
                await self._mute(command, partner)

    async def _alter(
        self, partner: Partner | None, nth: int, *, text: str = "", retract: bool = False
    ) -> None:
        """What it says now is shown by the event, as to everybody."""
        ids = await self._own(partner)
        if nth > len(ids):
            raise RequestRejectedError(actors.INVALID, NONE_OF_YOURS)
        command = actors.AlterMessage(id=ids[-nth], text=text, retract=retract)
        self._place(command, partner)
        await self._front.ask(command, actors.Done)

    async def _delete(self, partner: Partner | None, nth: int) -> None:
        found = await self._last(partner)
        if nth > len(found):
            raise RequestRejectedError(actors.INVALID, NONE)
        sender, message_id = found[-nth]
        command = actors.DeleteMessage(sender=sender, id=message_id)
        self._place(command, partner)
        await self._front.ask(command, actors.Done)
        await self._front.show([render_alterations.deleted()])

    async def _own(self, partner: Partner | None) -> list[bytes]:
        """Ids of own messages that can be changed, the newest last."""
        if partner is not None:
            page = await self._direct_page(partner)
            return [
                r.id
                for r in page
                if r.outgoing and not r.alteration.retracted and not r.HasField("file")
            ]
        return [
            record.message.id
            for record in await self._room_page()
            if record.message.sender == self._me and not record.alteration.retracted
        ]

    async def _last(self, partner: Partner | None) -> list[tuple[bytes, bytes]]:
        """Senders and ids, the newest last."""
        if partner is None:
            return [(r.message.sender, r.message.id) for r in await self._room_page()]
        page = await self._direct_page(partner)
        return [(self._me if r.outgoing else r.peer, r.id) for r in page]

    async def _direct_page(self, partner: Partner) -> list[records.DirectRecord]:
        question = actors.ReadDirectHistory(peer=partner.peer, limit=LOOK_BACK)
        return list((await self._front.ask(question, actors.DirectHistoryPage)).records)

    async def _room_page(self) -> list[records.RoomRecord]:
        if not self._rooms.current:
            raise RequestRejectedError(actors.NOT_JOINED, NO_ROOM)
        stored = self._rooms.stored(self._rooms.current)
        question = actors.ReadHistory(room=stored, limit=LOOK_BACK)
        return list((await self._front.ask(question, actors.HistoryPage)).records)

    def _place(
        self, command: actors.AlterMessage | actors.DeleteMessage, partner: Partner | None
    ) -> None:
        if partner is not None:
            command.peer = partner.peer
        else:
            command.room = self._rooms.current

    async def _block(self, who: str, *, undo: bool) -> None:
        partner = await self._contacts.resolve(who)
        kind = actors.UnblockPeer if undo else actors.BlockPeer
        await self._front.ask(kind(text=partner.peer), actors.PeerResolved)
        shown = render_alterations.unblocked if undo else render_alterations.blocked
        await self._front.show([shown(partner)])

    async def _mute(self, command: commands.Mute, partner: Partner | None) -> None:
        if command.who:
            partner = await self._contacts.resolve(command.who)
        name = command.room or self._rooms.current
        if partner is not None and not command.room:
            question, what = actors.Mute(peer=partner.peer), label(partner)
        elif name:
            question, what = actors.Mute(room=name), room(name)
        else:
            raise RequestRejectedError(actors.NOT_JOINED, NO_ROOM)
        question.muted = not command.undo
        await self._front.ask(question, actors.Done)
        await self._front.show([render_alterations.muted(what, undo=command.undo)])

    # ---- events ---------------------------------------------------------------------------------------

    def lines_of(self, event: actors.MessagesAltered, *, elsewhere: bool) -> list[Line]:
        """What was deleted here is no news: whoever did it was told."""
        if event.room:
            found = [r for r in event.room_records if not r.alteration.deleted]
            shown = [self._in_room(record, elsewhere=elsewhere) for record in found]
            where = f"in {room(event.room)}"
        else:
            partner = self._contacts.partner(event.peer, "")
            direct = [r for r in event.direct_records if not r.alteration.deleted]
            shown = [render_alterations.changed_directly(r, partner) for r in direct]
            where = f"with {label(partner)}"
        lines = [each for some in shown[-render_alterations.SHOWN :] for each in some]
        if (more := len(shown) - render_alterations.SHOWN) > 0:
            lines.insert(0, render_alterations.many_changed(more, where))
        return lines

    def _in_room(self, record: records.RoomRecord, *, elsewhere: bool) -> list[Line]:
        who: Span = self._rooms.view.author(record)
        return render_alterations.changed_in_room(record, who, elsewhere=elsewhere)
