"""The demo without the nodes: its story, how it looks, and what becomes of programs that do not play along.

With real nodes: tests/integration/test_direct_messages.py.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import trio

from p2pchat.cli import main
from p2pchat.cli.demo import narrator, processes, story
from p2pchat.cli.demo.narrator import Narrator
from p2pchat.cli.demo.processes import Process, Stage, StepFailedError

LINK = "p2pchat:mailbox/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB?a=/ip4/127.0.0.1/tcp/1"

# Says what it reads; `/fall` and `/quit` end it.
ECHO = """
import sys
print("up", flush=True)
for line in sys.stdin:
    if line.startswith("/"):
        sys.exit(3 if line == "/fall\\n" else 0)
    print("heard", line, end="", flush=True)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


# ---- the story ------------------------------------------------------------------------------------------


class Played:
    """A program that always shows what is expected, and knows who is there."""

    def __init__(self, name: str, there: set[str], happened: list[str]) -> None:
        self._name = name
        self._there = there
        self._happened = happened
        there.add(name)

    async def start(self) -> None:
        assert self._name not in self._there
        self._there.add(self._name)

    async def types(self, text: str) -> None:
        self._note(text)

    async def shows(self, *parts: str) -> str:
        self._note(" … ".join(parts))
        return f"{' '.join(parts)} {LINK} - {parts[-1]}"

    async def is_killed(self) -> None:
        self._there.remove(self._name)

    async def leaves(self) -> None:
        self._there.remove(self._name)

    def _note(self, what: str) -> None:
        assert self._name in self._there
        self._happened.append(f"{'+'.join(sorted(self._there))}: {self._name}: {what}")


async def test_between_writing_and_reading_the_two_are_never_there_together() -> None:
    there: set[str] = set()
    happened: list[str] = []
    cast = story.Cast(*(Played(name, there, happened) for name in ("mailbox", "alice", "bob")))
    await story.play(cast, Narrator(io.StringIO()))
    told = [line for line in happened if story.LETTER in line or story.STORED in line]
    assert told == [
        f"alice+mailbox: alice: /msg Bob {story.LETTER}",
        f"alice+mailbox: alice: you to Bob … {story.LETTER}",
        f"alice+mailbox: alice: * Bob … - {story.STORED}",
        f"bob+mailbox: bob: Alice … to you … {story.LETTER}",
        f"alice+bob+mailbox: alice: you to Bob … {story.LETTER} … {story.DELIVERED}",
    ]


def test_a_link_is_found_in_its_line() -> None:
    assert story.link_in(f"Link: {LINK}") == LINK


# ---- how it looks ---------------------------------------------------------------------------------------


async def test_without_a_terminal_it_is_plain_text() -> None:
    out = io.StringIO()
    teller = narrator.for_output(out, color=True)
    teller.begin("a title", "An introduction.")
    await teller.chapter("A beginning", "A sentence.")
    teller.typed("Bob", f"/mailbox add {LINK}")
    teller.printed("Bob", "* Your mailbox: (…BfeSB)")
    teller.happened("Bob", "process 1 is killed")
    assert teller.pause == 0
    assert out.getvalue().splitlines() == [
        "p2pchat demo: a title",
        "",
        "An introduction.",
        "",
        "1. A beginning",
        "A sentence.",
        "  Bob     > /mailbox add p2pchat:mailbox/12D3KooWA4Xop1JaT3MHxwYMkCep…",
        "  Bob       * Your mailbox: (…BfeSB)",
        "  Bob     x process 1 is killed",
    ]


@pytest.mark.parametrize("color", [True, False])
def test_on_a_terminal_names_have_their_colors_unless_the_user_wants_none(color: bool) -> None:
    out = Tty()
    teller = narrator.for_output(out, color=color)
    teller.printed("Alice", "you to Bob: - delivered - delivered")
    teller.printed("Bob", "Hi")
    assert teller.pause > 0
    plain = "  Alice     you to Bob: - delivered - delivered\n  Bob       Hi\n"
    painted = (
        "\x1b[32m  Alice     \x1b[0myou to Bob: - delivered - \x1b[1mdelivered\x1b[0m\n"
        "\x1b[36m  Bob       \x1b[0mHi\n"
    )
    assert out.getvalue() == (painted if color else plain)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_lines_are_continued_behind_the_name() -> None:
    out = io.StringIO()
    Narrator(out, width=60).printed("Alice", "word " * 20)
    rows = out.getvalue().splitlines()
    assert len(rows) > 1
    assert max(map(len, rows)) <= 60
    assert rows[1].startswith(" " * 14 + "word")


def test_a_narrow_character_set_is_no_obstacle() -> None:
    written = io.BytesIO()
    out = io.TextIOWrapper(written, "ascii")
    narrator.for_output(out, color=False).printed("Bob", "(…BfeSB)")
    assert written.getvalue() == b"  Bob       (?BfeSB)\n"


def test_a_reader_who_leaves_is_an_error_in_one_sentence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out, pytest.raises(narrator.OutputClosedError):
        Narrator(out).remark("Is anybody there?")


# ---- the programs ---------------------------------------------------------------------------------------


@asynccontextmanager
async def stage_of(folder: Path, teller: Narrator | None = None) -> AsyncIterator[Stage]:
    with trio.fail_after(30):
        async with processes.open_stage(folder, teller or Narrator(io.StringIO())) as stage:
            yield stage


async def running(stage: Stage, script: str) -> Process:
    process = stage.program("Ada", [sys.executable, "-c", script])
    await process.start()
    await process.shows("up")
    return process


async def test_lines_are_found_in_any_order_and_once(tmp_path: Path) -> None:
    out = io.StringIO()
    async with stage_of(tmp_path, Narrator(out)) as stage:
        ada = await running(stage, ECHO)
        ada.patience = 0.05
        await ada.types("one two")
        ada.patience = 10
        await ada.types("three")
        assert await ada.shows("three") == "heard three"
        assert await ada.shows("one", "two") == "heard one two"
        ada.patience = 0.05
        with pytest.raises(StepFailedError, match=r"^Ada has not shown 'one' within 0.05 s.$"):
            await ada.shows("one")
        with pytest.raises(StepFailedError):
            await ada.shows("two", "one")
        assert ada.lines() == ["up", "heard one two", "heard three"]
    assert ada.output_path.read_text() == "up\nheard one two\nheard three\n"
    assert out.getvalue().splitlines()[1:] == [
        "  Ada     > one two",
        "  Ada     > three",
        "  Ada       heard three",
        "  Ada       heard one two",
    ]


async def test_a_program_that_ends_unasked_is_an_error_at_once(tmp_path: Path) -> None:
    async with stage_of(tmp_path) as stage:
        ada = await running(stage, ECHO)
        await ada.types("/fall")
        with pytest.raises(StepFailedError, match="has ended with exit code 3 and not shown 'x'"):
            await ada.shows("x")
        assert ada.has_fallen
        with pytest.raises(StepFailedError, match="does not read what is typed: 'hello'"):
            await ada.types("hello")


async def test_who_leaves_or_is_killed_has_not_fallen_and_can_come_back(tmp_path: Path) -> None:
    async with stage_of(tmp_path) as stage:
        ada = await running(stage, ECHO)
        await ada.leaves()
        assert not ada.has_fallen
        await ada.start()
        await ada.shows("up")
        await ada.is_killed()
        assert not ada.has_fallen
        await ada.start()
        await ada.types("again")
        await ada.shows("heard again")


async def test_who_leaves_with_an_error_is_one(tmp_path: Path) -> None:
    async with stage_of(tmp_path) as stage:
        ada = await running(stage, ECHO.replace("else 0", "else 4"))
        with pytest.raises(StepFailedError, match="has ended with exit code 4 after /quit"):
            await ada.leaves()


async def test_nobody_is_left_behind_when_something_goes_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_PATIENCE", 0.1)
    with trio.CancelScope() as scope:
        async with stage_of(tmp_path) as stage:
            for script in (ECHO, STUBBORN):
                await running(stage, script)
            children = psutil.Process().children()
            assert len(children) == 2
            scope.cancel()
            await trio.sleep_forever()
    assert not any(child.is_running() for child in children)


def test_the_users_own_settings_are_not_those_of_the_story() -> None:
    ours = {"P2PCHAT_NAME": "x", "DATA_DIR": "x", "CHAT_TOPIC": "x", "PATH": "/bin", "LANG": "C"}
    assert processes.environment(ours) == {
        "PATH": "/bin",
        "LANG": "C",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


# ---- the command ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def play_by(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Every program of the story is this one."""
    monkeypatch.setattr(processes, "P2PCHAT", (sys.executable, "-c", script))


def test_a_failure_is_told_plainly_and_leaves_the_evidence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play_by(monkeypatch, "print('p2pchat: no store'); raise SystemExit(2)")
    assert main.run(["demo"]) == 1
    [kept] = folder.iterdir()
    told = capsys.readouterr()
    problem = "Mailbox has ended with exit code 2 and not shown 'Link: p2pchat:mailbox/'."
    assert told.err == f"p2pchat: {problem}\n"
    assert "The last lines of Mailbox:\n  p2pchat: no store\n" in told.out
    assert f"Its output: {kept}/mailbox.txt" in told.out
    assert f"Its log:    {kept}/mailbox.log" in told.out
    assert f"left in {kept}" in told.out
    assert (kept / "mailbox.txt").read_text() == "p2pchat: no store\n"


def test_a_wait_has_an_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.5)
    play_by(monkeypatch, ECHO)
    assert main.run(["demo"]) == 1
    assert "has not shown 'Link: p2pchat:mailbox/' within 0.5 s." in capsys.readouterr().err
    assert psutil.Process().children() == []


@pytest.mark.parametrize("keep", [True, False])
def test_the_folder_is_kept_for_who_wants_it(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keep: bool,
) -> None:
    play_by(monkeypatch, ECHO)
    monkeypatch.setattr(story, "CHAPTERS", ())
    assert main.run(["demo", *(["--keep"] if keep else [])]) == 0
    kept = [str(path) for path in folder.iterdir()]
    told = capsys.readouterr().out
    assert "That was all" in told
    assert len(kept) == keep
    assert ("are left in" in told) == keep
    assert all(f"left in {path}\n" in told for path in kept)
