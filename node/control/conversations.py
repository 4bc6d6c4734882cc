"""Rooms and people with what the owner has seen of them."""

from __future__ import annotations

from p2pchat.node.control import arguments, translate_lists
from p2pchat.node.control.arguments import the_conversation
from p2pchat.node.control.group import Group
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

LOOK_BACK = 1000  # messages of a conversation among which unread ones are looked for at a time
LOOKS = 10  # as far as all of them have unread ones; each further call goes on


class Conversations(Group):
    async def list_conversations(
        self, _: control.ListConversationsRequest
    ) -> control.ListConversationsResponse:
        listed = await self._front.ask(actors.ListConversations(), actors.ConversationList)
        found = map(translate_lists.conversation, listed.conversations)
        return control.ListConversationsResponse(conversations=found)

    async def mark_read(self, request: control.MarkReadRequest) -> control.MarkReadResponse:
        where = the_conversation(request.conversation)
        if where.room:
            await self._front.do(actors.MarkRoomSeen(room=where.room))
        elif request.ids:
            ids = [arguments.message_id(each) for each in request.ids]
            await self._front.do(actors.MarkShown(peer=where.peer, ids=ids))
        else:
            await self._mark_all(where.peer)
        return control.MarkReadResponse()

    async def _mark_all(self, peer: str) -> None:
        """From the newest on, until there is nothing unread."""
        before = b""
        for _ in range(LOOKS):
            question = actors.ReadDirectHistory(peer=peer, limit=LOOK_BACK, before=before)
            page = await self._front.ask(question, actors.DirectHistoryPage)
            unread = [each.id for each in page.records if not each.outgoing and not each.read]
            if not unread and (page.records or not page.first):
                return
            if unread:
                await self._front.do(actors.MarkShown(peer=peer, ids=unread))
            before = page.first

    async def mute(self, request: control.MuteRequest) -> control.MuteResponse:
        where = the_conversation(request.conversation)
        await self._front.do(actors.Mute(room=where.room, peer=where.peer, muted=request.muted))
        return control.MuteResponse()
