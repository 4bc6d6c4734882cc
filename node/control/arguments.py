"""Reads what callers write: message ids, cursors, conversations. Each raises `RequestRejectedError` with a sentence."""

from __future__ import annotations

import base64
import re

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol import names, peer_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

LONGEST_CURSOR = 4096  # characters

_MESSAGE_ID = re.compile(r"[0-9a-fA-F]{32}")


def invalid(detail: str) -> RequestRejectedError:
    return RequestRejectedError(actors.INVALID, detail)


def message_id(text: str) -> bytes:
    if _MESSAGE_ID.fullmatch(text) is None:
        raise invalid("The id of a message has 32 hexadecimal digits.")
    return bytes.fromhex(text)


def binary_peer(text: str) -> bytes:
    """Of a base58 peer id; empty for none: in plain rooms nobody knows who has written."""
    try:
        return peer_id.from_text(text) if text else b""
    except ValueError:
        raise invalid("That is no peer id: one looks like 12D3KooW...") from None


def the_conversation(given: control.Conversation) -> control.Conversation:
    """With exactly one of room and peer set."""
    if bool(given.room) == bool(given.peer):
        raise invalid("A conversation is one room or one peer.")
    if given.room and (problem := names.room_problem(given.room)):
        raise invalid(problem)
    binary_peer(given.peer)
    return given


def limit(given: int, default: int, most: int) -> int:
    if given > most:
        raise invalid(f"The limit is at most {most:,}.")
    return given or default


def cursor(position: bytes) -> str:
    """For a position in the store; empty for none."""
    return base64.urlsafe_b64encode(position).decode("ascii").rstrip("=")


def position(text: str) -> bytes:
    """The other way round."""
    try:
        padded = text + "=" * (-len(text) % 4)
        found = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        found = None
    if found is None or len(text) > LONGEST_CURSOR or cursor(found) != text:
        raise invalid("That is no cursor of an earlier answer.")
    return found
