"""The real program in a real terminal: what is seen of messages, of a node that dies, and of one that runs already."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from p2pchat.cli import control_client
from p2pchat.proto import control_pb2 as control
from tests.direct_scene import P2PCHAT, PATIENCE, processes_below
from tests.terminal import Terminal

ALONE = ("--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--bootstrap")
STATUS = "no mailbox"  # stands in the line of status once the node answers
LOOK = 0.1  # seconds between two looks


def on_screen(folder: Path, name: str, bootstrap: str = "none", *options: str) -> Terminal:
    where = ("--data-dir", folder / name.lower(), "--name", name)
    return Terminal([P2PCHAT, "node", *where, *ALONE, bootstrap, *options], width=140)


@contextlib.contextmanager
def program(*command: str) -> Iterator[Callable[[str], str]]:
    """A p2pchat without a terminal, stopped in the end. Gives what waits for a line that begins so."""
    running = subprocess.Popen(
        [str(P2PCHAT), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    lines = iter(running.stdout.readline, "")
    try:
        yield lambda start: next(line for line in lines if line.startswith(start)).strip()
    finally:
        running.terminate()
        running.communicate(timeout=PATIENCE)


def headless(folder: Path, name: str, bootstrap: str = "none", *options: str) -> list[str]:
    where = ["--data-dir", str(folder / name.lower()), "--name", name]
    return ["node", "--headless", *where, *ALONE, bootstrap, *options]


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(LOOK)


def node_of(terminal: Terminal) -> int:
    """The process behind the screen."""
    [node] = psutil.Process(terminal.process()).children()
    return node.pid


def leave(terminal: Terminal) -> None:
    terminal.type("/quit")
    assert terminal.exit_code(PATIENCE) == 0


def bob_s_link(folder: Path, mailbox: str, address: str) -> str:
    """Once Bob's mail is taken by the mailbox; he is away after that."""
    with program(*headless(folder, "Bob", address, "--mailbox", mailbox)) as hear:
        hear("p2pchat node")
        with control_client.node(folder / "bob") as bob:
            wait_until(
                lambda: all(
                    each.registered
                    for each in bob.ask(control.ListMailboxesRequest()).mailboxes
                    or [control.OwnMailbox()]
                ),
                "the mailbox does not take Bob",
            )
            return str(bob.ask(control.GetLinkRequest()).link)


def test_marks_follow_a_message_and_the_screen_outlives_its_node(tmp_path: Path) -> None:
    box = ("mailbox", "--data-dir", str(tmp_path / "box"), "--registration", "open")
    with program(*box, *ALONE, "none") as hear:
        address = hear("Listening: ").removeprefix("Listening: ")
        link = bob_s_link(tmp_path, hear("Link: ").removeprefix("Link: "), address)
        with on_screen(tmp_path, "Alice", address) as alice:
            alice.wait_for(STATUS, PATIENCE)
            alice.type("/join den")
            alice.wait_for("#den")
            alice.type("Is anybody here?")
            alice.wait_for("Is anybody here?")
            alice.paste(f"/contact add {link} Bob")
            alice.keys("Enter")
            alice.wait_for("among your contacts")
            alice.type("/dm Bob")
            alice.type("Are you there?")
            alice.wait_for("stored 1/1", PATIENCE)
            assert "✓✓ delivered" not in alice.screen()
            with program(*headless(tmp_path, "Bob", address)) as bob:
                bob("p2pchat node")
                alice.wait_for("✓✓ delivered", PATIENCE)

            first = node_of(alice)
            os.kill(first, signal.SIGKILL)
            alice.wait_for("the node has died", PATIENCE)
            alice.wait_for("killed by SIGKILL", PATIENCE)
            alice.wait_until_gone("the node has died", PATIENCE)
            alice.wait_for(STATUS, PATIENCE)
            assert node_of(alice) != first
            alice.type("Still there?")
            alice.wait_for("stored 1/1", PATIENCE)
            assert "Are you there?" in alice.screen()
            leave(alice)
            wait_until(
                lambda: not [*processes_below(tmp_path / "alice")], "the node outlives its screen"
            )


def test_the_history_is_there_before_the_node(tmp_path: Path) -> None:
    with on_screen(tmp_path, "Ada") as first:
        first.wait_for(STATUS, PATIENCE)
        first.type("for the record")
        first.wait_for("for the record")
        leave(first)
    # A node that never comes up: it cannot listen there.
    with on_screen(tmp_path, "Ada", "none", "--listen", "/ip4/203.0.113.1/tcp/1") as again:
        again.wait_for("for the record", PATIENCE)
        assert again.exit_code(PATIENCE) == 2
        shown = again.everything()
    assert "p2pchat: " in shown
    assert "203.0.113.1" in shown
    assert "Traceback" not in shown


def test_a_screen_comes_and_goes_and_the_node_stays(tmp_path: Path) -> None:
    with program(*headless(tmp_path, "Ada")) as hear:
        hear("p2pchat node")
        [node] = processes_below(tmp_path)
        for command in ("attach", "node"):
            where = [P2PCHAT, command, "--data-dir", tmp_path / "ada"]
            with Terminal(where, width=140) as screen:
                screen.wait_for(STATUS, PATIENCE)
                screen.type(f"said from {command}")
                screen.wait_for(f"said from {command}")
                leave(screen)
            assert node.is_running()
        with control_client.node(tmp_path / "ada") as ada:
            found = ada.ask(control.ReadHistoryRequest(room="p2pchat-default"))
    assert [each.text for each in found.messages] == ["said from attach", "said from node"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screen_and_its_node(tmp_path: Path, number: signal.Signals) -> None:
    with on_screen(tmp_path, "Ada") as ada:
        ada.wait_for(STATUS, PATIENCE)
        os.kill(ada.process(), number)
        assert ada.exit_code(PATIENCE) == 0
        state = ada.shell("stty -a")
    assert all(f" {word}" in f" {state}" for word in ("icanon", "echo ", "icrnl"))
    assert [*processes_below(tmp_path)] == []


def test_a_node_does_not_outlive_a_screen_that_is_killed(tmp_path: Path) -> None:
    with on_screen(tmp_path, "Ada") as ada:
        ada.wait_for(STATUS, PATIENCE)
        os.kill(ada.process(), signal.SIGKILL)
        wait_until(lambda: not [*processes_below(tmp_path)], "the node outlives its screen")


def test_nothing_to_attach_to(tmp_path: Path) -> None:
    with Terminal([P2PCHAT, "attach", "--data-dir", tmp_path]) as screen:
        assert screen.exit_code() == 2
        shown = re.sub(r"\s+", " ", screen.everything())
    assert f"No node is running on {tmp_path}. p2pchat node starts one." in shown
