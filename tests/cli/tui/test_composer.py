"""What stands above the text that is being typed."""

from __future__ import annotations

from textual import events

from p2pchat.cli.tui.composer import MOST_ROWS
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.screens import SMALL, Stage, on_stage


def above_input(stage: Stage) -> str:
    """The row above the first one of the input."""
    top = stage.app.picture.composer.region.y
    return stage.text().split("\n")[top - 1]


def test_why_a_long_text_is_not_sent_stands_right_above_it_until_it_is_changed() -> None:
    async def play(stage: Stage) -> None:
        stage.app.post_message(events.Paste("x" * 70_000))
        await stage.until_shown("1 line, 70,000 bytes: more than is shown here")
        await stage.press("enter")
        await stage.until(lambda: "65,536" in _between(stage))
        assert not stage.link.asked_for(control.SendMessageRequest)
        assert len(stage.app.picture.composer.text) == 70_000
        await stage.press("backspace")
        await stage.until(lambda: "69,999 bytes" in above_input(stage))
        await stage.press("ctrl+u")
        await stage.until_shown("Write to #lobby")
        assert not stage.app.picture.draft.display

    on_stage(play, SMALL)


def _between(stage: Stage) -> str:
    """What stands between the conversation and the input."""
    bottom = stage.app.picture.timeline.region.bottom
    top = stage.app.picture.composer.region.y
    return " ".join(stage.text().split("\n")[bottom:top])


def test_a_paste_that_is_not_taken_says_so_above_what_is_there() -> None:
    async def play(stage: Stage) -> None:
        await stage.type("draft")
        stage.app.post_message(events.Paste("x" * 70_001))
        await stage.until(lambda: "was not taken" in _between(stage))
        assert stage.app.picture.composer.text == "draft"

    on_stage(play, SMALL)


def test_a_text_for_a_room_one_is_not_in_comes_back_with_the_reason_above_it() -> None:
    async def play(stage: Stage) -> None:
        here = stage.app.state.here
        assert here is not None
        here.status.joined = False
        stage.app.say("hello")
        await stage.until(lambda: "You are not in this room" in _between(stage))
        assert stage.app.picture.composer.text == "hello"

    on_stage(play, SMALL)


def test_how_many_lines_a_paste_has_is_said_when_it_does_not_show_whole() -> None:
    async def play(stage: Stage) -> None:
        stage.app.post_message(events.Paste("\n".join("a" * MOST_ROWS)))
        await stage.until(lambda: stage.app.picture.composer.size.height == MOST_ROWS)
        assert not stage.app.picture.draft.display
        stage.app.post_message(events.Paste("\nb" * 192))
        await stage.until(lambda: "200 lines, 399 bytes" in above_input(stage))

    on_stage(play, SMALL)


def test_a_long_draft_leaves_room_on_a_low_screen() -> None:
    async def play(stage: Stage) -> None:
        stage.app.post_message(events.Paste("\n".join("abcdefgh")))
        await stage.until_shown("   h")
        await stage.pilot.resize_terminal(40, 12)
        await stage.until(lambda: stage.app.picture.composer.size.height == 6)
        await stage.until_shown("8 lines, 15 bytes", "   h")
        await stage.pilot.resize_terminal(*SMALL)
        await stage.until(lambda: stage.app.picture.composer.size.height == MOST_ROWS)
        assert not stage.app.picture.draft.display

    on_stage(play, SMALL, opening=scene.opening())


def test_even_the_smallest_screen_has_a_row_to_type_in() -> None:
    async def play(stage: Stage) -> None:
        await stage.type("draft")
        for size in ((10, 3), (160, 50), SMALL, (10, 4)):
            await stage.pilot.resize_terminal(*size)
            await stage.until_shown("> draft")

    on_stage(play, SMALL)
