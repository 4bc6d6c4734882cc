"""Who reads the journal loses nothing and hears nothing twice, or is told exactly how much was missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import event_journal
from p2pchat.node.protocol.event_journal import (
    BATCH_BYTES,
    BATCH_EVENTS,
    MAX_BYTES,
    MAX_EVENTS,
    EventJournal,
    EventReader,
)
from p2pchat.proto import control_pb2 as control

NOW_MS = 1_790_000_000_000


def notice(text: str) -> control.Event:
    return control.Event(at_ms=5, notice=control.Notice(text=text))


def journal_of(texts: Iterable[object], epoch: bytes = b"1" * 8, **bounds: int) -> EventJournal:
    journal = EventJournal(epoch, **bounds)
    for text in texts:
        journal.append(notice(str(text)))
    return journal


def read(reader: EventReader) -> list[control.Event]:
    return [control.Event.FromString(each) for each in reader.read(NOW_MS)]


def texts(events: Iterable[control.Event]) -> list[str]:
    return [each.notice.text for each in events]


# ---- reading --------------------------------------------------------------------------------------------


def test_a_stream_begins_with_subscribed_and_goes_on_from_there() -> None:
    journal = journal_of("ab")
    reader = EventReader(journal)
    (first,) = read(reader)
    assert first.subscribed == control.Subscribed(resumed=False)
    assert (first.at_ms, first.cursor) == (NOW_MS, journal.cursor(2))
    assert read(reader) == []
    journal.append(notice("c"))
    (event,) = read(reader)
    assert (event.notice.text, event.cursor, event.at_ms) == ("c", journal.cursor(3), 5)
    assert read(reader) == []


def test_behind_a_cursor_follows_the_rest() -> None:
    journal = journal_of("abcd")
    reader = EventReader(journal, journal.cursor(2))
    (first,) = read(reader)
    assert first.subscribed.resumed
    assert first.cursor == journal.cursor(2)  # who is cut off now has lost nothing
    assert texts(read(reader)) == ["c", "d"]


def test_the_cursor_of_the_greeting_leads_back_to_where_the_stream_began() -> None:
    journal = journal_of("ab")
    (greeting,) = read(EventReader(journal))
    journal.append(notice("c"))
    reader = EventReader(journal, greeting.cursor)
    assert read(reader)[0].subscribed.resumed
    assert texts(read(reader)) == ["c"]


def test_a_cursor_of_another_run_resumes_nothing() -> None:
    old = journal_of("abc", epoch=b"0" * 8)
    journal = journal_of("abcd")
    reader = EventReader(journal, old.cursor(1))
    subscribed, fell_behind = read(reader)
    assert not subscribed.subscribed.resumed
    assert subscribed.cursor == old.cursor(1)  # who is cut off now has still not heard of the gap
    assert fell_behind.fell_behind.missed == 0
    assert fell_behind.fell_behind.reason == event_journal.ANOTHER_RUN
    assert fell_behind.cursor == journal.cursor(4)
    journal.append(notice("e"))
    assert texts(read(reader)) == ["e"]


def test_a_cursor_of_forgotten_events_resumes_nothing_and_says_how_many_are_missed() -> None:
    journal = journal_of("abcdef", max_events=2)
    reader = EventReader(journal, journal.cursor(1))
    subscribed, fell_behind = read(reader)
    assert not subscribed.subscribed.resumed
    assert fell_behind.fell_behind == control.FellBehind(reason=event_journal.TOO_OLD, missed=5)
    assert read(reader) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "-",
        "1" * 10_000,
        "3131313131313131-",
        "3131313131313131-3",
        "3131313131313131--1",
        "3131313131313131-01",
        "3131313131313131- 1",
        "3131313131313131-1\n",
        "3131313131313131-1_0",
    ],
)
def test_what_is_no_cursor_resumes_nothing(cursor: str) -> None:
    subscribed, fell_behind = read(EventReader(journal_of("ab"), cursor))
    assert not subscribed.subscribed.resumed
    assert fell_behind.HasField("fell_behind")


def test_a_slow_reader_is_told_what_it_missed_and_goes_on() -> None:
    journal = journal_of("", max_events=3)
    reader = EventReader(journal)
    read(reader)
    for text in "abcde":
        journal.append(notice(text))
    (fell_behind,) = read(reader)
    assert fell_behind.fell_behind == control.FellBehind(reason=event_journal.TOO_SLOW, missed=5)
    assert read(reader) == []
    journal.append(notice("f"))
    assert texts(read(reader)) == ["f"]


def test_lost_events_are_missed_by_everybody() -> None:
    journal = journal_of("ab")
    reader = EventReader(journal, journal.cursor(1))
    read(reader)
    journal.lose(0)
    assert texts(read(reader)) == ["b"]
    journal.lose(7)
    journal.append(notice("c"))
    (fell_behind,) = read(reader)
    assert fell_behind.fell_behind.missed == 8
    assert not read(EventReader(journal, journal.cursor(2)))[0].subscribed.resumed


# ---- bounds ---------------------------------------------------------------------------------------------


def test_the_journal_is_bounded_in_number() -> None:
    journal = journal_of(range(MAX_EVENTS + 10))
    assert (journal.start, journal.end) == (10, MAX_EVENTS + 10)


def test_the_journal_is_bounded_in_bytes() -> None:
    journal = journal_of(["x" * 10_000] * (MAX_BYTES // 10_000 + 10))
    kept = journal.end - journal.start
    assert MAX_BYTES - 20_000 < kept * 10_000 <= MAX_BYTES


def test_an_event_that_is_too_long_for_the_journal_is_missed() -> None:
    journal = journal_of("a")
    reader = EventReader(journal)
    read(reader)
    journal.append(notice("x" * (MAX_BYTES + 1)))
    (fell_behind,) = read(reader)
    assert fell_behind.fell_behind.missed == 1


def test_batches_are_bounded() -> None:
    many = EventReader(journal := journal_of(range(BATCH_EVENTS + 5)), journal.cursor(0))
    read(many)
    assert [len(many.read(0)), len(many.read(0)), len(many.read(0))] == [BATCH_EVENTS, 5, 0]
    large = EventReader(journal := journal_of(["x" * BATCH_BYTES] * 3), journal.cursor(0))
    read(large)
    assert [len(large.read(0)), len(large.read(0))] == [1, 1]


# ---- any number of disconnects --------------------------------------------------------------------------


@dataclass
class Client:
    """Reads when it likes, and is cut off when it likes; some of what was under way is lost then."""

    journal: EventJournal
    cursor: str = ""
    heard: list[int] = field(default_factory=list)
    missed: dict[int, int] = field(default_factory=dict)  # how many, by how many had been heard
    reader: EventReader | None = None

    def connect(self) -> None:
        self.reader = EventReader(self.journal, self.cursor)

    def take(self, arrives: int) -> None:
        """Of what the server says, so many events arrive before the connection may be cut."""
        if self.reader is None:
            self.connect()
        assert self.reader is not None
        events = read(self.reader)
        for event in events[:arrives]:
            self.cursor = event.cursor
            match event.WhichOneof("event"):
                case "notice":
                    self.heard.append(int(event.notice.text))
                case "fell_behind":
                    place = len(self.heard)
                    self.missed[place] = self.missed.get(place, 0) + event.fell_behind.missed
        if arrives < len(events):
            self.reader = None

    def catch_up(self) -> None:
        for _ in range(self.journal.end + 3):
            self.take(1_000_000)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(1, 12)),
        st.tuples(st.just("take"), st.integers(0, 12)),
        st.tuples(st.just("cut"), st.just(0)),
    ),
    max_size=60,
)


def run(client: Client, steps: Iterable[tuple[str, int]]) -> int:
    """How many events there were."""
    said = 0
    client.take(1)  # subscribed: from here on nothing may be lost
    for step, number in steps:
        match step:
            case "emit":
                for _ in range(number):
                    client.journal.append(notice(str(said)))
                    said += 1
            case "take":
                client.take(number)
            case "cut":
                client.reader = None
    client.catch_up()
    return said


@given(STEPS)
def test_resuming_loses_nothing_and_doubles_nothing(steps: list[tuple[str, int]]) -> None:
    client = Client(EventJournal(b"1" * 8))
    assert client.heard == list(range(run(client, steps)))[: len(client.heard)]
    assert len(client.heard) == client.journal.end
    assert not client.missed


@given(STEPS, st.integers(1, 8))
def test_what_a_short_journal_forgets_is_told_to_the_number(
    steps: list[tuple[str, int]], max_events: int
) -> None:
    client = Client(EventJournal(b"1" * 8, max_events=max_events))
    said = run(client, steps)
    assert client.heard == sorted(set(client.heard))
    expected = 0
    for place, number in enumerate([*client.heard, said]):
        expected += client.missed.get(place, 0)
        assert number == expected
        expected += 1
