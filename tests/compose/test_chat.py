"""What `docker compose up` starts: two people and more, two mailboxes, and what may happen to their containers.

The scenes stand in their order: each goes on with the network that the one before it has left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from functools import partial

import pytest

from tests.compose import figures
from tests.compose.conftest import Bed
from tests.compose.project import Person, Project, living, until
from tests.terminal import Terminal

pytestmark = pytest.mark.compose

SCREEN_PATIENCE = 60.0  # seconds for a screen on a busy machine
CROWD = 5


@pytest.fixture(scope="module")
def network(bed: Bed) -> Iterator[Project]:
    project = bed.project("chat")
    with contextlib.ExitStack() as stack:
        with figures.timed("chat: up, two nodes, all healthy"):
            stack.enter_context(living(project, "--scale", "node=2"))
        yield project


@pytest.fixture
def alice(network: Project) -> Person:
    return network.person("node", 1)


@pytest.fixture
def bob(network: Project) -> Person:
    return network.person("node", 2)


def test_every_container_is_confined(network: Project) -> None:
    for found in network.containers():
        host, name = found["HostConfig"], found["Name"]
        assert found["State"]["Health"]["Status"] == "healthy", name
        assert found["Config"]["User"] == "10001:10001", name
        assert host["ReadonlyRootfs"], name
        assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None), name
        assert any("no-new-privileges" in option for option in host["SecurityOpt"]), name
        assert all(host[limit] for limit in ("Memory", "PidsLimit", "NanoCpus")), name
        assert not host["PortBindings"], name


def test_two_nodes_chat(alice: Person, bob: Person) -> None:
    until(lambda: {alice.peer, bob.peer} <= alice.sees() & bob.sees(), "they see each other")
    with figures.timed("chat: a message, from one to the other"):
        alice.say("Is anybody here?")
        until(lambda: bob.heard("Is anybody here?"), "Bob hears Alice")
    bob.say("I am")
    until(lambda: alice.heard("I am"), "Alice hears Bob")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="the screen needs tmux")
def test_attach_shows_the_screen(network: Project, bob: Person) -> None:
    """As one types it: without an option, it finds the node of its container."""
    words = network.engine.command(*network.words("exec", "node", "p2pchat", "attach"))
    environment = {**network.engine.environment, "TERM": os.environ.get("TERM", "xterm")}
    with Terminal(words, env=environment) as terminal:
        terminal.wait_for("#lobby", SCREEN_PATIENCE)
        terminal.wait_for("I am", SCREEN_PATIENCE)
        terminal.wait_for("mailboxes 2/2", SCREEN_PATIENCE)
        terminal.write("Typed on a screen")
        terminal.wait_for("Typed on a screen", SCREEN_PATIENCE)
        terminal.keys("Enter")
        until(lambda: bob.heard("Typed on a screen"), "Bob hears what was typed")
        terminal.keys("C-q")
        terminal.wait_for_end(SCREEN_PATIENCE)
    assert bob.project.person("node", 1).ask("info")["peer"]


def test_mail_waits_for_who_is_stopped(alice: Person, bob: Person) -> None:
    """Alice is stopped before Bob comes back: only the mailboxes have it then."""
    whole = bob.ask("link")["link"]
    alice.p2pchat("contacts", "add", whole, "--name", "Bob")
    sender = alice.peer
    bob.do("stop", "--time", "15")
    alice.p2pchat("send", "--to", "Bob", "--wait", "stored", "--timeout", "120", "At eight, then")
    alice.do("stop", "--time", "15")
    with figures.timed("chat: Bob starts, and has his mail"):
        bob.restart()
        until(lambda: bob.got("At eight, then", sender), "Bob has what waited for him")
    alice.restart()


def test_mailboxes_that_are_killed_lose_nothing(
    network: Project, alice: Person, bob: Person
) -> None:
    sender = alice.peer
    bob.do("kill")
    texts = [f"Number {number}" for number in range(20)]
    for text in texts:
        alice.p2pchat("send", "--to", "Bob", "--wait", "stored", "--timeout", "120", text)
    mailboxes = [network.person(f"mailbox-{number}") for number in (1, 2)]
    for mailbox in mailboxes:
        mailbox.do("kill")
    alice.do("kill")
    with figures.timed("chat: both mailboxes killed and well again"):
        for mailbox in mailboxes:
            mailbox.restart()
    bob.restart()
    for text in texts:
        until(partial(bob.got, text, sender), f"Bob has {text}")
    alice.restart()
    figures.note("chat: receipted by mailboxes, which were killed", f"{len(texts)}, none lost")


def sees_all(person: Person, everybody: set[str]) -> bool:
    return everybody <= person.sees()


def test_a_crowd_sees_each_other(network: Project) -> None:
    with figures.timed(f"chat: scaled to {CROWD}, all healthy"):
        network.up("--no-recreate", "--scale", f"node={CROWD}")
    people = [network.person("node", number) for number in range(1, CROWD + 1)]
    everybody = {person.peer for person in people}
    assert len(everybody) == CROWD
    with figures.timed(f"chat: {CROWD} nodes all connected to each other"):
        for person in people:
            until(partial(sees_all, person, everybody), f"{person.container} sees all")
    people[-1].say("From the last one")
    for person in people:
        until(partial(person.heard, "From the last one"), person.container)


def test_who_was_cut_off_gets_what_was_missed(network: Project, alice: Person, bob: Person) -> None:
    engine, place = network.engine, f"{network.name}_chat"
    engine.run("network", "disconnect", "--force", place, bob.container)
    alice.say("Bob does not hear this")
    bob.say("Nobody hears this")
    others = network.person("node", 3)
    until(lambda: others.heard("Bob does not hear this"), "the others go on")
    assert not bob.heard("Bob does not hear this")
    with figures.timed("chat: network connected again, all missed messages there"):
        engine.run("network", "connect", "--alias", "node", place, bob.container)
        until(lambda: bob.heard("Bob does not hear this"), "Bob hears what he missed")
        until(lambda: alice.heard("Nobody hears this"), "the others hear what Bob said")
