"""What /search means: everything behind that word."""

from __future__ import annotations

from p2pchat.cli.terminal.commands import Command, Mistake, Search, SearchOn
from p2pchat.node.protocol import names

MORE = "more"


def read_search(rest: str) -> Command:
    """`more` alone goes on; a word like #room in front of others says where to look."""
    if rest.lower() == MORE:
        return SearchOn()
    from p2pchat.node.protocol.search_query import parse_query  # not before there is a prompt

    first, _, behind = rest.partition(" ")
    is_room = first.startswith("#") and behind.strip() and names.room_problem(first[1:]) is None
    room, words = (first[1:], behind.strip()) if is_room else ("", rest)
    try:
        parse_query(words)
    except ValueError as error:
        return Mistake(str(error))
    return Search(words, room)
