"""Real programs on what older ones have left, and the way back to an older one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import trio

from p2pchat.node import identity
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from tests.backup_process import LIGHT
from tests.builders import ROOM, room_record
from tests.old_schemas import make_old_mail, write_old_store
from tests.soak import crash_scenes
from tests.soak.crash_scenes import Stage
from tests.soak.processes import P2PCHAT, ROOT, Child, MailboxProcess, ending, until

SEED = 7
PATIENCE = 300.0  # seconds for a whole scene, on a machine that is busy with others
MAIL = 50  # envelopes
ENVIRONMENT = {**os.environ, "P2PCHAT_PASSPHRASE": "correct horse battery"}

# The next version of the program, of which nothing is known but that its stores have newer schemas.
NEXT_VERSION = """
import sys
from p2pchat.cli import main
from p2pchat.node.adapters import rocksdb_store
from p2pchat.relay_mailbox.adapters import rocksdb_mail
rocksdb_store.SCHEMA_VERSION += 1
rocksdb_mail.SCHEMA_VERSION += 1
sys.exit(main.run(sys.argv[2:]))
"""
UPGRADED = (sys.executable, "-c", NEXT_VERSION)


class NodeProcess(Child):
    """`p2pchat node --headless`."""

    def command(self) -> Sequence[object]:
        local = ("--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--bootstrap", "none")
        return (P2PCHAT, "node", "--headless", "--data-dir", self.folder, *local)

    async def up(self) -> None:
        def is_ready() -> bool:
            self.life.check()
            return any(" is ready; " in line for line in self.life.look())

        await until(is_ready)

    async def ask(self, *arguments: object) -> Any:
        return json.loads(await p2pchat(*arguments, "--json", "--data-dir", self.folder))


class ArchivingMailbox(MailboxProcess):
    """Keeps the room, however old its messages are."""

    def command(self) -> Sequence[object]:
        return (*super().command(), "--archive-room", ROOM, "--archive-retention", "0")


async def p2pchat(*arguments: object) -> str:
    """What a command prints."""
    command = [str(P2PCHAT), *map(str, arguments)]
    done = await trio.run_process(command, capture_stdout=True, env=ENVIRONMENT, cwd=ROOT)
    return done.stdout.decode()


async def lightly(command: str, file: Path, folder: Path) -> None:
    """`p2pchat backup` and `p2pchat restore`."""
    arguments = [command, str(file), "--data-dir", str(folder)]
    await trio.run_process([*LIGHT, *arguments], capture_stdout=True, env=ENVIRONMENT, cwd=ROOT)


@contextlib.asynccontextmanager
async def running(mailbox: MailboxProcess, stage: Stage) -> AsyncIterator[MailboxProcess]:
    """In place of the stage's mailbox, until it is killed at the end."""
    mailbox.address, stage.mailbox = stage.mailbox.address, mailbox
    with ending(mailbox):
        mailbox.start()
        await mailbox.up()
        yield mailbox


async def deposited(stage: Stage) -> int:
    """Leave mail for Bob; how much there is now."""
    stage.give(MAIL)
    await stage.until_receipted()
    return stage.receipts


async def test_a_node_has_all_that_the_first_one_has_left(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "node")
    who = identity.create(node.folder / "identity.key")
    messages = [room_record(number) for number in range(1, 201)]
    write_old_store(node.folder / "store", messages, version=1)
    with ending(node), trio.fail_after(PATIENCE):
        node.start()
        await node.up()
        info = await node.ask("info")
        assert (info["peer"], info["name"]) == (who.peer, "Ada")
        await p2pchat("rooms", "join", ROOM, "--data-dir", node.folder)
        found = await node.ask("history", "--room", ROOM, "--limit", 1_000)
    texts = [message["text"] for message in found["messages"]]
    assert texts == [record.message.text for record in messages]


async def test_a_mailbox_hands_over_all_that_an_older_one_has_taken(tmp_path: Path) -> None:
    async with crash_scenes.staged(tmp_path, SEED, PATIENCE) as stage:
        old = stage.mailbox
        count = await deposited(stage)
        old.kill()
        make_old_mail(old.folder / "mail")
        shutil.rmtree(old.folder / "store")
        messages = [room_record(number) for number in range(1, 201)]
        write_old_store(old.folder / "store", messages)

        async with running(ArchivingMailbox(old.folder), stage) as upgraded:
            status = await upgraded.status()
            assert (status["held_envelopes"], status["registered"]) == (count, 1)
            assert int(status["store"]["schema_version"]) == 2
            assert await deposited(stage) == count + MAIL
            stage.bob.start()
            await stage.until_collected()
            assert await stage.check() == 0
        store = RocksdbStore(old.folder / "store")
        store.open()
        kept = [record.message.text for record in store.history(ROOM, 1_000).records]
        store.close()
        assert kept == [record.message.text for record in messages]


async def test_backup_upgrade_and_the_way_back(tmp_path: Path) -> None:
    backup, restored = tmp_path / "before.age", tmp_path / "restored"
    async with crash_scenes.staged(tmp_path, SEED, PATIENCE) as stage:
        old, bob = stage.mailbox, stage.bob
        count = await deposited(stage)
        await lightly("backup", backup, old.folder)
        old.kill()

        async with running(MailboxProcess(old.folder, UPGRADED), stage) as upgraded:
            status = await upgraded.status()
            assert (status["held_envelopes"], status["registered"]) == (count, 1)
            assert await deposited(stage) == count + MAIL

        old.start()
        assert await old.end() == 2
        refusal = old.life.last_words()
        assert "was written by a newer version of p2pchat" in refusal
        assert "Update p2pchat to use it." in refusal

        await lightly("restore", backup, restored)
        async with running(MailboxProcess(restored), stage) as back:
            status = await back.status()
            assert (status["held_envelopes"], status["registered"]) == (count, 1)
            bob.start()
            await bob.registered()
            await back.until_empty()
            assert len(await stage.bob_has()) == count
