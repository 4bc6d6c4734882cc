"""What the storage actor does about what messages say now, and about what is unread."""

from __future__ import annotations

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import StoreActor, wrong_peer
from p2pchat.node.protocol import peer_id
from p2pchat.node.runtime import handles
from p2pchat.proto import actors_pb2 as actors

GONE = "There is no such message here."


class AlterationStorage(StoreActor):
    """Rooms are meant as the store calls them."""

    @handles(actors.FindMessages)
    async def _find_messages(self, query: actors.FindMessages) -> Message:
        if query.peer and (wrong := wrong_peer([query.peer])):
            return wrong
        return await self._answer(lambda: self._found(query))

    @handles(actors.DeleteMessage)
    async def _delete_message(self, command: actors.DeleteMessage) -> Message:
        if command.peer and (wrong := wrong_peer([command.peer])):
            return wrong
        return await self._answer(lambda: self._deleted(command))

    @handles(actors.ReadUnread)
    async def _read_unread(self, _: actors.ReadUnread) -> Message:
        return await self._answer(lambda: actors.UnreadCounts(counts=self._store.unread()))

    @handles(actors.MarkRoomSeen)
    async def _mark_room_seen(self, command: actors.MarkRoomSeen) -> Message:
        return await self._write(lambda: self._store.mark_room_seen(command.room, command.seen_ms))

    @handles(actors.Mute)
    async def _mute(self, command: actors.Mute) -> Message:
        return await self._write(lambda: self._store.mute_room(command.room, command.muted))

    # What runs in the worker thread.

    def _found(self, query: actors.FindMessages) -> actors.MessagesFound:
        if query.peer:
            names = [(_is_own(name.sender, query.peer), name.id) for name in query.names]
            found = self._store.named_direct_messages(query.peer, names)
            return actors.MessagesFound(direct_records=found)
        named = [(name.sender, name.id) for name in query.names]
        return actors.MessagesFound(room_records=self._store.named_room_messages(query.room, named))

    def _deleted(self, command: actors.DeleteMessage) -> Message:
        if command.peer:
            own = _is_own(command.sender, command.peer)
            done = self._store.delete_direct_message(command.peer, own, command.id)
        else:
            done = self._store.delete_room_message(command.room, command.sender, command.id)
        return actors.Done() if done else actors.Rejected(reason=actors.INVALID, detail=GONE)


def _is_own(sender: bytes, peer: str) -> bool:
    """In a conversation with `peer` there are two who write."""
    return sender != peer_id.from_text(peer)
