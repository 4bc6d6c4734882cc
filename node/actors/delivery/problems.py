"""Why something cannot be sent to somebody, as rejections for the owner."""

from __future__ import annotations

from p2pchat.node.protocol import names, peer_id
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.proto import actors_pb2 as actors

MAX_WAITING = 20_000  # own messages that are not delivered; one more is refused


def of_text(
    post: actors.SendDirect, me: str, contacts: ContactBook, waiting: int
) -> actors.Rejected | None:
    """`me` is the own peer id, `waiting` the number of own messages that are not delivered."""
    if post.peer == me:
        return rejected(actors.INVALID, "That is you: nobody else would read it.")
    if not _is_node(post.peer):
        return rejected(actors.INVALID, f"{post.peer!r} is no peer id of a p2pchat node.")
    if not post.HasField("transfer") and (problem := names.text_problem(post.text)):
        return rejected(actors.TOO_LONG, problem)
    return of_recipient(post.peer, contacts, waiting)


def of_recipient(peer: str, contacts: ContactBook, waiting: int) -> actors.Rejected | None:
    if contacts.is_blocked(peer):
        name = contacts.label(peer)
        detail = f"You have blocked {name}: unblock first, or you would not hear the answer."
        return rejected(actors.INVALID, detail)
    if waiting >= MAX_WAITING:
        detail = f"{MAX_WAITING:,} messages are waiting to be delivered already."
        return rejected(actors.TOO_MANY, detail)
    return None


def not_saved(error: Exception) -> actors.Rejected:
    return rejected(actors.STORE_FAILED, f"Not sent: {error}")


def rejected(reason: actors.Reason, detail: str) -> actors.Rejected:
    return actors.Rejected(reason=reason, detail=detail)


def _is_node(text: str) -> bool:
    try:
        return peer_id.public_key_of(peer_id.from_text(text)) is not None
    except ValueError:
        return False
