"""The rows around a conversation: the list, the title, the pane about who is there, the status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from p2pchat.cli.tui.cells import cut_inside, steady_line, steady_name, width
from p2pchat.cli.tui.conversation import Conversation
from p2pchat.cli.tui.layout import folded
from p2pchat.cli.tui.people import People
from p2pchat.cli.tui.rows import Piece, Row, both_ends, restyled, row, row_width
from p2pchat.cli.tui.state import ChatState
from p2pchat.proto import control_pb2 as control

MEMBERS_SHOWN = 500  # members of a room in the pane; the others are counted
PROBLEM_ROWS = 3  # of a sentence above the input
MOST_UNREAD = 999  # unread messages that are counted

STARTING = "starting the node …"
_HELP = ("F1 help  ^P commands ", "F1 help ")
AGAIN = "the node has died; starting it again"
GONE = "no connection to the node; trying again"


# ---- the list -------------------------------------------------------------------------------------------


def list_rows(state: ChatState, columns: int) -> list[Row]:
    rooms = [each for each in state.conversations.values() if each.is_room]
    persons = [each for each in state.conversations.values() if not each.is_room]
    rows = [_section("Rooms")]
    rows += [_entry(each, state, columns) for each in rooms] or [_nothing("/join lobby")]
    rows += [Row(), _section("People")]
    rows += [_entry(each, state, columns) for each in persons] or [_nothing("/contact add …")]
    return rows


def _section(title: str) -> Row:
    return row(Piece(f" {title}", "dim"))


def _nothing(hint: str) -> Row:
    return row(Piece(f"  {hint}", "faded"))


def _entry(each: Conversation, state: ChatState, columns: int) -> Row:
    status, chosen = each.status, each.key == state.current
    quiet = status.muted or status.blocked or (each.is_room and not status.joined)
    style = "faded" if quiet else "text"
    if each.draws_attention:
        style = "strong"
    count = f"{min(status.unread, MOST_UNREAD)}{'+' if status.unread > MOST_UNREAD else ''}"
    unread = (Piece(f"{count} ", "faded" if quiet else "unread"),) if status.unread else ()
    room = columns - 4 - (width(unread[0].text) if unread else 0)
    name = cut_inside(conversation_name(each, state.people), max(4, room))
    left = (Piece(" "), _sign(each, quiet), Piece(name, style))
    shown = both_ends(left, unread, columns, f"open {each.key}")
    return restyled(shown, lambda name: f"on:chosen {name or 'text'}") if chosen else shown


def _sign(each: Conversation, quiet: bool) -> Piece:
    if each.is_room:
        return Piece("# ", "faded" if quiet else "room")
    if each.status.blocked:
        return Piece("✗ ", "faded")
    return Piece("● ", "done") if each.status.connected else Piece("○ ", "faded")


def conversation_name(each: Conversation, people: People) -> str:
    if each.is_room:
        return steady_name(each.status.name or each.status.conversation.room, 64)
    return people.label(each.status.conversation.peer, each.status.name)


# ---- the title ------------------------------------------------------------------------------------------


def title_row(state: ChatState, columns: int) -> Row:
    here = state.here
    if here is None:
        return row(Piece(" p2pchat", "strong"))
    sign = "#" if here.is_room else "@ "
    name = Piece(f" {sign}{conversation_name(here, state.people)}", "strong")
    words = ", ".join(_title_words(here, state))
    return both_ends((name, Piece(f"  {words}", "dim")), (), columns)


def _title_words(here: Conversation, state: ChatState) -> Iterator[str]:
    status = here.status
    if here.is_room:
        members = state.members.get(status.conversation.room)
        if not status.joined:
            yield "not joined"
        elif members is not None:
            others = sum(not each.self for each in members)
            yield "nobody else is here" if not others else f"{others:,} other{'s' * (others > 1)}"
        if status.plain:
            yield "plain: unsigned, anybody may have written it"
    else:
        yield "connected" if status.connected else "not connected"
        yield "verified" if status.verified else "not verified"
    yield from (word for word in ("muted", "blocked") if getattr(status, word))
    if here.catching_up:
        fetched, expected = here.catching_up
        yield f"catching up {fetched:,} of {expected:,}"


# ---- who is there ---------------------------------------------------------------------------------------


def side_rows(state: ChatState, columns: int) -> list[Row]:
    here = state.here
    if here is None:
        return []
    if not here.is_room:
        return list(_person_rows(here, columns))
    return list(_member_rows(state, state.members.get(here.status.conversation.room), columns))


def _member_rows(
    state: ChatState, members: Iterable[control.Member] | None, columns: int
) -> Iterator[Row]:
    found = list(members or ())
    yield _section(f"Members {len(found):,}" if found else "Members")
    alike = False
    for each in found[:MEMBERS_SHOWN]:
        sign = Piece("● ", "done") if each.connected or each.self else Piece("○ ", "faded")
        name = state.people.piece(each.peer, each.name)
        action = "" if each.self else f"write {each.peer}"
        is_alike = not each.self and bool(each.name) and state.people.is_ambiguous(each.name)
        alike = alike or is_alike
        mark = (Piece(" ≈", "warning"),) if is_alike else ()
        text = cut_inside(name.text, max(4, columns - 4 - 2 * is_alike))
        shown = Piece(text, name.style if not each.self else "me")
        yield row(" ", sign, shown, *mark, action=action)
    if len(found) > MEMBERS_SHOWN:
        yield row(Piece(f" and {len(found) - MEMBERS_SHOWN:,} others", "dim"))
    if alike:
        yield row(Piece(" ≈", "warning"), Piece(" names that look alike", "dim"))


def _person_rows(here: Conversation, columns: int) -> Iterator[Row]:
    status = here.status
    peer = steady_line(status.conversation.peer)
    yield _section("Person")
    yield row(Piece(f" {steady_name(status.name, columns - 2)}", "strong"))
    for start in range(0, len(peer), max(8, columns - 2)):
        yield row(Piece(f" {peer[start : start + max(8, columns - 2)]}", "dim"))
    yield Row()
    yield _fact("● connected" if status.connected else "○ not connected", status.connected)
    yield _fact("✓ verified" if status.verified else "· not verified", status.verified)
    yield _fact("✓ a contact" if status.added else "· not added by you", status.added)
    if status.waiting:
        yield row(Piece(f" … {status.waiting:,} not delivered", "hint"))
    if status.muted:
        yield row(Piece(" muted", "dim"))
    if status.blocked:
        yield row(Piece(" ✗ blocked", "warning"))
    if not status.verified:
        yield Row()
        yield row(Piece(" compare numbers:", "dim"))
        yield row(Piece(" /verify", "hint"), action="command /verify")


def _fact(text: str, holds: bool) -> Row:
    return row(Piece(f" {text}", "done" if holds else "dim"))


# ---- above the input ------------------------------------------------------------------------------------


def draft_rows(text: str, problem: str, shows_all: bool, columns: int) -> list[Row]:
    """What is wrong with the text that is being typed, or how long it is if not all of it is shown."""
    if problem:
        shown = row(Piece(f" ✗ {steady_line(problem)}", "hint"))
        return [*folded(shown, columns)][:PROBLEM_ROWS]
    if shows_all:
        return []
    lines, octets = text.count("\n") + 1, len(text.encode("utf-8", "replace"))
    size = f"{lines:,} line{'s' * (lines != 1)}, {octets:,} bytes"
    return [row(Piece(f" {size}: more than is shown here", "dim"))]


# ---- the status -----------------------------------------------------------------------------------------


def status_row(state: ChatState, columns: int) -> Row:
    """`ada  ● reachable · 12 peers · mailboxes 1/2 · 3 waiting            F1 help`"""
    is_up = state.node.phase == "running" and bool(state.info.peer)
    left = tuple(_standing(state.info)) if is_up else (Piece(" "), *_node_pieces(state))
    room = columns - row_width(Row(left))
    return both_ends(left, _help(room), columns)


def _standing(info: control.GetInfoResponse) -> Iterator[Piece]:
    parts = [_reach(info.reachability), _many(info.connections, "peer")]
    if info.mailboxes:
        style = "text" if info.mailboxes_connected else "hint"
        parts.append(Piece(f"mailboxes {info.mailboxes_connected}/{info.mailboxes}", style))
    else:
        parts.append(Piece("no mailbox", "dim"))
    if info.outbox:
        parts.append(Piece(f"{info.outbox:,} not delivered", "hint"))
    yield Piece(f" {steady_name(info.name, 16)}" if info.name else "", "me")
    yield Piece("  ")
    yield from _joined(parts)


def _node_pieces(state: ChatState) -> tuple[Piece, ...]:
    node = state.node
    detail = f": {steady_line(node.detail)}" if node.detail else ""
    match node.phase:
        case "starting" | "running":
            return (Piece(f"◌ {STARTING}{detail}", "hint"),)
        case "gone":
            return (Piece(f"✗ {GONE}", "warning"),)
        case "restarting":
            return (Piece(f"✗ {AGAIN}{detail}", "warning"),)
        case "failed":
            return (Piece(f"✗ the node cannot run{detail}", "warning"),)
        case _:
            return (Piece(f"the node has stopped{detail}", "hint"),)


def _help(room: int) -> tuple[Piece, ...]:
    fitting = (text for text in _HELP if len(text) + 2 <= room)
    return (Piece(next(fitting, ""), "dim"),)


def _reach(reachability: str) -> Piece:
    if reachability == "public":
        return Piece("● reachable", "done")
    return (
        Piece("◐ behind a router", "text")
        if reachability == "private"
        else Piece("○ reachability unknown", "dim")
    )


def _many(number: int, what: str) -> Piece:
    return Piece(f"{number:,} {what}{'' if number == 1 else 's'}", "text" if number else "hint")


def _joined(parts: Iterable[Piece]) -> Iterator[Piece]:
    for index, part in enumerate(parts):
        if index:
            yield Piece(" · ", "dim")
        yield part
