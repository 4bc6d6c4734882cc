"""Makes edits and retractions for tests of what becomes of messages."""

from __future__ import annotations

from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.direct_builders import direct_record, message_id


def room_edit(
    number: int, target: int, text: str = "", *, sender: int = 0, room: str = ROOM
) -> records.RoomRecord:
    """Message `number` about message `target`; a retraction if it has no text."""
    record = room_record(number, sender=sender, text=text, room=room)
    record.message.target = message_id(target)
    record.message.retraction = not text
    return record


def unseen(record: records.RoomRecord) -> records.RoomRecord:
    record.unseen = True
    return record


def direct_edit(
    number: int, target: int, text: str = "", *, outgoing: bool = False, peer: int = 0
) -> actors.DirectSave:
    record = direct_record(number, outgoing=outgoing, peer=peer, text=text)
    record.target = message_id(target)
    record.retraction = not text
    return actors.DirectSave(record=record)
