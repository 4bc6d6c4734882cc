"""History and search: pages that lead to each other, and that a client can take."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from tests.node.control.stage import BOB, played
from tests.node.control.test_methods import (
    JOINED,
    LOBBY,
    RESOLVED,
    WITH_BOB,
    Answers,
    ask,
    said,
    written,
)


def paged(asked: actors.ReadHistory) -> actors.HistoryPage:
    """A room of 5 messages; positions are their numbers."""
    end = int(asked.before or b"5")
    start = max(0, end - asked.limit)
    kept = [said(str(number)) for number in range(start, end)]
    return actors.HistoryPage(records=kept, first=str(start).encode() if kept else b"")


async def test_history_goes_back_to_the_beginning(tmp_path: Path) -> None:
    node = played(tmp_path, {**JOINED, actors.ReadHistory: paged})
    async with node.running() as servant:
        request = control.ReadHistoryRequest(room="lobby", limit=3)
        newest = await servant.read_history(request)
        assert [each.text for each in newest.messages] == ["2", "3", "4"]
        assert newest.conversation == LOBBY
        request.before = newest.cursor
        oldest = await servant.read_history(request)
        assert [each.text for each in oldest.messages] == ["0", "1"]
        assert not oldest.cursor
        exactly = await servant.read_history(control.ReadHistoryRequest(room="lobby", limit=5))
        assert (len(exactly.messages), exactly.cursor) == (5, "")


@pytest.mark.parametrize(
    ("joined", "kept", "stored"),
    [
        ([actors.Room(name="lobby", plain=True)], [], "\x01lobby"),
        ([actors.Room(name="lobby")], ["\x01lobby"], "lobby"),
        ([], ["\x01lobby"], "\x01lobby"),
        ([], ["lobby", "\x01lobby"], "lobby"),
        ([], [], "lobby"),
    ],
)
async def test_history_of_a_plain_room_is_found(
    tmp_path: Path, joined: list[actors.Room], kept: list[str], stored: str
) -> None:
    usage = actors.RoomUsageList(rooms=[actors.RoomUsage(room=each) for each in kept])
    answers: Answers = {
        actors.ListRooms: actors.RoomList(rooms=joined),
        actors.ListStoredRooms: usage,
        actors.ReadHistory: actors.HistoryPage(),
    }
    page, asked = await ask(tmp_path, control.ReadHistoryRequest(room="lobby"), answers)
    assert asked[-1] == actors.ReadHistory(room=stored, limit=50)
    assert page.conversation == LOBBY


async def test_history_of_a_conversation(tmp_path: Path) -> None:
    page = actors.DirectHistoryPage(records=[written("Hi")])
    answers: Answers = {**RESOLVED, actors.ReadDirectHistory: page}
    found, asked = await ask(tmp_path, control.ReadHistoryRequest(who="bob"), answers)
    assert asked[-1] == actors.ReadDirectHistory(peer=BOB.peer, limit=50)
    assert (found.conversation, found.messages[0].text) == (WITH_BOB, "Hi")


async def test_a_page_is_not_longer_than_a_client_takes(tmp_path: Path) -> None:
    def long(asked: actors.ReadHistory) -> actors.HistoryPage:
        kept = [said("x" * 65_536)] * asked.limit
        return actors.HistoryPage(records=kept, first=b"1")

    answers: Answers = {**JOINED, actors.ReadHistory: long}
    request = control.ReadHistoryRequest(room="lobby", limit=1000)
    page, _ = await ask(tmp_path, request, answers)
    assert 1 < page.ByteSize() >> 20 < 4
    assert page.cursor


async def test_search(tmp_path: Path) -> None:
    hit = actors.SearchHit(direct=written("Hi"))
    page = actors.SearchPage(hits=[hit], last=b"x", waiting=3)
    answers: Answers = {**RESOLVED, **JOINED, actors.SearchHistory: page}
    found, asked = await ask(tmp_path, control.SearchRequest(words="hi", who="bob"), answers)
    assert asked[-1] == actors.SearchHistory(words="hi", limit=20, peer=BOB.peer)
    assert (found.messages[0].text, found.waiting) == ("Hi", 3)
    request = control.SearchRequest(words="hi", room="lobby", limit=5, before=found.cursor)
    _, asked = await ask(tmp_path, request, answers)
    assert asked[-1] == actors.SearchHistory(words="hi", limit=5, room="lobby", before=b"x")
