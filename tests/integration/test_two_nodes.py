"""Two real nodes in two real terminals, on loopback: names, messages both ways, restart, history."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.terminal import Terminal

P2PCHAT = Path(sys.executable).with_name("p2pchat")
ALONE = ("--bootstrap", "none", "--no-mdns")  # nothing of a test may leave this machine
LOOPBACK = ("--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns")


def alone(folder: Path, *options: str) -> Terminal:
    return Terminal([P2PCHAT, "node", "--plain", "--data-dir", folder, *ALONE, *options])


def address_on(screen: Terminal) -> str:
    """The address that the node shows when it listens."""
    screen.wait_for("/p2p/12D3")
    found = re.search(r"/ip4/127\.0\.0\.1/tcp/\d+/p2p/\w+", screen.everything())
    assert found, screen.everything()
    return found.group()


@contextmanager
def two_nodes(folder: Path) -> Iterator[tuple[Terminal, Terminal]]:
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0")
    with alone(folder / "alice", "--name", "Alice", *listen) as alice:
        bootstrap = ("--bootstrap", address_on(alice))
        where = ("--data-dir", folder / "bob")
        with Terminal(
            [P2PCHAT, "node", "--plain", *where, "--name", "Bob", *LOOPBACK, *bootstrap]
        ) as bob:
            alice.wait_for("Bob (…")
            bob.wait_for("Alice (…")
            yield alice, bob


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_people_chat_restart_and_read_what_was_said(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as (alice, bob):
        alice.type("Hello Bob")
        bob.wait_for("): Hello Bob")
        bob.type("Hi Alice, this is Bob")
        alice.wait_for("): Hi Alice, this is Bob")
        assert "Alice (…" in bob.everything()

        bob.type("/peers")
        bob.wait_for("round trip")
        alice.type("/name Alicia")
        bob.wait_for("Alicia")
        alice.type("renamed")
        assert "Alicia (…" in bob.wait_for("): renamed")

        bob.type("/quit")
        assert bob.exit_code() == 0
        alice.wait_for("Bob (…")
    with alone(tmp_path / "bob") as again:
        again.wait_for("Bob>")
        again.type("/history")
        shown = again.wait_for("): renamed")
        assert shown.index("): Hello Bob") < shown.index("): Hi Alice, this is Bob")


def test_what_is_being_typed_survives_what_comes_in(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as (alice, bob):
        bob.write("half a sent")
        for number in range(5):
            alice.type(f"line {number}")
        bob.wait_for("): line 4")
        assert bob.last_line() == "Bob> half a sent"
        bob.type("ence")
        alice.wait_for("): half a sentence")


def test_a_long_and_strange_message_arrives_as_it_was(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as (alice, bob):
        alice.type("Grüße 👋 漢字 " + "x" * 300)
        shown = bob.wait_for("Grüße 👋 漢字 ")
        assert "x" * 300 in "".join(shown.split())  # long lines are wrapped with an indent


def test_a_node_that_was_killed_shows_everything_it_had_shown(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as (alice, bob):
        for number in range(20):
            alice.type(f"message {number:02}")
        bob.wait_for("): message 1")
        os.kill(bob.process(), signal.SIGKILL)
        shown = re.findall(r"\): (message \d\d)", bob.everything())
    with alone(tmp_path / "bob") as again:
        again.wait_for(">")
        again.type("/history")
        after = again.wait_for(f"): {shown[-1]}")
        assert [text for text in shown if f"): {text}" not in after] == []


def test_a_peer_that_comes_back_is_met_again(tmp_path: Path) -> None:
    port = free_port()
    listen = ("--listen", f"/ip4/127.0.0.1/tcp/{port}", "--name", "Alice")
    with alone(tmp_path / "alice", *listen) as alice:
        bootstrap = ("--bootstrap", address_on(alice))
        with Terminal(
            [
                P2PCHAT,
                "node",
                "--plain",
                "--data-dir",
                tmp_path / "bob",
                "--name",
                "Bob",
                *LOOPBACK,
                *bootstrap,
            ]
        ) as bob:
            bob.wait_for("* Alice (…")
            alice.type("/quit")
            assert alice.exit_code() == 0
            with alone(tmp_path / "alice", *listen) as again:
                again.wait_for("* Bob (…", timeout=30)
                bob.type("welcome back")
                again.wait_for("): welcome back")


@pytest.mark.parametrize("how", ["C-c", "C-d", "SIGTERM", "SIGHUP"])
def test_every_way_of_stopping_is_clean(tmp_path: Path, how: str) -> None:
    with alone(tmp_path / "a", "--listen", "/ip4/127.0.0.1/tcp/0") as node:
        address_on(node)
        node.type("last words")
        node.wait_for("): last words")
        if how.startswith("SIG"):
            os.kill(node.process(), getattr(signal, how))
        else:
            node.keys(how)
        assert node.exit_code() == 0
        assert node.shell("stty -a | grep -o ' icanon'") == "icanon"
    with alone(tmp_path / "a") as again:
        again.wait_for(">")
        again.type("/history")
        again.wait_for("): last words")


def test_a_second_node_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with alone(tmp_path / "a", "--listen", "/ip4/127.0.0.1/tcp/0") as node:
        address_on(node)
        with alone(tmp_path / "a", "--listen", "/ip4/127.0.0.1/tcp/0") as second:
            assert second.exit_code() == 2
            assert "in use" in second.everything()
        node.type("still here")
        node.wait_for("): still here")


def test_a_running_node_keeps_its_identity(tmp_path: Path) -> None:
    where = ["--data-dir", str(tmp_path / "a")]
    with alone(tmp_path / "a", "--listen", "/ip4/127.0.0.1/tcp/0") as node:
        peer = address_on(node).rpartition("/")[2]
        replacing = [str(P2PCHAT), "identity", "new", "--replace", "--yes", *where]
        done = subprocess.run(replacing, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "A node is running on" in done.stderr
        node.type("/quit")
        assert node.exit_code() == 0
    done = subprocess.run(replacing, capture_output=True, text=True, check=True)
    assert peer not in done.stdout


def test_somebody_comes_back_to_the_room_of_the_last_time(tmp_path: Path) -> None:
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0")
    with alone(tmp_path / "a", *listen, "--name", "Ada") as node:
        node.wait_for("You are in #p2pchat-default")
        node.type("/join garden")
        node.wait_for("Ada #garden>")
        node.type("/room p2pchat-default")
        node.wait_for("Ada #p2pchat-default>")
        node.type("/quit")
        assert node.exit_code() == 0
    (tmp_path / "a" / "identity.key").unlink()
    with alone(tmp_path / "a", *listen) as again:
        shown = again.wait_for("* You are in #p2pchat-default")
        assert "* Also in #garden" in shown
        assert "a new identity was made" in shown
        again.wait_for("Ada #p2pchat-default>")


def test_a_port_in_use_is_refused_in_plain_words(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with alone(tmp_path / "a", "--listen", f"/ip4/127.0.0.1/tcp/{port}") as node:
            assert node.exit_code() == 2
            assert f"port {port} is in use by another program" in node.everything()
            assert "Traceback" not in node.everything()
