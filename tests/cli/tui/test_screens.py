"""The screens as they are to look; P2PCHAT_REWRITE_SNAPSHOTS=1 writes them down anew."""

import pytest

from p2pchat.cli.tui.link import NodeState
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.screens import LARGE, SMALL, Stage, on_stage, same_as_snapshot

SIZES = {"80x24": SMALL, "160x50": LARGE}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [True, False])
def test_a_room_looks_like_that(size: str, dark: bool) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others", "Moved to eleven. (edited)")
        same_as_snapshot(f"room-{size}-{'dark' if dark else 'light'}", stage.picture())

    on_stage(play, SIZES[size], dark=dark)


@pytest.mark.parametrize("size", SIZES)
def test_a_person_with_every_mark_and_an_offered_file_looks_like_that(size: str) -> None:
    async def play(stage: Stage) -> None:
        stage.app.open(f"@{scene.BOB}")
        await stage.until_shown("/accept a1b2c3", "✓✓ delivered", "✗ refused")
        await stage.until(lambda: bool(stage.link.asked_for(control.MarkReadRequest)))
        same_as_snapshot(f"person-{size}", stage.picture())

    on_stage(play, SIZES[size])


@pytest.mark.parametrize("size", SIZES)
def test_the_search_looks_like_that(size: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.press("ctrl+f")
        await stage.type("plan")
        await stage.until_shown("2 messages", "Can you look at this?")
        same_as_snapshot(f"search-{size}", stage.picture())

    on_stage(play, SIZES[size])


@pytest.mark.parametrize("size", SIZES)
def test_the_help_looks_like_that(size: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.press("f1")
        await stage.until_shown("ctrl+j", "escape: close")
        same_as_snapshot(f"help-{size}", stage.picture())

    on_stage(play, SIZES[size])


def test_the_choices_of_tab_stand_above_the_input() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.type("/mu")
        await stage.press("tab")
        await stage.type("lo")
        await stage.press("backspace", "backspace")
        await stage.type("h")
        await stage.press("tab")
        await stage.until_shown("/mute #harbour")

    on_stage(play)


def test_before_the_node_is_up_the_history_is_there_already() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("starting the node", "Moved to eleven. (edited)")
        same_as_snapshot("starting-80x24", stage.picture())

    on_stage(play, is_up=False)


def test_a_node_that_has_died_is_said_to_have() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        stage.link.tell(NodeState("restarting", "it ended with signal 9"))
        await stage.until_shown("the node has died; starting it again: it ended with signal 9")
        same_as_snapshot("died-80x24", stage.picture())
        scene.up(stage.link)
        await stage.until_shown("12 peers")

    on_stage(play)


def test_a_lost_connection_is_not_called_a_death() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        stage.link.tell(NodeState("gone"))
        await stage.until_shown("no connection to the node; trying again")

    on_stage(play)


def test_without_colours_there_are_none() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        picture = stage.picture()
        same_as_snapshot("room-80x24-no-color", picture)

    on_stage(play, color=False)
