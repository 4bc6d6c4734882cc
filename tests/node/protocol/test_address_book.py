"""Who is dialled when. Times are seconds; the jitter is a factor between 0.5 and 1.5."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from p2pchat.node.protocol.address_book import (
    CHANCE_EVERY,
    GIVE_UP_AFTER,
    MAX_PEERS,
    QUOTAS,
    RETRY,
    RETRY_LASTING,
    RETRY_REMEMBERED,
    SHORT_LIVED,
    SOON,
    SOON_LASTING,
    AddressBook,
    Dial,
)
from p2pchat.node.protocol.book_entry import (
    ADDRESSES_EACH,
    MAX_ADDRESSES,
    MAX_CONFIGURED,
    PROVEN,
)
from p2pchat.node.protocol.dial_policy import (
    DIAL_BURST,
    DIAL_RATE,
    DIALS_AT_ONCE,
    MAX_ROOM_DIALLED,
    MIN_CONNECTED,
)
from p2pchat.proto import actors_pb2 as actors

NOW_MS = 1_700_000_000_000


def book() -> AddressBook:
    return AddressBook("me", random.Random(1))


def names(dials: Iterable[Dial]) -> list[str]:
    return [dial.peer for dial in dials]


def fail(peers: AddressBook, peer: str, times: int, now: float = 0.0) -> float:
    """Let dials fail as soon as they are due; when the next one is."""
    for _ in range(times):
        assert peer in names(peers.due(now))
        peers.failed(peer, now)
        due = peers.next_due()
        assert due is not None
        assert peers.due(due - 0.001) == []
        now = due
    return now


# ---- dialling, and trying again ----------------------------------------------------------------------


def test_a_peer_that_was_found_is_dialled_at_once_and_once() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 10.0)
    assert peers.due(10.0) == [Dial("bob", ("/a",))]
    assert peers.due(1000.0) == []
    assert peers.dialing == 1


@pytest.mark.parametrize("peer", ["me", ""])
def test_nobody_dials_himself_or_nobody(peer: str) -> None:
    peers = book()
    peers.found(peer, ["/a"], actors.MDNS, 0.0)
    assert peers.due(0.0) == []
    assert len(peers) == 0


def test_who_was_chosen_is_tried_again_within_15_seconds_for_ever() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.USER, 0.0)
    waits, now = [], 0.0
    for _ in range(100):
        later = fail(peers, "bob", 1, now)
        waits.append(later - now)
        now = later
    assert 0.5 * RETRY_LASTING.first <= waits[0] <= 1.5 * RETRY_LASTING.first
    assert all(0.5 * RETRY_LASTING.most <= wait <= 15.0 for wait in waits[5:])


def test_the_others_wait_longer_and_longer() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    before_last = fail(peers, "bob", GIVE_UP_AFTER - 2)
    last = fail(peers, "bob", 1, before_last)
    assert 0.5 * RETRY.most <= last - before_last <= 1.5 * RETRY.most


def test_strangers_are_forgotten_and_configured_peers_never() -> None:
    peers = book()
    peers.found("stranger", ["/a"], actors.MDNS, 0.0)
    peers.found("bootstrap", ["/b"], actors.BOOTSTRAP, 0.0)
    now = 0.0
    for _ in range(GIVE_UP_AFTER):
        now += 1000.0
        for dial in peers.due(now):
            peers.failed(dial.peer, now)
    assert names(peers.due(now + 1000.0)) == ["bootstrap"]
    assert len(peers) == 1


def test_who_was_connected_once_is_given_up_but_not_forgotten() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.connected("bob", "/a", NOW_MS)
    peers.disconnected("bob", 100.0)
    now = 100.0
    for _ in range(GIVE_UP_AFTER):
        now += 1000.0
        for dial in peers.due(now):
            peers.failed(dial.peer, now)
    assert peers.next_due() is None
    assert [known.peer for known in peers.known(NOW_MS).peers] == ["bob"]
    peers.found("bob", ["/new"], actors.MDNS, now)
    assert peers.due(now) == [Dial("bob", ("/a", "/new"))]


def test_the_first_failure_of_who_the_user_asked_for_is_worth_saying_and_no_other() -> None:
    peers = book()
    peers.found("asked", ["/a"], actors.USER, 0.0)
    peers.found("public", ["/b"], actors.BOOTSTRAP, 0.0)
    peers.due(0.0)
    assert peers.failed("asked", 0.0, "refused")
    assert not peers.failed("public", 0.0, "refused")
    assert not peers.failed("nobody", 0.0, "refused")
    peers.due(100.0)
    assert not peers.failed("asked", 100.0, "refused")


def test_a_lost_connection_is_dialled_again_soon() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("bob")
    assert peers.next_due() is None
    peers.disconnected("bob", 100.0)
    assert peers.due(100.0) == []
    assert peers.due(101.0) == [Dial("bob", ("/a",))]


def test_who_hangs_up_at_once_has_to_wait_as_if_the_dial_had_failed() -> None:
    peers = book()
    peers.found("full", ["/a"], actors.MDNS, 0.0)
    now, waits = 0.0, []
    for _ in range(6):
        assert names(peers.due(now)) == ["full"]
        peers.connected("full", "/a", NOW_MS)
        peers.disconnected("full", now + 0.1)
        due = peers.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits[5] >= 0.5 * 32 * RETRY.first
    peers.due(now)
    peers.connected("full", "/a", NOW_MS)
    peers.disconnected("full", now + SHORT_LIVED + 1.0)
    assert names(peers.due(now + SHORT_LIVED + 2.0)) == ["full"]


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


def test_a_dial_that_ended_well_after_the_peer_was_gone_again_leaves_nobody_connected() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("bob")
    peers.disconnected("bob", 1.0)
    peers.reached("bob", 1.0)
    assert names(peers.due(10.0)) == ["bob"]


def test_a_dial_that_ended_well_is_not_repeated_before_the_connection_is_told() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.reached("bob", 0.0)
    assert peers.dialing == 0
    assert peers.due(0.0) == []
    peers.connected("bob")
    assert peers.next_due() is None


def test_a_new_address_is_tried_at_once_and_first() -> None:
    peers = book()
    peers.found("bob", ["/old"], actors.MDNS, 0.0)
    now = fail(peers, "bob", 6) - 1.0
    peers.found("bob", ["/new"], actors.MDNS, now)
    assert peers.due(now) == [Dial("bob", ("/new", "/old"))]


def test_hearing_the_same_address_again_does_not_shorten_the_wait() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.failed("bob", 0.0)
    peers.found("bob", ["/a"], actors.MDNS, 0.1)
    assert peers.due(0.1) == []


def test_strangers_cannot_have_somebody_dialled_again_and_again_with_new_addresses() -> None:
    peers = book()
    dials = 0
    for second in range(600):
        peers.found("victim", [f"/{second}"], actors.ROOM, float(second))
        for dial in peers.due(float(second)):
            peers.failed(dial.peer, float(second))
            dials += 1
    assert dials <= 600 / CHANCE_EVERY * 7


# ---- addresses -----------------------------------------------------------------------------------------


def test_the_address_that_led_there_goes_first_from_then_on() -> None:
    peers = book()
    peers.found("bob", ["/written"], actors.USER, 0.0)
    peers.found("bob", ["/a", "/b"], actors.MDNS, 0.0)
    assert peers.addresses("bob") == ["/written", "/a", "/b"]
    peers.connected("bob", "/b", NOW_MS)
    peers.disconnected("bob", 100.0)
    assert peers.addresses("bob") == ["/b", "/written", "/a"]
    peers.connected("bob", "/a", NOW_MS + 1)
    peers.disconnected("bob", 200.0)
    assert peers.addresses("bob") == ["/a", "/b", "/written"]


def test_an_address_that_came_of_a_name_is_kept_as_well() -> None:
    peers = book()
    peers.found("bob", ["/dns/example.org/tcp/1"], actors.USER, 0.0)
    peers.connected("bob", "/ip4/192.0.2.1/tcp/1", NOW_MS)
    assert peers.addresses("bob") == ["/ip4/192.0.2.1/tcp/1", "/dns/example.org/tcp/1"]


def test_an_address_is_one_with_the_peer_behind_it_or_without() -> None:
    peers = book()
    peers.found("bob", ["/a/p2p/bob", "/relay/p2p/bobs/p2p-circuit/p2p/bob"], actors.MDNS, 0.0)
    peers.found("bob", ["/a", "/relay/p2p/bobs/p2p-circuit"], actors.ROOM, 0.0)
    assert peers.addresses("bob") == ["/a", "/relay/p2p/bobs/p2p-circuit"]


def test_what_the_user_wrote_down_is_given_back_as_it_was_written() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    peers.found("bob", ["/a/p2p/bob"], actors.USER, 0.0)
    assert peers.addresses("bob") == ["/a/p2p/bob"]
    peers.connected("bob", "/a", NOW_MS)
    assert peers.addresses("bob") == ["/a/p2p/bob"]


def test_nobody_pushes_out_what_others_say_or_what_has_worked() -> None:
    peers = book()
    peers.found("bob", ["/written"], actors.USER, 0.0)
    peers.found("bob", ["/near"], actors.MDNS, 0.0)
    peers.found("bob", ["/own"], actors.INBOUND, 0.0)
    peers.connected("bob", "/worked", NOW_MS)
    for number in range(100):
        peers.found("bob", [f"/r{number}-{n}" for n in range(9)], actors.ROOM, float(number))
    found = peers.addresses("bob")
    assert found[:2] == ["/worked", "/written"]
    assert {"/near", "/own"} <= set(found)
    assert len([address for address in found if address.startswith("/r99")]) == ADDRESSES_EACH


def test_the_addresses_of_one_peer_are_bounded() -> None:
    peers = book()
    for number in range(100):
        told = [f"/{number}"]
        for source in (actors.USER, actors.MDNS, actors.INBOUND, actors.ROOM, actors.DHT):
            peers.found("bob", [f"{a}-{source}" for a in told], source, 0.0)
        peers.connected("bob", f"/worked{number}", NOW_MS + number)
    peers.found("bob", ["/" + "x" * 10_000], actors.USER, 0.0)
    found = peers.addresses("bob")
    assert len(found) == MAX_CONFIGURED + MAX_ADDRESSES
    assert found[:PROVEN] == [f"/worked{99 - n}" for n in range(PROVEN)]
    assert max(map(len, found)) < 20


# ---- how many ------------------------------------------------------------------------------------------


def test_the_book_is_bounded() -> None:
    peers = book()
    peers.found("kept", ["/k"], actors.USER, 0.0)
    for number in range(2 * MAX_PEERS):
        peers.found(f"p{number}", [f"/{n}" for n in range(50)], actors.MDNS, 0.0)
    assert len(peers) == MAX_PEERS
    dials = peers.due(0.0)
    assert dials[0].peer == "kept"
    assert all(len(dial.addresses) <= ADDRESSES_EACH for dial in dials)


def test_hearsay_has_its_share_of_the_book_and_makes_way_for_better() -> None:
    peers = book()
    for number in range(MAX_PEERS):
        peers.found(f"room{number}", ["/a"], actors.ROOM, float(number))
        peers.found(f"dht{number}", ["/a"], actors.DHT, float(number))
    assert len(peers) == QUOTAS[actors.ROOM] + QUOTAS[actors.DHT]
    assert peers.addresses("room0") == []
    assert peers.addresses(f"room{MAX_PEERS - 1}") == ["/a"]
    for number in range(MAX_PEERS):
        peers.found(f"near{number}", ["/a"], actors.MDNS, 0.0)
    assert len(peers) == MAX_PEERS
    assert all(peers.addresses(f"near{number}") for number in range(MAX_PEERS))
    peers.found("another", ["/a"], actors.ROOM, 0.0)
    assert peers.addresses("another") == []


def test_who_was_connected_makes_way_last() -> None:
    peers = book()
    peers.found("friend", ["/a"], actors.ROOM, 0.0)
    peers.connected("friend", "/a", NOW_MS)
    peers.disconnected("friend", 50.0)
    for number in range(2 * MAX_PEERS):
        peers.found(f"near{number}", ["/a"], actors.MDNS, 100.0)
        peers.found(f"room{number}", ["/a"], actors.ROOM, 100.0)
    assert peers.addresses("friend") == ["/a"]


def test_a_flood_of_callers_pushes_nobody_out() -> None:
    peers = book()
    for number in range(50):
        peers.found(f"friend{number}", ["/a"], actors.ROOM, 0.0)
        peers.connected(f"friend{number}", "/a", NOW_MS)
        peers.disconnected(f"friend{number}", 50.0)
    for number in range(2 * MAX_PEERS):
        caller = f"caller{number}"
        peers.connected(caller, "", NOW_MS + number)
        peers.found(caller, ["/c"], actors.INBOUND, 100.0)
        peers.greeted(caller)
        peers.disconnected(caller, 200.0)
    assert len(peers) == 50 + QUOTAS[actors.INBOUND]
    known = {peer.peer for peer in peers.known(NOW_MS).peers}
    assert {f"friend{number}" for number in range(50)} <= known


def test_a_full_book_still_takes_who_was_configured() -> None:
    peers = book()
    for number in range(MAX_PEERS):
        peers.found(f"p{number}", ["/a"], actors.MDNS, 0.0)
        peers.connected(f"p{number}")
    peers.found("stranger", ["/s"], actors.MDNS, 0.0)
    peers.found("friend", ["/f"], actors.USER, 0.0)
    assert names(peers.due(0.0)) == ["friend"]


# ---- no storms -----------------------------------------------------------------------------------------


def test_so_many_dials_are_under_way_at_once_and_no_more() -> None:
    peers = book()
    for number in range(100):
        peers.found(f"p{number}", ["/a"], actors.MDNS, 0.0)
    first = peers.due(0.0)
    assert len(first) == DIALS_AT_ONCE
    assert peers.next_due() is None
    peers.failed(first[0].peer, 0.0)
    peers.connected(first[1].peer)
    assert peers.next_due() == 0.0
    assert len(peers.due(0.0)) == 2


def test_dials_are_paced_and_the_book_says_when_the_next_one_may_be() -> None:
    peers = book()
    for number in range(200):
        peers.found(f"p{number}", ["/a"], actors.MDNS, 0.0)
    now, dialled = 0.0, []
    while now < 10.0:
        for dial in peers.due(now):
            dialled.append(now)
            peers.connected(dial.peer)
        due = peers.next_due()
        assert due is not None
        assert due > now or dialled[-1] == now
        now = due
    assert dialled.count(0.0) == DIAL_BURST
    assert len(dialled) <= DIAL_BURST + 10.0 * DIAL_RATE + 1
    assert len(dialled) >= DIAL_BURST + 9.0 * DIAL_RATE


def test_who_was_chosen_does_not_stand_in_line() -> None:
    peers = book()
    for number in range(100):
        peers.found(f"p{number}", ["/a"], actors.MDNS, 0.0)
    for _ in range(10):
        for dial in peers.due(0.0):
            peers.failed(dial.peer, 0.0)
    peers.due(0.0)
    peers.found("chosen", ["/a"], actors.BOOTSTRAP, 0.0)
    assert peers.next_due() == 0.0
    assert names(peers.due(0.0)) == ["chosen"]


def _connected_crowd(source: int) -> AddressBook:
    peers = book()
    peers.found("chosen", ["/c"], actors.USER, 0.0)
    peers.connected("chosen")
    for number in range(60):
        peers.found(f"p{number}", ["/a"], source, 0.0)
        peers.connected(f"p{number}")
    return peers


def test_a_host_that_starts_anew_comes_back_gently_and_to_the_chosen_ones_first() -> None:
    peers = _connected_crowd(actors.MDNS)
    peers.all_gone(1000.0)
    assert len(peers.due(1000.0)) == 0
    first = names(peers.due(1000.0 + SOON_LASTING))
    assert first[0] == "chosen"
    for peer in first:
        peers.connected(peer)
    now, dialled = 1000.0 + SOON_LASTING, len(first)
    while now < 1000.0 + SOON + 60 / DIAL_RATE:
        for dial in peers.due(now):
            peers.connected(dial.peer)
            dialled += 1
        now += 0.1
    assert dialled == 61


def test_after_a_restart_of_the_host_everybody_is_dialled_again() -> None:
    peers = book()
    peers.found("up", ["/a"], actors.MDNS, 0.0)
    peers.found("dialing", ["/b"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("up")
    peers.all_gone(10.0)
    assert peers.dialing == 0
    assert set(names(peers.due(10.0 + SOON))) == {"up", "dialing"}


def test_waking_up_forgets_failures() -> None:
    peers = book()
    peers.found("chosen", ["/a"], actors.USER, 0.0)
    peers.found("near", ["/b"], actors.MDNS, 0.0)
    peers.found("given up", ["/c"], actors.ROOM, 0.0)
    peers.connected("given up", "/c", NOW_MS)
    peers.disconnected("given up", 100.0)
    for round_ in range(GIVE_UP_AFTER - 1):
        for dial in peers.due(1000.0 * (1 + round_)):
            peers.failed(dial.peer, 1000.0 * (1 + round_))
    now = 1000.0 * GIVE_UP_AFTER
    for dial in peers.due(now):
        peers.failed(dial.peer, now)
    assert peers.due(now) == []
    peers.wake(now)
    assert names(peers.due(now + SOON_LASTING))[0] == "chosen"
    assert peers.failed("chosen", now + SOON_LASTING) is True
    assert "given up" in names(peers.due(now + SOON))


# ---- whom to keep --------------------------------------------------------------------------------------


def _with_people(number: int) -> AddressBook:
    peers = book()
    for n in range(number):
        peers.connected(f"person{n}")
        peers.greeted(f"person{n}")
    return peers


@pytest.mark.parametrize("source", [actors.REMEMBERED, actors.DHT])
def test_who_is_only_known_is_not_dialled_when_enough_are_connected(source: int) -> None:
    peers = _with_people(MIN_CONNECTED)
    peers.found("bob", ["/a"], source, 0.0)
    assert peers.next_due() is None
    assert peers.due(0.0) == []
    assert peers.addresses("bob") == ["/a"]
    peers.disconnected("person0", 10.0)
    assert names(peers.due(10.0)) == ["bob"]


@pytest.mark.parametrize("source", [actors.BOOTSTRAP, actors.USER, actors.CONTACT, actors.MDNS])
def test_who_was_chosen_or_is_near_is_dialled_all_the_same(source: int) -> None:
    peers = _with_people(50)
    peers.found("bob", ["/a"], source, 0.0)
    assert names(peers.due(0.0)) == ["bob"]


def test_dials_under_way_count_as_if_they_had_worked() -> None:
    peers = _with_people(MIN_CONNECTED - 2)
    for number in range(20):
        peers.found(f"p{number}", ["/a"], actors.REMEMBERED, 0.0)
    assert len(peers.due(0.0)) == 2


def test_public_peers_are_no_people() -> None:
    peers = book()
    for number in range(2 * MIN_CONNECTED):
        peers.found(f"public{number}", ["/p"], actors.BOOTSTRAP, 0.0)
        peers.connected(f"public{number}")
    peers.found("bob", ["/a"], actors.REMEMBERED, 0.0)
    peers.found("further", ["/a"], actors.DHT, 0.0)
    assert names(peers.due(0.0)) == ["bob"]


def test_members_of_rooms_are_dialled_until_there_are_neighbours_enough() -> None:
    peers = _with_people(50)
    for number in range(100):
        peers.found(f"p{number}", ["/a"], actors.ROOM, 0.0)
    dialled = 0
    for _ in range(10):
        for dial in peers.due(0.0):
            peers.connected(dial.peer)
            dialled += 1
    assert dialled == MAX_ROOM_DIALLED
    assert peers.next_due() is None


def test_a_chat_peer_that_came_by_itself_is_dialled_when_it_is_gone_and_others_are_not() -> None:
    peers = book()
    for peer in ("chat", "other"):
        peers.connected(peer, "", NOW_MS)
        peers.found(peer, ["/a"], actors.INBOUND, 0.0)
    peers.greeted("chat")
    peers.disconnected("chat", 10.0)
    peers.disconnected("other", 10.0)
    assert names(peers.due(20.0)) == ["chat"]
    assert len(peers) == 1


def test_what_a_connected_peer_says_of_itself_makes_nobody_dial_it() -> None:
    peers = book()
    peers.connected("bob")
    peers.found("bob", ["/a"], actors.INBOUND, 0.0)
    assert peers.due(100.0) == []


# ---- for the doctor ------------------------------------------------------------------------------------


def test_chosen_peers_that_are_not_connected_are_listed_with_the_reason() -> None:
    peers = book()
    peers.found("up", ["/u"], actors.USER, 0.0)
    peers.found("down", ["/d"], actors.USER, 0.0)
    peers.found("public", ["/p"], actors.BOOTSTRAP, 0.0)
    peers.found("near", ["/n"], actors.MDNS, 0.0)
    peers.due(0.0)
    peers.connected("up")
    peers.failed("down", 0.0, "connection refused")
    listed = {peer.peer: peer for peer in peers.unreached()}
    assert set(listed) == {"down", "public"}
    assert (listed["down"].failures, listed["down"].problem) == (1, "connection refused")
    assert (listed["down"].source, listed["public"].source) == (actors.USER, actors.BOOTSTRAP)
    assert list(listed["public"].addresses) == ["/p"]
    assert [peers.is_lasting(peer) for peer in ("up", "public", "near", "?")] == [
        True,
        True,
        False,
        False,
    ]


def test_remembered_peers_wait_longest() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.REMEMBERED, 0.0)
    before_last = fail(peers, "bob", GIVE_UP_AFTER - 2)
    last = fail(peers, "bob", 1, before_last)
    assert 0.5 * RETRY_REMEMBERED.most <= last - before_last <= 1.5 * RETRY_REMEMBERED.most


def test_public_bootstrap_peers_are_left_alone_longer_and_never_given_up() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.BOOTSTRAP, 0.0)
    now = fail(peers, "bob", 2 * GIVE_UP_AFTER)
    later = fail(peers, "bob", 1, now)
    assert 0.5 * RETRY.most <= later - now <= 1.5 * RETRY.most


def test_a_mailbox_that_was_given_up_is_known_and_no_longer_chosen() -> None:
    peers = book()
    peers.found("box", ["/a"], actors.USER, 0.0)
    peers.connected("box")
    peers.unchoose("box")
    assert not peers.is_lasting("box")
    assert peers.addresses("box") == ["/a"]
    assert peers.unreached() == []
    peers.unchoose("nobody")


def test_a_peer_that_is_also_a_bootstrap_peer_stays_chosen() -> None:
    peers = book()
    peers.found("box", ["/a"], actors.BOOTSTRAP, 0.0)
    peers.found("box", ["/b"], actors.USER, 0.0)
    peers.unchoose("box")
    assert peers.is_lasting("box")
    assert set(peers.addresses("box")) == {"/a", "/b"}
