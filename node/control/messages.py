"""Messages: sent, changed, read, looked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from p2pchat.node.control import arguments
from p2pchat.node.control.group import Group
from p2pchat.node.errors import AskTimeoutError
from p2pchat.node.protocol import readable_messages as translate
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

HISTORY, MOST_HISTORY = 50, 1000  # messages of an answer: unless a number is asked for, and at most
HITS, MOST_HITS = 20, 100
# Of an answer: a client takes 4 MiB unless it is told otherwise. What is longer has fewer messages, or one.
ANSWER_BYTES = 3 << 20
FLUSH_PATIENCE = 120.0  # seconds for everything that was said to reach the neighbours

NO_RECIPIENT = "To whom? A message goes to a room, or to somebody."
WHOSE = "Of what? History is that of a room, or that with somebody."

H = TypeVar("H", actors.HistoryPage, actors.DirectHistoryPage)
P = TypeVar("P", actors.HistoryPage, actors.DirectHistoryPage, actors.SearchPage)


class Messages(Group):
    async def send_message(
        self, request: control.SendMessageRequest
    ) -> control.SendMessageResponse:
        match request.WhichOneof("to"):
            case "room":
                return await self._post(request.room, request.text)
            case "who":
                return await self._write(request.who, request.text)
            case _:
                raise arguments.invalid(NO_RECIPIENT)

    async def _post(self, room: str, text: str) -> control.SendMessageResponse:
        posted = await self._front.ask(actors.PostText(room=room, text=text), actors.Posted)
        message = translate.room_message(posted.record, self._front.names)
        return control.SendMessageResponse(message=message, listeners=posted.listeners)

    async def _write(self, who: str, text: str) -> control.SendMessageResponse:
        found = await self._front.resolve(who)
        sent = await self._front.ask(
            actors.SendDirect(peer=found.peer, text=text), actors.DirectSent
        )
        message = translate.direct_message(sent.record, self._front.names)
        return control.SendMessageResponse(message=message)

    async def edit_message(
        self, request: control.EditMessageRequest
    ) -> control.EditMessageResponse:
        await self._alter(request.conversation, request.id, text=request.text)
        return control.EditMessageResponse()

    async def retract_message(
        self, request: control.RetractMessageRequest
    ) -> control.RetractMessageResponse:
        await self._alter(request.conversation, request.id, retract=True)
        return control.RetractMessageResponse()

    async def _alter(
        self, given: control.Conversation, id_: str, *, text: str = "", retract: bool = False
    ) -> None:
        where = arguments.the_conversation(given)
        named = arguments.message_id(id_)
        await self._front.do(
            actors.AlterMessage(
                room=where.room, peer=where.peer, id=named, text=text, retract=retract
            )
        )

    async def delete_message(
        self, request: control.DeleteMessageRequest
    ) -> control.DeleteMessageResponse:
        where = arguments.the_conversation(request.conversation)
        sender = arguments.binary_peer(request.sender)
        named = arguments.message_id(request.id)
        await self._front.do(
            actors.DeleteMessage(room=where.room, peer=where.peer, sender=sender, id=named)
        )
        return control.DeleteMessageResponse()

    async def flush(self, _: control.FlushRequest) -> control.FlushResponse:
        with trio.move_on_after(FLUSH_PATIENCE):
            while True:
                try:
                    await self._front.do(actors.FlushRooms())
                    return control.FlushResponse()
                except AskTimeoutError:
                    continue
        raise AskTimeoutError("Not everything has been read by others yet.")

    # ---- what was said ------------------------------------------------------------------------------

    async def read_history(
        self, request: control.ReadHistoryRequest
    ) -> control.ReadHistoryResponse:
        limit = arguments.limit(request.limit, HISTORY, MOST_HISTORY)
        before = arguments.position(request.before)
        match request.WhichOneof("of"):
            case "room":
                return await self._history_of_room(request.room, limit, before)
            case "who":
                return await self._history_with(request.who, limit, before)
            case _:
                raise arguments.invalid(WHOSE)

    async def _history_of_room(
        self, room: str, limit: int, before: bytes
    ) -> control.ReadHistoryResponse:
        stored = await self._front.stored(room)

        async def read(number: int, before: bytes) -> actors.HistoryPage:
            question = actors.ReadHistory(room=stored, limit=number, before=before)
            return await self._front.ask(question, actors.HistoryPage)

        page, cursor = await _page(read, limit, before)
        return control.ReadHistoryResponse(
            conversation=translate.in_room(room),
            messages=translate.room_messages(page.records, self._front.names),
            cursor=cursor,
        )

    async def _history_with(
        self, who: str, limit: int, before: bytes
    ) -> control.ReadHistoryResponse:
        peer = (await self._front.resolve(who)).peer

        async def read(number: int, before: bytes) -> actors.DirectHistoryPage:
            question = actors.ReadDirectHistory(peer=peer, limit=number, before=before)
            return await self._front.ask(question, actors.DirectHistoryPage)

        page, cursor = await _page(read, limit, before)
        return control.ReadHistoryResponse(
            conversation=translate.with_peer(peer),
            messages=translate.direct_messages(page.records, self._front.names),
            cursor=cursor,
        )

    async def search(self, request: control.SearchRequest) -> control.SearchResponse:
        limit = arguments.limit(request.limit, HITS, MOST_HITS)
        question = actors.SearchHistory(
            words=request.words, before=arguments.position(request.before)
        )
        match request.WhichOneof("in"):
            case "room":
                question.room = await self._front.stored(request.room)
            case "who":
                question.peer = (await self._front.resolve(request.who)).peer

        async def look(number: int) -> actors.SearchPage:
            question.limit = number
            return await self._front.ask(question, actors.SearchPage)

        page = await _fitting(look, limit)
        return control.SearchResponse(
            messages=translate.found_messages(page.hits, self._front.names),
            cursor=arguments.cursor(page.last),
            waiting=page.waiting,
        )


async def _page(
    read: Callable[[int, bytes], Awaitable[H]], limit: int, before: bytes
) -> tuple[H, str]:
    """With the cursor to what stands before it; empty: nothing does."""
    page = await _fitting(lambda number: read(number, before), limit)
    before = page.first
    if before:
        probe = await read(1, before)
        before = (
            before if probe.records else probe.first
        )  # so many are not listed that it may be all
    return page, arguments.cursor(before) if before else ""


async def _fitting(read: Callable[[int], Awaitable[P]], limit: int) -> P:
    """The page with the most messages up to `limit` that is no longer than `ANSWER_BYTES`, or about that."""
    while True:
        page = await read(limit)
        size = page.ByteSize()
        if size <= ANSWER_BYTES or limit == 1:
            return page
        limit = max(1, min(limit - 1, limit * ANSWER_BYTES // size))
