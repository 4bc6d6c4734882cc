"""Links survive what people do to them, or say in a sentence why not."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import limits, links, mailbox_record, names
from p2pchat.node.protocol.links import ContactLink, LinkError, MailboxLink
from p2pchat.node.protocol.seal import SealKey
from p2pchat.proto import wire_pb2 as wire

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
DIRECT = "/ip4/192.0.2.7/udp/4001/quic-v1"
CIRCUIT = f"{DIRECT}/p2p/{BOB.peer}/p2p-circuit"


def record(owner: Identity = ALICE) -> wire.MailboxRecord:
    made = wire.MailboxRecord(
        peer=owner.peer_bytes,
        seal_key=SealKey.derive(owner.seed).public,
        mailboxes=[wire.MailboxAddress(peer=BOB.peer_bytes, addresses=[DIRECT])],
        sequence=1,
        expires_at_ms=2,
    )
    mailbox_record.sign(made, owner.private_key)
    return made


WHOLE = ContactLink(
    ALICE.peer, "Ada Lovelace", (DIRECT, CIRCUIT), mailbox_record.without_key(record())
)


def test_a_contact_link_round_trip() -> None:
    text = links.format_link(WHOLE)
    assert links.parse_link(text) == WHOLE
    assert text.startswith(
        f"p2pchat:peer/{ALICE.peer}?n=Ada%20Lovelace&a={DIRECT}&a={DIRECT}/p2p/{BOB.peer}/p2p-circuit&r="
    )


def test_a_mailbox_link_round_trip() -> None:
    link = MailboxLink(BOB.peer, (DIRECT,), "7f9c-2ba4")
    text = links.format_link(link)
    assert text == f"p2pchat:mailbox/{BOB.peer}?a={DIRECT}&t=7f9c-2ba4"
    assert links.parse_link(text) == link


@pytest.mark.parametrize("link", [ContactLink(ALICE.peer), MailboxLink(BOB.peer)])
def test_a_peer_id_is_enough(link: ContactLink | MailboxLink) -> None:
    assert links.parse_link(links.format_link(link)) == link


def test_the_seal_key_stays_at_home() -> None:
    link = links.parse_link(links.format_link(ContactLink(ALICE.peer, record=record())))
    assert link == ContactLink(ALICE.peer, record=mailbox_record.without_key(record()))


@given(
    name=st.text(max_size=40),
    addresses=st.lists(st.text(max_size=20) | st.text(max_size=20).map("/".__add__), max_size=10),
    token=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=128),
)
def test_what_a_link_cannot_carry_is_left_out(name: str, addresses: list[str], token: str) -> None:
    kept = tuple(a for a in addresses if mailbox_record.is_address(a))[: links.MAX_ADDRESSES]
    contact = links.format_link(ContactLink(ALICE.peer, name, tuple(addresses)))
    usable = "" if names.name_problem(name) else name
    assert links.parse_link(contact) == ContactLink(ALICE.peer, usable, kept)
    mailbox = links.format_link(MailboxLink(BOB.peer, tuple(addresses), token))
    assert links.parse_link(mailbox) == MailboxLink(BOB.peer, kept, token)


def test_the_longest_link_is_within_the_limit() -> None:
    """Also where every character has to be escaped, and with as much in the record as it may hold."""
    address = "/" + "é" * 63 + "%"
    mailboxes = [
        wire.MailboxAddress(peer=Identity(bytes([n]) * 32).peer_bytes, addresses=[address] * 4)
        for n in range(limits.MAX_MAILBOXES)
    ]
    full = record()
    full.MergeFromString(b"\x7a\x80\x02" + bytes(256))  # an unknown field, which is not signed
    del full.mailboxes[:]
    full.mailboxes.extend(mailboxes)
    full.sequence = full.expires_at_ms = 2**64 - 1
    mailbox_record.sign(full, ALICE.private_key)
    text = links.format_link(ContactLink(ALICE.peer, "\U0001f600" * 32, (address,) * 9, full))
    assert 5500 < len(text) < 6200 < links.LINK_LIMIT
    parsed = links.parse_link(text)
    assert isinstance(parsed, ContactLink)
    assert parsed.addresses == (address,) * links.MAX_ADDRESSES
    assert parsed.record is not None
    assert len(parsed.record.mailboxes) == limits.MAX_MAILBOXES


@pytest.mark.parametrize(
    "wrapped",
    [
        "\n".join(textwrap.wrap(links.format_link(WHOLE), 40)),
        "\r\n  ".join(textwrap.wrap(links.format_link(WHOLE), 40)),
        f"  {links.format_link(WHOLE)}\n",
        links.format_link(WHOLE).replace("p2pchat:", "P2PChat:"),
    ],
)
def test_a_link_survives_being_wrapped(wrapped: str) -> None:
    assert links.parse_link(wrapped) == WHOLE


def test_a_bad_name_becomes_empty() -> None:
    text = f"p2pchat:peer/{ALICE.peer}?n=%1B%5B31m"
    assert links.parse_link(text) == ContactLink(ALICE.peer)


def test_unknown_fields_are_passed_over_and_a_plus_is_a_plus() -> None:
    text = f"p2pchat:mailbox/{BOB.peer}?x=1&t=a+b&y"
    assert links.parse_link(text) == MailboxLink(BOB.peer, token="a+b")


BASE = f"p2pchat:peer/{ALICE.peer}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with"),
        ("hello", "begins with"),
        ("https://example.org", "begins with"),
        (ALICE.peer, "begins with"),
        ("p2pchat:", "of a kind"),
        ("p2pchat:room/den", "of a kind"),
        ("p2pchat:pe", "of a kind"),
        ("p2pchat:peer", "peer id"),
        ("p2pchat:peer/", "peer id"),
        (BASE[:-1], "peer id"),
        (BASE + "x", "peer id"),
        ("p2pchat:peer/é", "peer id"),
        # A peer id that only hashes its key: nothing could be sealed to it or checked by it.
        ("p2pchat:peer/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "peer id"),
        (BASE + "?a=" + "/x" * 5000, "at most 8,192 characters"),
        (BASE + "?a=ip4", "addresses is none"),
        (BASE + "?a=/ip4/%1B%5B31m", "addresses is none"),
        (BASE + "?a=/" + "x" * limits.MAX_ADDRESS_CHARACTERS, "addresses is none"),
        (BASE + "?" + "&".join(["a=/ip4"] * 9), "more than 8 addresses"),
        (BASE + "?n=%F", "is missing"),
        (BASE + "?n=%FF", "no text"),
        (BASE + "?r=", "not signed by the peer"),
        (BASE + "?r=a", "not complete"),
        (BASE + "?r=%22%22", "not complete"),
        (BASE + "?r=_____w", "not complete"),
        (f"p2pchat:mailbox/{BOB.peer}?t=%1B", "token"),
        (f"p2pchat:mailbox/{BOB.peer}?t=" + "x" * 129, "token"),
    ],
)
def test_nonsense_gets_a_sentence(text: str, words: str) -> None:
    with pytest.raises(LinkError) as caught:
        links.parse_link(text)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_forged_record_is_refused() -> None:
    text = links.format_link(ContactLink(ALICE.peer, record=record()))
    forged = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")
    with pytest.raises(LinkError, match="not signed by the peer"):
        links.parse_link(forged)


def test_somebody_elses_record_is_refused() -> None:
    text = links.format_link(ContactLink(BOB.peer, record=record(BOB)))
    with pytest.raises(LinkError, match="somebody else's"):
        links.parse_link(text.replace(BOB.peer, ALICE.peer, 1))


def test_a_record_cut_anywhere_is_refused() -> None:
    text = links.format_link(ContactLink(ALICE.peer, record=record()))
    for end in range(text.index("r=") + 2, len(text)):
        with pytest.raises(LinkError):
            links.parse_link(text[:end])


@pytest.mark.parametrize(
    "link",
    [
        ContactLink("nobody"),
        ContactLink(ALICE.peer, record=record(BOB)),
        ContactLink(ALICE.peer, record=wire.MailboxRecord(peer=ALICE.peer_bytes)),
        MailboxLink(BOB.peer, token="x" * 129),
        MailboxLink(BOB.peer, token="\n"),
    ],
)
def test_no_link_is_made_that_would_not_be_read(link: ContactLink | MailboxLink) -> None:
    with pytest.raises(ValueError):
        links.format_link(link)


PIECES = st.sampled_from(
    ["p2pchat:", "peer/", "mailbox/", ALICE.peer, "?", "&", "a=/ip4", "n=", "r=", "t=", "%", "%FF"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_any_text_is_a_link_or_gets_a_sentence(text: str) -> None:
    try:
        link = links.parse_link(text)
    except LinkError as error:
        complaint = str(error)
    else:
        complaint = ""
        assert links.parse_link(links.format_link(link)) == link
    assert complaint[-1:] in ("", ".")
