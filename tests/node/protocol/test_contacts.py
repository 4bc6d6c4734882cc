"""Who is meant by a name, what somebody is called, and what is believed about them."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import mailbox_record, peer_id
from p2pchat.node.protocol.contacts import (
    MANY,
    MAX_ADDRESSES,
    AmbiguousPeerError,
    ContactBook,
    UnknownPeerError,
)
from p2pchat.node.protocol.seal import SealKey
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

ALICE, BOB, BOX = (Identity(bytes([number]) * 32) for number in (1, 2, 3))
KEY, OTHER_KEY = (SealKey.derive(identity.seed).public for identity in (ALICE, BOB))
# Two ids with the same last six characters; somebody with time can make them.
TWIN = ALICE.peer[:-8] + "zz" + ALICE.peer[-6:]


def book(**names: Identity) -> ContactBook:
    """Contacts with names given by the owner."""
    made = ContactBook()
    for name, identity in names.items():
        made.ensure(identity.peer, 0).name = name
    return made


def signed(*, author: Identity = ALICE, **changes: Any) -> wire.MailboxRecord:
    mailbox = wire.MailboxAddress(peer=BOX.peer_bytes, addresses=["/ip4/192.0.2.1/tcp/4001"])
    fields: dict[str, Any] = {"seal_key": KEY, "mailboxes": [mailbox], "sequence": 7}
    record = wire.MailboxRecord(peer=author.peer_bytes, **{**fields, **changes})
    mailbox_record.sign(record, author.private_key)
    return record


def end(peer: str, length: int = 6) -> str:
    return "…" + peer[-length:]


def question(some: ContactBook, text: str) -> str:
    with pytest.raises(AmbiguousPeerError) as caught:
        some.resolve(text)
    return str(caught.value)


# ---- who is meant -------------------------------------------------------------------------------------


def test_the_owners_own_name_comes_before_what_others_call_themselves() -> None:
    some = book(bob=ALICE)
    some.online(BOB.peer, "Bob")
    assert some.resolve(" BOB ") == ALICE.peer


def test_a_nick_names_who_is_there_and_who_is_a_contact() -> None:
    some = ContactBook()
    some.online(BOB.peer, "Bob")
    some.ensure(ALICE.peer, 0).nick = "Ada"
    assert some.resolve("bob") == BOB.peer
    assert some.resolve("ada") == ALICE.peer


def test_a_nick_is_the_one_of_now() -> None:
    some = ContactBook()
    some.ensure(ALICE.peer, 0).nick = "Ada"
    some.online(ALICE.peer, "Lovelace")
    assert some.resolve("lovelace") == ALICE.peer
    with pytest.raises(UnknownPeerError):
        some.resolve("ada")
    some.offline(ALICE.peer)
    assert some.resolve("ada") == ALICE.peer


def test_a_contact_with_a_given_name_is_found_by_its_nick_as_well() -> None:
    some = book(boss=BOB)
    some.online(BOB.peer, "Bob")
    assert some.resolve("boss") == some.resolve("bob") == BOB.peer


@pytest.mark.parametrize("length", [6, 10, 51])
def test_the_end_of_an_id_names_who_is_known(length: int) -> None:
    some = book(alice=ALICE)
    some.online(BOB.peer, "Bob")
    for identity in (ALICE, BOB):
        assert some.resolve(end(identity.peer, length)) == identity.peer
        assert some.resolve(identity.peer[-length:]) == identity.peer


def test_a_shorter_end_or_one_of_nobody_names_nobody() -> None:
    some = book(alice=ALICE)
    for text in (ALICE.peer[-5:], end(ALICE.peer, 5), end(BOB.peer), ALICE.peer[-6:].swapcase()):
        with pytest.raises(UnknownPeerError):
            some.resolve(text)


def test_a_whole_id_names_anybody() -> None:
    assert ContactBook().resolve(f" {ALICE.peer} ") == ContactBook().resolve(f"…{ALICE.peer}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "…",
        "  ",
        "nobody",
        "\x1b[31m",
        "å" * 9,
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    ],
)
def test_somebody_unknown_gets_a_sentence_that_says_what_to_do(text: str) -> None:
    some = book(alice=ALICE)
    some.online(BOB.peer, "")
    with pytest.raises(
        UnknownPeerError, match=r"(?s)^Nobody called .* is known\. .*/contacts.*\.$"
    ) as caught:
        some.resolve(text)
    assert str(caught.value).isprintable()


def test_two_of_a_name_are_told_apart_in_the_question() -> None:
    some = ContactBook()
    some.online(ALICE.peer, "sam")
    some.online(BOB.peer, "Sam")
    first, second = sorted([ALICE.peer, BOB.peer])
    nick = {ALICE.peer: "sam", BOB.peer: "Sam"}
    assert question(some, "SAM") == (
        f"Several are called 'SAM': {nick[first]} ({end(first)}), {nick[second]} ({end(second)}). "
        f"Say which one by the end of its id, such as {end(first)}."
    )
    assert some.resolve(end(first)) == first


def test_a_question_names_a_few_and_counts_the_rest() -> None:
    some = ContactBook()
    for number in range(MANY + 2):
        some.online(Identity(bytes([100 + number]) * 32).peer, "sam")
    text = question(some, "sam")
    assert text.count("sam (…") == MANY
    assert " and 2 more. " in text


def test_ids_that_end_alike_are_told_apart_by_longer_ends() -> None:
    some = ContactBook()
    some.online(ALICE.peer, "sam")
    some.online(TWIN, "sam")
    text = question(some, "sam")
    assert end(ALICE.peer, 7) in text
    assert end(TWIN, 7) in text
    assert some.resolve(end(TWIN, 7)) == TWIN
    assert end(TWIN, 7) in question(some, end(TWIN))


def test_what_has_no_name_is_shown_by_its_end_alone() -> None:
    some = ContactBook()
    some.online(ALICE.peer, "")
    some.online(TWIN, "")
    assert f": ({end(TWIN, 7)})" in question(some, end(TWIN)).replace(
        f"({end(ALICE.peer, 7)}), ", ""
    )


# ---- nicks of people who mean harm ----------------------------------------------------------------------


def test_the_end_of_anothers_id_as_a_nick_does_not_catch_its_mail() -> None:
    some = book(alice=ALICE)
    some.online(BOB.peer, ALICE.peer[-6:])
    assert some.resolve(end(ALICE.peer)) == ALICE.peer
    text = question(some, ALICE.peer[-6:])
    assert f"alice ({end(ALICE.peer)})" in text
    assert f"{ALICE.peer[-6:]} ({end(BOB.peer)})" in text


@pytest.mark.parametrize(
    "nick", ["\x1b[2J", "a\nb", "a\u202eb", "\u200b", " ada", "x" * 33, "…abcdef", "Ada (…abcdef)"]
)
def test_a_nick_that_nobody_can_have_is_as_good_as_none(nick: str) -> None:
    some = ContactBook()
    some.online(BOB.peer, nick)
    assert some.label(BOB.peer) == end(BOB.peer)
    with pytest.raises(UnknownPeerError):
        some.resolve(nick)
    contact = some.ensure(BOB.peer, 0)
    assert contact.nick == ""
    assert not some.learn_nick(contact, nick)


def test_nobody_passes_for_a_contact_by_its_given_name() -> None:
    some = book(Alice=ALICE)
    some.online(BOB.peer, "alice")
    assert some.label(ALICE.peer) == "Alice"
    assert some.label(BOB.peer) == f"alice ({end(BOB.peer)})"
    assert some.resolve("alice") == ALICE.peer


NICKS = st.text(max_size=40) | st.sampled_from(["alice", "ALICE", ALICE.peer[-6:], ALICE.peer])


@given(NICKS, NICKS)
def test_no_nick_takes_mail_from_a_given_name_or_an_end(nick: str, other: str) -> None:
    some = book(Alice=ALICE)
    some.online(BOB.peer, nick)
    some.online(BOX.peer, other)
    assert some.resolve("Alice") == some.resolve(end(ALICE.peer)) == ALICE.peer
    assert some.resolve(ALICE.peer) == ALICE.peer
    for peer in (BOB.peer, BOX.peer):
        assert not {unicodedata.category(one) for one in some.label(peer)} & {
            "Cc",
            "Cf",
            "Zl",
            "Zp",
        }
        assert some.label(peer).casefold() != "alice"


# ---- what somebody is called ----------------------------------------------------------------------------


def test_a_label_is_the_given_name_else_the_nick_else_the_end() -> None:
    some = ContactBook()
    assert some.label(ALICE.peer) == end(ALICE.peer)
    some.ensure(ALICE.peer, 0).nick = "Ada"
    assert some.label(ALICE.peer) == "Ada"
    some.online(ALICE.peer, "Lovelace")
    assert some.label(ALICE.peer) == "Lovelace"
    some.ensure(ALICE.peer, 0).name = "sister"
    assert some.label(ALICE.peer) == "sister"


def test_learn_nick_says_whether_it_is_news() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    assert some.learn_nick(contact, "Ada")
    assert not some.learn_nick(contact, "Ada")
    assert not some.learn_nick(contact, "")
    assert contact.nick == "Ada"


def test_two_contacts_cannot_have_one_name() -> None:
    some = book(Alice=ALICE)
    some.ensure(BOB.peer, 0)
    assert some.name_problem("ALICE", BOB.peer) == (
        f"Another contact ({end(ALICE.peer)}) is called Alice already."
    )
    assert some.name_problem("alice", ALICE.peer) is None
    assert some.name_problem("bob", BOB.peer) is None


@pytest.mark.parametrize("name", ["", " ", "a\x07", "x" * 33, end(ALICE.peer), "a … b"])
def test_a_name_that_could_not_be_asked_for_gets_a_sentence(name: str) -> None:
    assert (book(Alice=ALICE).name_problem(name, BOB.peer) or "").endswith(".")


def test_contacts_without_a_name_do_not_get_in_the_way() -> None:
    some = ContactBook()
    some.ensure(ALICE.peer, 0)
    some.ensure(BOB.peer, 0)
    assert some.name_problem("bob", BOB.peer) is None
    with pytest.raises(UnknownPeerError):
        some.resolve("")


# ---- records --------------------------------------------------------------------------------------------


def test_a_newer_record_is_taken_over_and_an_older_one_is_not() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    assert some.seal_key(ALICE.peer) == b""
    assert some.mailboxes(ALICE.peer) == []
    assert some.learn_record(contact, signed())
    assert not some.learn_record(contact, signed())
    assert not some.learn_record(contact, signed(sequence=6))
    assert not some.learn_record(contact, None)
    assert contact.record == signed()
    assert some.seal_key(ALICE.peer) == KEY
    assert [box.peer for box in some.mailboxes(ALICE.peer)] == [BOX.peer_bytes]
    assert some.learn_record(contact, signed(sequence=8, mailboxes=[]))
    assert some.mailboxes(ALICE.peer) == []


def test_nobody_says_where_anothers_mail_is_left() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    some.learn_record(contact, signed())
    forged = signed(sequence=8)
    forged.signature = signed(sequence=9).signature
    moved = signed(sequence=8)
    moved.mailboxes[0].addresses[0] = "/ip4/203.0.113.1/tcp/1"
    stolen = signed(author=BOB, sequence=8)
    stolen.peer = ALICE.peer_bytes
    for bad in (forged, moved, stolen, signed(author=BOB, sequence=8), wire.MailboxRecord()):
        assert not some.learn_record(contact, bad)
    assert contact.record == signed()


def test_a_link_has_no_key_and_the_greeting_brings_it() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    assert some.learn_record(contact, mailbox_record.without_key(signed()))
    assert some.seal_key(ALICE.peer) == b""
    assert some.learn_record(contact, signed())
    assert some.seal_key(ALICE.peer) == KEY


def test_a_key_that_has_not_changed_is_taken_over() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    some.learn_record(contact, signed())
    assert some.learn_record(contact, mailbox_record.without_key(signed(sequence=8)))
    assert contact.record == signed(sequence=8)


def test_a_key_that_has_changed_is_not_used_any_more() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    some.learn_record(contact, signed())
    newer = mailbox_record.without_key(signed(sequence=8, seal_key=OTHER_KEY))
    assert some.learn_record(contact, newer)
    assert some.seal_key(ALICE.peer) == b""


def test_a_spoiled_key_does_not_come_back_and_another_one_does() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    some.learn_record(contact, signed())
    some.spoil_key(ALICE.peer)
    assert some.seal_key(ALICE.peer) == b""
    assert not some.learn_record(contact, signed())
    assert some.learn_record(contact, signed(sequence=8))
    assert some.seal_key(ALICE.peer) == b""
    assert some.mailboxes(ALICE.peer)
    assert some.learn_record(contact, signed(sequence=9, seal_key=OTHER_KEY))
    assert some.seal_key(ALICE.peer) == OTHER_KEY


def test_spoiling_a_key_that_is_not_there_does_nothing() -> None:
    some = ContactBook()
    some.spoil_key(ALICE.peer)
    contact = some.ensure(ALICE.peer, 0)
    some.spoil_key(ALICE.peer)
    assert not contact.HasField("record")


def test_what_a_stranger_said_of_itself_is_learnt_when_it_becomes_a_contact() -> None:
    some = ContactBook()
    some.online(ALICE.peer, "Ada")
    some.hear(ALICE.peer, signed())
    assert ALICE.peer not in some
    contact = some.ensure(ALICE.peer, 5)
    assert ALICE.peer in some
    assert some.get(ALICE.peer) is contact
    assert contact == records.Contact(
        peer=ALICE.peer_bytes, nick="Ada", record=signed(), last_message_ms=5
    )


@pytest.mark.parametrize("record", [signed(author=BOB), wire.MailboxRecord(peer=ALICE.peer_bytes)])
def test_what_a_stranger_said_wrongly_is_not(record: wire.MailboxRecord) -> None:
    some = ContactBook()
    some.hear(ALICE.peer, record)
    assert not some.ensure(ALICE.peer, 0).HasField("record")


def test_what_a_stranger_said_is_forgotten_when_it_leaves() -> None:
    some = ContactBook()
    some.online(ALICE.peer, "Ada")
    some.hear(ALICE.peer, signed())
    some.offline(ALICE.peer)
    contact = some.ensure(ALICE.peer, 0)
    assert contact == records.Contact(peer=ALICE.peer_bytes)


def test_a_contact_that_is_removed_while_it_is_there_can_be_written_to() -> None:
    """It greeted long ago and does not do so again."""
    some = ContactBook()
    some.online(ALICE.peer, "Ada")
    some.learn_record(some.ensure(ALICE.peer, 0), signed())
    some.remove(ALICE.peer)
    assert ALICE.peer not in some
    some.ensure(ALICE.peer, 0)
    assert some.seal_key(ALICE.peer) == KEY


def test_nothing_is_kept_of_a_contact_that_is_removed_while_it_is_away() -> None:
    some = ContactBook()
    some.learn_record(some.ensure(ALICE.peer, 0), signed())
    some.remove(ALICE.peer)
    some.remove(BOB.peer)
    assert not some.ensure(ALICE.peer, 0).HasField("record")


# ---- where somebody is ------------------------------------------------------------------------------------


def test_addresses_are_the_known_ones_then_circuits_over_the_mailboxes() -> None:
    some = ContactBook()
    assert some.addresses(ALICE.peer) == []
    contact = some.ensure(ALICE.peer, 0)
    some.learn_addresses(contact, ["/ip4/192.0.2.7/tcp/1"])
    some.learn_record(contact, signed())
    assert some.addresses(ALICE.peer) == [
        "/ip4/192.0.2.7/tcp/1",
        f"/ip4/192.0.2.1/tcp/4001/p2p/{BOX.peer}/p2p-circuit",
    ]


def test_the_newest_addresses_stay() -> None:
    some = ContactBook()
    contact = some.ensure(ALICE.peer, 0)
    old = [f"/ip4/192.0.2.1/tcp/{port}" for port in range(1, MAX_ADDRESSES + 1)]
    assert some.learn_addresses(contact, old)
    assert not some.learn_addresses(contact, old[:1])
    assert some.learn_addresses(contact, ["/new", old[3], "/new"])
    assert list(contact.addresses) == ["/new", old[3], *old[:3], *old[4:-1]]


# ---- all of them --------------------------------------------------------------------------------------------


def test_contacts_are_loaded_and_listed_with_the_newest_message_first() -> None:
    some = book(gone=BOX)
    stored = [
        records.Contact(peer=ALICE.peer_bytes, name="Alice", last_message_ms=1),
        records.Contact(peer=BOB.peer_bytes, name="Bob", last_message_ms=2),
    ]
    some.load(stored)
    assert list(some.all()) == stored[::-1]
    assert some.resolve("alice") == ALICE.peer
    assert BOX.peer not in some


def test_twins_are_what_these_tests_take_them_for() -> None:
    assert ALICE.peer != TWIN
    assert len(TWIN) == len(ALICE.peer)
    assert peer_id.public_key_of(peer_id.from_text(TWIN)) is not None
