"""What an errand has led to, for the screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from p2pchat.cli.tui import answers
from p2pchat.cli.tui.rows import Row


@dataclass(slots=True)
class Outcome:
    rows: list[Row] = field(default_factory=list)
    open: str = ""  # the conversation to go to
    ask: set[str] = field(default_factory=set)
    input: str = ""  # to be put where one types
    title: str = ""  # of the sheet on which the rows are shown, if they are to be above everything


def note(text: str) -> list[Row]:
    return answers.note(text)


def hint(text: str) -> Outcome:
    """Nothing was done, and why."""
    return Outcome(answers.hint(text))
