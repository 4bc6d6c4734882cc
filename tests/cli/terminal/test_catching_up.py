"""Gaps, and late messages: few lines, whatever the pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC

from p2pchat.cli.terminal.catching_up import LONGEST, QUIET, STALLED, CatchingUp
from p2pchat.cli.terminal.lines import Line, plain
from p2pchat.cli.terminal.render import MessageView
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.cli.terminal.world import BOB, ME

NOON = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC


def catching_up(*, here: str = "den") -> CatchingUp:
    return CatchingUp(MessageView(ME.peer, UTC), lambda room: room != here)


def late(*numbers: int, room: str = "den") -> actors.RoomMessagesArrived:
    found = []
    for number in numbers:
        each = records.RoomRecord(received_at_ms=NOON)
        each.message.sender = BOB.peer_bytes
        each.message.nick = "Bob"
        each.message.room = room
        each.message.sent_at_ms = NOON
        each.message.lamport = number
        each.message.text = str(number)
        found.append(each)
    return actors.RoomMessagesArrived(room=room, records=found, late=True)


def progress(
    fetched: int, expected: int, *, done: bool = False, peer: str = "a"
) -> actors.SyncProgressed:
    return actors.SyncProgressed(
        room="den", peer=peer, fetched=fetched, expected=expected, done=done
    )


def gap(missing: int, *, given_up: bool = False) -> actors.RoomGap:
    return actors.RoomGap(room="den", missing=missing, given_up=given_up)


def texts(lines: Sequence[Line]) -> list[str]:
    return [plain(line).replace("[22:13:20] Bob (…x6nXTN): ", "") for line in lines]


# ---- late messages -------------------------------------------------------------------------------------


def test_pages_are_gathered_and_shown_in_their_order() -> None:
    catching = catching_up()
    assert catching.due_at == math.inf
    catching.arrived(late(3, 4), 0.0)
    catching.arrived(late(1, 2), 0.5)
    assert catching.due_at == 0.5 + QUIET
    assert catching.due(1.0) == []
    assert texts(catching.due(1.5)) == ["* 4 messages of #den came late:", "1", "2", "3", "4"]
    assert catching.due_at == math.inf
    assert catching.due(10.0) == []


def test_of_many_the_newest_are_shown() -> None:
    catching = catching_up()
    for begin in range(1000, 0, -100):
        catching.arrived(late(*range(begin, begin + 100)), 0.0)
    head, *rest = texts(catching.due(QUIET))
    assert head == "* 1,000 messages of #den came late, /history shows them. The last 20:"
    assert rest == [str(number) for number in range(1080, 1100)]


def test_messages_of_another_room_name_it() -> None:
    catching = catching_up(here="attic")
    catching.arrived(late(1), 0.0)
    assert texts(catching.due(QUIET)) == ["* 1 message of #den came late:", "#den 1"]


def test_pages_without_end_are_shown_now_and_then() -> None:
    catching = catching_up()
    shown = 0
    for number in range(1, 61):
        now = number / 2
        catching.arrived(late(number), now)
        shown += bool(catching.due(now))
    assert 30 // LONGEST - 1 <= shown <= 30 // LONGEST


def test_at_the_end_everything_is_shown() -> None:
    catching = catching_up()
    catching.arrived(late(1), 0.0)
    assert len(catching.flush()) == 2
    assert catching.flush() == []


# ---- progress ------------------------------------------------------------------------------------------


def test_a_long_catching_up_has_a_line_now_and_then_and_one_at_the_end() -> None:
    catching = catching_up()
    lines: list[str] = []
    for step in range(100):
        now = step / 10
        catching.arrived(late(*range(1000 * step, 1000 * step + 10)), now)
        lines += texts(catching.progressed(progress(1000 * step, 100_000), now))
        lines += texts(catching.due(now))
    assert lines == [
        f"* Catching up in #den: {fetched} of 100,000 messages"
        for fetched in ("0", "30,000", "60,000", "90,000")
    ]
    head, *rest = texts(catching.progressed(progress(100_000, 100_000, done=True), 10.0))
    assert head == ("* #den is complete: 100,000 messages came; /history shows them. The last 20:")
    assert len(rest) == 20
    assert catching.due_at == math.inf


def test_a_small_one_needs_no_progress_and_is_shown_at_its_end() -> None:
    catching = catching_up()
    assert catching.progressed(progress(0, 999), 0.0) == []
    catching.arrived(late(1, 2), 0.0)
    assert catching.due(5.0) == []
    assert texts(catching.progressed(progress(2, 2, done=True), 6.0)) == [
        "* 2 messages of #den came late:",
        "1",
        "2",
    ]
    assert catching.progressed(progress(0, 0, done=True), 7.0) == []


def test_one_that_comes_from_two_members() -> None:
    catching = catching_up()
    assert catching.progressed(progress(0, 1000, peer="a"), 0.0)
    assert texts(catching.progressed(progress(500, 1000, peer="b"), 5.0)) == [
        "* Catching up in #den: 500 of 2,000 messages"
    ]
    assert catching.progressed(progress(900, 1000, done=True, peer="a"), 6.0) == []
    assert texts(catching.progressed(progress(900, 1000, done=True, peer="b"), 7.0)) == [
        "* #den is complete: 1,800 messages came; /history shows them"
    ]


def test_one_that_ends_early_says_so() -> None:
    catching = catching_up()
    catching.progressed(progress(0, 100_000), 0.0)
    event = progress(12_000, 100_000, done=True)
    event.broken = True
    assert texts(catching.progressed(event, 3.0)) == [
        "* Catching up in #den stopped at 12,000 of 100,000 messages; "
        "the rest comes from the next member who has it"
    ]


def test_one_of_which_nobody_speaks_any_more_is_over() -> None:
    catching = catching_up()
    catching.progressed(progress(0, 500), 0.0)
    catching.arrived(late(1), 1.0)
    assert catching.due(1.0 + QUIET) == []
    assert texts(catching.due(1.0 + STALLED)) == ["* 1 message of #den came late:", "1"]


# ---- gaps ----------------------------------------------------------------------------------------------


def test_a_gap_is_told_once_and_its_end_too() -> None:
    catching = catching_up()
    assert texts(catching.gap(gap(3))) == ["* 3 messages are missing in #den, asking the others …"]
    assert catching.gap(gap(7)) == []
    assert texts(catching.gap(gap(0))) == ["* What was missing in #den has come"]
    assert catching.gap(gap(0)) == []
    assert texts(catching.gap(gap(1))) == ["* 1 message is missing in #den, asking the others …"]


def test_what_comes_late_says_it_itself() -> None:
    catching = catching_up()
    catching.gap(gap(3))
    catching.arrived(late(1, 2, 3), 0.0)
    assert catching.gap(gap(0)) == []


def test_what_nobody_has_is_given_up() -> None:
    catching = catching_up()
    catching.gap(gap(3))
    assert texts(catching.gap(gap(3, given_up=True))) == [
        "* 3 messages of #den are missing; nobody who is here has them. "
        "They come when somebody does."
    ]
    assert texts(catching.gap(gap(1, given_up=True))) == [
        "* 1 message of #den is missing; nobody who is here has it. It comes when somebody does."
    ]


def test_a_gap_while_the_room_is_being_fetched_is_no_news() -> None:
    catching = catching_up()
    catching.progressed(progress(0, 100_000), 0.0)
    assert catching.gap(gap(3)) == []
    assert catching.gap(gap(0)) == []
