from datetime import UTC

import pytest

from p2pchat.cli.terminal.render import size
from p2pchat.cli.tui.conversation import Conversation, Item
from p2pchat.cli.tui.layout import (
    ROWS_SHOWN,
    Place,
    Setting,
    folded,
    item_rows,
    places,
    shown_size,
)
from p2pchat.cli.tui.people import People
from p2pchat.cli.tui.rows import plain, row, row_width
from p2pchat.cli.tui.timeline_rows import TimelineRows
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, HOUR, ME, MINUTE, said

LOBBY = scene.room("lobby")
SETTING = Setting(40, People(ME, "ada"), UTC)


def rows(message: control.Message, *, expanded: bool = False, warning: str = "") -> list[str]:
    item = Item("key", (1, "", 0), message, expanded=expanded, warning=warning)
    return [plain(each) for each in item_rows(item, Place(), SETTING)]


def conversation(*messages: control.Message) -> Conversation:
    made = Conversation("#lobby", control.ConversationStatus(conversation=LOBBY))
    for message in messages:
        made.put(message)
    return made


def test_a_message_has_its_sender_and_time_above_it() -> None:
    assert rows(said(LOBBY, 1, BOB, "hi", 9 * HOUR)) == ["Bob  09:00", "  hi"]


def test_messages_of_one_person_shortly_after_each_other_stand_below_one_name() -> None:
    made = conversation(
        said(LOBBY, 1, BOB, "a", 0),
        said(LOBBY, 2, BOB, "b", MINUTE),
        said(LOBBY, 3, BOB, "c", 10 * MINUTE),
        said(LOBBY, 4, ME, "d", 10 * MINUTE),
    )
    assert [place.head for _, place in places(made, UTC)] == [True, False, True, True]


def test_a_new_day_has_a_line() -> None:
    made = conversation(said(LOBBY, 1, BOB, "a", 0), said(LOBBY, 2, BOB, "b", 24 * HOUR))
    days = [place.day for _, place in places(made, UTC)]
    assert [day.isoformat() for day in days if day] == ["2026-03-02", "2026-03-03"]


@pytest.mark.parametrize("at", [-(1 << 40), (1 << 63) - scene.START_MS])
def test_times_that_no_calendar_holds_do_no_harm(at: int) -> None:
    message = said(LOBBY, 1, BOB, "a", 0)
    message.sent_at_ms = max(0, at)
    made = conversation(message)
    for item, place in places(made, UTC):
        assert item_rows(item, place, SETTING)


@pytest.mark.parametrize(
    ("delivery", "mark"),
    [
        (scene.delivery(control.QUEUED), "… waiting"),
        (scene.delivery(control.SENDING), "↑ sending"),
        (scene.delivery(control.STORED, 1, 2), "✓ stored 1/2"),
        (scene.delivery(control.DELIVERED), "✓✓ delivered"),
        (scene.delivery(control.READ), "✓✓ read"),
        (scene.delivery(control.REFUSED, reason="full"), "✗ refused: full"),
        (scene.delivery(control.EXPIRED), "✗ expired"),
    ],
)
def test_an_own_message_says_at_the_edge_how_far_it_is(
    delivery: control.Delivery, mark: str
) -> None:
    shown = rows(said(scene.person(BOB), 1, ME, "hi", 0, delivery=delivery))
    assert shown[-1].startswith("  hi")
    assert shown[-1].rstrip().endswith(mark)
    assert len(shown[-1]) == 40


def test_a_mark_without_room_stands_below_and_a_long_reason_is_wrapped() -> None:
    delivery = scene.delivery(control.REFUSED, reason="nobody takes it because " + "x " * 40)
    shown = rows(said(scene.person(BOB), 1, ME, "y" * 37, 0, delivery=delivery))
    assert len(shown) > 4
    assert all(len(each) <= 40 for each in shown)


def test_a_text_that_was_not_sent_says_why() -> None:
    shown = rows(said(LOBBY, 1, ME, "hi", 0), warning="no such room")
    assert "✗ not sent: no such room" in shown[-1]


def test_edited_and_retracted_messages_say_so() -> None:
    assert rows(said(LOBBY, 1, BOB, "hi", 0, edited_at_ms=5))[-1] == "  hi (edited)"
    assert rows(said(LOBBY, 1, BOB, "", 0, retracted=True))[-1] == "  taken back"


def test_of_a_very_long_message_only_the_beginning_is_shown_until_asked() -> None:
    message = said(LOBBY, 1, BOB, "x" * 65_536, 0)
    shown = rows(message)
    assert len(shown) == 1 + ROWS_SHOWN + 1
    assert "show all of it (64.0 KiB)" in shown[-1]
    whole = rows(message, expanded=True)
    assert sum(each.count("x") for each in whole) == 65_536


def test_many_short_lines_are_cut_as_well() -> None:
    assert len(rows(said(LOBBY, 1, BOB, "x\n" * 30_000, 0))) == 1 + ROWS_SHOWN + 1


def test_hostile_text_is_shown_as_it_was_written() -> None:
    shown = rows(said(LOBBY, 1, BOB, "[red]x[/] \x1b[2J\r\b", 0))
    assert shown[1:] == ["  [red]x[/] ␛[2J␍␈"]


def test_no_row_is_wider_than_the_screen() -> None:
    for message in (*scene.lobby_page(), *scene.bob_page()):
        item = Item("key", (1, "", 0), message)
        for each in item_rows(item, Place(), SETTING, scene.transfer()):
            assert row_width(each) <= 40


def test_a_file_says_how_to_accept_it_and_how_far_it_is() -> None:
    message = scene.bob_page()[2]
    item = Item("key", (1, "", 0), message)
    offered = item_rows(item, Place(), SETTING, scene.transfer())
    assert offered[2].action == f"command /accept {scene.transfer().id}"
    transfer = scene.transfer(1_050_000, control.RUNNING)
    running = item_rows(item, Place(), SETTING._replace(width=60), transfer)
    assert "━━━━━━━━━━──────────  50%  341.8 KiB/s" in plain(running[2])
    narrow = [plain(each).strip() for each in item_rows(item, Place(), SETTING, transfer)]
    assert narrow[2:4] == ["━━━━━━━━━━──────────  50%", "341.8 KiB/s"]


def test_sizes_are_read_easily() -> None:
    for octets in (0, 999, 1023, 1024, 2_100_000, 5 << 30, 5 << 42):
        assert shown_size(octets) == size(octets)
    assert shown_size(999) == "999 bytes"
    assert shown_size(2_100_000) == "2.0 MiB"


def test_only_what_has_changed_is_laid_out_again() -> None:
    made = conversation(*scene.lobby_page())
    timeline = TimelineRows()
    timeline.build(made, SETTING, {})
    before = list(timeline.rows)
    made.put(said(LOBBY, 50, ME, "new", 50 * HOUR))
    timeline.build(made, SETTING, {})
    assert all(old is new for old, new in zip(before, timeline.rows, strict=False))


def test_a_row_is_found_again_after_others_came_above_it() -> None:
    made = conversation(*scene.lobby_page()[3:])
    timeline = TimelineRows()
    timeline.build(made, SETTING, {})
    anchor = timeline.anchor(6)
    assert anchor is not None
    row = timeline.rows[6]
    made.put_page(scene.lobby_page()[:3])
    timeline.build(made, SETTING, {})
    at = timeline.find(anchor)
    assert at is not None
    assert timeline.rows[at] == row


def test_what_fills_no_screen_stands_at_its_bottom() -> None:
    timeline = TimelineRows()
    timeline.build(conversation(said(LOBBY, 1, BOB, "hi", 0)), SETTING, {}, 10)
    assert len(timeline.rows) == 10
    assert plain(timeline.rows[-1]) == "  hi"


def test_a_line_that_is_folded_goes_on_below_its_text() -> None:
    shown = [plain(each) for each in folded(row("      one two three four"), 20)]
    assert shown == ["      one two three", "      four"]
