"""What people and rooms may be called."""

from __future__ import annotations

import re
import unicodedata

from p2pchat.node.protocol import peer_id

NAME_LIMIT = 32  # characters of a person's name
ROOM_LIMIT = 64  # characters of a room's name
TEXT_LIMIT = 65_536  # bytes of UTF-8 of one message

# Controls, invisible and direction-changing characters, lone surrogates, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_PLAIN = "\x01"  # no name has control characters


def default_name(peer: str) -> str:
    """The name of somebody who never chose one, e.g. "user-a3f9k2"."""
    return f"user-{peer_id.short(peer).lower()}"


def name_problem(name: str) -> str | None:
    """Why nobody can be called that, as a sentence; None when it is fine."""
    if not name.strip():
        return "A name needs at least one character."
    if len(name) > NAME_LIMIT:
        return f"A name has at most {NAME_LIMIT} characters, this one has {len(name):,}."
    if _has_unseen(name):
        return "A name cannot contain control characters or invisible ones."
    if name != name.strip():
        return "A name cannot begin or end with a space."
    return None


def stored_room(room: str, plain: bool) -> str:
    """What the store calls a room. What is said in plain rooms is unsigned: mixed with the messages of a room of the
    same name, it would be offered to other members, who take it for forged."""
    return f"{_PLAIN}{room}" if plain else room


def shown_room(stored: str) -> str:
    """The other way round."""
    return stored.removeprefix(_PLAIN)


def bare_room(typed: str) -> str:
    """Rooms are shown as #room, so people type them that way; one whose name begins with # is ##room."""
    return typed[1:] if typed.startswith("#") and len(typed) > 1 else typed


def room_problem(room: str) -> str | None:
    """Why no room can be called that, as a sentence; None when it is fine."""
    if not room:
        return "A room's name needs at least one character."
    if len(room) > ROOM_LIMIT:
        return f"A room's name has at most {ROOM_LIMIT} characters, this one has {len(room):,}."
    if _has_unseen(room) or re.search(r"\s", room):
        return "A room's name cannot contain spaces, control characters or invisible ones."
    return None


def text_problem(text: str) -> str | None:
    """Why that cannot be sent as one message, as a sentence; None when it is fine."""
    if not text:
        return "There is nothing to send."
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > TEXT_LIMIT:
        return (
            f"A message has at most {TEXT_LIMIT:,} bytes, this one has {size:,}: it was not sent."
        )
    return None


def _has_unseen(text: str) -> bool:
    return any(unicodedata.category(character) in _UNSEEN for character in text)
