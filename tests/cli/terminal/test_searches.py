"""/search in a session: a console in memory, a played node, virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock as Clock

from p2pchat.cli.terminal.commands import Command, Mistake, Search, SearchOn
from p2pchat.cli.terminal.completion import Names, completions
from p2pchat.cli.terminal.lines import Span, line, plain
from p2pchat.cli.terminal.parsing import parse
from p2pchat.cli.terminal.render_search import LONG, highlighted, shortened
from p2pchat.node.protocol.search_query import parse_query
from p2pchat.node.runtime import ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.cli.terminal.world import BOB, PlayedUi, World, record, shown

DAY_MS = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("/search harbour", Search("harbour")),
        ('/search "in a row" har*', Search('"in a row" har*')),
        ("/search #lobby harbour master", Search("harbour master", "lobby")),
        ("/search #lobby", Search("#lobby")),
        ("/search more", SearchOn()),
        ("/search More", SearchOn()),
        ('/search "more"', Search('"more"')),
        ("/search more harbour", Search("more harbour")),
        ("/search # x", Search("# x")),
    ],
)
def test_what_a_search_line_means(typed: str, command: Command) -> None:
    assert parse(typed) == command


@pytest.mark.parametrize(
    "typed", ["/search", "/search !?", "/search #lobby !", "/search " + "x" * 1001]
)
def test_mistakes_say_what_to_do(typed: str) -> None:
    command = parse(typed)
    assert isinstance(command, Mistake)
    assert "at most" in command.problem or "/search harbour" in command.problem


def test_what_tab_offers() -> None:
    known = Names(rooms=("lobby", "library"))
    assert [choice for choice, _ in completions("/sea", known)] == ["/search"]
    assert [choice for choice, _ in completions("/search m", known)] == ["more"]
    assert [choice for choice, _ in completions("/search #li", known)] == ["#library"]


class SearchUi(PlayedUi):
    @handles(actors.SearchHistory)
    async def _search(self, question: actors.SearchHistory) -> actors.SearchPage | actors.Rejected:
        assert isinstance(self.world, SearchWorld)
        self.world.questions.append(question)
        if self.world.problem:
            return actors.Rejected(reason=actors.UNAVAILABLE, detail=self.world.problem)
        return self.world.pages.pop(0)


class SearchWorld(World):
    def __init__(self, *pages: actors.SearchPage) -> None:
        super().__init__()
        self.pages = list(pages)
        self.questions: list[actors.SearchHistory] = []
        self.problem = ""
        self.mail.befriend(BOB.peer, "Bob")
        self.cell = ActorCell.of("ui", SearchUi, lambda: SearchUi(self))
        self.tree = Supervisor("root", [self.cell], root=True)


def in_room(text: str, day: int = 1, room: str = "lobby") -> actors.SearchHit:
    found = record(text, room=room)
    found.message.sent_at_ms = day * DAY_MS
    return actors.SearchHit(room_message=found)


def direct(text: str, day: int = 1, *, outgoing: bool = False) -> actors.SearchHit:
    found = records.DirectRecord(peer=BOB.peer_bytes, text=text, outgoing=outgoing)
    found.sent_at_ms = found.received_at_ms = day * DAY_MS
    found.delivery.stage = records.DELIVERED
    return actors.SearchHit(direct=found)


def page(*hits: actors.SearchHit, last: bytes = b"", waiting: int = 0) -> actors.SearchPage:
    return actors.SearchPage(hits=hits, last=last, waiting=waiting)


async def session(world: SearchWorld, *typed: str) -> list[str]:
    async with world.running() as console:
        console.type(*typed)
        await trio.testing.wait_all_tasks_blocked()
    return [each for each in shown(world) if "Back in" not in each]


async def test_hits_stand_with_day_place_and_author_the_newest_last(
    autojump_clock: Clock,
) -> None:
    hits = (direct("Hi!", 3, outgoing=True), direct("Ho", 3), in_room("newer", 2), in_room("old"))
    world = SearchWorld(page(*hits))
    lines = await session(world, "/search o*")
    end = BOB.peer[-6:]
    assert lines[0] == "* 4 messages that contain it, the newest last:"
    days = [each for each in lines if each.startswith("---")]
    assert len(days) == 3
    assert "1970" in days[0]
    messages = [each.split("] ")[-1] for each in lines[1:] if not each.startswith("---")]
    assert messages == [
        f"Bob (…{end}): old",
        f"Bob (…{end}): newer",
        "Bob to you: Ho",
        "you to Bob: Hi!  - delivered",
    ]
    assert any(each.startswith("#lobby [") for each in lines)
    assert world.questions == [actors.SearchHistory(words="o*", limit=20)]


async def test_more_goes_on(autojump_clock: Clock) -> None:
    world = SearchWorld(page(in_room("b"), last=b"p1"), page(in_room("a"), last=b"p2"), page())
    lines = await session(world, "/search #lobby x", *["/search more"] * 3)
    assert lines.count("* There are older ones: /search more") == 2
    assert "* 1 message in #lobby that contains it, the newest last:" in lines
    assert lines[-2:] == [
        "* Nothing older in #lobby contains that.",
        "* Everything that was found is shown already.",
    ]
    assert [question.before for question in world.questions] == [b"", b"p1", b"p2"]
    assert {(question.words, question.room) for question in world.questions} == {("x", "lobby")}


async def test_more_of_nothing(autojump_clock: Clock) -> None:
    lines = await session(SearchWorld(), "/search more")
    assert lines[-1].startswith("* Search for what? E.g. /search harbour")


async def test_nothing_found_says_what_could_help(autojump_clock: Clock) -> None:
    lines = await session(SearchWorld(page()), "/search nowhere")
    assert lines[0].startswith("* Nothing contains that. All words must occur in one message")


async def test_nothing_found_while_the_index_is_being_built(autojump_clock: Clock) -> None:
    lines = await session(SearchWorld(page(waiting=1200)), "/search nowhere")
    assert lines[0] == "* Nothing of what is in the index so far contains that."
    assert lines[1] == "* About 1,200 messages are not in the index yet."


async def test_a_node_that_cannot_search_says_why(autojump_clock: Clock) -> None:
    world = SearchWorld()
    world.problem = "Search does not work with this Python."
    assert await session(world, "/search x") == ["* Search does not work with this Python."]


async def test_what_others_wrote_is_harmless(autojump_clock: Clock) -> None:
    lines = await session(SearchWorld(page(in_room("\x1b[2Jred\nsecond"))), "/search red")
    assert lines[-2].endswith(": ␛[2Jred")
    assert lines[-1] == "    second"


def test_what_was_looked_for_stands_out() -> None:
    head = line(Span("[10:00] ", "time"), Span("Red", "peer1"), ": Rédder, red bread. ")
    marked = highlighted(head, parse_query('red* "is bread"'))
    assert plain(marked) == plain(head)
    strong = [span.text for span in marked if span.style == "strong"]
    assert strong == ["Rédder", "red", "bread"]


def test_of_a_long_message_the_telling_lines_are_shown() -> None:
    lines = [line(f"line {number}") for number in range(100)]
    marked = [highlighted(each, parse_query("7 50")) for each in lines]
    assert [plain(each) for each in shortened(marked)] == ["line 0", "line 7", "line 50", "    …"]
    assert len(shortened([highlighted(each, parse_query("line")) for each in lines])) == LONG + 1
    assert shortened(lines[:LONG]) == lines[:LONG]
