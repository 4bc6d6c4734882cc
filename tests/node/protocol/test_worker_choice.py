"""Peers spread over the workers of a mailbox, and stay where they are."""

from __future__ import annotations

from collections import Counter

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import links, worker_choice
from p2pchat.node.protocol.links import LINK_LIMIT, LinkError, MailboxLink, MailboxWorker

WORKERS = [Identity(bytes([number]) * 32).peer for number in range(1, 18)]
PEERS = [Identity(number.to_bytes(32, "big")).peer_bytes for number in range(1_000, 1_400)]
ADDRESS = "/ip4/192.0.2.7/tcp/4001"


def link(count: int, addresses: tuple[str, ...] = (ADDRESS,), token: str = "t") -> MailboxLink:
    others = tuple(MailboxWorker(peer, addresses) for peer in WORKERS[1:count])
    return MailboxLink(WORKERS[0], addresses, token, others)


def chosen(count: int) -> list[str]:
    return [worker_choice.choose(link(count), peer, ()).peer for peer in PEERS]


def test_a_mailbox_of_one_is_what_it_was() -> None:
    assert worker_choice.choose(link(1), PEERS[0], ()) == link(1)


def test_the_choice_is_one_of_them_with_its_addresses_and_the_invite() -> None:
    two = MailboxLink(
        WORKERS[0], (ADDRESS,), "t", (MailboxWorker(WORKERS[1], ("/ip4/1.2.3.4/tcp/5",)),)
    )
    found = {worker_choice.choose(two, peer, ()) for peer in PEERS}
    assert found == {
        MailboxLink(WORKERS[0], (ADDRESS,), "t"),
        MailboxLink(WORKERS[1], ("/ip4/1.2.3.4/tcp/5",), "t"),
    }


@pytest.mark.parametrize("count", [2, 4, 16])
def test_peers_spread_evenly(count: int) -> None:
    counts = Counter(chosen(count))
    fair = len(PEERS) / count
    assert len(counts) == count
    assert all(0.4 * fair < number < 1.8 * fair for number in counts.values())


def test_a_new_worker_takes_only_from_the_others() -> None:
    moved = [(a, b) for a, b in zip(chosen(3), chosen(4), strict=True) if a != b]
    assert moved
    assert {b for _, b in moved} == {WORKERS[3]}


def test_who_is_known_stays() -> None:
    for known in WORKERS[:3]:
        assert {worker_choice.choose(link(3), p, {known, "other"}).peer for p in PEERS} == {known}


def test_the_order_of_the_link_does_not_matter() -> None:
    turned = MailboxLink(WORKERS[1], (ADDRESS,), "t", (MailboxWorker(WORKERS[0], (ADDRESS,)),))
    assert [worker_choice.choose(turned, peer, ()).peer for peer in PEERS] == chosen(2)


# ---- links ----------------------------------------------------------------------------------------------


def test_a_link_with_workers_round_trip() -> None:
    text = links.format_link(link(3, (ADDRESS, "/ip4/192.0.2.7/udp/4001/quic-v1")))
    assert links.parse_link(text) == link(3, (ADDRESS, "/ip4/192.0.2.7/udp/4001/quic-v1"))
    quic = "/ip4/192.0.2.7/udp/4001/quic-v1"
    assert f"&w={WORKERS[1]}@{ADDRESS},{quic}&w={WORKERS[2]}@" in text
    # What a version without workers makes of it: the first one, as ever.
    assert text.startswith(f"p2pchat:mailbox/{WORKERS[0]}?a={ADDRESS}&a={quic}&t=t&w=")


def test_the_longest_link_is_within_the_limit_and_names_everybody() -> None:
    address = "/" + "é" * 63 + "%"
    text = links.format_link(link(links.MAX_WORKERS, (address,) * 8, "%" * 128))
    assert len(text) <= LINK_LIMIT
    parsed = links.parse_link(text)
    assert isinstance(parsed, MailboxLink)
    assert [worker.peer for worker in worker_choice.workers_of(parsed)] == WORKERS[:16]
    assert all(worker.addresses for worker in worker_choice.workers_of(parsed))


def test_an_address_with_a_comma_is_left_out() -> None:
    some = MailboxLink(WORKERS[0], (), "", (MailboxWorker(WORKERS[1], ("/a,b", "/c")),))
    parsed = links.parse_link(links.format_link(some))
    assert isinstance(parsed, MailboxLink)
    assert parsed.workers == (MailboxWorker(WORKERS[1], ("/c",)),)


@pytest.mark.parametrize(
    "bad",
    [
        link(17),
        MailboxLink(WORKERS[0], workers=(MailboxWorker(WORKERS[0], (ADDRESS,)),)),
        MailboxLink(WORKERS[0], workers=(MailboxWorker("nobody", (ADDRESS,)),)),
        MailboxLink(WORKERS[0], workers=(MailboxWorker(WORKERS[1], ()),)),
    ],
)
def test_no_link_is_made_that_would_not_be_read(bad: MailboxLink) -> None:
    with pytest.raises(ValueError):
        links.format_link(bad)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("w=x@/ip4", "one of its workers"),
        (f"w={WORKERS[1]}", "one of its addresses"),
        (f"w={WORKERS[1]}@", "one of its addresses"),
        (f"w={WORKERS[1]}@/a,", "one of its addresses"),
        (f"w={WORKERS[0]}@/a", "twice"),
        (f"w={WORKERS[1]}@/a&w={WORKERS[1]}@/b", "twice"),
        (f"w={WORKERS[1]}@" + ",".join(["/a"] * 9), "more than 8 addresses"),
        ("&".join(f"w={peer}@/a" for peer in WORKERS[1:17]), "more than 16 workers"),
    ],
)
def test_a_hostile_link_is_refused(query: str, words: str) -> None:
    with pytest.raises(LinkError, match=words):
        links.parse_link(f"p2pchat:mailbox/{WORKERS[0]}?{query}")
