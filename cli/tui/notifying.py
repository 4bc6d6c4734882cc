"""Tells somebody who looks elsewhere that a message has come."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Sequence

from p2pchat.cli.tui.cells import cut, steady_line
from p2pchat.cli.tui.state import ChatState
from p2pchat.proto import control_pb2 as control

TITLE_COLUMNS, TEXT_COLUMNS = 60, 160
QUIET_FOR = 2.0  # seconds between two of them: many messages at once are one
PATIENCE = 5.0  # seconds for the program that shows one

# The text comes as an argument of the script, never as a part of it.
_APPLESCRIPT = (
    "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
)


def worth_telling(
    messages: Sequence[control.Message], state: ChatState, *, is_looked_at: bool
) -> list[control.Message]:
    """Not of muted or blocked conversations, nor what is on the screen. `is_looked_at`: the current one."""
    return [each for each in messages if _is_worth_it(each, state, is_looked_at)]


def _is_worth_it(message: control.Message, state: ChatState, is_looked_at: bool) -> bool:
    conversation = state.conversation_of(message)
    if message.own or conversation is None:
        return False
    status = conversation.status
    seen = is_looked_at and conversation.key == state.current
    return not (status.muted or status.blocked or seen)


def words(messages: Sequence[control.Message], state: ChatState) -> tuple[str, str]:
    """Title and text of one notification, harmless for any program."""
    last = messages[-1]
    name = state.people.label(last.sender, last.name)
    where = f" in #{steady_line(last.conversation.room)}" if last.conversation.room else ""
    title = cut(f"{name}{where}", TITLE_COLUMNS)
    text = f"offers {last.file.name}" if last.HasField("file") else last.text[:1000]
    more = f" (and {len(messages) - 1:,} more)" if len(messages) > 1 else ""
    return title, cut(steady_line(" ".join(text.split())), TEXT_COLUMNS) + more


def program(title: str, text: str) -> list[str] | None:
    """What shows it on the desktop; None: nothing that is here."""
    if sys.platform == "darwin" and shutil.which("osascript"):
        return ["osascript", "-e", _APPLESCRIPT, title, text]
    if shutil.which("notify-send"):
        # Behind "--" nothing is an option; the body may be read as markup.
        return ["notify-send", "--app-name=p2pchat", "--", title, _escaped(text)]
    return None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


async def show_on_desktop(title: str, text: str) -> bool:
    """Without a shell. Whether there is a program for it."""
    command = program(title, text)
    if command is None:
        return False
    nowhere = asyncio.subprocess.DEVNULL
    try:
        shown = await asyncio.create_subprocess_exec(
            *command, stdin=nowhere, stdout=nowhere, stderr=nowhere
        )
    except OSError:
        return False
    try:
        await asyncio.wait_for(shown.wait(), PATIENCE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            shown.kill()
        await shown.wait()
    return True
