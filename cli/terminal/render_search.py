"""How found messages look. What was looked for stands out; everything from others passes through `safe_text`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import HANGING_INDENT, Line, Span, line
from p2pchat.cli.terminal.render import MessageView, by_day, count, hint, note
from p2pchat.cli.terminal.render_direct import DirectView, Partner
from p2pchat.cli.times import when
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.search_query import SearchQuery, is_wanted, tokens
from p2pchat.proto import actors_pb2 as actors

LONG = 6  # lines; of a longer message only the first one and those with a word in them are shown


class SearchView:
    """`partner` says how to call a peer id; `zone` is None for the computer's own time zone."""

    def __init__(
        self, rooms: MessageView, partner: Callable[[str], Partner], zone: tzinfo | None = None
    ) -> None:
        self._rooms = rooms
        self._direct = DirectView(zone)
        self._partner = partner
        self._zone = zone

    def page(self, page: actors.SearchPage, query: SearchQuery, where: str) -> Iterator[Line]:
        """The newest last, with a line where a new day begins. `where` is a room; empty: everywhere."""
        yield _head(page, f" in {room(where)}" if where else "")
        yield from by_day((self._at(hit), self._hit(hit, query)) for hit in reversed(page.hits))
        yield from _tail(page)

    def _at(self, hit: actors.SearchHit) -> datetime | None:
        is_room = hit.HasField("room_message")
        sent = hit.room_message.message.sent_at_ms if is_room else hit.direct.sent_at_ms
        return when(sent, self._zone)

    def _hit(self, hit: actors.SearchHit, query: SearchQuery) -> list[Line]:
        return shortened([highlighted(each, query) for each in self._lines(hit)])

    def _lines(self, hit: actors.SearchHit) -> list[Line]:
        if hit.HasField("room_message"):
            return self._rooms.message(hit.room_message, elsewhere=True)
        record = hit.direct
        partner = self._partner(peer_id.to_text(record.peer))
        if record.outgoing:
            return self._direct.own(partner, record, record.delivery)
        return self._direct.incoming(partner, record)


def nothing(page: actors.SearchPage, where: str, *, further: bool) -> Iterator[Line]:
    """`further`: there was something, on pages before this one."""
    place = f" in {room(where)}" if where else ""
    if further:
        yield note(f"Nothing older{place} contains that.")
    elif page.waiting:
        yield hint(f"Nothing{place} of what is in the index so far contains that.")
    else:
        yield hint(
            f"Nothing{place} contains that. All words must occur in one message, in any order; a * stands for the "
            "rest of a word: /search harb*"
        )
    yield from _tail(page)


def _head(page: actors.SearchPage, place: str) -> Line:
    verb = "contains" if len(page.hits) == 1 else "contain"
    return note(f"{count(len(page.hits), 'message')}{place} that {verb} it, the newest last:")


def _tail(page: actors.SearchPage) -> Iterator[Line]:
    if page.waiting:
        verb = "is" if page.waiting == 1 else "are"
        yield hint(f"About {count(page.waiting, 'message')} {verb} not in the index yet.")
    if page.last:
        yield note("There are older ones: /search more")


def highlighted(shown: Line, query: SearchQuery) -> Line:
    """With the words that are looked for in the text of a message standing out."""
    return tuple(part for span in shown for part in _marked(span, query))


def _marked(span: Span, query: SearchQuery) -> Iterable[Span]:
    # Times and names have a style, and are not searched.
    if span.style:
        return (span,)
    parts: list[Span] = []
    done = 0
    for start, end, word in tokens(span.text):
        if is_wanted(query, word):
            parts += [Span(span.text[done:start]), Span(span.text[start:end], "strong")]
            done = end
    return [part for part in (*parts, Span(span.text[done:])) if part.text]


def shortened(lines: Sequence[Line]) -> list[Line]:
    if len(lines) <= LONG:
        return list(lines)
    first, *others = lines
    telling = [each for each in others if any(span.style == "strong" for span in each)]
    left_out = line(Span(" " * HANGING_INDENT + "…", "dim"))
    return [first, *telling[: LONG - 1], left_out]
