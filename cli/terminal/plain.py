"""Standard input and output as they are, for pipes and simple terminals."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence

import trio

from p2pchat.cli.terminal.completion import Names
from p2pchat.cli.terminal.console import Typed
from p2pchat.cli.terminal.lines import Line, Painter
from p2pchat.cli.terminal.splitter import LineSplitter
from p2pchat.node.errors import P2pchatError

CHUNK = 65_536  # bytes read at once; the next ones are read when these have been worked off


class OutputClosedError(P2pchatError):
    """Whoever read our output has gone, as `head` does."""


class PlainConsole:
    """A `Console` without prompt, colour or escape sequences."""

    wipes_input = False
    must_finish = True

    def __init__(self, stdin: int = 0, stdout: int = 1) -> None:
        self.is_watched = os.isatty(stdin) and os.isatty(stdout)
        self._stdin = stdin
        self._stdout = stdout
        self._splitter = LineSplitter()
        self._lines: deque[Typed] = deque()
        self._ended = False
        self._writing = trio.Lock()

    async def read(self) -> Typed | None:
        while not self._lines:
            if self._ended:
                return None
            # In a thread: a file cannot be polled, and making a shared terminal non-blocking breaks others.
            data = await trio.to_thread.run_sync(_read, self._stdin, abandon_on_cancel=True)
            self._ended = not data
            self._lines.extend(self._splitter.feed(data) if data else self._splitter.finish())
        return self._lines.popleft()

    async def show(self, lines: Sequence[Line]) -> None:
        data = Painter().paint(lines).encode(errors="replace")
        async with self._writing:  # whole batches; whoever reads our output sets the pace
            await trio.to_thread.run_sync(_write, self._stdout, data, abandon_on_cancel=True)

    def set_prompt(self, prompt: str) -> None:
        pass

    def set_names(self, names: Names) -> None:
        pass


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK)
    except OSError:  # the terminal behind it is gone
        return b""


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        raise OutputClosedError(f"Cannot write to the output: {error.strerror}.") from error
