"""Real processes: a node is backed up while it runs, and the restored one goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from tests.direct_scene import (
    P2PCHAT,
    add_contact,
    free_port,
    link_of,
    messages_with,
    register,
    scene,
    shown,
    start,
)

ENVIRONMENT = {**os.environ, "P2PCHAT_PASSPHRASE": "correct horse battery"}


async def p2pchat(*arguments: object) -> str:
    """What a command prints."""
    command = [str(P2PCHAT), *map(str, arguments)]
    done = await trio.run_process(command, capture_stdout=True, env=ENVIRONMENT)
    return done.stdout.decode()


async def test_a_node_restored_from_a_backup_of_a_running_one_sends_and_receives(
    tmp_path: Path,
) -> None:
    backup = tmp_path / "alice.age"
    async with scene(tmp_path) as stage:
        alice, restored = stage.person("Alice"), stage.person("Restored")
        bob = stage.person("Bob", listen=f"/ip4/127.0.0.1/tcp/{free_port()}")
        await start(alice, bob)
        await add_contact(alice, await link_of(bob), "Bob")
        await alice.types("/msg Bob before the backup")
        await bob.shows("before the backup")
        await alice.shows("delivered")
        await bob.leaves()
        await alice.types("/msg Bob on its way at the backup")
        await alice.shows("you to Bob: on its way at the backup", "waiting")

        await p2pchat("backup", backup, "--data-dir", tmp_path / "alice")
        assert not (tmp_path / "alice" / "store.checkpoint").exists()

        await bob.start()
        await bob.shows("on its way at the backup")
        await alice.shows("delivered")
        await alice.leaves()

        said = await p2pchat("restore", backup, "--data-dir", tmp_path / "restored")
        await restored.start()
        await restored.shows("Peer id:", said.split()[2])
        await restored.shows("Bob has 1 message - delivered")
        await restored.types("/msg Bob after the restore")
        await bob.shows("after the restore")
        await bob.types("/msg Restored welcome back")
        await restored.shows("welcome back")
        kept = [line.partition("] ")[2] for line in await messages_with(restored, "Bob")]
        assert [text.partition(": ")[2].partition("  -")[0] for text in kept] == [
            "before the backup",
            "on its way at the backup",
            "after the restore",
            "welcome back",
        ]
        assert shown(bob, "on its way at the backup") == 1
        await restored.leaves()
        await bob.leaves()


@pytest.mark.parametrize("is_running", [True, pytest.param(False, marks=pytest.mark.soak)])
async def test_a_mailbox_that_is_restored_knows_its_people_and_its_links_stay_valid(
    is_running: bool,
    tmp_path: Path,
) -> None:
    backup, folder = tmp_path / "mailbox.age", tmp_path / "mailbox"
    async with scene(tmp_path) as stage:
        mailbox, bob = stage.mailbox(), stage.person("Bob")
        await start(mailbox, bob)
        await register(bob, mailbox)
        before = await stage.status(mailbox)
        if is_running:
            await p2pchat("backup", backup, "--data-dir", folder)
        await mailbox.stop()
        if not is_running:
            await p2pchat("backup", backup, "--data-dir", folder)
        said = await p2pchat("restore", backup, "--data-dir", tmp_path / "moved")
        assert "Start it: p2pchat mailbox --data-dir" in said
        moved = stage.mailbox("Moved")
        await start(moved)
        await moved.shows("Invite:", "9 more uses")
        after = await stage.status(moved)
        assert after["peer"] == before["peer"]
        assert (after["registered"], before["registered"]) == (1, 1)
