"""Edits and retractions of own messages in a room."""

from __future__ import annotations

from p2pchat.node.protocol import names
from p2pchat.node.protocol.rooms import Room
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

PLAIN = "What was said in a plain room cannot be changed: nobody could tell who changes it."
NOT_YOURS = "There is no such message of yours here."
TAKEN_BACK = "That message has been taken back already."


class Altering:
    """`author` is the own binary peer id."""

    def __init__(self, storage: ActorRef, room: Room, author: bytes) -> None:
        self._storage = storage
        self._room = room
        self._author = author

    async def problem(self, command: actors.AlterMessage) -> str | None:
        """Why it cannot be done, as a sentence. Raises what `ActorRef.ask` raises."""
        if self._room.plain:
            return PLAIN
        if not command.retract and (problem := names.text_problem(command.text)):
            return problem
        name = actors.FindMessages.Name(sender=self._author, id=command.id)
        question = actors.FindMessages(room=self._room.name, names=[name])
        found = (await self._storage.ask(question, actors.MessagesFound)).room_records
        if not found:
            return NOT_YOURS
        return TAKEN_BACK if found[0].alteration.retracted else None

    def compose(self, command: actors.AlterMessage, nick: str, now_ms: int) -> records.RoomRecord:
        text = "" if command.retract else command.text
        return self._room.compose(text, nick, now_ms, target=command.id, retraction=command.retract)
