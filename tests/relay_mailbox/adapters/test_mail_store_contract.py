"""What every `MailStore` does, real or in memory, and that both do the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.errors import StoreError
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail
from p2pchat.relay_mailbox.ports import Kept, MailStore
from p2pchat.relay_mailbox.quota import Quota, Usage
from tests.builders import sender_bytes
from tests.relay_mailbox.builders import RECIPIENT, START_MS, depositor, new_mail

PLENTY = Quota(1 << 30, 1_000_000, 1 << 40)
MEGABYTE = 1 << 20
OTHER = sender_bytes(2000)


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MailStore]:
    made: MailStore = MemoryMail() if request.param == "memory" else RocksdbMail(tmp_path / "mail")
    made.open()
    yield made
    made.close()


def keep(store: MailStore, *numbers: int, **options: int) -> list[Kept]:
    return store.deposit([new_mail(number, **options) for number in numbers], PLENTY)  # type: ignore[arg-type]


def held(store: MailStore, after: int = 0, recipient: bytes = RECIPIENT) -> list[int]:
    """The numbers of the envelopes that a recipient would get."""
    page = store.read(recipient, after, 1000, MEGABYTE)
    return [int.from_bytes(one.envelope.ciphertext[-8:], "big") for one in page.mail]


def forget(store: MailStore, *numbers: int, recipient: bytes = RECIPIENT) -> int:
    ids = [new_mail(number, recipient).id for number in numbers]
    return store.acknowledge([actors.ForgetMail(recipient=recipient, ids=ids)])


def test_mail_comes_back_whole_and_in_the_order_of_its_arrival(store: MailStore) -> None:
    mail = [new_mail(number) for number in (7, 3, 5)]
    until = START_MS + 86_400_000
    assert store.deposit(mail, PLENTY) == [Kept(actors.KEPT, until, n) for n in (1, 2, 3)]
    page = store.read(RECIPIENT, 0, 10, MEGABYTE)
    assert [one.envelope for one in page.mail] == [new.held.envelope for new in mail]
    assert [one.id for one in page.mail] == [new.id for new in mail]
    assert ([one.sequence for one in page.mail], page.end, page.more) == ([1, 2, 3], 3, False)


def test_pages_follow_each_other(store: MailStore) -> None:
    keep(store, *range(10))
    page = store.read(RECIPIENT, 0, 4, MEGABYTE)
    assert (len(page.mail), page.more) == (4, True)
    assert held(store, after=page.mail[-1].sequence) == [*range(4, 10)]
    assert held(store, after=10) == []


def test_a_page_is_bounded_in_bytes_but_never_empty(store: MailStore) -> None:
    keep(store, *range(5))
    page = store.read(RECIPIENT, 0, 10, 1)
    assert (len(page.mail), page.more) == (1, True)


def test_recipients_do_not_mix(store: MailStore) -> None:
    store.deposit([new_mail(1), new_mail(2, OTHER), new_mail(3)], PLENTY)
    assert (held(store), held(store, recipient=OTHER)) == ([1, 3], [2])
    assert forget(store, 2) == 0
    assert forget(store, 2, recipient=OTHER) == 1
    assert held(store) == [1, 3]


def test_the_same_envelope_again_gets_the_receipt_of_the_first_time(store: MailStore) -> None:
    first = keep(store, 1, until_ms=START_MS + 5)[0]
    again = keep(store, 1, 2, 1, until_ms=START_MS + 99)
    assert again[0] == again[2] == Kept(actors.KEPT_BEFORE, first.stored_until_ms)
    twice = keep(store, 3, 3)
    assert [kept.outcome for kept in twice] == [actors.KEPT, actors.KEPT_BEFORE]
    assert held(store) == [1, 2, 3]
    assert store.totals() == Usage(300, 3)


def test_what_was_collected_does_not_come_back_before_its_time_is_over(store: MailStore) -> None:
    keep(store, 1, 2, until_ms=START_MS + 5)
    assert forget(store, 1) == 1
    assert held(store) == [2]
    assert keep(store, 1) == [Kept(actors.KEPT_BEFORE, START_MS + 5)]
    assert held(store) == [2]
    store.sweep(START_MS + 6, 100)
    assert keep(store, 1)[0].outcome == actors.KEPT


def test_acknowledging_is_idempotent_and_unknown_ids_are_harmless(store: MailStore) -> None:
    keep(store, 1, 2)
    assert forget(store, 1, 1, 9) == 1
    assert forget(store, 1, 9) == 0
    assert store.usage(RECIPIENT) == Usage(100, 1)


def test_sequence_numbers_are_never_used_again(store: MailStore) -> None:
    keep(store, 1, 2)
    forget(store, 1, 2)
    store.sweep(START_MS + 10**12, 100)
    assert store.read(RECIPIENT, 0, 10, MEGABYTE).end == 2
    assert keep(store, 3)[0].sequence == 3


def test_usage_is_exact(store: MailStore) -> None:
    keep(store, 1, 2, sender=1, size=10)
    keep(store, 3, sender=2, size=1000)
    assert store.usage(RECIPIENT) == store.totals() == Usage(1020, 3)
    assert store.usage(RECIPIENT, depositor(1)) == Usage(20, 2)
    forget(store, 1, 3)
    assert store.usage(RECIPIENT, depositor(1)) == store.totals() == Usage(10, 1)
    assert store.usage(RECIPIENT, depositor(2)) == Usage()
    store.sweep(START_MS + 10**12, 100)
    assert store.totals() == store.usage(RECIPIENT) == Usage()


def test_a_batch_is_counted_as_it_goes(store: MailStore) -> None:
    batch = [new_mail(number, sender=number % 2, size=10) for number in range(20)]
    quota = Quota(100, 1000, 1000)
    outcomes = [kept.outcome for kept in store.deposit(batch, quota)]
    assert outcomes.count(actors.KEPT) == 6  # two senders who share: a third each
    assert outcomes.count(actors.SHARE_BYTES) == 14
    assert store.usage(RECIPIENT).bytes == 60


def test_the_whole_mailbox_has_a_bound(store: MailStore) -> None:
    quota = Quota(1000, 1000, 250)
    batch = [new_mail(1), new_mail(2, OTHER), new_mail(3, sender_bytes(3000))]
    outcomes = [kept.outcome for kept in store.deposit(batch, quota)]
    assert outcomes == [actors.KEPT, actors.KEPT, actors.TOTAL_BYTES]


def test_a_sweep_takes_what_is_due_and_nothing_else(store: MailStore) -> None:
    keep(store, 1, 2, 3, until_ms=START_MS + 10)
    keep(store, 4, until_ms=START_MS + 20)
    forget(store, 2)
    assert store.sweep(START_MS + 10, 100) == actors.MailSwept()
    swept = store.sweep(START_MS + 11, 100)
    assert swept == actors.MailSwept(envelopes=2, tombstones=1)
    assert held(store) == [4]


def test_a_sweep_goes_on_where_it_stopped(store: MailStore) -> None:
    keep(store, *range(5), until_ms=START_MS)
    assert store.sweep(START_MS + 1, 3) == actors.MailSwept(envelopes=3, more=True)
    assert store.sweep(START_MS + 1, 3) == actors.MailSwept(envelopes=2)
    assert held(store) == []


def test_a_clock_that_goes_back_hides_nothing_from_the_sweep(store: MailStore) -> None:
    keep(store, 1, until_ms=START_MS + 100)
    store.sweep(START_MS + 1000, 100)
    keep(store, 2, until_ms=START_MS + 50)
    assert store.sweep(START_MS + 60, 100).envelopes == 1


def test_the_registry_is_kept(store: MailStore) -> None:
    registration = records.Registration(peer=RECIPIENT, registered_at_ms=5)
    invite = records.Invite(id="abc", token="secret", uses_left=3)
    block = records.Block(peer=OTHER, note="why")
    store.change_registry(actors.ChangeRegistry(registration=registration, invite=invite))
    store.change_registry(actors.ChangeRegistry(block=block))
    found = store.registry()
    assert (list(found.registrations), list(found.invites)) == ([registration], [invite])
    assert list(found.blocks) == [block]
    invite.uses_left = 2
    store.change_registry(actors.ChangeRegistry(invite=invite, unblocked=OTHER))
    assert (list(store.registry().invites), list(store.registry().blocks)) == ([invite], [])
    store.change_registry(actors.ChangeRegistry(revoked="abc"))
    assert not store.registry().invites


def test_registrations_go_together(store: MailStore) -> None:
    for peer in (RECIPIENT, OTHER):
        registration = records.Registration(peer=peer, left=True)
        store.change_registry(actors.ChangeRegistry(registration=registration))
    newcomer = records.Registration(peer=sender_bytes(3000))
    store.change_registry(
        actors.ChangeRegistry(registration=newcomer, unregistered=[RECIPIENT, OTHER])
    )
    assert list(store.registry().registrations) == [newcomer]


def test_archived_rooms_are_kept_by_name(store: MailStore) -> None:
    garden = records.ArchivedRoom(room="garden", peers=[RECIPIENT, OTHER], since_ms=1)
    cafe = records.ArchivedRoom(room="café", since_ms=2)
    shed = records.ArchivedRoom(room="shed", peers=[OTHER])
    store.change_registry(actors.ChangeRegistry(archived=[shed, garden, cafe]))
    assert list(store.registry().archived) == [cafe, garden, shed]
    garden.peers.pop()
    store.change_registry(actors.ChangeRegistry(archived=[garden], unarchived=["shed", "unknown"]))
    store.close()
    store.open()
    assert list(store.registry().archived) == [cafe, garden]


def test_a_store_has_a_secret_of_its_own_and_keeps_it(store: MailStore, tmp_path: Path) -> None:
    secret = store.registry().depositor_secret
    assert len(secret) == 32
    store.close()
    store.open()
    assert store.registry().depositor_secret == secret
    other: MailStore = (
        MemoryMail() if isinstance(store, MemoryMail) else RocksdbMail(tmp_path / "other")
    )
    other.open()
    assert other.registry().depositor_secret != secret
    other.close()


def test_everything_is_there_after_closing_and_opening(store: MailStore) -> None:
    keep(store, *range(5))
    forget(store, 0)
    store.change_registry(actors.ChangeRegistry(block=records.Block(peer=OTHER)))
    store.close()
    with pytest.raises(StoreError):
        store.totals()
    store.open()
    assert held(store) == [1, 2, 3, 4]
    assert store.usage(RECIPIENT) == store.totals() == Usage(400, 4)
    assert keep(store, 0)[0].outcome == actors.KEPT_BEFORE
    assert len(store.registry().blocks) == 1
    assert store.describe().messages == 4


OPERATION = st.one_of(
    st.tuples(
        st.just("deposit"),
        st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2), st.integers(0, 3)), max_size=6),
    ),
    st.tuples(st.just("forget"), st.lists(st.integers(0, 15), max_size=6)),
    st.tuples(st.just("sweep"), st.integers(0, 4)),
    st.tuples(st.just("reopen"), st.just(0)),
)


@settings(max_examples=60)
@given(st.lists(OPERATION, max_size=25))
def test_both_stores_agree_on_whatever_happens(operations: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stores: list[MailStore] = [MemoryMail(), RocksdbMail(Path(folder, "mail"))]
        for store in stores:
            store.open()
        for kind, argument in operations:
            results = [perform(store, kind, argument) for store in stores]
            assert results[0] == results[1], (kind, argument)
        for store in stores:
            store.close()


def perform(store: MailStore, kind: str, argument: object) -> object:
    """Do it, and return all that can be seen then."""
    result: object = None
    if kind == "deposit":
        assert isinstance(argument, list)
        batch = [
            new_mail(
                number,
                (RECIPIENT, OTHER)[number % 2],
                sender=sender,
                size=10 + number,
                until_ms=START_MS + time,
            )
            for number, sender, time in argument
        ]
        result = store.deposit(batch, Quota(100, 6, 150))
    elif kind == "forget":
        assert isinstance(argument, list)
        result = [forget(store, *argument, recipient=peer) for peer in (RECIPIENT, OTHER)]
    elif kind == "sweep":
        assert isinstance(argument, int)
        result = store.sweep(START_MS + argument, 2)
    else:
        store.close()
        store.open()
    peers = (RECIPIENT, OTHER)
    senders = (b"", *map(depositor, range(3)))
    usage = [store.usage(peer, sender) for peer in peers for sender in senders]
    pages = [store.read(peer, 0, 100, MEGABYTE) for peer in peers]
    seen = [[(one.sequence, one.id) for one in page.mail] for page in pages]
    return result, usage, store.totals(), seen, [page.end for page in pages]
