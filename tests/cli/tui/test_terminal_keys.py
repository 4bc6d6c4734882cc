import pytest
from textual import events
from textual._xterm_parser import XTermParser

from p2pchat.cli.tui import terminal_keys


@pytest.mark.parametrize("typed", ["\x1ba", "\x1bA", "\x1b[97;3u"])
def test_alt_a_is_no_letter_in_any_terminal(typed: str) -> None:
    terminal_keys.learn()
    keys = [each for each in XTermParser().feed(f"{typed}x") if isinstance(each, events.Key)]
    assert [each.key for each in keys] == ["alt+a", "x"]
    assert keys[0].character is None


def test_alt_enter_is_no_enter_in_any_terminal() -> None:
    terminal_keys.learn()
    parser = XTermParser()
    keys = [getattr(each, "key", "") for each in parser.feed("\x1b\rx\x1b[13;3u")]
    assert keys == ["alt+enter", "x", "alt+enter"]
