"""How answers look in a conversation: the tables of the other front ends, as rows. Loaded with the first answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p2pchat.cli import node_lines, transfer_lines
from p2pchat.cli.terminal import render_doctor, render_info, render_members
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render import count, duration, size
from p2pchat.cli.tui.cells import steady_line
from p2pchat.cli.tui.people import People
from p2pchat.cli.tui.rows import Piece, Row, row
from p2pchat.node.protocol.names import stored_room
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

NO_ROOMS = "There are no rooms: /join lobby goes to one."
NO_CONTACTS = "There are no contacts: /contact add <link> adds one."
NO_MAILBOXES = (
    "There is no mailbox, so messages arrive only while this node is online: "
    "/mailbox add <link> adds one."
)


def from_lines(lines: Iterable[Line]) -> list[Row]:
    return [Row(tuple(Piece(span.text, span.style) for span in line)) for line in lines]


def note(text: str) -> list[Row]:
    """A sentence, which may quote a stranger."""
    return [row(Piece(f"* {steady_line(part)}", "dim")) for part in text.split("\n")]


def hint(text: str) -> list[Row]:
    return [row(Piece(f"* {steady_line(part)}", "hint")) for part in text.split("\n")]


def warning(text: str) -> list[Row]:
    return [row(Piece(f"✗ {steady_line(part)}", "warning")) for part in text.split("\n")]


def notice(level: str, text: str) -> list[Row]:
    return {"hint": hint, "warning": warning}.get(level, note)(text)


def peers(found: Sequence[control.Peer], columns: int) -> list[Row]:
    return from_lines(node_lines.peer_lines(found, columns))


def rooms(found: Sequence[control.Room], columns: int) -> list[Row]:
    return from_lines(node_lines.room_lines(found, columns)) if found else hint(NO_ROOMS)


def members(room: str, found: Sequence[control.Member]) -> list[Row]:
    """As in the line mode: whoever can be taken for somebody else is marked."""
    me = next((each for each in found if each.self), control.Member())
    others = [_member(each) for each in found if not each.self]
    return from_lines(render_members.who(room, _member(me), others))


def _member(each: control.Member) -> actors.Member:
    return actors.Member(
        peer=each.peer, name=each.name, connected=each.connected, seen_ms=each.seen_ms
    )


def contacts(found: Sequence[control.Contact], columns: int) -> list[Row]:
    return from_lines(node_lines.contact_lines(found, columns)) if found else hint(NO_CONTACTS)


def mailboxes(found: Sequence[control.OwnMailbox], columns: int) -> list[Row]:
    return from_lines(node_lines.mailbox_lines(found, columns)) if found else hint(NO_MAILBOXES)


def transfers(found: Sequence[control.Transfer], columns: int) -> list[Row]:
    return from_lines(transfer_lines.transfer_lines(found, columns))


def info(found: control.GetInfoResponse, rooms: Sequence[control.Room] = ()) -> list[Row]:
    """As in the line mode; a node that gives no details has the short form."""
    if not found.HasField("details"):
        return from_lines(node_lines.info_lines(found))
    stored = [
        actors.RoomUsage(
            room=stored_room(each.name, each.plain), messages=each.messages, bytes=each.bytes
        )
        for each in rooms
    ]
    version = row(Piece(f"Version:    {steady_line(found.version)}"))
    return [version, *from_lines(render_info.info(found.details, stored))]


def diagnosis(found: actors.Diagnosis) -> list[Row]:
    return from_lines(render_doctor.diagnosis(found.checks))


def blocked(found: Sequence[control.BlockedPeer], people: People) -> list[Row]:
    if not found:
        return note("Nobody is blocked.")
    return [
        row("  ", people.piece(each.peer, each.name), Piece(f"  {steady_line(each.peer)}", "dim"))
        for each in found
    ]


def link(text: str) -> list[Row]:
    """Alone on its rows, to be copied."""
    head = note("Whoever has this link can write to you (/contact add); it is all one line:")
    return [*head, row(Piece(steady_line(text), "address"))]


def safety_number(found: control.GetSafetyNumberResponse, people: People) -> list[Row]:
    digits = found.digits
    groups = [digits[at : at + 5] for at in range(0, len(digits), 5)]
    rows = [" ".join(groups[at : at + 4]) for at in range(0, len(groups), 4)]
    name = people.piece(found.peer, found.name)
    state = "It is noted as compared." if found.verified else "Compare it over another way, then:"
    yes = row(
        Piece(f"  /verify …{found.peer[-6:]} yes", "hint"),
        action=f"command /verify {found.peer} yes",
    )
    return [
        row(Piece("* The number that you see, and ", "dim"), name, Piece(" sees as well:", "dim")),
        *(row(Piece(f"    {each}", "strong")) for each in rows),
        *note(state),
        *([] if found.verified else [yes]),
    ]


def archived(status: actors.ArchiveStatus, *, stop: bool) -> list[Row]:
    if not status.answers:
        return hint("You have no mailbox that could keep a room: /mailbox add <link> adds one.")
    return [
        row("  ", Piece(f"…{steady_line(each.mailbox[-6:])}", "strong"), _archive(each, stop))
        for each in status.answers
    ]


def _archive(each: actors.ArchiveStatus.Answer, stop: bool) -> Piece:
    if each.problem:
        return Piece(f"  {steady_line(each.problem)}", "warning")
    if not each.archiving:
        return Piece(
            "  does not keep the room any more" if stop else "  does not keep the room", "dim"
        )
    if stop:
        return Piece("  goes on keeping it: somebody else wants it kept, too", "dim")
    kept = f" for {duration(each.retention_ms // 1000)}" if each.retention_ms else ""
    room = f" up to {size(each.quota_bytes)}" if each.quota_bytes else ""
    return Piece(f"  keeps it for its members{kept}{room}", "dim")


def kept(response: control.KeepRoomResponse) -> list[Row]:
    if not response.HasField("keep_days"):
        return note("Its messages are kept here as long as this node is set to.")
    if not response.keep_days:
        return note("Its messages are kept here for ever.")
    days = count(response.keep_days, "day")
    return note(f"Its messages are deleted here after {days}; others keep theirs.")
