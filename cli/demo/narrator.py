"""How the story looks: on a terminal in colour and at a pace to follow, elsewhere as plain text."""

from __future__ import annotations

import io
import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

import trio

from p2pchat.node.errors import P2pchatError

WIDTH_MOST = 110  # columns; longer lines are hard to read
WIDTH_LEAST = 50  # columns; on a narrower terminal it breaks the lines itself
WIDTH_ELSEWHERE = 100  # columns, where there is no terminal
PAUSE = 0.4  # seconds for reading a chapter's beginning
NAME_WIDTH = 8  # columns; "Mailbox" and a space
LINK_SHOWN = 36  # characters of a link: its kind, and enough of its key to tell it from others

# ECMA-48 "select graphic rendition" codes.
BOLD, RED = "1", "31"
NAME_CODES = {"Mailbox": "33", "Alice": "32", "Bob": "36"}

_STATE = re.compile(r"(?<= - )(?:stored \d+/\d+|delivered)$")
_LINK = re.compile(rf"(p2pchat:\S{{{LINK_SHOWN}}})\S+")


class OutputClosedError(P2pchatError):
    """Whoever read our output has gone, as `head` does."""


@dataclass(slots=True)
class Narrator:
    """Writes to `out`. `pause` is in seconds, `width` in columns."""

    out: TextIO
    color: bool = False
    width: int = WIDTH_ELSEWHERE
    pause: float = 0.0
    _chapters: int = 0

    # ---- the narration ------------------------------------------------------------------------------

    def begin(self, title: str, text: str) -> None:
        self._write(self._painted(f"p2pchat demo: {title}", BOLD), "", *self._wrapped(text, 0))

    async def chapter(self, title: str, text: str) -> None:
        self._chapters += 1
        heading = self._painted(f"{self._chapters}. {title}", BOLD)
        self._write("", heading, *self._wrapped(text, 0))
        await trio.sleep(self.pause)

    def remark(self, text: str) -> None:
        self._write(*self._wrapped(text, 0))

    def end(self, *texts: str) -> None:
        self._write("")
        for text in texts:
            self.remark(text)

    def place(self, text: str, where: object) -> None:
        """In one piece, for copying."""
        self._write("", f"{text} {where}")

    # ---- the programs -------------------------------------------------------------------------------

    def typed(self, name: str, text: str) -> None:
        self._line(name, "> ", text, BOLD)

    def printed(self, name: str, text: str) -> None:
        self._line(name, "  ", text)

    def happened(self, name: str, text: str) -> None:
        """To the program from outside: neither typed nor printed."""
        self._line(name, "x ", text, RED)

    def failed(self, name: str, last_lines: Sequence[str], *places: str) -> None:
        """The last lines of a program that did not do what it should, in full, and where there is more."""
        heading = f"The last lines of {name}:" if last_lines else f"{name} has printed nothing."
        self._write("", self._painted(heading, RED))
        self._write(*(f"  {line}" for line in last_lines), *places)

    # -------------------------------------------------------------------------------------------------

    def _line(self, name: str, mark: str, text: str, code: str = "") -> None:
        indent = 2 + NAME_WIDTH + len(mark)
        first, *others = self._wrapped(_LINK.sub(r"\1…", text), indent) or [""]
        head = self._painted(f"  {name:<{NAME_WIDTH}}{mark}", NAME_CODES.get(name, ""))
        rest = (" " * (indent + 2) + self._painted(other, code) for other in others)
        *rows, last = head + self._painted(first, code), *rest
        self._write(*rows, _STATE.sub(lambda state: self._painted(state[0], BOLD), last))

    def _wrapped(self, text: str, indent: int) -> list[str]:
        """Rows that fit behind `indent`, the later ones two columns more to the right."""
        return textwrap.wrap(text, self.width - indent - 2, break_on_hyphens=False)

    def _painted(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code else text

    def _write(self, *rows: str) -> None:
        try:
            self.out.write("".join(f"{row}\n" for row in rows))
            self.out.flush()
        except BrokenPipeError as error:
            # Or Python complains once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())
            raise OutputClosedError(f"Cannot write to the output: {error.strerror}.") from error


def for_output(out: TextIO, *, color: bool) -> Narrator:
    """`color` is what the user allows; only a terminal gets it."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # what the terminal's character set has not
    if not out.isatty():
        return Narrator(out)
    columns = shutil.get_terminal_size().columns
    return Narrator(out, color, min(max(columns, WIDTH_LEAST), WIDTH_MOST), PAUSE)
