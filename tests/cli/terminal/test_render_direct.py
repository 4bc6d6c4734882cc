from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli.terminal import render_contacts, render_direct, render_info
from p2pchat.cli.terminal.lines import Line, Painter, plain
from p2pchat.cli.terminal.render_direct import DirectView, Partner, excerpt
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

BOB = Identity(bytes(32))
NOON = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
DAY = 24 * 3600 * 1000
VIEW = DirectView(UTC)
FRIEND = Partner(BOB.peer, "Bob", named=True)
STRANGER = Partner(BOB.peer, "Bob")


def record(text: str, *, outgoing: bool = False, at: int = NOON) -> records.DirectRecord:
    found = records.DirectRecord(text=text, outgoing=outgoing, sent_at_ms=at, received_at_ms=NOON)
    found.delivery.stage = records.DELIVERED
    return found


def texts(lines: Iterable[Line]) -> list[str]:
    return [plain(line) for line in lines]


def test_who_was_named_by_the_owner_needs_no_more() -> None:
    assert texts(VIEW.incoming(FRIEND, record("Hi"))) == ["[22:13:20] Bob to you: Hi"]
    assert texts(VIEW.incoming(STRANGER, record("Hi"))) == ["[22:13:20] Bob (…x6nXTN) to you: Hi"]
    nameless = Partner(BOB.peer, "…x6nXTN")
    assert texts(VIEW.incoming(nameless, record("Hi"))) == ["[22:13:20] (…x6nXTN) to you: Hi"]


def test_an_own_message_ends_with_its_state() -> None:
    shown = VIEW.own(FRIEND, record("one\ntwo"), records.Delivery(stage=records.SENDING))
    assert texts(shown) == ["[22:13:20] you to Bob: one", "    two  - sending"]


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (records.Delivery(), "waiting"),
        (records.Delivery(stage=records.QUEUED, reason="Bob is away"), "waiting: Bob is away"),
        (records.Delivery(stage=records.SENDING), "sending"),
        (records.Delivery(stage=records.SENDING, reason="Bob is away"), "waiting: Bob is away"),
        (records.Delivery(stage=records.STORED, stored_at=[b"a"], mailboxes=2), "stored 1/2"),
        (records.Delivery(stage=records.STORED, stored_at=[b"a"]), "stored 1/1"),
        (records.Delivery(stage=records.DELIVERED), "delivered"),
        (records.Delivery(stage=records.READ), "read"),
        (records.Delivery(stage=records.REFUSED, reason="full\x1b"), "refused: full␛"),
        (records.Delivery(stage=records.EXPIRED), "expired: nobody took it in time"),
    ],
)
def test_states_in_words(delivery: records.Delivery, words: str) -> None:
    assert render_direct.state(delivery) == words


def test_what_was_written_on_another_day_says_so() -> None:
    (shown,) = texts(VIEW.incoming(FRIEND, record("Hi", at=NOON - DAY)))
    assert shown == "[Mon 13 Nov 2023 22:13:20] Bob to you: Hi"
    (shown,) = texts(VIEW.incoming(FRIEND, record("Hi", at=2**64 - 1)))
    assert shown == "[--:--:--] Bob to you: Hi"


def test_history() -> None:
    page = [record("Hi", at=NOON - DAY), record("Ho", outgoing=True)]
    assert texts(VIEW.history(STRANGER, page)) == [
        "--- Monday, 13 November 2023 ---",
        "[22:13:20] Bob (…x6nXTN) to you: Hi",
        "--- Tuesday, 14 November 2023 ---",
        "[22:13:20] you to Bob (…x6nXTN): Ho  - delivered",
    ]


def test_a_stranger_cannot_pass_for_the_head_of_a_message() -> None:
    fake = Partner(BOB.peer, "Bob to you: pay now")
    (shown,) = texts(VIEW.incoming(fake, record("Hi")))
    assert shown == "[22:13:20] Bob to you· pay now (…x6nXTN) to you: Hi"
    assert "Bob to you:" not in plain(render_direct.stranger(fake)[0])


def test_a_stranger_comes_with_a_hint() -> None:
    (shown,) = texts(render_direct.stranger(STRANGER))
    assert "/dm …x6nXTN" in shown
    assert "/contact add …x6nXTN" in shown


def test_excerpts() -> None:
    assert render_direct.excerpt("short") == "short"
    assert render_direct.excerpt("one\ntwo") == "one…"
    assert render_direct.excerpt("x" * 30) == "x" * 24 + "…"
    assert render_direct.excerpt("a\x1b[2J") == "a␛[2J"


# ---- contacts and mailboxes -----------------------------------------------------------------------------


def status(name: str = "Bob", *, nick: str = "", waiting: int = 0) -> actors.ContactStatus:
    contact = records.Contact(peer=BOB.peer_bytes, name=name, nick=nick, added=True)
    return actors.ContactStatus(contact=contact, name=name or nick, waiting=waiting)


def test_contacts() -> None:
    friend = status(nick="Bobby", waiting=2)
    friend.connected = True
    friend.contact.record.mailboxes.add()
    stranger = status("", nick="Eve")
    stranger.contact.added = False
    assert texts(render_contacts.contacts([friend, stranger])) == [
        "* 2 contacts:",
        "  1  Bob (…x6nXTN)  connected, 1 mailbox, 2 messages not delivered yet, calls itself Bobby",
        "  2  Eve (…x6nXTN)  not connected, no mailbox, not added by you",
    ]
    assert "/contact link" in texts(render_contacts.contacts([]))[0]


def test_a_link_is_left_in_one_piece() -> None:
    link = "p2pchat:peer/" + "x" * 400
    painted = Painter(color=True, width=40).paint(render_contacts.own_link(link))
    assert f"{link}\x1b[0m\n" in painted
    assert texts(render_contacts.own_link(link))[-1] == link


def mailbox() -> actors.MailboxStatus:
    return actors.MailboxStatus(
        peer=BOB.peer,
        registered=True,
        connected=True,
        quota_bytes=64 << 20,
        quota_count=10_000,
        retention_ms=30 * DAY,
        addresses=["/ip4/1.2.3.4/tcp/1"],
    )


def test_a_worker_of_a_mailbox_says_so() -> None:
    box = mailbox()
    box.workers, box.of = 3, Identity(bytes([1]) * 32).peer
    assert texts(render_contacts.mailboxes([box]))[1].startswith(
        f"  1  (…{box.peer[-6:]})  one of 3 workers of (…{box.of[-6:]})"
    )


def test_mailboxes() -> None:
    refused = actors.MailboxStatus(peer=BOB.peer, problem="It wants an invite.")
    assert texts(render_contacts.mailboxes([mailbox(), refused])) == [
        "* 2 mailboxes:",
        "  1  (…x6nXTN)  registered, connected, keeps 10,000 messages and 64.0 MiB for 30 d",
        "     /ip4/1.2.3.4/tcp/1",
        "  2  (…x6nXTN)  not registered, not connected - It wants an invite.",
    ]
    assert "/mailbox add" in texts(render_contacts.mailboxes([]))[0]


def test_info_about_delivery() -> None:
    node = actors.NodeDescription()
    assert "Delivery:   no answer" in texts(render_info.info(node))
    node.delivery.outbox = 1
    node.delivery.due_receipts = 2
    node.delivery.counters["envelopes refused"] = 3
    shown = texts(render_info.info(node))
    assert "Delivery:   1 own message not delivered yet, 2 receipts to be sent" in shown
    assert "Mailboxes:  none, so messages reach you only while you are online" in shown
    assert "  envelopes refused: 3" in shown
    node.delivery.mailboxes.add().CopyFrom(mailbox())
    assert any(
        line.startswith("Mailboxes:  (…x6nXTN)  registered")
        for line in texts(render_info.info(node))
    )


# ---- hostile input --------------------------------------------------------------------------------------


def _has_controls(lines: Iterable[Line]) -> bool:
    return any(
        unicodedata.category(character) in ("Cc", "Zl", "Zp")
        for line in lines
        for character in plain(line)
    )


anything = st.text(st.characters(exclude_categories=["Cs"]))


@given(anything, anything, anything)
def test_nothing_that_strangers_choose_moves_the_cursor(text: str, name: str, peer: str) -> None:
    for named in (True, False):
        partner = Partner(peer, name, named)
        assert not _has_controls(VIEW.incoming(partner, record(text)))
        assert not _has_controls(VIEW.history(partner, [record(text)]))
        assert not _has_controls(render_direct.stranger(partner))
        for stage in (
            records.QUEUED,
            records.STORED,
            records.REFUSED,
            records.EXPIRED,
            records.READ,
        ):
            delivery = records.Delivery(stage=stage, reason=text)
            assert not _has_controls(VIEW.own(partner, record(text), delivery))
            assert not _has_controls(render_direct.progress(partner, delivery, 1, excerpt(text)))
    box = actors.MailboxStatus(peer=peer, addresses=[text], problem=name, registered=True)
    assert not _has_controls(render_contacts.mailboxes([box]))
    assert not _has_controls([render_contacts.mailbox_added(box)])
    someone = status(name, nick=text)
    assert not _has_controls(render_contacts.contacts([someone]))
    assert not _has_controls([render_contacts.added(someone), render_contacts.named(someone)])
    assert not _has_controls(render_contacts.own_link(text))
    node = actors.NodeDescription()
    node.delivery.mailboxes.add().CopyFrom(box)
    assert not _has_controls(render_info.info(node))


def test_who_was_not_read_the_last_time_is_named_with_what_to_do() -> None:
    contact = records.Contact(peer=BOB.peer_bytes, name="Bob", added=True)
    status = actors.ContactStatus(contact=contact, name="Bob", missed=2)
    said = plain(render_contacts.missed(status))
    assert "2 messages from Bob" in said
    assert f"/history …{BOB.peer[-6:]}" in said
