"""What a log calls a recipient, and a store a depositor."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import trio

from p2pchat.node.adapters.rocksdb_database import META, RocksdbDatabase
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.relay_mailbox.adapters.mail_rows import FAMILIES
from p2pchat.relay_mailbox.adapters.rocksdb_mail import SCHEMA_VERSION, RocksdbMail
from p2pchat.relay_mailbox.pseudonyms import DEPOSITOR_BYTES, Pseudonyms, depositor_name
from tests.builders import sender_bytes
from tests.relay_mailbox.rig import Scene, open_mailbox, running, to


def test_a_name_lasts_a_day() -> None:
    pseudonyms = Pseudonyms(os.urandom)
    name = pseudonyms.of(sender_bytes(1), 5 * DAY_MS)
    assert pseudonyms.of(sender_bytes(1), 6 * DAY_MS - 1) == name
    assert pseudonyms.of(sender_bytes(2), 6 * DAY_MS - 1) != name
    assert pseudonyms.of(sender_bytes(1), 6 * DAY_MS) != name


def test_a_name_cannot_be_made_without_the_key() -> None:
    names = {Pseudonyms(os.urandom).of(sender_bytes(1), 0) for _ in range(20)}
    assert len(names) == 20


async def test_no_log_line_of_the_mailbox_names_a_peer_or_an_address(
    autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "p2pchat.relay_mailbox")
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))
        await bob.collect_all()
        await alice.line.write(b"\x00")
        await alice.until_reset()
    lines = [r for r in caplog.records if r.name.startswith("p2pchat.relay_mailbox")]
    assert lines
    for line in lines:
        assert "12D3Koo" not in line.getMessage()
        assert "/memory/" not in line.getMessage()


def test_a_depositor_has_one_name_for_each_secret() -> None:
    names = {depositor_name(secret, sender_bytes(n)) for secret in (b"1", b"2") for n in (1, 2)}
    assert len(names) == 4
    assert {len(name) for name in names} == {DEPOSITOR_BYTES}
    assert depositor_name(b"1", sender_bytes(1)) in names


async def test_a_depositor_is_not_named_on_the_disk(autojump_clock: object, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    scene = Scene(mail=RocksdbMail(folder))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1, register=False)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2, 3))
        await bob.collect()
        await bob.ack(*(await alice.custody(*to(bob, 1))).ids)
        await trio.sleep(1)
    files = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
    assert (bob.peer in files, alice.peer in files) == (True, False)
    database = RocksdbDatabase(folder, FAMILIES, SCHEMA_VERSION)
    database.open()
    pairs = [pair for name in (*FAMILIES, META) for pair in database.oldest(name, b"", b"", 1000)]
    database.close()
    rows = b"".join(key + value for key, value in pairs)
    assert (bob.peer in rows, alice.peer in rows) == (True, False)


async def test_a_share_lasts_over_restarts(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(quota_count=8))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        carol = await scene.client(nursery, 3)
        await alice.custody(*to(bob, 1, 2, 3, 4))
        await scene.stop()
        await scene.start(nursery)
        await alice.connect()
        await carol.connect()
        assert "share" in (await alice.refusal(*to(bob, 5))).detail
        await carol.custody(*to(bob, 6, 7))
