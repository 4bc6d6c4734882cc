"""Two people behind home routers of their own, and a mailbox that both reach."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.compose import figures
from tests.compose.conftest import Bed
from tests.compose.project import Person, Project, living, until

pytestmark = pytest.mark.compose

HOMES = {"a": "10.81.1.10", "b": "10.81.2.10"}  # as compose.yml has them
KNOCK = "import socket, sys; socket.create_connection((sys.argv[1], 22), 3)"


@pytest.fixture(scope="module")
def network(bed: Bed) -> Iterator[Project]:
    project = bed.project("nat")
    with contextlib.ExitStack() as stack:
        with figures.timed("nat: up, all healthy"):
            stack.enter_context(living(project, "node-a", "node-b", profile="nat"))
        yield project


def way(whence: Person, peer: str) -> str:
    """How it is connected to the other one: the best of its connections; empty: not at all."""
    found = [each for each in whence.ask("peers")["peers"] if each["peer"] == peer]
    if any(each["punched"] for each in found):
        return "hole-punched"
    if any(not each["relayed"] for each in found):
        return "direct"
    return "relayed" if found else ""


def test_the_homes_are_closed(network: Project) -> None:
    """No route leads from home to home, and only the containers without a node in them have a right."""
    for side, other in (("a", "b"), ("b", "a")):
        done = network.engine.try_to(
            *("exec", network.person(f"node-{side}").container),
            *("python", "-c", KNOCK, HOMES[other]),
        )
        # Somebody who can be reached would refuse: nothing listens on that port.
        assert done.returncode == 1
        assert "unreachable" in done.stderr or "timed out" in done.stderr, done.stderr
    for found in network.containers():
        rights = found["HostConfig"]["CapAdd"] or []
        is_program = "-node-" in found["Name"] or "-mailbox-" in found["Name"]
        assert (rights == []) == is_program, found["Name"]
        assert found["HostConfig"]["ReadonlyRootfs"]


def test_they_chat(network: Project) -> None:
    a, b = network.person("node-a"), network.person("node-b")
    with figures.timed("nat: both see each other"):
        until(lambda: b.peer in a.sees() and a.peer in b.sees(), "they see each other")
    a.say("Across two routers")
    until(lambda: b.heard("Across two routers"), "b hears a")
    b.say("And back")
    until(lambda: a.heard("And back"), "a hears b")
    a.p2pchat("send", "--to", b.peer, "--wait", "delivered", "--timeout", "120", "For you alone")
    assert b.got("For you alone", a.peer)
    figures.note("nat: connected at first", way(a, b.peer))


def test_a_hole_is_punched(network: Project) -> None:
    """Both routers keep ports as they are, so it has to come to that, sooner or later."""
    a, b = network.person("node-a"), network.person("node-b")
    with figures.timed("nat: until the hole is punched, after the chat"):
        until(lambda: way(a, b.peer) == "hole-punched", "a hole is punched")
