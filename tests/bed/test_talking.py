"""Two people behind two routers, who know nobody but a public mailbox, talk to each other."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from p2pchat.cli.terminal.ways import DIRECT, HOLE_PUNCHED, RELAYED_VIA
from tests.bed import figures
from tests.bed.namespaces import Nat, bed
from tests.bed.people import (
    Person,
    become_contacts,
    cast,
    start,
    talk,
)

pytestmark = pytest.mark.bed

PATIENCE = 90.0  # seconds for a whole scene
DELAY = 0.04  # seconds each way, on each of both wires
LOSS = 0.05  # of all frames, on each of both wires
MANY = 20  # messages


async def test_two_routers_that_keep_ports_end_in_a_direct_connection(tmp_path: Path) -> None:
    with bed(Nat.CONE, Nat.CONE) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice = here.person("Alice", made.host("a"))
            bob = here.person("Bob", made.host("b"))
            began = trio.current_time()
            await start(alice, bob)
            await alice.connected(bob, HOLE_PUNCHED)
            await bob.connected(alice, HOLE_PUNCHED)
            figures.note("cone and cone: hole-punched after the start", began)
            await alice.sees(bob)
            await bob.sees(alice)
            await talk(alice, bob, "word")


@pytest.mark.parametrize("kind", [Nat.SYMMETRIC, Nat.NO_UDP], ids=lambda kind: kind.value)
async def test_they_talk_behind_routers_of_every_kind(tmp_path: Path, kind: Nat) -> None:
    with bed(kind, kind) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice = here.person("Alice", made.host("a"))
            bob = here.person("Bob", made.host("b"))
            began = trio.current_time()
            await start(alice, bob)
            await become_contacts(alice, bob)
            await talk(alice, bob, "word")
            figures.note(f"{kind.value} and {kind.value}: all said after the start", began)
            if kind is Nat.SYMMETRIC:
                await are_connected(alice, bob, RELAYED_VIA)


@pytest.mark.usefixtures("_wires")
async def test_they_talk_over_a_slow_line_that_loses(tmp_path: Path) -> None:
    with bed(delay=DELAY, loss=LOSS) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice = here.person("Alice", made.host("a"))
            bob = here.person("Bob", made.host("b"))
            began = trio.current_time()
            await start(alice, bob)
            await become_contacts(alice, bob)
            await talk(alice, bob, "first")
            figures.note("slow line: first words said after the start", began)
            began = trio.current_time()
            await talk(alice, bob, "later", MANY)
            figures.note(f"slow line: {4 * MANY} messages", began)


async def test_two_in_one_home_talk_directly(tmp_path: Path) -> None:
    with bed() as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice = here.person("Alice", made.host("a"))
            bob = here.person("Bob", made.host("a", 1))
            began = trio.current_time()
            await start(alice, bob)
            await become_contacts(alice, bob)
            await talk(alice, bob, "word")
            await are_connected(alice, bob, DIRECT)
            assert made.homes["a"].address(1) in await alice.connection(bob)
            figures.note("one home: direct and all said after the start", began)


async def are_connected(one: Person, other: Person, how: str) -> None:
    await one.connected(other, how)
    await other.connected(one, how)
