"""What a session leaves undone, in words: for whoever started the program with a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    unheard: int = 0  # room texts that were said to nobody
    unsent: int = 0  # direct messages that are kept here, and nowhere else yet
    failed: int = 0  # direct messages that were refused or have expired
    unsaved: int = 0  # direct messages that the node did not take
    unread: int = 0  # lines of the input that were too long to be taken

    def problems(self) -> Iterator[str]:
        """Sentences; none when everything has reached somebody."""
        if self.unheard:
            yield (
                "Nobody else was there: what was read is kept here, and reached nobody yet. The others "
                "get it when this node is online together with one of them."
            )
        if self.unsent:
            verb, pronoun = ("waits", "goes") if self.unsent == 1 else ("wait", "go")
            yield (
                f"{_messages(self.unsent)} to others {verb} in the outbox here and {pronoun} out at "
                "the next start."
            )
        if self.failed:
            yield f"{_messages(self.failed)} could not be delivered; the reason is above."
        if self.unsaved:
            yield f"{_messages(self.unsaved)} to others could not be sent; the reason is above."
        if self.unread:
            lines = "line was" if self.unread == 1 else "lines were"
            yield f"{self.unread:,} {lines} too long, and not sent."


def _messages(number: int) -> str:
    return f"{number:,} message{'' if number == 1 else 's'}"
