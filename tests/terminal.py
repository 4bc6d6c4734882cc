"""Drives a real terminal: programs in a tmux session of its own, read as a person would read the screen."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

WIDTH, HEIGHT = 100, 30
POLL = 0.05  # seconds between two looks at the screen
PATIENCE = 15.0  # seconds; on a busy machine things take their time

_numbers = itertools.count()


class Terminal:
    """One window on a tmux server of its own, which is killed in the end, whatever happens.

    Use as a context manager. The command runs below a shell, so that what is left after it (exit code,
    state of the terminal) can be looked at: see `exit_code` and `shell`.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        width: int = WIDTH,
        height: int = HEIGHT,
    ) -> None:
        if shutil.which("tmux") is None:
            raise RuntimeError("these tests need tmux")
        self._command = shlex.join(os.fspath(part) for part in command)
        self._env = {"PS1": "shell$ ", **(env or {})}
        self._cwd = cwd
        self._size = (width, height)
        # A path, not a name: servers of other test runs on this machine must never be met.
        self._folder = tempfile.TemporaryDirectory(prefix="p2pchat-tmux-")
        self._socket = str(Path(self._folder.name) / f"{next(_numbers)}.sock")

    def __enter__(self) -> Terminal:
        width, height = self._size
        variables = [part for key, value in self._env.items() for part in ("-e", f"{key}={value}")]
        where = ["-c", str(self._cwd)] if self._cwd else []
        start = ["new-session", "-d", "-x", str(width), "-y", str(height), *variables, *where]
        self._tmux(*start, "bash", "--norc", "--noprofile")
        self._tmux("set-option", "-g", "history-limit", "10000")
        self.wait_for("shell$")
        # Quoted apart, so that the typed line itself is not taken for the mark.
        self._end = f"ended-{next(_numbers)}="
        self.type(f"{self._command}; echo {self._end[:3]}''{self._end[3:]}$?")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server", check=False)
        self._folder.cleanup()

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names, e.g. "Enter", "C-c", "Up"."""
        self._tmux("send-keys", *keys)

    def write(self, text: str) -> None:
        """Type a text without Enter."""
        self._tmux("send-keys", "-l", text)

    def type(self, text: str) -> None:
        """Type a text and press Enter."""
        self.write(text)
        self.keys("Enter")

    def paste(self, text: str) -> None:
        """Paste as a terminal does, bracketed where the program asks for it."""
        self._tmux("load-buffer", "-", given=text)
        self._tmux("paste-buffer", "-p", "-r")

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        """What is visible now."""
        return self._tmux("capture-pane", "-p")

    def everything(self) -> str:
        """What is visible and what has scrolled away, wrapped lines joined."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-")

    def wait_for(self, text: str, timeout: float = PATIENCE, *, times: int = 1) -> str:
        """Look until `text` has appeared `times` times; returns everything shown so far."""
        deadline = time.monotonic() + timeout
        while (shown := self.everything()).count(text) < times:
            if time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} ({times}x) within {timeout:g} s:\n{shown}")
            time.sleep(POLL)
        return shown

    def wait_until_gone(self, text: str, timeout: float = PATIENCE) -> str:
        """Look until the visible screen lacks `text`."""
        deadline = time.monotonic() + timeout
        while text in (shown := self.screen()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} is still there after {timeout:g} s:\n{shown}")
            time.sleep(POLL)
        return shown

    def last_line(self) -> str:
        """The lowest line of the screen that is not empty: a prompt, mostly."""
        return next((row for row in reversed(self.screen().splitlines()) if row.strip()), "")

    def shell(self, command: str, timeout: float = PATIENCE) -> str:
        """Once the program has ended: run a shell command in its terminal, return what it printed."""
        self.wait_for_end(timeout)
        begin, end = f"begin-{next(_numbers)}", f"end-{next(_numbers)}"
        # Quoted apart, so that the typed line itself is not taken for the output.
        quoted = [f"{mark[:3]}''{mark[3:]}" for mark in (begin, end)]
        self.type(f"echo {quoted[0]}; {command}; echo {quoted[1]}")
        shown = self.wait_for(end, timeout)
        return shown.rpartition(begin)[2].partition(end)[0].strip()

    def wait_for_end(self, timeout: float = PATIENCE) -> None:
        """Until the program has ended and the shell is back."""
        self.wait_for(self._end, timeout)

    def exit_code(self, timeout: float = PATIENCE) -> int:
        """The exit code of the program, once it has ended."""
        shown = self.wait_for(self._end, timeout)
        return int(shown.partition(self._end)[2].split()[0])

    def process(self) -> int:
        """The process id of the program that runs in the foreground."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0])

    def _tmux(self, *arguments: str, check: bool = True, given: str = "") -> str:
        environment = {key: value for key, value in os.environ.items() if key != "TMUX"}
        done = subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", self._socket, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**environment, "LC_ALL": "C.UTF-8"},
        )
        if check and done.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout
