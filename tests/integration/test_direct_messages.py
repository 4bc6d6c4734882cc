"""Real processes: direct messages to somebody who is away, and what becomes of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from p2pchat.cli.demo.story import ANSWER, CHAPTERS, GREETING, LETTER, sees_how_it_goes
from tests.direct_scene import (
    P2PCHAT,
    PATIENCE,
    add_contact,
    free_port,
    link_of,
    messages_with,
    processes_below,
    register,
    run_p2pchat,
    scene,
    start,
)
from tests.terminal import Terminal

OWN_SETTINGS = {
    "P2PCHAT_ROOM": "elsewhere",
    "P2PCHAT_LISTEN": "nonsense",
    "DATA_DIR": "/nowhere/at/all",
}


# ---- the demo -------------------------------------------------------------------------------------------


def test_the_demo_tells_its_story_and_leaves_nothing(tmp_path: Path) -> None:
    told = run_p2pchat(
        "demo", cwd=tmp_path, env={**os.environ, **OWN_SETTINGS, "TMPDIR": str(tmp_path)}
    )
    assert told.returncode == 0, told.stdout + told.stderr
    in_order = [
        r"^1\. ",
        r"^  Mailbox   Link: p2pchat:mailbox/12D3\w+…$",
        r"^  Bob     > /mailbox add p2pchat:mailbox/12D3\w+…$",
        r"^  Bob       \* Your mailbox: .* registered, connected",
        r"^2\. ",
        rf"^  Alice   > /msg Bob {re.escape(GREETING)}$",
        rf"^  Bob       \[.*\] Alice \(…\w{{6}}\) to you: {re.escape(GREETING)}$",
        rf"^  Alice     \[.*\] Bob to you: {ANSWER}$",
        r"^3\. ",
        r"^  Bob     x process \d+ is killed with SIGKILL$",
        r"^4\. ",
        rf"^  Alice   > /msg Bob {re.escape(LETTER)}$",
        r"^  Alice .* - stored 1/1$",
        r"^  Alice   > /quit$",
        r"^5\. ",
        rf"^  Bob       \[.*\] Alice \(…\w{{6}}\) to you: {re.escape(LETTER)}$",
        rf"^{len(CHAPTERS)}\. ",
        r"^  Alice     \* Bob has 1 message - delivered$",
        rf"^  Alice     \[.*\] you to Bob: {re.escape(LETTER)}  - delivered$",
    ]
    at = 0
    for pattern in in_order:
        found = re.compile(pattern, re.MULTILINE).search(told.stdout, at)
        assert found, f"no {pattern} behind {at}:\n{told.stdout}"
        at = found.end()
    assert "\x1b" not in told.stdout
    assert told.stderr == ""
    assert list(processes_below(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        [str(P2PCHAT), "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert demo.stdout is not None
    lines = iter(demo.stdout.readline, "")
    assert any("/mailbox add" in line for line in lines)
    people = psutil.Process(demo.pid).children()
    demo.send_signal(number)
    _, said = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, said) == (1, "p2pchat: The demo was stopped.\n")
    assert len(people) == 3
    assert not any(each.is_running() for each in people)
    assert list(tmp_path.iterdir()) == []


# ---- mailboxes and nodes that die -----------------------------------------------------------------------


async def test_one_of_two_mailboxes_is_killed_before_the_recipient_returns(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        first, second = here.mailbox("First"), here.mailbox("Second")
        alice, bob = here.person("Alice"), here.person("Bob")
        await start(first, second, alice, bob)
        await register(bob, first, second)
        await add_contact(alice, await link_of(bob), "Bob")
        await bob.is_killed()

        await alice.types("/msg Bob while both are there")
        await sees_how_it_goes(alice, "Bob", "while both are there", "stored 2/2")
        await first.is_killed()
        await alice.types("/msg Bob while one is there")
        await sees_how_it_goes(alice, "Bob", "while one is there", "stored 1/2")
        await alice.leaves()

        await bob.start()
        await bob.shows("Alice", "to you", "while both are there")
        await bob.shows("Alice", "to you", "while one is there")
        await alice.start()
        await alice.shows("* Bob has 2 messages - delivered")
        written = await messages_with(alice, "Bob")
        assert [line.endswith("- delivered") for line in written] == [True, True]
        assert len(await messages_with(bob, "Alice")) == 2
        status = await here.status(second)
        assert status["held_envelopes"] == 0


async def test_a_queued_message_survives_the_death_of_its_sender(tmp_path: Path) -> None:
    """Nobody can be reached while it is written: neither the recipient nor a mailbox."""
    async with scene(tmp_path) as here:
        alice = here.person("Alice")
        bob = here.person("Bob", listen=f"/ip4/127.0.0.1/tcp/{free_port()}")
        await start(alice, bob)
        link = await link_of(bob)
        await bob.leaves()
        await add_contact(alice, link, "Bob")
        await alice.types("/msg Bob into the void")
        await sees_how_it_goes(
            alice,
            "Bob",
            "into the void",
            "waiting: Bob cannot be reached now, and has no mailbox that you know of; it is tried again.",
        )
        await alice.is_killed()

        await start(alice, bob)
        await bob.shows("Alice", "to you", "into the void")
        await alice.shows("* Bob has ", "- delivered")
        [written] = await messages_with(alice, "Bob")
        assert written.endswith("into the void  - delivered")
        assert len(await messages_with(bob, "Alice")) == 1
        await bob.leaves()
        await bob.start()
        assert len(await messages_with(bob, "Alice")) == 1


# ---- as a person sees it --------------------------------------------------------------------------------


@contextmanager
def at_a_terminal(folder: Path, name: str, port: int) -> Iterator[Terminal]:
    """A node in a real terminal, always at the same port."""
    listen = ("--listen", f"/ip4/127.0.0.1/tcp/{port}", "--bootstrap", "none", "--no-mdns")
    where = ("--data-dir", folder / name.lower(), "--name", name)
    with Terminal([P2PCHAT, "node", "--plain", *where, *listen]) as terminal:
        terminal.wait_for("You are in #p2pchat-default", PATIENCE)
        yield terminal


def test_states_in_a_terminal_with_a_restart_in_between(tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("Alice", "Bob")}
    with at_a_terminal(tmp_path, "Alice", ports["Alice"]) as alice:
        with at_a_terminal(tmp_path, "Bob", ports["Bob"]) as bob:
            bob.type("/contact link")
            shown_link = bob.wait_for("p2pchat:peer/")
            link = re.search(r"p2pchat:peer/\S+", shown_link)
            assert link is not None
            alice.paste(f"/contact add {link.group()} Bob")
            alice.keys("Enter")
            alice.wait_for("* Now among your contacts: Bob (…")

            alice.type("/dm Bob")
            alice.wait_for(
                "What you type now goes to Bob and nobody else; /dm alone leads back to #p2pchat-default"
            )
            alice.wait_for("Alice @ Bob>")
            alice.type("Are you there?")
            alice.wait_for("you to Bob: Are you there?")
            alice.wait_for("- delivered")
            assert "Are you there?" in bob.wait_for(") to you: ")
            bob.type("/msg Alice Yes")
            alice.wait_for("] Bob to you: Yes")
            alice.wait_for("* Bob has read 'Are you there?'")  # Bob has pressed Enter since
            alice.type("/contacts")
            alice.wait_for("Bob (…")
            alice.wait_for("  connected, no mailbox")
            bob.type("/quit")
            assert bob.exit_code() == 0

        alice.type("Still there?")
        alice.wait_for("waiting: Bob cannot be reached now", PATIENCE)
        alice.type("/quit")
        alice.wait_for(
            "1 message to others waits in the outbox here and goes out at the next start."
        )
        assert alice.exit_code() == 0

    with (
        at_a_terminal(tmp_path, "Alice", ports["Alice"]) as alice,
        at_a_terminal(tmp_path, "Bob", ports["Bob"]) as bob,
    ):
        bob.wait_for("to you: Still there?", PATIENCE)
        alice.wait_for("* Bob has 1 message - delivered", PATIENCE)
        alice.type("/history Bob")
        shown_now = alice.wait_for("Still there?  - delivered")
        assert shown_now.index("Are you there?  - read") < shown_now.index("] Bob to you: Yes")
        bob.type("/history Alice")
        assert bob.wait_for("The last 3 messages with Alice").count("Still there?") == 2
