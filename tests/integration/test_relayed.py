"""Real processes: the recipient listens nowhere, and is reached through the relay of its mailbox."""

from __future__ import annotations

from pathlib import Path

from p2pchat.cli.demo.story import sees_how_it_goes
from p2pchat.cli.terminal import ways
from tests.direct_scene import (
    add_contact,
    link_of,
    messages_with,
    register,
    scene,
    shown,
    start,
)


async def test_who_listens_nowhere_gets_messages_directly(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        mailbox = here.mailbox()
        alice, bob = here.person("Alice"), here.person("Bob", listen="none")
        await start(mailbox, alice, bob)
        await register(bob, mailbox)
        await bob.shows(f"* {ways.THROUGH_RELAY}")
        assert shown(bob, "* Listening on") == 0
        await add_contact(alice, await link_of(bob), "Bob")

        await alice.types("/msg Bob over the relay")
        await sees_how_it_goes(alice, "Bob", "over the relay", "delivered")
        await bob.shows("Alice", "to you", "over the relay")
        await bob.types("/msg Alice and back")
        await sees_how_it_goes(bob, "Alice", "and back", "delivered")
        await alice.shows("Bob", "to you", "and back")

        assert "- delivered" in (await messages_with(alice, "Bob"))[0]
        status = await here.status(mailbox)
        assert status["relay"]["most_circuits"] >= 1
        assert status["held_envelopes"] == 0
        assert status["counters"].get("deposits_kept", 0) == 0  # delivered, and never stored there
        assert shown(alice, "stored") + shown(bob, "stored") == 0
