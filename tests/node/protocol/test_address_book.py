"""Who is dialled when. Times are seconds; the jitter is a factor between 0.5 and 1.5."""

from __future__ import annotations

import random

from p2pchat.node.protocol.address_book import (
    GIVE_UP_AFTER,
    MAX_ADDRESSES,
    MAX_PEERS,
    RETRY,
    AddressBook,
    Dial,
)
from p2pchat.proto import actors_pb2 as actors


def book() -> AddressBook:
    return AddressBook("me", random.Random(1))


def test_a_peer_that_was_found_is_dialled_at_once_and_once() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 10.0)
    assert peers.due(10.0) == [Dial("bob", ("/a",))]
    assert peers.due(1000.0) == []


def test_nobody_dials_himself() -> None:
    peers = book()
    peers.found("me", ["/a"], actors.MDNS, 0.0)
    assert peers.due(0.0) == []


def test_failures_wait_longer_and_longer_up_to_a_limit() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.BOOTSTRAP, 0.0)
    now, waits = 0.0, []
    for _ in range(20):
        assert peers.due(now)
        peers.failed("bob", now)
        due = peers.next_due()
        assert due is not None
        waits.append(due - now)
        assert peers.due(due - 0.001) == []
        now = due
    assert 0.5 * RETRY.first <= waits[0] <= 1.5 * RETRY.first
    assert all(0.5 * RETRY.most <= wait <= 1.5 * RETRY.most for wait in waits[-5:])


def test_a_lost_connection_is_dialled_again_soon() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("bob")
    assert peers.next_due() is None
    peers.disconnected("bob", 100.0)
    assert peers.due(101.0) == [Dial("bob", ("/a",))]


def test_who_dialled_us_is_not_dialled() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.connected("bob")
    assert peers.due(5.0) == []


def test_a_dial_that_failed_while_the_peer_dialled_us_changes_nothing() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("bob")
    peers.failed("bob", 1.0)
    assert peers.next_due() is None


def test_a_new_address_is_tried_at_once_and_first() -> None:
    peers = book()
    peers.found("bob", ["/old"], actors.MDNS, 0.0)
    for _ in range(6):
        peers.due(1000.0)
        peers.failed("bob", 1000.0)
    peers.found("bob", ["/new"], actors.MDNS, 1000.0)
    assert peers.due(1000.0) == [Dial("bob", ("/new", "/old"))]


def test_hearing_the_same_address_again_does_not_shorten_the_wait() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.failed("bob", 0.0)
    peers.found("bob", ["/a"], actors.MDNS, 0.1)
    assert peers.due(0.1) == []


def test_strangers_are_forgotten_and_configured_peers_never() -> None:
    peers = book()
    peers.found("stranger", ["/a"], actors.MDNS, 0.0)
    peers.found("bootstrap", ["/b"], actors.BOOTSTRAP, 0.0)
    now = 0.0
    for _ in range(GIVE_UP_AFTER):
        now += 1000.0
        for dial in peers.due(now):
            peers.failed(dial.peer, now)
    assert [dial.peer for dial in peers.due(now + 1000.0)] == ["bootstrap"]


def test_the_book_is_bounded() -> None:
    peers = book()
    peers.found("kept", ["/k"], actors.USER, 0.0)
    for number in range(2 * MAX_PEERS):
        peers.found(f"p{number}", [f"/{n}" for n in range(50)], actors.MDNS, 0.0)
    assert len(peers) == MAX_PEERS
    dials = peers.due(0.0)
    assert dials[0].peer == "kept"
    assert all(len(dial.addresses) <= MAX_ADDRESSES for dial in dials)


def test_after_a_restart_of_the_host_everybody_is_dialled_again() -> None:
    peers = book()
    peers.found("up", ["/a"], actors.MDNS, 0.0)
    peers.found("dialing", ["/b"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("up")
    peers.all_gone(10.0)
    assert {dial.peer for dial in peers.due(11.0)} == {"up", "dialing"}


def test_a_configured_address_cannot_be_crowded_out() -> None:
    peers = book()
    peers.found("bob", ["/his"], actors.MDNS, 0.0)
    peers.found("bob", ["/his"], actors.USER, 0.0)
    peers.found("bob", [f"/{n}" for n in range(2 * MAX_ADDRESSES)], actors.MDNS, 0.0)
    (dial,) = peers.due(0.0)
    assert dial.addresses[0] == "/his"
    assert len(dial.addresses) == MAX_ADDRESSES + 1


def test_a_full_book_still_takes_who_was_configured() -> None:
    peers = book()
    for number in range(MAX_PEERS):
        peers.found(f"p{number}", ["/a"], actors.MDNS, 0.0)
        peers.connected(f"p{number}")
    peers.found("stranger", ["/s"], actors.MDNS, 0.0)
    peers.found("friend", ["/f"], actors.USER, 0.0)
    assert [dial.peer for dial in peers.due(0.0)] == ["friend"]
