"""The first frame, painted before the UI's library is loaded: the newest messages, in the terminal's second screen.

The UI takes the same screen over when it is there, and everything that has been typed until then.
"""

from __future__ import annotations

import contextlib
import os
import sys
import termios
import time
from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.safe_text import safe_lines, safe_name
from p2pchat.cli.tui.opening import OpeningScreen, conversation_key
from p2pchat.node.protocol.names import NAME_LIMIT, ROOM_LIMIT
from p2pchat.proto import control_pb2 as control

LINES_OF_ONE = 20  # of a message: more is for the UI to show
TEXT_LIMIT = 4000  # characters of a message, likewise
LAST_SECOND = 1 << 40  # no clock of anybody's shows later

STARTING = "p2pchat is starting"

BOLD, DIM = "1", "2"  # ECMA-48 "select graphic rendition" codes

# xterm's second screen (1049 saves the cursor of the first one), where the UI begins with 1049 once more: by then the
# cursor stands where it stood (DECSC, DECRC), for terminals that save one cursor only. In the end 1047, which moves no
# cursor: something may have been printed since the UI has left. Without wrapping (DECAWM) nobody has to know how wide
# a character is: the terminal cuts what is too long.
_BEGIN = "\x1b[?1049h\x1b7\x1b[2J\x1b[H\x1b[?7l"
_END = "\x1b[?7h\x1b8"
_BACK = "\x1b[?1047l"


@contextlib.contextmanager
def on_terminal(first: OpeningScreen, *, color: bool) -> Iterator[None]:
    """Painted while the context lasts, or until somebody else paints; then the terminal is as it was."""
    source = sys.stdin.fileno()
    before = termios.tcgetattr(source)
    try:
        _quiet(source, before)
        width, height = os.get_terminal_size(sys.stdout.fileno())
        sys.stdout.write(_BEGIN + frame(first, width, height, color=color) + _END)
        sys.stdout.flush()
        yield
    finally:
        sys.stdout.write(_BACK)
        sys.stdout.flush()
        termios.tcsetattr(source, termios.TCSADRAIN, before)


def _quiet(source: int, before: Sequence[object]) -> None:
    """What is typed waits, unseen, for the UI."""
    changed = [*before]
    changed[3] = int(changed[3]) & ~(termios.ECHO | termios.ICANON)  # type: ignore[call-overload]
    termios.tcsetattr(source, termios.TCSANOW, changed)  # type: ignore[arg-type]


def frame(first: OpeningScreen, width: int, height: int, *, color: bool) -> str:
    """The end of the conversation that will be open, and below it who one is; never more rows than the screen has."""
    rows = [row for each in _rows(first, color=color) for row in each]
    shown = rows[len(rows) - min(len(rows), max(0, height - 1)) :]
    below = safe_name(f"{first.name} · {STARTING}", max(1, width - 1))
    return "\r\n".join([*shown, _styled(below, DIM, color=color)]) if height > 0 else ""


def _rows(first: OpeningScreen, *, color: bool) -> Iterator[list[str]]:
    for status in first.conversations[:1]:
        sign = "#" if status.conversation.room else "@ "
        yield [_styled(f"{sign}{safe_name(status.name, ROOM_LIMIT)}", BOLD, color=color), ""]
        for message in first.messages.get(conversation_key(status.conversation), ()):
            yield _message(message, color=color)


def _message(message: control.Message, *, color: bool) -> list[str]:
    at = time.strftime("%H:%M", time.localtime(min(message.sent_at_ms // 1000, LAST_SECOND)))
    name = _styled(safe_name(message.name, NAME_LIMIT), BOLD, color=color)
    text = "(taken back)" if message.retracted else message.text[:TEXT_LIMIT]
    head, *rest = safe_lines(text)[:LINES_OF_ONE]
    return [f"{_styled(at, DIM, color=color)} {name}  {head}", *(f"      {each}" for each in rest)]


def _styled(text: str, style: str, *, color: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if color else text
