"""The line mode as a person sees it, in a real terminal, before a played node (stub_node.py)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import WIDTH, Terminal

STUB = [sys.executable, "-m", "tests.cli.stub_node"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal([*STUB, tmp_path], cwd=ROOT) as opened:
        opened.wait_for("You are in #lobby")
        opened.wait_for("ada>")
        yield opened


def is_restored(terminal: Terminal) -> bool:
    """Whether the shell has its terminal as it was: it echoes, collects lines, and shows the cursor."""
    state = terminal.shell("stty -a")
    return all(f" {word}" in f" {state}" for word in ("icanon", "echo ", "icrnl"))


def test_the_first_screen(terminal: Terminal) -> None:
    shown = terminal.everything()
    for part in (
        "p2pchat - chat without a server",
        "Peer id:  12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
        "Name:     ada",
        "Data in:  ",
        "* Listening on /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW",
        "* Bob (…x6nXTN) connected",
    ):
        assert part in shown
    assert terminal.last_line() == "ada>"


def test_a_line_being_typed_is_never_broken(terminal: Terminal) -> None:
    terminal.type("play talk")
    terminal.write("half a thou")
    shown = terminal.wait_for("Bob (…x6nXTN): line 4")
    assert [row for row in shown.splitlines() if "line " in row and "half" in row] == []
    terminal.write("ght")
    terminal.wait_for("half a thought")
    assert terminal.last_line() == "ada> half a thought"
    terminal.keys("Enter")
    shown = terminal.wait_for("ada (…dBfeSB): half a thought")
    assert shown.count("half a thought") == 1


def test_a_flood_keeps_the_prompt_and_every_line(terminal: Terminal) -> None:
    terminal.type("play flood")
    terminal.write("still here")
    terminal.wait_for("flood 199.9")
    terminal.wait_for("ada> still here")
    shown = terminal.everything()
    assert all(f": flood {number}.{part}\n" in shown for number in range(200) for part in range(10))


def test_hostile_text_is_harmless(terminal: Terminal) -> None:
    terminal.type("play attack")
    shown = terminal.wait_for("␛[2J␛]0;owned␇")
    assert "p2pchat - chat without" in shown  # the screen was not cleared
    assert not any(row.startswith("[00:00:00]") for row in shown.splitlines())


def test_what_a_library_prints_stays_off_the_screen(terminal: Terminal) -> None:
    terminal.type("play print")
    terminal.type("/rooms")
    assert "PRINTED" not in terminal.wait_for("-> #lobby")


def test_rooms(terminal: Terminal) -> None:
    terminal.type("/join garden")
    terminal.wait_for("ada #garden>")
    terminal.type("/room lobby")
    terminal.wait_for("ada #lobby>")
    terminal.type("play elsewhere")
    terminal.wait_for("#garden [")
    terminal.type("/leave garden")
    terminal.wait_for("You have left #garden")
    terminal.wait_until_gone("#lobby>   ")
    assert terminal.last_line() == "ada>"


def test_a_conversation(terminal: Terminal) -> None:
    terminal.type("/msg Bob Hello Bob")
    shown = terminal.wait_for("you to Bob: Hello Bob  - delivered")
    assert "ada> /msg" not in shown
    terminal.type("/dm Bob")
    terminal.wait_for("ada @ Bob>")
    terminal.type("slow post")
    terminal.wait_for("you to Bob: slow post  - sending")
    terminal.wait_for("* Bob: 'slow post' is in 1 of 1 mailboxes - stored 1/1")
    terminal.wait_for("* Bob has 'slow post' - delivered")
    terminal.type("/dm")
    terminal.wait_for("* Back in #lobby")
    terminal.wait_until_gone("ada @ Bob>   ")
    assert terminal.last_line() == "ada>"


def test_hostile_direct_messages_are_harmless(terminal: Terminal) -> None:
    terminal.type("play whispers")
    shown = terminal.wait_for("Bob to you: good morning")
    assert "p2pchat - chat without" in shown  # the screen was not cleared
    assert "] E␛[31mve (…" in shown
    assert "is not among your contacts yet: /dm …" in shown
    assert not any(row.startswith("[00:00:00]") for row in shown.splitlines())


def test_the_own_link_can_be_copied(terminal: Terminal) -> None:
    terminal.type("/contact link")
    terminal.wait_for("p2pchat:peer/me?" + "a" * 300)


def test_completion_of_names(terminal: Terminal) -> None:
    terminal.write("/msg b")
    terminal.keys("Tab")
    terminal.wait_for("ada> /msg Bob")
    terminal.type(" Hi")
    terminal.wait_for("you to Bob: Hi  - delivered")


def test_completion_and_input_history(terminal: Terminal) -> None:
    terminal.write("/his")
    terminal.keys("Tab")
    terminal.wait_for("ada> /history")
    terminal.keys("C-u")
    terminal.type("x" * 30)
    terminal.wait_for(": " + "x" * 30)
    terminal.keys("Up")
    terminal.wait_for("ada> " + "x" * 30)


def test_a_paste_of_several_lines_is_one_message(terminal: Terminal) -> None:
    terminal.paste("first\n[00:00:00] second\n/third")
    terminal.wait_for("/third")
    terminal.keys("Enter")
    shown = terminal.wait_for("(…dBfeSB): first")
    assert "\n    [00:00:00] second\n    /third\n" in shown


def test_a_paste_that_begins_with_a_slash_is_refused_on_one_line(terminal: Terminal) -> None:
    terminal.paste("/etc/hosts\n127.0.0.1 localhost")
    terminal.wait_for("localhost")
    terminal.keys("Enter")
    shown = terminal.wait_for("* A command is one line.")
    assert "ada> /etc/hosts…\n" in shown
    terminal.keys("Up")
    terminal.wait_for("127.0.0.1 localhost")


def test_a_text_that_is_too_long_is_not_lost(terminal: Terminal) -> None:
    terminal.paste("y" * 66_000)
    terminal.wait_for("y" * 90, times=20)
    terminal.keys("Enter")
    terminal.wait_for("at most 65,536 bytes")
    terminal.wait_for("Press Up to edit it.")
    terminal.wait_until_gone("y" * 90)
    terminal.keys("Up")
    terminal.wait_for("y" * 90, times=20)


def test_a_smaller_window(terminal: Terminal) -> None:
    terminal.resize(WIDTH // 2, 30)
    terminal.type("play elsewhere")
    terminal.wait_for("over here")
    terminal.type("words " * 20)
    shown = terminal.wait_for("words", times=20)
    assert "\n    words" in shown


@pytest.mark.parametrize("key", ["C-c", "C-d"])
def test_keys_that_end_it(terminal: Terminal, key: str) -> None:
    terminal.keys(key)
    assert terminal.exit_code() == 0
    assert is_restored(terminal)


def test_ctrl_z_does_nothing(terminal: Terminal) -> None:
    terminal.keys("C-z")
    terminal.type("still here")
    terminal.wait_for("ada (…dBfeSB): still here")


def test_ctrl_c_wipes_what_is_typed_first(terminal: Terminal) -> None:
    for half in ("half a thought", "another half"):
        terminal.write(half)
        terminal.wait_for(f"ada> {half}")
        terminal.keys("C-c")
        terminal.wait_until_gone(half)
        terminal.wait_for("ada>")
    assert terminal.everything().count("* Ctrl-C again, or /quit, to stop") == 1
    terminal.type("a whole one")
    terminal.wait_for("ada (…dBfeSB): a whole one")
    terminal.keys("C-c")
    assert terminal.exit_code() == 0
    assert is_restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_that_end_it(terminal: Terminal, number: signal.Signals) -> None:
    os.kill(terminal.process(), number)
    assert terminal.exit_code() == 0
    assert is_restored(terminal)


def test_ending_it_before_the_node_is_up(tmp_path: Path) -> None:
    with Terminal([*STUB, tmp_path], env={"STUB_DELAY": "600"}, cwd=ROOT) as terminal:
        terminal.wait_for("ada>")
        terminal.keys("C-c")
        assert terminal.exit_code() == 0
        assert is_restored(terminal)


def test_a_node_that_cannot_start_gives_the_terminal_back(tmp_path: Path) -> None:
    with Terminal([*STUB, tmp_path], env={"STUB_FAILS": "1"}, cwd=ROOT) as terminal:
        terminal.wait_for("Port 4001 is in use.")
        assert terminal.exit_code() == 2
        assert is_restored(terminal)
        assert "Traceback" not in terminal.everything()


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_terminals_without_colour(tmp_path: Path, variable: str) -> None:
    value = "dumb" if variable == "TERM" else "1"
    with Terminal([*STUB, tmp_path], env={variable: value}, cwd=ROOT) as terminal:
        terminal.wait_for("You are in #lobby")
        terminal.type("hello")
        terminal.wait_for("(…dBfeSB): hello")
        terminal.type("/quit")
        assert terminal.exit_code() == 0


def _piped(folder: Path, text: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*STUB, folder], input=text, capture_output=True, timeout=60, check=False, cwd=ROOT
    )


def test_pipes_carry_plain_lines(tmp_path: Path) -> None:
    done = _piped(tmp_path, b"hello\n\xff\n/rooms\nlast")
    shown = done.stdout.decode()
    assert "\x1b" not in shown
    assert shown.count("(…dBfeSB): hello") == 1
    assert "is not valid UTF-8" in shown
    assert "-> #lobby" in shown
    assert shown.rstrip().endswith("(…dBfeSB): last")
    assert (done.returncode, done.stderr) == (0, b"")


def test_direct_messages_from_a_pipe(tmp_path: Path) -> None:
    done = _piped(tmp_path, b"/msg Bob slow one\n/msg Bob two")
    shown = done.stdout.decode()
    assert "you to Bob: slow one  - sending" in shown
    assert "you to Bob: two  - delivered" in shown
    assert "is in 1 of 1 mailboxes - stored 1/1" in shown
    assert (done.returncode, done.stderr) == (0, b"")


def test_direct_messages_from_a_pipe_that_go_nowhere(tmp_path: Path) -> None:
    done = _piped(tmp_path, b"/msg Bob never")
    assert "you to Bob: never  - waiting" in done.stdout.decode()
    assert done.returncode == 1
    assert b"1 message to others waits in the outbox here" in done.stderr
