"""The prompt on a real terminal, in a thread of its own.

prompt_toolkit needs an asyncio loop, and trio owns the program. So the thread does nothing but read lines and
write above the prompt; everything crosses by `call_soon_threadsafe` in one direction and by a callback in the
other. It starts before trio is imported, so that the prompt is there at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import TextIO

from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.shortcuts import PromptSession

from p2pchat.cli.terminal.completion import Names, completions

log = logging.getLogger(__name__)

LINES_AHEAD = (
    256  # entered and not taken yet; then Enter rings the bell and leaves the line where it is
)
FIRST_PAINT = 5.0  # seconds until a prompt that does not come up is a failure
CLOSING = 1.0  # seconds to wipe the prompt and give the terminal back

Done = Callable[[], None]


class Screen:
    """Start it, `show` text from any thread, take lines from `inbox`.

    `cleared` is shown when Ctrl-C first wiped a line instead of ending everything.
    """

    def __init__(self, prompt: str, cleared: str = "", *, stdout: TextIO | None = None) -> None:
        self.inbox: deque[str] = deque()
        self.closed = False  # no more lines will come
        self.on_input: Callable[[], None] = lambda: (
            None
        )  # called in the thread after each line and at the end
        self._prompt = prompt
        self._cleared = cleared
        self._names = Names()
        self._stdout = stdout or sys.stdout
        self._painted = threading.Event()
        self._lock = threading.Lock()
        self._pending: list[tuple[str, Done]] = []
        self._flushing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: PromptSession[str] | None = None
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)

    # ---- from any thread ----------------------------------------------------------------------------

    def __enter__(self) -> Screen:
        self._thread.start()
        self._painted.wait(FIRST_PAINT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._leave)
        self._thread.join(CLOSING)

    def show(self, text: str, done: Done) -> None:
        """Write lines above the prompt. `done` is called in the thread once they are out."""
        with self._lock:
            if not self.closed:
                self._pending.append((text, done))
                if not self._flushing:
                    self._flushing = self._call(self._start_flush)
                return
        self._write(text)
        done()

    def set_prompt(self, prompt: str) -> None:
        self._prompt = prompt
        self._call(self._repaint)

    def set_names(self, names: Names) -> None:
        self._names = names

    @property
    def width(self) -> int:
        """Columns; 0 when it is not known."""
        return self._session.app.output.get_size().columns if self._session else 0

    def _call(self, function: Callable[[], object]) -> bool:
        loop = self._loop
        if loop is None:
            return False
        try:
            loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop has been closed
            return False
        return True

    # ---- in the terminal's thread -------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except OSError as error:
            log.warning("the terminal is gone: %s", error)
        except Exception:
            log.exception("the prompt failed")
        finally:
            self._end()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._session = session = self._make_session()
        session.app.after_render += lambda _: self._painted.set()
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            await session.prompt_async(handle_sigint=False, set_exception_handler=False)

    def _make_session(self) -> PromptSession[str]:
        session: PromptSession[str] = PromptSession(
            lambda: self._prompt + " ",
            completer=_CommandCompleter(lambda: self._names),
            complete_while_typing=False,
            key_bindings=_bindings(self._tell_cleared),
            erase_when_done=True,
            reserve_space_for_menu=4,
            color_depth=ColorDepth.DEPTH_1_BIT,
            input=_raw_input(),
            output=create_output(stdout=self._stdout),
        )
        # One application for the whole session: Enter hands the line over instead of ending it, so that
        # nothing typed ahead is lost and the prompt never flickers.
        session.default_buffer.accept_handler = self._accept
        return session

    def _accept(self, buffer: Buffer) -> bool:
        """Whether the line stays where it is."""
        if len(self.inbox) >= LINES_AHEAD:
            if self._session is not None:
                self._session.app.output.bell()
            return True
        self.inbox.append(buffer.text)
        self.on_input()
        return False

    def _tell_cleared(self) -> None:
        text, self._cleared = self._cleared, ""
        if text:
            self.show(text, lambda: None)

    def _start_flush(self) -> None:
        task = asyncio.ensure_future(self._flush())
        task.add_done_callback(_report_failure)

    async def _flush(self) -> None:
        """Write everything that has come together, with one repaint of the prompt for all of it."""
        while batch := self._take_pending():
            text = "".join(part for part, _ in batch)
            try:
                await run_in_terminal(partial(self._write, text))
            finally:
                for _, done in batch:
                    done()

    def _take_pending(self) -> list[tuple[str, Done]]:
        with self._lock:
            batch, self._pending = self._pending, []
            self._flushing = bool(batch)
            return batch

    def _write(self, text: str) -> None:
        with contextlib.suppress(
            OSError, ValueError
        ):  # the terminal is gone; reading notices as well
            self._stdout.write(text)
            self._stdout.flush()

    def _repaint(self) -> None:
        if self._session is not None:
            self._session.app.invalidate()

    def _leave(self) -> None:
        if self._session is not None and self._session.app.is_running:
            self._session.app.exit(exception=EOFError())

    def _end(self) -> None:
        with self._lock:
            self.closed = True
            rest, self._pending = self._pending, []
        for text, done in rest:
            self._write(text)
            done()
        self._painted.set()
        self.on_input()


def _bindings(on_clear: Callable[[], None]) -> KeyBindings:
    bindings = KeyBindings()
    is_something_typed = Condition(lambda: bool(get_app().current_buffer.text))

    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        """Alt-Enter: a message of several lines."""
        event.current_buffer.insert_text("\n")

    @bindings.add("c-c", filter=has_focus(DEFAULT_BUFFER) & is_something_typed)
    def _(event: KeyPressEvent) -> None:
        """Wipe what is typed; on an empty line prompt_toolkit's own Ctrl-C ends the prompt."""
        event.current_buffer.reset()
        on_clear()

    @bindings.add("c-z")
    def _(event: KeyPressEvent) -> None:
        """Nothing: a suspended node is one that hangs for everybody else."""

    return bindings


def _raw_input() -> Input:
    """While lines are shown, prompt_toolkit lets the terminal take keys as a shell would: Ctrl-D pressed at that
    moment would be lost, and what is typed would stand between the lines."""
    keys = create_input()
    keys.cooked_mode = contextlib.nullcontext  # type: ignore[method-assign]
    return keys


class _CommandCompleter(Completer):
    def __init__(self, names: Callable[[], Names]) -> None:
        self._names = names

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        for choice, length in completions(document.text_before_cursor, self._names()):
            yield Completion(choice, start_position=-length)


def _report_failure(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("writing to the terminal failed", exc_info=task.exception())
