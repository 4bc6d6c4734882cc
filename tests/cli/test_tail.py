"""`p2pchat tail`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from p2pchat.cli import control_client, event_stream, tail
from p2pchat.proto import control_pb2 as control
from tests.cli.commands import EVIL, Commands, commands
from tests.cli.played_control import BOB, arrived, in_room, to_bob

__all__ = ["commands"]


def texts(found: list[Any]) -> list[str]:
    return [each["text"] for each in found if each["type"] == "message"]


def begin(commands: Commands) -> str:
    """A cursor, as a script gets its first one."""
    [line] = commands.run("tail", "--json").lines
    assert (line["type"], line["resumed"]) == ("subscribed", False)
    cursor: str = line["cursor"]
    return cursor


def test_what_is_there_behind_a_cursor_and_then_the_end(commands: Commands) -> None:
    commands.node.emit(messages_arrived=arrived(in_room("before")))
    cursor = begin(commands)
    commands.node.emit(messages_arrived=arrived(in_room("one"), in_room("two", 2), late=True))
    commands.node.emit(messages_arrived=arrived(to_bob("three")))
    found = commands.run("tail", "--json", "--after", cursor).lines
    assert [each["type"] for each in found] == ["subscribed", "message", "message", "message"]
    assert texts(found) == ["one", "two", "three"]
    assert [each.get("late") for each in found] == [None, True, True, False]
    assert found[1]["at_ms"] == 1_700_000_000_000
    assert commands.run("tail", "--json", "--after", found[-1]["cursor"]).lines[1:] == []


def test_every_line_is_a_place_to_go_on_from(commands: Commands) -> None:
    cursor = begin(commands)
    commands.node.emit(messages_arrived=arrived(*(in_room(f"{n}", n) for n in range(3))))
    commands.node.emit(peer_disconnected=control.PeerDisconnected(peer=BOB))
    changed = control.MessagesChanged(
        conversation=control.Conversation(room="lobby"),
        messages=[in_room("1 new", 1)],
        deleted=[control.DeletedMessage(sender=BOB, id="ff")],
    )
    commands.node.emit(messages_changed=changed)
    commands.node.emit(messages_arrived=arrived(in_room("3", 3), in_room("4", 4)))
    whole = commands.run("tail", "--json", "--after", cursor).lines
    assert len(whole) == 1 + 3 + 2 + 2
    for index, line in enumerate(whole):
        rest = commands.run("tail", "--json", "--after", line["cursor"]).lines
        assert rest[1:] == whole[index + 1 :], line
        assert rest[0]["cursor"] == line["cursor"]


def test_only_one_conversation(commands: Commands) -> None:
    commands.node.answers["ResolvePeer"] = control.ResolvePeerResponse(peer=BOB)
    cursor = begin(commands)
    commands.node.emit(messages_arrived=arrived(in_room("lobby")))
    commands.node.emit(messages_arrived=arrived(in_room("garden", room="garden")))
    commands.node.emit(messages_arrived=arrived(to_bob("private")))
    words = ["tail", "--json", "--after", cursor]
    assert texts(commands.run(*words, "--room", "lobby").lines) == ["lobby"]
    assert texts(commands.run(*words, "--room", "#lobby").lines) == ["lobby"]
    assert texts(commands.run(*words, "--with", "Bob").lines) == ["private"]


def test_all_events(commands: Commands) -> None:
    cursor = begin(commands)
    commands.node.emit(peer_disconnected=control.PeerDisconnected(peer=BOB))
    assert len(commands.run("tail", "--json", "--after", cursor).lines) == 1
    found = commands.run("tail", "--json", "--after", cursor, "--all").lines
    assert (found[1]["type"], found[1]["peer"]) == ("peer_disconnected", BOB)


def test_a_cursor_of_another_run_is_told(commands: Commands) -> None:
    found = commands.run("tail", "--json", "--after", "0011223344556677-2~1").lines
    assert [each["type"] for each in found] == ["subscribed", "fell_behind"]
    assert found[0]["resumed"] is False
    cursor = found[1]["cursor"]
    commands.node.emit(messages_arrived=arrived(in_room("new")))
    assert texts(commands.run("tail", "--json", "--after", cursor).lines) == ["new"]
    shown = commands.run("tail", "--after", "0011223344556677-2").out
    assert "started anew" in shown


def test_whoever_falls_behind_meanwhile_comes_to_an_end_as_well(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event that was the newest one when it began never comes then."""

    class BusyNode:
        def subscribe(self, after: str = "") -> Iterator[control.Event]:
            if not after:
                yield control.Event(cursor="e-9", subscribed=control.Subscribed())
                return
            yield control.Event(cursor=after, subscribed=control.Subscribed(resumed=True))
            yield control.Event(cursor="e-fff", fell_behind=control.FellBehind(missed=5))
            raise AssertionError("it should have ended")

    monkeypatch.setattr(control_client, "node", lambda _: nullcontext(BusyNode()))
    found = commands.run("tail", "--json", "--after", "e-1").lines
    assert [each["type"] for each in found] == ["subscribed", "fell_behind"]


def test_hostile_text_is_harmless(commands: Commands) -> None:
    cursor = begin(commands)
    commands.node.emit(messages_arrived=arrived(in_room(f"{EVIL}\n[00:00:00] fake", name=EVIL)))
    commands.node.emit(notice=control.Notice(text=EVIL))
    shown = commands.run("tail", "--after", cursor, "--all").out
    assert shown.startswith("#lobby [")
    assert not set(shown) & set("\x1b\x07\u202e")
    assert "\n    [00:00:00] fake" in shown


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--room", "a", "--with", "b", "--follow"], "two conversations"),
        ([], "--follow, or --after"),
    ],
)
def test_bad_use(commands: Commands, words: list[str], part: str) -> None:
    done = commands.run("tail", *words)
    assert done.code == 2
    assert part in done.err


def test_it_follows_until_it_is_interrupted(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = begin(commands)
    commands.node.emit(messages_arrived=arrived(in_room("one")))
    commands.node.emit(messages_arrived=arrived(in_room("two", 2)))
    show = tail._show

    def interrupted(entry: Any, *, json: bool) -> None:
        show(entry, json=json)
        if entry.kind == "message" and entry.content.text == "two":
            raise KeyboardInterrupt

    monkeypatch.setattr(tail, "_show", interrupted)
    done = commands.run("tail", "--follow", "--json", "--after", cursor)
    assert done.code == 0
    assert texts(done.lines) == ["one", "two"]


def test_it_goes_on_when_the_node_comes_back(commands: Commands) -> None:
    """The first stream ends in the middle: the node ends it, as one that stops does."""
    node = commands.node
    cursor = begin(commands)
    node.emit(messages_arrived=arrived(in_room("one")))
    gone: list[str] = []

    def come_back(_: float) -> None:
        node.is_stopping = False
        node.emit(messages_arrived=arrived(in_room("two", 2)))

    events = event_stream.follow(commands.folder, cursor, on_gone=gone.append, sleep=come_back)
    assert next(events).subscribed.resumed
    assert next(events).messages_arrived.messages[0].text == "one"
    node.is_stopping = True
    assert next(events).subscribed.resumed
    assert next(events).messages_arrived.messages[0].text == "two"
    assert len(gone) == 1
    events.close()  # type: ignore[attr-defined]
