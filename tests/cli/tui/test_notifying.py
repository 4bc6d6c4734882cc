import shutil
import sys

import pytest

from p2pchat.cli.tui import notifying
from p2pchat.cli.tui.state import ChatState
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, EVE, MIA, said


def state() -> ChatState:
    return ChatState(scene.opening())


def told(message: control.Message, *, is_looked_at: bool = True) -> bool:
    return bool(notifying.worth_telling([message], state(), is_looked_at=is_looked_at))


def test_what_is_on_the_screen_is_not_told_unless_somebody_looks_elsewhere() -> None:
    message = said(scene.room("lobby"), 90, BOB, "hi", 0)
    assert not told(message)
    assert told(message, is_looked_at=False)


def test_nothing_is_told_of_muted_and_blocked_conversations() -> None:
    assert not told(said(scene.room("noise"), 1, BOB, "hi", 0))
    assert not told(said(scene.person(EVE), 1, EVE, "hi", 0))
    assert told(said(scene.room("harbour"), 1, BOB, "hi", 0))


def test_the_words_are_harmless_and_short() -> None:
    message = said(scene.room("harbour"), 1, MIA, "a\x1b[2J\n--urgency <b>" + "x" * 5000, 0)
    title, text = notifying.words([message, message], state())
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 250
    assert text.endswith("(and 1 more)")
    assert "#harbour" in title


def test_the_text_is_an_argument_of_its_own_and_never_an_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    command = notifying.program("--title", "$(reboot) <b>&")
    assert command is not None
    assert command[0] == "notify-send"
    assert command[-3:] == ["--", "--title", "$(reboot) &lt;b&gt;&amp;"]


def test_on_macos_the_text_is_no_part_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    command = notifying.program('" & do shell script', "text")
    assert command is not None
    assert "do shell script" not in command[2]
    assert command[3:] == ['" & do shell script', "text"]


def test_without_a_program_for_it_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert notifying.program("a", "b") is None
