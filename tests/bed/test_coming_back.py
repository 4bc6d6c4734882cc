"""What breaks mends itself: the public host, a line, a router, a laptop that slept."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from p2pchat.cli.terminal.ways import RELAYED_VIA
from tests.bed import figures
from tests.bed.namespaces import Bed, Nat, bed
from tests.bed.people import Cast, Person, arrived, become_contacts, cast, say, start, talk

pytestmark = pytest.mark.bed

PATIENCE = 200.0  # seconds for a whole scene
DEAD = 3.0  # seconds until it is started again
CUT = 60.0  # seconds that a line is cut
SPELLS = 5  # in which something is said meanwhile
ASLEEP = 45.0  # seconds that a laptop sleeps
ROUTER_OFF = 5.0  # seconds


async def test_a_public_host_that_was_killed_and_is_back(tmp_path: Path) -> None:
    with bed(Nat.SYMMETRIC, Nat.SYMMETRIC) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice, bob = await acquainted(here, made)
            link = await alice.link()
            carol = here.person("Carol", made.host("b", 1))
            await here.mailbox.is_killed()
            await trio.sleep(DEAD)

            began = trio.current_time()
            await here.open_mailbox()
            await carol.start()
            await bob.writes(alice, "back again?")
            await alice.hears(["back again?"])
            await bob.delivered(alice, ["back again?"])
            figures.note("public host back: a friend gets through after", began)
            await carol.knows(alice, link)
            await carol.writes(alice, "who are you?")
            await carol.delivered(alice, ["who are you?"])
            await carol.connected(alice, RELAYED_VIA)
            figures.note("public host back: somebody new gets through after", began)


async def test_a_line_that_was_cut(tmp_path: Path) -> None:
    with bed(Nat.SYMMETRIC, Nat.SYMMETRIC) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice, bob = await acquainted(here, made)
            made.cut("a")
            for number in range(SPELLS):
                await say(alice, bob, f"spell {number}")
                await say(bob, alice, f"spell {number}")
                await trio.sleep(CUT / SPELLS)
            made.heal("a")
            began = trio.current_time()
            for number in range(SPELLS):
                await arrived(alice, bob, f"spell {number}")
                await arrived(bob, alice, f"spell {number}")
            figures.note(f"line cut for {CUT:g} s: all has arrived after", began)
            await talk(alice, bob, "now")


async def test_a_laptop_that_slept(tmp_path: Path) -> None:
    with bed(Nat.CONE, Nat.CONE) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice, bob = await acquainted(here, made)
            bob.pause()
            await say(alice, bob, "meanwhile")
            await trio.sleep(ASLEEP)
            bob.resume()
            began = trio.current_time()
            await arrived(alice, bob, "meanwhile")
            await talk(alice, bob, "awake")
            figures.note(f"laptop slept for {ASLEEP:g} s: all said after", began)


async def test_a_router_that_was_switched_off_and_on(tmp_path: Path) -> None:
    with bed(Nat.CONE, Nat.CONE) as made:
        async with cast(tmp_path, made, PATIENCE) as here:
            alice, bob = await acquainted(here, made)
            await trio.to_thread.run_sync(made.reboot, "a", ROUTER_OFF)
            began = trio.current_time()
            await talk(alice, bob, "after it")
            figures.note("router rebooted, other address: all said after", began)


async def acquainted(here: Cast, made: Bed) -> tuple[Person, Person]:
    """Two who have already talked."""
    alice, bob = here.person("Alice", made.host("a")), here.person("Bob", made.host("b"))
    await start(alice, bob)
    await become_contacts(alice, bob)
    await talk(alice, bob, "at first")
    return alice, bob
