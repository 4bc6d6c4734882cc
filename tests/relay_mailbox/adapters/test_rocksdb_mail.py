"""What only mail on a disk has: `kill -9`, and schemas that are older or newer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from p2pchat.node.adapters.rocksdb_database import RocksdbDatabase
from p2pchat.node.errors import StoreError, StoreTooNewError
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.adapters.mail_rows import ARCHIVED, BLOCKS, BY_ID, FAMILIES, Row
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.adapters.rocksdb_mail import SCHEMA_VERSION, RocksdbMail
from p2pchat.relay_mailbox.ports import MailStore
from p2pchat.relay_mailbox.quota import Usage
from tests.relay_mailbox.adapters import mail_process
from tests.relay_mailbox.builders import RECIPIENT, depositor, new_mail

ROUNDS = 5
SEED = 7


def test_what_had_a_receipt_survives_being_killed_and_what_was_collected_stays_away(
    tmp_path: Path,
) -> None:
    rng = random.Random(SEED)
    kept: set[int] = set()
    asked: set[int] = set()
    deleted: set[int] = set()
    for round_number in range(ROUNDS):
        first = (round_number + 1) * 1_000_000  # no number is used twice
        for line in killed_burst(tmp_path / "mail", first, rng):
            sign, *numbers = line.split()
            {"+": kept, "~": asked, "-": deleted}[sign].update(map(int, numbers))
        store = RocksdbMail(tmp_path / "mail")
        store.open()
        held = numbers_in(store)
        assert kept - asked <= held
        assert not deleted & held
        assert counted(store, held)
        again = [new_mail(number) for number in sorted(deleted)[-50:]]
        outcomes = {kept.outcome for kept in store.deposit(again, mail_process.PLENTY)}
        assert outcomes <= {actors.KEPT_BEFORE}
        kept, asked = held, held & asked
        store.close()


def killed_burst(path: Path, first: int, rng: random.Random) -> list[str]:
    """What a child said until it was killed after a random number of writes."""
    with mail_process.start(path, first, rng.randrange(1000)) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(rng.randint(1, 900))]
        child.kill()
        lines += child.stdout.readlines()
    return [line for line in lines if line.endswith("\n")]


def numbers_in(store: MailStore) -> set[int]:
    found: set[int] = set()
    after, more = 0, True
    while more:
        page = store.read(RECIPIENT, after, 1000, 1 << 20)
        found.update(int.from_bytes(one.envelope.ciphertext[-8:], "big") for one in page.mail)
        after, more = (page.mail[-1].sequence, page.more) if page.mail else (0, False)
    return found


def counted(store: MailStore, held: set[int]) -> bool:
    """Whether every count is that of what is there."""
    shares = [sum(number % 3 == sender for number in held) for sender in range(3)]
    of_senders = [store.usage(RECIPIENT, depositor(sender)).count for sender in range(3)]
    whole = Usage(100 * len(held), len(held))
    return of_senders == shares and store.usage(RECIPIENT) == whole == store.totals()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    newer = RocksdbDatabase(tmp_path / "mail", FAMILIES, SCHEMA_VERSION + 1)
    newer.open()
    newer.close()
    with pytest.raises(StoreTooNewError, match="mail store"):
        RocksdbMail(tmp_path / "mail").open()


def test_a_store_from_before_archives_is_brought_forward(tmp_path: Path) -> None:
    families = [family for family in FAMILIES if family != ARCHIVED]
    older = RocksdbDatabase(tmp_path / "mail", families, 1)
    older.open()
    block = records.Block(peer=RECIPIENT)
    older.commit([(BLOCKS, RECIPIENT, block.SerializeToString())])
    older.close()
    store = RocksdbMail(tmp_path / "mail")
    store.open()
    archived = records.ArchivedRoom(room="garden", peers=[RECIPIENT])
    store.change_registry(actors.ChangeRegistry(archived=[archived]))
    assert (list(store.registry().blocks), list(store.registry().archived)) == ([block], [archived])
    assert store.describe().schema_version == 2
    assert store.describe().free_bytes > 0
    store.close()
    with pytest.raises(StoreTooNewError, match="schema 2"):
        RocksdbDatabase(tmp_path / "mail", families, 1).open()


def test_a_tombstone_does_not_keep_who_deposited(tmp_path: Path) -> None:
    store = RocksdbMail(tmp_path / "mail")
    store.open()
    mail = [new_mail(1), new_mail(2)]
    store.deposit(mail, mail_process.PLENTY)
    store.acknowledge([actors.ForgetMail(recipient=RECIPIENT, ids=[mail[0].id])])
    store.close()
    database = RocksdbDatabase(tmp_path / "mail", FAMILIES, SCHEMA_VERSION)
    database.open()
    rows = database.get(BY_ID, [RECIPIENT + new.id for new in mail])
    database.close()
    senders = [(row.held, row.sender) for row in map(Row.decode, filter(None, rows))]
    assert senders == [(False, b""), (True, depositor(0))]


def test_a_checkpoint_holds_what_was_there_until_then_and_goes_with_the_next_start(
    tmp_path: Path,
) -> None:
    store = RocksdbMail(tmp_path / "mail")
    store.open()
    store.deposit([new_mail(1)], mail_process.PLENTY)
    path = store.checkpoint()
    store.deposit([new_mail(2)], mail_process.PLENTY)
    copied = RocksdbMail(path)
    copied.open()
    assert (numbers_in(copied), numbers_in(store)) == ({1}, {1, 2})
    copied.close()
    store.open()
    assert not path.exists()
    assert numbers_in(store) == {1, 2}
    store.close()


def test_what_is_in_memory_cannot_be_backed_up() -> None:
    with pytest.raises(StoreError, match="nothing on a disk"):
        MemoryMail().checkpoint()
