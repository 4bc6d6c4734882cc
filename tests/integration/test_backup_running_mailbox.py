"""A mailbox is backed up while it takes deposits: what had a receipt by then is in the backup."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail
from tests.backup_process import LIGHT
from tests.soak import crash_scenes
from tests.soak.crash_scenes import Stage
from tests.soak.processes import ROOT, MailboxProcess, ending

SEED = 7
PATIENCE = 300.0  # seconds for a whole scene, on a machine that is busy with others
BEFORE = 100  # deposits
AT_ONCE = 20  # deposits that wait while the backup is made
ENVIRONMENT = {**os.environ, "P2PCHAT_PASSPHRASE": "correct horse battery"}
CHECKPOINTS = ["mail.checkpoint", "store.checkpoint"]

# As the command, but killed when the stores are read and the file is almost whole.
KILLED = """
import sys
from p2pchat.cli import main
from tests.backup_process import die_at
die_at("p2pchat.node.backup.sealed_file:SealedWriter.finish", 1)
main.run(sys.argv[1:])
"""


async def run(*command: object) -> int:
    done = await trio.run_process(
        [*map(str, command)], check=False, env=ENVIRONMENT, cwd=ROOT, capture_stdout=True
    )
    return done.returncode


async def backup(folder: Path, target: Path) -> None:
    assert await run(*LIGHT, "backup", target, "--data-dir", folder) == 0


async def killed_backup(folder: Path, target: Path) -> None:
    command = (sys.executable, "-c", KILLED, "backup", target, "--data-dir", folder)
    assert await run(*command) == -signal.SIGKILL


@contextlib.asynccontextmanager
async def deposits_going_on(stage: Stage) -> AsyncIterator[None]:
    """Meanwhile there is always something to be deposited; some of it is, before the block ends."""

    async def feed() -> None:
        while True:
            stage.give(AT_ONCE)
            await stage.until(lambda: stage.left < AT_ONCE // 2)

    before = stage.receipts
    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        await stage.until(lambda: stage.receipts > before)
        yield
        during = stage.receipts
        await stage.until(lambda: stage.receipts > during)
        nursery.cancel_scope.cancel()


def receipted(stage: Stage) -> set[bytes]:
    return {id_ for depositor in stage.depositors for id_ in depositor.receipts}


def held_for(recipient: bytes, folder: Path) -> set[bytes]:
    """What a mailbox that does not run has on its disk; its counts are right as well."""
    store = RocksdbMail(folder / "mail")
    store.open()
    try:
        page = store.read(recipient, 0, 100_000, 1 << 30)
        assert store.totals().count == len(page.mail)
        return {mail.id for mail in page.mail}
    finally:
        store.close()


async def test_what_had_a_receipt_before_is_in_the_backup_and_is_handed_over_elsewhere(
    tmp_path: Path,
) -> None:
    target, moved_to = tmp_path / "mailbox.age", tmp_path / "moved"
    async with crash_scenes.staged(tmp_path, SEED, PATIENCE) as stage:
        old, bob = stage.mailbox, stage.bob
        stage.give(BEFORE)
        await stage.until_receipted()
        async with deposits_going_on(stage):
            before = receipted(stage)
            await backup(old.folder, target)
        assert before < receipted(stage)
        assert not [name for name in CHECKPOINTS if (old.folder / name).exists()]
        old.kill()

        assert await run(*LIGHT, "restore", target, "--data-dir", moved_to) == 0
        held = held_for(bob.identity.peer_bytes, moved_to)
        assert before <= held
        moved = MailboxProcess(moved_to)
        moved.address = old.address
        with ending(moved):
            moved.start()
            await moved.up()
            assert (await moved.status())["registered"] == 1
            bob.start()
            await bob.registered()
            await moved.until_empty()
            peers = [depositor.identity.peer for depositor in stage.depositors]
            while sum([await bob.kept(peer) for peer in peers]) < len(held):
                await trio.sleep(0.1)


@pytest.mark.soak
async def test_what_a_killed_backup_leaves_is_gone_with_the_next_one_and_the_next_start(
    tmp_path: Path,
) -> None:
    target = tmp_path / "mailbox.age"
    async with crash_scenes.staged(tmp_path, SEED, PATIENCE) as stage:
        folder = stage.mailbox.folder
        stage.give(BEFORE)
        await stage.until_receipted()
        await killed_backup(folder, target)
        assert not target.exists()
        assert [name for name in CHECKPOINTS if (folder / name).exists()] == CHECKPOINTS
        stage.give(BEFORE)
        await stage.until_receipted()  # it goes on
        await backup(folder, target)
        assert sorted(os.listdir(folder)) == ["identity.key", "mail", "node.sock", "store"]
        assert not [name for name in os.listdir(tmp_path) if "unfinished" in name]

        await killed_backup(folder, tmp_path / "another.age")
        stage.mailbox.kill()
        stage.mailbox.start()
        await stage.mailbox.up()
        assert sorted(os.listdir(folder)) == ["identity.key", "mail", "node.sock", "store"]
