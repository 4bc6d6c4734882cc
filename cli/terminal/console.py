"""What the session needs of a terminal: where lines come from and go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from p2pchat.cli.terminal.completion import Names
from p2pchat.cli.terminal.lines import Line


@dataclass(frozen=True, slots=True)
class Typed:
    """One line of input. `remark` is what the reader must be told about it; without a text it is refused."""

    text: str = ""
    remark: str = ""


class Console(Protocol):
    """A prompt on a terminal, or plain standard input and output."""

    wipes_input: bool  # what was typed vanishes when it is entered
    must_finish: bool  # the end of input is no hurry: everything read is sent first
    is_watched: bool  # a person sits there: what was shown before Enter was pressed has been read

    async def read(self) -> Typed | None:
        """The next line; None at the end of input, or when the user wants to stop."""
        ...

    async def show(self, lines: Sequence[Line]) -> None:
        """Put lines above the prompt; returns when they are written."""
        ...

    def set_prompt(self, prompt: str) -> None: ...

    def set_names(self, names: Names) -> None:
        """What can be completed."""
        ...
