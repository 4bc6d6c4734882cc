"""What counts as read: it was shown, and somebody has done something after that."""

from __future__ import annotations

from textual import events

from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, HOUR, said
from tests.cli.tui.screens import Stage, on_stage

WITH_BOB = scene.person(BOB)


async def with_one_shown(stage: Stage, text: str = "are you there?", number: int = 60) -> None:
    """A message of Bob's, in the open conversation, and nothing read since."""
    stage.app.open(f"@{BOB}")
    await stage.until(lambda: len(marks(stage)) == 1)  # by opening it
    await comes(stage, text, number)


async def comes(stage: Stage, text: str, number: int) -> None:
    message = said(WITH_BOB, number, BOB, text, 41 * HOUR)
    stage.link.tell(control.MessagesArrived(conversation=WITH_BOB, messages=[message]))
    stage.link.tell(control.UnreadChanged(conversation=WITH_BOB, unread=1))
    await stage.until_shown(text, "● Bob …Bob002  1")


def marks(stage: Stage) -> list[control.MarkReadRequest]:
    return stage.link.asked_for(control.MarkReadRequest)


async def pauses(stage: Stage) -> None:
    for _ in range(20):
        await stage.pilot.pause()


def test_what_only_stands_on_the_screen_is_not_read_but_a_key_after_it_reads_it() -> None:
    async def play(stage: Stage) -> None:
        await with_one_shown(stage)
        await pauses(stage)
        assert len(marks(stage)) == 1
        await stage.press("h")
        await stage.until(lambda: len(marks(stage)) == 2)
        assert marks(stage)[1].conversation == WITH_BOB
        assert marks(stage)[1].ids[-1] == f"{60:032x}"

    on_stage(play)


def test_one_key_does_not_read_what_comes_after_it() -> None:
    async def play(stage: Stage) -> None:
        await with_one_shown(stage)
        await stage.press("h")
        await stage.until(lambda: len(marks(stage)) == 2)
        await comes(stage, "and now?", 61)
        await stage.until(lambda: not stage.app._reading._marks)
        assert len(marks(stage)) == 2
        await stage.press("i")
        await stage.until(lambda: len(marks(stage)) == 3)

    on_stage(play)


def test_the_mouse_reads_too() -> None:
    async def play(stage: Stage) -> None:
        await with_one_shown(stage)
        event = events.MouseScrollDown(None, 40, 10, 0, 0, 0, False, False, False)
        stage.app.post_message(event)
        await stage.until(lambda: len(marks(stage)) == 2)

    on_stage(play)


def test_a_room_is_seen_by_the_same() -> None:
    async def play(stage: Stage) -> None:
        lobby = scene.room("lobby")
        stage.link.tell(control.UnreadChanged(conversation=lobby, unread=2))
        await stage.until_shown("# lobby        2")
        assert not marks(stage)
        await stage.press("h")
        await stage.until(lambda: len(marks(stage)) == 1)
        assert marks(stage)[0].conversation == lobby

    on_stage(play)


def test_what_something_else_stands_in_front_of_is_not_read() -> None:
    async def play(stage: Stage) -> None:
        await with_one_shown(stage)
        await stage.pilot.pause()
        stage.app.action_search()
        await stage.until_shown("What are you looking for?")
        await stage.press("h")
        await pauses(stage)
        assert len(marks(stage)) == 1
        await stage.press("escape", "h")
        await stage.until(lambda: len(marks(stage)) == 2)

    on_stage(play)


def test_what_is_below_the_screen_is_read_when_somebody_goes_there() -> None:
    async def play(stage: Stage) -> None:
        stage.app.open(f"@{BOB}")
        await stage.until(lambda: len(marks(stage)) == 1)
        many = [said(WITH_BOB, each, BOB, f"number {each}", 41 * HOUR) for each in range(20, 60)]
        stage.link.tell(control.MessagesArrived(conversation=WITH_BOB, messages=many))
        await stage.until_shown("number 59")
        await stage.press("pageup")
        stage.link.tell(control.UnreadChanged(conversation=WITH_BOB, unread=1))
        await stage.until_shown("● Bob …Bob002  1")
        await stage.press("h")
        await pauses(stage)
        assert len(marks(stage)) == 1
        await stage.press("escape")
        await stage.until(lambda: len(marks(stage)) == 2)

    on_stage(play)


def test_two_conversations_opened_at_once_are_both_told_of() -> None:
    async def play(stage: Stage) -> None:
        for key in ("#harbour", f"@{BOB}", "#noise"):
            stage.app.open(key)
        await stage.until(lambda: len(marks(stage)) == 3)
        told = [each.conversation for each in marks(stage)]
        assert told == [scene.room("harbour"), WITH_BOB, scene.room("noise")]

    on_stage(play)
