"""One node of a test network as the driver sees it: through its control API, over all its restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any

import trio
from google.protobuf.message import Message

from p2pchat.cli.control_client import ControlError, RequestRefusedError
from p2pchat.cli.testnet import asking, marks
from p2pchat.cli.testnet.ledger import Copy, Ledger, Receipt
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

if TYPE_CHECKING:
    import grpc

ROOM = "testnet"
RETRY = 0.3  # seconds until a node that does not answer is asked again
READ_EVERY = 2.0  # seconds; people read what has come now and then
PATIENCE = 120.0  # seconds for an answer that is needed; a node may be starting
PAGE = 500  # messages of a history at a time

RECEIPTS = {
    control.STORED: Receipt.STORED,
    control.DELIVERED: Receipt.DELIVERED,
    control.READ: Receipt.READ,
}


class Person:
    def __init__(
        self, name: str, channel: grpc.Channel, ledger: Ledger, now: Callable[[], float]
    ) -> None:
        self.name = name
        self.peer = ""  # once it is known
        self.link = ""
        self._channel = channel
        self._ledger = ledger
        self._now = now
        self._cursor = ""
        self._unread: set[str] = set()  # peers who have written

    async def ask(self, request: Message) -> Any:
        """Once. Raises `RequestRefusedError` or `ControlError`."""
        return await asking.ask(self._channel, request)

    async def _insist(self, request: Message) -> Any:
        """Until there is an answer. Raises `RequestRefusedError`, and `ControlError` after `PATIENCE` without one."""
        problem = ControlError("no answer")
        with trio.move_on_after(PATIENCE):
            while True:
                try:
                    return await self.ask(request)
                except ControlError as error:
                    problem = error
                await trio.sleep(RETRY)
        raise ControlError(f"{self.name}: {problem}") from problem

    # ---- before -----------------------------------------------------------------------------------

    async def settle_in(self, mailbox_links: Sequence[str]) -> None:
        """Have mail taken, and come into the room."""
        info = await self._insist(control.GetInfoRequest())
        self.peer = info.peer
        for link in mailbox_links:
            await self._insist(control.AddMailboxRequest(link=link))
        await self._insist(control.JoinRoomRequest(room=ROOM))
        with trio.move_on_after(PATIENCE):
            await self._until_registered(len(mailbox_links))
        self.link = (await self._insist(control.GetLinkRequest())).link

    async def _until_registered(self, mailboxes: int) -> None:
        while True:
            listed = (await self._insist(control.ListMailboxesRequest())).mailboxes
            if sum(mailbox.registered for mailbox in listed) >= mailboxes:
                return
            await trio.sleep(RETRY)

    async def meet(self, others: Sequence[Person]) -> None:
        for other in others:
            if other is not self:
                await self._insist(control.AddContactRequest(who=other.link, name=other.name))

    # ---- traffic ----------------------------------------------------------------------------------

    async def send(self, to: Person | None, text: str) -> str:
        """The id of the message, to a person or to the room. Raises `RequestRefusedError` or `ControlError`."""
        request = control.SendMessageRequest(text=text)
        if to is None:
            request.room = ROOM
        else:
            request.who = to.peer
        return str((await self.ask(request)).message.id)

    async def listen(self, everybody: Sequence[Person]) -> None:
        """Put what the node tells into the ledger, for ever: it may be gone meanwhile."""
        async with trio.open_nursery() as nursery:
            while True:
                async with asking.events(self._channel, self._cursor) as happening:
                    async for event in happening:
                        self._take(event)
                        if event.HasField("subscribed") and not event.subscribed.resumed:
                            # What came before is told to nobody any more.
                            nursery.start_soon(self._look_back, everybody)
                await trio.sleep(RETRY)

    async def _look_back(self, everybody: Sequence[Person]) -> None:
        await self.look_into_history(everybody, newest=True)

    def _take(self, event: control.Event) -> None:
        self._cursor = event.cursor or self._cursor
        match event.WhichOneof("event"):
            case "subscribed":
                if not event.subscribed.resumed:
                    self._ledger.subscribed(self.name)
            case "messages_arrived":
                self._note_arrived(event.messages_arrived)
            case "deliveries_changed":
                for change in event.deliveries_changed.changes:
                    if receipt := RECEIPTS.get(change.delivery.stage):
                        self._ledger.receipt(change.id, receipt)

    def _note_arrived(self, arrived: control.MessagesArrived) -> None:
        for message in arrived.messages:
            mark = marks.read(message.text)
            if mark is not None and not message.own:
                self._ledger.announced(self.name, mark.number, self._now())
        if arrived.conversation.peer:
            self._unread.add(arrived.conversation.peer)

    async def read_everything(self) -> None:
        """As a person does, now and then, for ever."""
        while True:
            await trio.sleep(READ_EVERY)
            for peer in list(self._unread):
                self._unread.discard(peer)
                try:
                    conversation = control.Conversation(peer=peer)
                    await self.ask(control.MarkReadRequest(conversation=conversation))
                except P2pchatError:
                    self._unread.add(peer)

    # ---- histories --------------------------------------------------------------------------------

    async def look_into_history(self, everybody: Sequence[Person], *, newest: bool = False) -> None:
        """For what happened while nobody was subscribed. What does not answer is asked the next time.

        `newest`: only the last page of each conversation. All of it is for when nobody writes any more: then what is
        there without an answer will not get one.
        """
        try:
            async for message, _ in self._histories(everybody, self.ask, newest=newest):
                mark = marks.read(message.text)
                if mark and not message.own:
                    self._ledger.seen(self.name, mark.number, self._now())
                    continue
                if mark and not newest:
                    self._ledger.found_own(self.name, mark.number, message.id)
                if receipt := RECEIPTS.get(message.delivery.stage):
                    self._ledger.receipt(message.id, receipt)
        except ControlError:
            pass

    async def tell_history(self, everybody: Sequence[Person]) -> None:
        """All of it, for the verdict. Raises `ControlError`."""
        names = {person.peer: person.name for person in everybody}
        async for message, is_room in self._histories(everybody, self._insist):
            mark = marks.read(message.text)
            if mark is None or mark.sender != names.get(message.sender):
                self._ledger.strange(self.name)
                continue
            receipt = RECEIPTS.get(message.delivery.stage, Receipt.NONE)
            self._ledger.history(
                self.name, is_room, Copy(mark.number, mark.sender, mark.whole, receipt)
            )

    async def _histories(
        self, everybody: Sequence[Person], ask: Callable[[Message], Any], *, newest: bool = False
    ) -> AsyncIterator[tuple[control.Message, bool]]:
        """Every message of the room, and with every other person; whether it is the room's."""
        requests = [control.ReadHistoryRequest(room=ROOM, limit=PAGE)]
        requests += [
            control.ReadHistoryRequest(who=other.peer, limit=PAGE)
            for other in everybody
            if other is not self
        ]
        for request in requests:
            while True:
                try:
                    page = await ask(request)
                except RequestRefusedError:  # it knows neither the room nor the person (any more)
                    break
                for message in page.messages:
                    yield message, bool(request.room)
                if newest or not page.cursor:
                    break
                request.before = page.cursor
