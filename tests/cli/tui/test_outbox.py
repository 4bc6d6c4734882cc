"""What becomes of a text that the node refuses."""

from __future__ import annotations

from typing import Any

from p2pchat.cli.control_client import RequestRefusedError
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, HOUR, said
from tests.cli.tui.screens import Stage, on_stage
from tests.cli.tui.scripted_link import ScriptedLink

LOBBY = scene.room("lobby")


def refusing_link() -> ScriptedLink:
    link = scene.link()

    def refuse(_: Any) -> control.SendMessageResponse:
        raise RequestRefusedError("That room is full.")

    link.answers[control.SendMessageRequest] = refuse
    return link


async def said_in_vain(stage: Stage) -> None:
    await stage.until_shown("4 others")
    await stage.type("in vain")
    await stage.press("enter")
    await stage.until_shown("in vain", "✗ not sent: That room is full.")


def test_what_is_newer_stands_below_a_text_that_was_not_sent() -> None:
    async def play(stage: Stage) -> None:
        await said_in_vain(stage)
        stage.link.tell(control.Notice(level="note", text="something else"))
        await stage.until_shown("something else")
        message = said(LOBBY, 70, BOB, "the newest", 41 * HOUR)
        stage.link.tell(control.MessagesArrived(conversation=LOBBY, messages=[message]))
        await stage.until_shown("the newest")
        text = stage.text()
        assert text.index("in vain") < text.index("something else") < text.index("the newest")

    on_stage(play, link=refusing_link())


def test_a_text_that_was_not_sent_stays_when_everything_is_read_anew() -> None:
    async def play(stage: Stage) -> None:
        await said_in_vain(stage)
        before = len(stage.link.asked_for(control.ReadHistoryRequest))
        stage.link.tell(control.FellBehind(reason="slow"))
        await stage.until(lambda: len(stage.link.asked_for(control.ReadHistoryRequest)) > before)
        await stage.pilot.pause()
        assert "in vain" in stage.text()

    on_stage(play, link=refusing_link())


def test_retract_takes_it_away_and_the_up_key_brings_it_back() -> None:
    async def play(stage: Stage) -> None:
        await said_in_vain(stage)
        await stage.type("/retract")
        await stage.press("enter")
        await stage.until(lambda: "✗ not sent" not in stage.text())
        await stage.until_shown("Taken away")
        assert not stage.link.asked_for(control.RetractMessageRequest)
        await stage.press("up", "up")
        await stage.until_shown("> in vain")

    on_stage(play, link=refusing_link())


def test_edit_puts_it_back_where_one_types() -> None:
    async def play(stage: Stage) -> None:
        await said_in_vain(stage)
        await stage.type("/edit")
        await stage.press("enter")
        await stage.until_shown("> in vain")
        assert "✗ not sent" not in stage.text()

    on_stage(play, link=refusing_link())
