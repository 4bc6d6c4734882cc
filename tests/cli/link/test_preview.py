"""The first frame: the end of the conversation that will be open, harmless whatever is in it."""

from __future__ import annotations

import os
import pty
import select
import termios

import pytest

from p2pchat.cli.link import preview
from p2pchat.cli.tui.opening import OpeningScreen
from p2pchat.proto import control_pb2 as control

DEN = control.Conversation(room="den")


def opening(*texts: str, name: str = "Bob") -> OpeningScreen:
    status = control.ConversationStatus(conversation=DEN, name="den")
    messages = [control.Message(conversation=DEN, name=name, text=text) for text in texts]
    return OpeningScreen([status], {"#den": messages}, "12D3KooW", "Ada")


def rows(first: OpeningScreen, height: int = 10) -> list[str]:
    return preview.frame(first, 80, height, color=False).split("\r\n")


def test_the_newest_messages_and_who_one_is() -> None:
    shown = rows(opening("one", "two"))
    assert shown[0] == "#den"
    assert [row.partition("  ")[2] for row in shown[2:4]] == ["one", "two"]
    assert shown[-1] == f"Ada · {preview.STARTING}"


@pytest.mark.parametrize("height", [0, 1, 2, 5, 24])
def test_there_are_never_more_rows_than_the_screen_has(height: int) -> None:
    shown = rows(opening(*(f"text {number}\nmore" for number in range(30))), height)
    assert len(shown) <= max(1, height)
    if height > 2:
        assert "more" in shown[-2]


def test_text_of_strangers_is_harmless() -> None:
    shown = preview.frame(
        opening("\x1b[2J\x9b31m\u202eevil\r\n\x07", "x" * 65_536, name="\x1b]0;me\x07"),
        80,
        24,
        color=True,
    )
    plain = shown.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert not set(plain.replace("\r\n", "")) & {"\x1b", "\x9b", "\u202e", "\x07", "\r", "\n"}
    assert len(shown) < 8 * preview.TEXT_LIMIT


def test_a_retracted_text_is_not_shown() -> None:
    first = opening("secret")
    first.messages["#den"][0].retracted = True
    assert "secret" not in "".join(rows(first))


def test_no_history_is_a_screen_as_well() -> None:
    assert rows(OpeningScreen(name="Ada")) == [f"Ada · {preview.STARTING}"]


def test_the_terminal_is_quiet_meanwhile_and_as_before_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outside, inside = pty.openpty()
    termios.tcsetwinsize(outside, (24, 80))
    with os.fdopen(inside) as reading, os.fdopen(os.dup(inside), "w") as writing:
        monkeypatch.setattr("sys.stdin", reading)
        monkeypatch.setattr("sys.stdout", writing)
        before = termios.tcgetattr(inside)
        with preview.on_terminal(opening("hello"), color=True):
            assert not int(termios.tcgetattr(inside)[3]) & termios.ECHO
            os.write(outside, b"typed")
            assert select.select([inside], [], [], 10)[0]  # or it is echoed once it may be
        shown = ""
        while "\x1b[?1047l" not in shown:  # comes in pieces
            shown += os.read(outside, 65_536).decode()
        assert termios.tcgetattr(inside) == before
    os.close(outside)
    assert "hello" in shown
    assert "typed" not in shown
    assert shown.startswith("\x1b[?1049h")
