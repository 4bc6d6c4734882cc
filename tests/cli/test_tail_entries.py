from __future__ import annotations

import pytest

from p2pchat.cli.tail_entries import Entries, split_cursor
from p2pchat.proto import control_pb2 as control


def begun(cursor: str, *, resumed: bool) -> control.Event:
    return control.Event(cursor=cursor, subscribed=control.Subscribed(resumed=resumed))


def said(cursor: str, *texts: str) -> control.Event:
    messages = [control.Message(text=text) for text in texts]
    return control.Event(cursor=cursor, messages_arrived=control.MessagesArrived(messages=messages))


def cursors(entries: Entries, event: control.Event) -> list[str]:
    return [entry.cursor for entry in entries.of(event)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("", 0)),
        ("ab-1", ("ab-1", 0)),
        ("ab-1~2", ("ab-1", 2)),
        ("ab-1~x", ("ab-1~x", 0)),
        ("~2", ("", 2)),
        ("a~²", ("a~²", 0)),
    ],
)
def test_split_cursor(text: str, parts: tuple[str, int]) -> None:
    assert split_cursor(text) == parts


def test_the_last_entry_of_an_event_has_its_cursor() -> None:
    entries = Entries()
    assert cursors(entries, begun("c1", resumed=False)) == ["c1"]
    assert cursors(entries, said("c2", "a", "b", "c")) == ["c1~1", "c1~2", "c2"]
    assert cursors(entries, said("c3", "d")) == ["c3"]


def test_known_entries_are_left_out_of_the_first_event_only() -> None:
    entries = Entries("c1", 2)
    assert cursors(entries, begun("c1", resumed=True)) == ["c1~2"]
    assert cursors(entries, said("c2", "a", "b", "c")) == ["c2"]
    assert cursors(entries, said("c3", "d", "e")) == ["c2~1", "c3"]


def test_of_a_stream_that_begins_anew_nothing_is_known() -> None:
    entries = Entries("c1", 2)
    assert cursors(entries, begun("d7", resumed=False)) == ["d7"]
    assert cursors(entries, said("d8", "a", "b")) == ["d7~1", "d8"]


def test_a_stream_that_resumes_in_between_goes_on_as_before() -> None:
    entries = Entries()
    list(entries.of(begun("c1", resumed=False)))
    list(entries.of(said("c2", "a")))
    assert cursors(entries, begun("c2", resumed=True)) == ["c2"]
    assert cursors(entries, said("c3", "b", "c")) == ["c2~1", "c3"]


def test_an_event_without_messages_is_one_entry_and_one_without_any_none() -> None:
    entries = Entries("c1")
    gone = control.Event(cursor="c2", peer_disconnected=control.PeerDisconnected(peer="p"))
    [entry] = entries.of(gone)
    assert (entry.kind, entry.cursor, entry.conversation) == ("peer_disconnected", "c2", None)
    assert cursors(entries, said("c3")) == []
    [entry] = entries.of(control.Event(cursor="c4"))
    assert (entry.kind, entry.cursor) == ("unknown", "c4")
