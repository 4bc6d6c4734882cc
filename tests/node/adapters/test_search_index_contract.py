"""What every `SearchIndex` does, real or in memory."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.adapters.memory_index import MemoryIndex
from p2pchat.node.adapters.sqlite_index import SqliteIndex
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import IndexState, SearchIndex
from p2pchat.node.protocol.search_query import parse_query
from p2pchat.proto import index_pb2 as index

LOBBY, GARDEN = "#lobby", "#garden"
BOB = "@12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


@pytest.fixture(params=["memory", "sqlite"])
def search_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchIndex]:
    made: SearchIndex = (
        MemoryIndex() if request.param == "memory" else SqliteIndex(tmp_path / "data" / "search.db")
    )
    made.open()
    yield made
    made.close()


def spot(number: int, place: str = LOBBY, lamport: int | None = None) -> index.Spot:
    time = number if lamport is None else lamport
    return index.Spot(place=place, key=struct.pack(">QQQ", time, 0, number))


def said(number: int, text: str, place: str = LOBBY, lamport: int | None = None) -> index.Change:
    return index.Change(spot=spot(number, place, lamport), text=text)


def gone(change: index.Change) -> index.Change:
    return index.Change(spot=change.spot, text=change.text, deleted=True)


def numbers(
    search_index: SearchIndex, typed: str, place: str = "", limit: int = 100, before: bytes = b""
) -> list[int]:
    found = search_index.find(parse_query(typed), place, limit, before)
    return [struct.unpack(">QQQ", spot.key)[2] for spot in found.spots]


def test_the_newest_stand_first(search_index: SearchIndex) -> None:
    texts = [said(n, f"word {n}") for n in (3, 1, 2)]
    search_index.apply(texts[:2], None)
    search_index.apply(texts[2:], None)
    assert numbers(search_index, "word") == [3, 2, 1]
    assert search_index.find(parse_query("word"), "", 1, b"").spots == [spot(3)]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("harbour", [4, 1]),
        ("HARBOUR the", [1]),
        ("harb*", [4, 2, 1]),
        ('"the harbour"', [1]),
        ('"harbour the"', []),
        ("cafe", [3]),
        ("CAFÉ", [3]),
        ("AND", [5]),
        ("OR NOT", [5]),
        ("NEAR(harbour the)", []),
        ("-harbour", [4, 1]),
        ("harbour:", [4, 1]),
        ("text:harbour", []),
        ('harbour" "', [4, 1]),
        ("place:p1", []),
        ("p1", []),
        ("(harbour", [4, 1]),
        ("^the", [1]),
        ("東京", [6]),
        ("京都", [6]),
        ("東都", []),
        ("東京タワー", []),
        ("nothing", []),
    ],
)
def test_what_is_found(search_index: SearchIndex, typed: str, found: list[int]) -> None:
    texts = [
        "At the Harbour.",
        "harbours, bays",
        "Café\x00 au lait",
        "my harbour",
        "this AND that OR NOT",
        "私は東京都に",
    ]
    search_index.apply([said(n, text) for n, text in enumerate(texts, 1)], None)
    assert numbers(search_index, typed) == found


def test_one_place_only(search_index: SearchIndex) -> None:
    places = [LOBBY, GARDEN, BOB, GARDEN]
    search_index.apply([said(n, "word", place) for n, place in enumerate(places)], None)
    assert numbers(search_index, "word", GARDEN) == [3, 1]
    assert numbers(search_index, "word", BOB) == [2]
    assert numbers(search_index, "word", "#attic") == []
    assert numbers(search_index, "word") == [3, 2, 1, 0]


def test_pages_lead_to_older_ones_and_do_not_move(search_index: SearchIndex) -> None:
    search_index.apply([said(n, "word") for n in range(25)], None)
    pages, last = [], b""
    while True:
        found = search_index.find(parse_query("word"), "", 10, last)
        pages.append([struct.unpack(">QQQ", spot.key)[2] for spot in found.spots])
        search_index.apply([said(1000 + len(pages), "word")], None)
        last = found.last
        if not last:
            break
    assert pages == [[*range(24, 14, -1)], [*range(14, 4, -1)], [*range(4, -1, -1)]]


def test_the_last_page_is_known_to_be_it(search_index: SearchIndex) -> None:
    search_index.apply([said(n, "word") for n in range(10)], None)
    assert search_index.find(parse_query("word"), "", 10, b"").last == b""


@pytest.mark.parametrize("before", [b"\x00", b"\xff" * 40, b"nonsense"])
def test_an_invented_position_harms_nobody(search_index: SearchIndex, before: bytes) -> None:
    search_index.apply([said(1, "word")], None)
    assert numbers(search_index, "word", before=before) in ([], [1])


def test_what_is_there_already_changes_nothing(search_index: SearchIndex) -> None:
    batch = [said(n, f"word {n}") for n in range(5)]
    search_index.apply(batch, None)
    assert search_index.apply(batch + batch, None).messages == 5
    assert numbers(search_index, "word") == [4, 3, 2, 1, 0]


def test_the_deleted_is_found_no_longer(search_index: SearchIndex) -> None:
    batch = [said(n, f"some Wörd 東京 {n}") for n in range(5)]
    search_index.apply(batch, None)
    assert search_index.apply([gone(batch[1]), gone(batch[3])], None).messages == 3
    for typed in ("word", "some", "東京"):
        assert numbers(search_index, typed) == [4, 2, 0]
    assert search_index.apply([gone(batch[1])], None).messages == 3


def test_come_and_gone_in_one_batch(search_index: SearchIndex) -> None:
    fleeting = said(1, "word")
    assert search_index.apply([fleeting, gone(fleeting)], None).messages == 0
    assert search_index.apply([gone(fleeting), fleeting], None).messages == 1
    assert numbers(search_index, "word") == [1]


@pytest.mark.parametrize("lamport", [0, 5, 2**43 - 1, 2**43, 2**53, 2**64 - 1])
def test_many_messages_of_one_time(search_index: SearchIndex, lamport: int) -> None:
    batch = [said(n, "word", lamport=lamport) for n in range(300)]
    assert search_index.apply(batch, None).messages == 300
    assert sorted(numbers(search_index, "word", limit=1000)) == [*range(300)]
    assert search_index.apply([gone(change) for change in batch[:299]], None).messages == 1
    assert numbers(search_index, "word") == [299]


def test_the_state_is_kept(search_index: SearchIndex) -> None:
    assert search_index.open() == IndexState(b"", b"", 0)
    assert search_index.begin(b"follower") == IndexState(b"follower", b"", 0)
    search_index.apply([said(1, "word")], b"so far")
    state = search_index.apply([said(2, "word")], b"further")
    search_index.close()
    assert search_index.open() == state == IndexState(b"follower", b"further", 2)
    assert numbers(search_index, "word", LOBBY) == [2, 1]
    assert search_index.apply([], None) == IndexState(b"follower", None, 2)
    assert search_index.open() == IndexState(b"follower", None, 2)
    assert search_index.begin(b"other") == IndexState(b"other", b"", 0)
    assert numbers(search_index, "word") == []


def test_a_closed_index_says_so(search_index: SearchIndex) -> None:
    search_index.close()
    with pytest.raises(StoreError, match="not open"):
        search_index.apply([], None)
    with pytest.raises(StoreError, match="not open"):
        search_index.find(parse_query("word"), "", 1, b"")
    search_index.close()


WORDS = st.sampled_from(
    ["a", "ab", "Ä", "ba", "b", "AND", "東京", "京", '"', "*", "-", "(", "\x00", "é:"]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
BATCHES = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from([LOBBY, GARDEN]), st.booleans()), max_size=8
)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(TEXTS, min_size=9, max_size=9), st.lists(BATCHES, max_size=4), TEXTS | st.text())
def test_both_find_the_same(
    texts: list[str], batches: list[list[tuple[int, str, bool]]], typed: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        both: list[SearchIndex] = [MemoryIndex(), SqliteIndex(Path(folder, "search.db"))]
        for each in both:
            each.open()
        for batch in batches:
            changes = [
                gone(said(n, texts[n], place)) if is_gone else said(n, texts[n], place)
                for n, place, is_gone in batch
            ]
            states = [each.apply(changes, None) for each in both]
            assert states[0] == states[1]
        for wanted in (typed, "a", "ab*", "東京", '"a b"'):
            try:
                parse_query(wanted)
            except ValueError:
                continue
            found = [set(numbers(each, wanted, LOBBY)) for each in both]
            # Letters that were added to Unicode lately are letters for Python and not for SQLite.
            assert found[0] == found[1] or wanted == typed
        for each in both:
            each.close()


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    made = SqliteIndex(tmp_path / "search.db")
    made.open()
    made.apply([said(1, "word")], None)
    modes = [os.stat(path).st_mode & 0o777 for path in tmp_path.iterdir()]
    assert modes == [0o600] * len(modes)
    made.close()
