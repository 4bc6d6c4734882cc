"""How found messages look, and what a search asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from p2pchat.cli.terminal.render import count
from p2pchat.cli.tui.cells import cut, steady_line, width
from p2pchat.cli.tui.conversation import key_of
from p2pchat.cli.tui.layout import when
from p2pchat.cli.tui.panes import conversation_name
from p2pchat.cli.tui.rows import Piece, Row, both_ends, restyled, row
from p2pchat.cli.tui.state import ChatState
from p2pchat.node.protocol import names
from p2pchat.node.protocol.search_query import SearchQuery, is_wanted, parse_query, tokens
from p2pchat.proto import control_pb2 as control

BEFORE = 24  # characters shown in front of the first word that was looked for
SHOWN = 1_000  # characters of a message that are looked at for its excerpt


def split_query(words: str) -> control.SearchRequest | None:
    """`#room words` looks in one room only. None: nothing to look for."""
    room, words = _room_and_words(words)
    if not words:
        return None
    request = control.SearchRequest(words=words)
    if room:
        request.room = room
    return request


def _room_and_words(words: str) -> tuple[str, str]:
    first, _, behind = words.strip().partition(" ")
    is_room = first.startswith("#") and behind.strip() and names.room_problem(first[1:]) is None
    return (first[1:], behind.strip()) if is_room else ("", words.strip())


def head_row(words: str, number: int, more: bool, waiting: int, problem: str) -> Row:
    if problem:
        return row(Piece(f" {steady_line(problem)}", "warning"))
    if not words:
        return row(Piece(" Search", "strong"))
    what = "Nothing" if not number else "1 message" if number == 1 else f"{number:,} messages"
    older = ", and older ones" if more else ""
    index = f"; not in the index yet: {count(waiting, 'message')}" if waiting else ""
    return row(Piece(f" {what}", "strong"), Piece(f"{older}{index}", "dim"))


def found_rows(
    found: Sequence[control.Message],
    at: int,
    words: str,
    state: ChatState,
    columns: int,
    zone: tzinfo | None,
) -> tuple[list[Row], list[int]]:
    """Two rows each, and where each begins."""
    query = _query(words)
    rows: list[Row] = []
    starts = []
    for index, message in enumerate(found):
        starts.append(len(rows))
        for each in _pair(message, query, state, columns, zone):
            shown = each._replace(action=f"found {index}")
            rows.append(restyled(shown, _chosen) if index == at else shown)
    return rows, starts


def _chosen(style: str) -> str:
    return f"on:chosen {style or 'text'}"


def _query(words: str) -> SearchQuery | None:
    try:
        return parse_query(_room_and_words(words)[1])
    except ValueError:
        return None


def _pair(
    message: control.Message,
    query: SearchQuery | None,
    state: ChatState,
    columns: int,
    zone: tzinfo | None,
) -> Iterator[Row]:
    conversation = state.conversations.get(key_of(message))
    if message.conversation.room:
        where = f"#{steady_line(message.conversation.room)}"
    else:
        name = conversation_name(conversation, state.people) if conversation else ""
        where = f"@ {name or state.people.label(message.conversation.peer)}"
    at = when(message.sent_at_ms, zone)
    date = f"{at.day} {at:%b %Y %H:%M} " if at else "--:-- "
    name_piece = state.people.piece(message.sender, message.name)
    left = (Piece(" "), name_piece, Piece(f"  {where}", "room"))
    yield both_ends(left, (Piece(date, "dim"),), columns)
    yield row("   ", *excerpt(message.text or message.file.name, query, columns - 4))


def excerpt(text: str, query: SearchQuery | None, columns: int) -> list[Piece]:
    """One row around the first word that was looked for, with those words standing out."""
    line = steady_line(" ".join(text[: SHOWN * 4].split()))
    wanted = [(s, e) for s, e, word in tokens(line) if query and is_wanted(query, word)]
    start = max(0, wanted[0][0] - BEFORE) if wanted and width(line) > columns else 0
    pieces = [Piece("…", "dim")] if start else []
    done = start
    for begin, end in wanted:
        if begin >= done:
            pieces += [Piece(line[done:begin], "text"), Piece(line[begin:end], "found")]
            done = end
    pieces.append(Piece(cut(line[done : done + SHOWN], columns), "text"))
    return [each for each in pieces if each.text]
