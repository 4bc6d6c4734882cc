"""Words about file transfers, as contents of envelopes: they are shown nowhere, and not acknowledged."""

from __future__ import annotations

from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

LIFETIME_MS = 30 * DAY_MS  # how long one is tried


def content_of(note: actors.SendFileNote, nick: str, now_ms: int) -> wire.Content:
    """The content of an envelope that carries a note."""
    content = wire.Content(id=note.id, sent_at_ms=now_ms, lamport=now_ms, nick=nick)
    if note.HasField("part"):
        content.file_part.CopyFrom(note.part)
    else:
        content.file_answer.CopyFrom(note.answer)
    return content


def heard(peer: str, name: str, content: wire.Content) -> actors.FileNoteHeard | None:
    """What came of such a content; None for one of another kind."""
    match content.WhichOneof("body"):
        case "file_answer":
            return actors.FileNoteHeard(peer=peer, name=name, answer=content.file_answer)
        case "file_part":
            return actors.FileNoteHeard(peer=peer, name=name, part=content.file_part)
    return None
