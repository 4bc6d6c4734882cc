"""The owner's mailboxes and what the signed record says of them. Times are Unix milliseconds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import mailbox_record, peer_id, worker_choice
from p2pchat.node.protocol.limits import MAX_ADDRESS_CHARACTERS, MAX_ADDRESSES, MAX_MAILBOXES
from p2pchat.node.protocol.links import MailboxLink, MailboxWorker
from p2pchat.node.protocol.own_mailboxes import LIFETIME_MS, OwnMailboxes
from p2pchat.node.protocol.seal import SealKey
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

ME = Identity(bytes([1]) * 32)
SEAL_KEY = SealKey.derive(ME.seed).public
BOXES = [Identity(bytes([number]) * 32).peer for number in range(10, 10 + MAX_MAILBOXES + 1)]
ADDRESS = "/ip4/192.0.2.1/udp/4001/quic-v1"
NOW = 1_700_000_000_000


def link(number: int = 0, *addresses: str, token: str = "") -> MailboxLink:
    return MailboxLink(BOXES[number], addresses or (ADDRESS,), token)


def own(kept: records.OwnMailboxes | None = None) -> OwnMailboxes:
    return OwnMailboxes(ME.peer_bytes, ME.private_key, SEAL_KEY, kept)


def agreed(*numbers: int) -> OwnMailboxes:
    made = own()
    for number in numbers:
        made.add(link(number))
        made.registered(BOXES[number], NOW)
    return made


def boxes(record: wire.MailboxRecord) -> list[str]:
    return [peer_id.to_text(mailbox.peer) for mailbox in record.mailboxes]


# ---- the record -----------------------------------------------------------------------------------------


def test_without_mailboxes_the_record_tells_the_key() -> None:
    record = own().record(NOW)
    assert mailbox_record.valid(record)
    assert (record.peer, record.seal_key) == (ME.peer_bytes, SEAL_KEY)
    assert (record.sequence, record.expires_at_ms) == (NOW, NOW + LIFETIME_MS)
    assert boxes(record) == []


def test_only_mailboxes_that_have_agreed_stand_in_it() -> None:
    some = own()
    some.add(link(0))
    some.add(link(1))
    assert boxes(some.record(NOW)) == []
    assert some.registered(BOXES[1], NOW)
    record = some.record(NOW)
    assert boxes(record) == [BOXES[1]]
    assert list(record.mailboxes[0].addresses) == [ADDRESS]
    assert mailbox_record.valid(record)


def test_agreeing_again_is_nothing_new() -> None:
    some = agreed(0)
    before = some.record(NOW)
    assert not some.registered(BOXES[0], NOW + 1)
    assert not some.registered(BOXES[1], NOW + 1)  # not one of them
    assert some.record(NOW + 2) == before


def test_a_mailbox_that_turns_away_leaves_the_record_and_may_come_back() -> None:
    some = agreed(0)
    first = some.record(NOW)
    assert some.turned_away(BOXES[0], NOW)
    assert not some.turned_away(BOXES[0], NOW)
    assert not some.turned_away(BOXES[1], NOW)
    second = some.record(NOW)
    assert boxes(second) == []
    assert some.registered(BOXES[0], NOW)
    third = some.record(NOW)
    assert boxes(third) == [BOXES[0]]
    assert first.sequence < second.sequence < third.sequence


def test_a_mailbox_that_is_removed_leaves_the_record() -> None:
    some = agreed(0, 1)
    before = some.record(NOW)
    some.remove(BOXES[0], NOW)
    assert BOXES[0] not in some
    after = some.record(NOW)
    assert boxes(after) == [BOXES[1]]
    assert after.sequence > before.sequence


def test_removing_one_that_never_agreed_changes_no_record() -> None:
    some = agreed(0)
    some.add(link(1))
    before = some.record(NOW)
    some.remove(BOXES[1], NOW + 1)
    assert some.record(NOW + 1) == before


def test_a_mailbox_that_moves_gets_a_new_sequence() -> None:
    """Of two records with one sequence the first heard is believed: the new address would reach nobody."""
    some = agreed(0)
    before = some.record(NOW)
    assert some.add(link(0, "/dns/box.example/tcp/1"))
    after = some.record(NOW)
    assert list(after.mailboxes[0].addresses) == ["/dns/box.example/tcp/1"]
    assert after.sequence > before.sequence
    assert some.record(NOW) == after


def test_a_restart_gives_the_identical_record() -> None:
    some = agreed(0, 2)
    some.add(link(1))
    before = some.record(NOW)
    again = own(records.OwnMailboxes.FromString(some.keep().SerializeToString()))
    assert not again.add(link(0))  # from the command line
    assert again.record(NOW + 1000).SerializeToString() == before.SerializeToString()
    assert again.keep() == some.keep()
    assert again.peers() == some.peers()


def test_the_record_is_signed_anew_when_it_gets_old() -> None:
    some = agreed(0)
    before = some.record(NOW)
    assert some.record(before.sequence + LIFETIME_MS // 2) == before
    later = before.sequence + LIFETIME_MS // 2 + 1
    assert some.record(later).sequence == later


def test_a_clock_that_was_put_back_does_not_turn_the_sequence_back() -> None:
    some = agreed(0)
    before = some.record(NOW)
    some.add(link(1))
    some.registered(BOXES[1], NOW - LIFETIME_MS)
    assert some.record(NOW - LIFETIME_MS).sequence == before.sequence + 1


def test_who_restored_a_backup_is_believed_again() -> None:
    some = agreed(0)
    backup = some.keep()
    for hour in range(5):
        some.turned_away(BOXES[0], NOW + hour)
        some.registered(BOXES[0], NOW + hour)
    old = own(backup)
    old.turned_away(BOXES[0], NOW + 100_000)
    assert old.record(NOW + 100_000).sequence > some.record(NOW).sequence


def test_a_mailbox_without_an_address_does_not_spoil_the_record() -> None:
    entry = records.OwnMailbox(
        address=wire.MailboxAddress(peer=Identity(bytes([10]) * 32).peer_bytes), registered=True
    )
    record = own(records.OwnMailboxes(mailboxes=[entry])).record(NOW)
    assert mailbox_record.valid(record)
    assert boxes(record) == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "move", "agree", "turn", "remove", "restart", "wait"]),
        st.integers(0, MAX_MAILBOXES),
        st.integers(-1000, 10_000_000_000),
    ),
    max_size=25,
)


@settings(max_examples=50)
@given(STEPS)
def test_two_different_records_never_have_one_sequence(steps: list[tuple[str, int, int]]) -> None:
    some, now, last = own(), NOW, own().record(NOW)
    some.record(NOW)
    for step, number, passed in steps:
        now, peer = max(0, now + passed), BOXES[number]
        match step:
            case "add" | "move" if peer in some or len(some.peers()) < MAX_MAILBOXES:
                some.add(link(number, ADDRESS if step == "add" else f"/dns/n{passed}/tcp/1"))
            case "agree":
                some.registered(peer, now)
            case "turn":
                some.turned_away(peer, now)
            case "remove" if peer in some:
                some.remove(peer, now)
            case "restart":
                some.record(now)  # published, and kept with it
                some = own(some.keep())
        record = some.record(now)
        assert mailbox_record.valid(record)
        assert record.sequence > last.sequence or record == last
        last = record


# ---- the owner's list -------------------------------------------------------------------------------------


def test_there_are_three_at_most() -> None:
    some = own()
    for number in range(MAX_MAILBOXES):
        assert some.add(link(number))
    with pytest.raises(ValueError, match=r"^You have 3 mailboxes already: .*\.$"):
        some.add(link(MAX_MAILBOXES))
    assert not some.add(link(0))
    assert some.peers() == BOXES[:MAX_MAILBOXES]
    some.remove(BOXES[0], NOW)
    assert some.add(link(MAX_MAILBOXES))


def test_adding_again_says_what_is_new_and_forgets_nothing() -> None:
    some = own()
    some.add(link(0, token="secret"))
    some.registered(BOXES[0], NOW)
    assert not some.add(link(0))
    assert not some.add(MailboxLink(BOXES[0]))
    assert some.add(link(0, "/ip4/192.0.2.9/tcp/1"))
    entry = some.get(BOXES[0])
    assert (entry.token, entry.registered) == ("secret", True)
    assert list(entry.address.addresses) == ["/ip4/192.0.2.9/tcp/1"]
    assert some.add(link(0, "/ip4/192.0.2.9/tcp/1", token="other"))
    assert some.get(BOXES[0]).token == "other"


def test_another_token_does_not_change_the_record() -> None:
    some = agreed(0)
    before = some.record(NOW)
    some.add(link(0, token="other"))
    assert some.record(NOW + 1) == before


def with_workers(first: int, *others: int) -> MailboxLink:
    workers = tuple(MailboxWorker(BOXES[number], (ADDRESS,)) for number in others)
    return MailboxLink(BOXES[first], (ADDRESS,), "token", workers)


def test_of_a_mailbox_with_workers_one_is_taken_and_found_by_the_link_s_peer_id() -> None:
    whole = with_workers(0, 1, 2)
    some = own()
    assert some.add(whole)
    (peer,) = some.peers()
    assert peer == some.chosen(whole).peer == worker_choice.choose(whole, ME.peer_bytes, ()).peer
    entry = some.get(peer)
    assert (peer_id.to_text(entry.of), entry.workers, entry.token) == (BOXES[0], 3, "token")
    assert some.find(BOXES[0]) == some.find(peer[-8:]) == peer
    assert own(some.keep()).find(BOXES[0]) == peer
    assert not some.add(whole)
    assert some.add(
        with_workers(0, 1, 2, 3)
    )  # it has one more by now, and this peer stays where it is
    assert some.peers() == [peer]


def test_the_first_worker_stands_in_for_one_that_has_not_taken_us() -> None:
    others = [
        number for number in (0, 1, 2) if own().chosen(with_workers(0, 1, 2)).peer != BOXES[number]
    ]
    first, *rest = others
    (chosen,) = {0, 1, 2} - set(others)
    whole = with_workers(first, chosen, *rest)
    some = own()
    some.add(whole)
    assert some.instead(BOXES[chosen]) == link(first, token="token")
    assert some.instead(BOXES[first]) is None
    some.move(BOXES[chosen])
    assert some.peers() == [BOXES[first]]
    entry = some.get(BOXES[first])
    assert (peer_id.to_text(entry.of), entry.workers, entry.token) == (BOXES[first], 3, "token")
    assert some.instead(BOXES[first]) is None


def test_who_has_been_taken_or_is_leaving_stays_where_he_is() -> None:
    first, chosen = sorted(
        range(2), key=lambda n: own().chosen(with_workers(0, 1)).peer == BOXES[n]
    )
    some = own()
    some.add(with_workers(first, chosen))
    some.registered(BOXES[chosen], NOW)
    assert some.instead(BOXES[chosen]) is None
    some.leave(BOXES[chosen], NOW)
    assert some.instead(BOXES[chosen]) is None


@pytest.mark.parametrize("number", range(3))
def test_who_has_one_of_the_workers_stays_there_also_while_leaving(number: int) -> None:
    some = agreed(number)
    assert some.chosen(with_workers(0, 1, 2)).peer == BOXES[number]
    some.leave(BOXES[number], NOW)
    assert some.chosen(with_workers(0, 1, 2)).peer == BOXES[number]
    some.add(with_workers(0, 1, 2))
    assert some.peers() == [BOXES[number]]


@pytest.mark.parametrize("addresses", [(), ("/" + "x" * MAX_ADDRESS_CHARACTERS,), ("no address",)])
def test_a_link_that_does_not_say_where_the_mailbox_is_is_of_no_use(
    addresses: tuple[str, ...],
) -> None:
    """Others are to leave mail there: a record without an address is not valid."""
    some = own()
    with pytest.raises(ValueError, match=r"^That link does not say where the mailbox is.*\.$"):
        some.add(MailboxLink(BOXES[0], addresses))
    assert BOXES[0] not in some


def test_after_going_back_to_a_backup_the_record_is_newer_than_any_that_was_signed_since() -> None:
    before = agreed(0)
    at_the_backup = before.keep()
    before.leave(BOXES[0], NOW + 5)
    since = before.record(NOW + 5)
    at_the_backup.restored = True
    back = own(at_the_backup)
    record = back.record(NOW + 10)
    assert record.sequence > since.sequence
    assert mailbox_record.newer(since, record) == record
    assert len(record.mailboxes) == 1
    assert not back.keep().restored
    assert own(back.keep()).record(NOW + 20) == record


def test_of_many_addresses_the_first_fitting_ones_are_kept() -> None:
    long = "/" + "ä" * (MAX_ADDRESS_CHARACTERS - 1)  # counted in bytes
    fitting = [f"/ip4/192.0.2.{number}" for number in range(MAX_ADDRESSES + 2)]
    some = own()
    some.add(link(0, long, *fitting))
    some.registered(BOXES[0], NOW)
    record = some.record(NOW)
    assert list(record.mailboxes[0].addresses) == fitting[:MAX_ADDRESSES]
    assert mailbox_record.valid(record)


def test_a_mailbox_is_found_by_its_number_its_id_or_the_end_of_that() -> None:
    some = agreed(0, 1)
    for text in ("2", BOXES[1], BOXES[1][-6:], "…" + BOXES[1][-6:]):
        assert some.find(text) == BOXES[1]


@pytest.mark.parametrize(
    "text", ["", "0", "3", "-1", "…", "………………", "…" + BOXES[0][-5:], BOXES[0][-5:], BOXES[2]]
)
def test_what_could_be_anything_finds_none(text: str) -> None:
    assert agreed(0, 1).find(text) is None
    assert agreed(0).find(text) is None
