"""What the address book hands on from one run to the next."""

from __future__ import annotations

import random

import pytest

from p2pchat.node.protocol.address_book import (
    KEPT_FOR_MS,
    MAX_KNOWN,
    MAX_KNOWN_INBOUND,
    START_STEP,
    AddressBook,
)
from p2pchat.node.protocol.book_entry import KEPT_ADDRESSES
from p2pchat.node.protocol.dial_policy import MIN_CONNECTED
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

NOW_MS = 1_700_000_000_000
DAY_MS = 24 * 3600 * 1000


def book() -> AddressBook:
    return AddressBook("me", random.Random(1))


def known_peer(
    peer: str, connected_at_ms: int = NOW_MS, addresses: dict[str, int] | None = None
) -> records.KnownPeer:
    told = {"/a": connected_at_ms} if addresses is None else addresses
    return records.KnownPeer(
        peer=peer,
        connected_at_ms=connected_at_ms,
        addresses=[
            records.KnownAddress(address=address, success_at_ms=at) for address, at in told.items()
        ],
    )


def loaded(*known: records.KnownPeer, now_ms: int = NOW_MS) -> AddressBook:
    peers = book()
    peers.load(records.KnownPeers(peers=known), 0.0, now_ms)
    return peers


def friend(peers: AddressBook, peer: str, address: str = "/a", at_ms: int = NOW_MS) -> None:
    peers.connected(peer, address, at_ms)
    peers.greeted(peer)


def kept(peers: AddressBook, now_ms: int = NOW_MS) -> list[str]:
    return [peer.peer for peer in peers.known(now_ms).peers]


def test_who_was_connected_is_there_again_after_a_start() -> None:
    peers = book()
    peers.found("bob", ["/heard/p2p/bob"], actors.MDNS, 0.0)
    friend(peers, "bob", "/worked", NOW_MS)
    again = loaded(*peers.known(NOW_MS + 5).peers, now_ms=NOW_MS + 1000)
    assert again.addresses("bob") == ["/worked", "/heard"]
    (known,) = again.known(NOW_MS + 2000).peers
    assert known == known_peer("bob", NOW_MS + 5, {"/worked": NOW_MS, "/heard": 0})


def test_the_book_knows_whether_it_was_loaded() -> None:
    assert [book().loaded, loaded().loaded] == [False, True]


def test_nothing_is_worth_saving_until_somebody_was_connected() -> None:
    peers = book()
    peers.found("bob", ["/a"], actors.MDNS, 0.0)
    assert not peers.worth_saving
    assert kept(peers) == []


def _saved(peers: AddressBook) -> bool:
    """Save if need be; whether it was."""
    if not peers.worth_saving:
        return False
    peers.known(NOW_MS)
    peers.saved()
    return True


def test_only_news_are_worth_saving() -> None:
    peers = book()
    friend(peers, "bob", "/a")
    assert _saved(peers)
    peers.connected("bob")
    peers.connected("bob", "/a", NOW_MS + 1)
    peers.greeted("bob")
    peers.found("bob", ["/a"], actors.INBOUND, 0.0)
    peers.connected("server", "/s", NOW_MS)
    peers.found("server", ["/t"], actors.DHT, 0.0)
    assert not _saved(peers)
    peers.found("bob", ["/new"], actors.INBOUND, 0.0)
    assert _saved(peers)
    peers.connected("bob", "/new", NOW_MS + 2)
    assert _saved(peers)
    peers.disconnected("bob", 10.0)
    assert _saved(peers)


def test_what_changes_while_it_is_saved_is_saved_the_next_time() -> None:
    peers = book()
    friend(peers, "bob", "/a")
    peers.known(NOW_MS)
    friend(peers, "eve", "/a")
    peers.saved()
    assert _saved(peers)
    assert not _saved(peers)


def test_the_time_is_when_a_peer_was_last_seen_connected() -> None:
    peers = book()
    friend(peers, "stays", "/a", NOW_MS)
    friend(peers, "goes", "/a", NOW_MS)
    assert {peer.connected_at_ms for peer in peers.known(NOW_MS + 10).peers} == {NOW_MS + 10}
    peers.disconnected("goes", 100.0)
    peers.known(NOW_MS + 20)
    assert {peer.peer: peer.connected_at_ms for peer in peers.known(NOW_MS + 30).peers} == {
        "stays": NOW_MS + 30,
        "goes": NOW_MS + 20,
    }


def test_who_was_connected_last_comes_first_and_the_list_is_bounded() -> None:
    peers = book()
    for number in range(2 * MAX_KNOWN):
        peers.found(f"p{number}", ["/a"], actors.ROOM, 0.0)
        peers.connected(f"p{number}", "/a", NOW_MS + number)
    for number in range(2 * MAX_KNOWN):
        peers.disconnected(f"p{number}", 100.0)
    # Neither was seen since: the times are those of the connections.
    listed = kept(peers, now_ms=0)
    assert listed == [f"p{number}" for number in reversed(range(MAX_KNOWN, 2 * MAX_KNOWN))]


def test_who_only_came_by_itself_has_half_of_the_list() -> None:
    peers = book()
    friend_of_old = known_peer("old", NOW_MS - DAY_MS)
    peers.load(records.KnownPeers(peers=[friend_of_old]), 0.0, NOW_MS)
    for number in range(MAX_KNOWN):
        peers.connected(f"p{number}", "", NOW_MS + number)
        peers.greeted(f"p{number}")
        peers.found(f"p{number}", ["/a"], actors.INBOUND, 0.0)
    listed = kept(peers)
    assert len(listed) == MAX_KNOWN_INBOUND + 1
    assert listed[-1] == "old"


def test_who_was_here_for_a_question_only_is_not_kept() -> None:
    peers = book()
    peers.found("server", ["/a"], actors.DHT, 0.0)
    peers.connected("server", "/a", NOW_MS)
    peers.connected("passer-by", "/b", NOW_MS)
    peers.found("member", ["/a"], actors.ROOM, 0.0)
    peers.connected("member", "/c", NOW_MS)
    assert kept(peers) == ["member"]


def test_a_peer_without_any_address_is_not_kept() -> None:
    peers = book()
    peers.connected("bob", "", NOW_MS)
    peers.greeted("bob")
    assert kept(peers) == []


def test_who_was_away_for_ninety_days_is_forgotten() -> None:
    long_ago, lately = NOW_MS - KEPT_FOR_MS - 1, NOW_MS - KEPT_FOR_MS + DAY_MS
    peers = loaded(known_peer("gone", long_ago), known_peer("back", lately))
    assert peers.addresses("gone") == []
    assert kept(peers) == ["back"]
    assert kept(peers, now_ms=NOW_MS + 2 * DAY_MS) == []


def test_a_clock_that_was_set_back_costs_nobody_his_place() -> None:
    peers = loaded(known_peer("bob", NOW_MS), now_ms=NOW_MS - 1000 * DAY_MS)
    (known,) = peers.known(NOW_MS - 1000 * DAY_MS).peers
    assert known.connected_at_ms == NOW_MS - 1000 * DAY_MS
    assert known.addresses[0].success_at_ms == NOW_MS - 1000 * DAY_MS


@pytest.mark.parametrize("abroad", [["/ip4/192.0.2.1/tcp/1"], ["/ip4/192.168.1.2/tcp/1"]])
def test_loopback_addresses_are_kept_only_when_there_are_no_others(abroad: list[str]) -> None:
    here = ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1"]
    peers = book()
    peers.found("bob", here, actors.MDNS, 0.0)
    friend(peers, "bob", here[0])
    (known,) = peers.known(NOW_MS).peers
    assert [a.address for a in known.addresses] == here
    peers.found("bob", abroad, actors.INBOUND, 0.0)
    (known,) = peers.known(NOW_MS).peers
    assert [a.address for a in known.addresses] == abroad


def test_the_addresses_that_are_kept_are_bounded_and_those_that_worked_come_first() -> None:
    peers = book()
    peers.found("bob", [f"/heard{n}" for n in range(20)], actors.INBOUND, 0.0)
    friend(peers, "bob", "/first", NOW_MS)
    friend(peers, "bob", "/second", NOW_MS + 1)
    (known,) = peers.known(NOW_MS).peers
    assert len(known.addresses) == KEPT_ADDRESSES
    assert [a.address for a in known.addresses][:2] == ["/second", "/first"]
    assert [a.success_at_ms for a in known.addresses][:3] == [NOW_MS + 1, NOW_MS, 0]


def test_remembered_peers_are_dialled_one_after_the_other_the_last_one_first() -> None:
    known = [known_peer(f"p{number}", NOW_MS - number) for number in range(100)]
    peers = loaded(*known)
    assert [dial.peer for dial in peers.due(0.0)] == ["p0"]
    now, dialled = 0.0, ["p0"]
    while (due := peers.next_due()) is not None:
        assert due - now <= 1.5 * START_STEP
        now = due
        peers.connected(dialled[-1])
        dialled += [dial.peer for dial in peers.due(now)]
    assert dialled == [f"p{number}" for number in range(MIN_CONNECTED)]


def test_what_is_configured_stays_configured_when_it_is_remembered_too() -> None:
    peers = book()
    peers.found("relay", ["/r"], actors.USER, 0.0)
    peers.load(records.KnownPeers(peers=[known_peer("relay", addresses={"/old": 5})]), 0.0, NOW_MS)
    assert peers.is_lasting("relay")
    assert peers.addresses("relay") == ["/old", "/r"]


def test_nobody_remembers_himself_or_more_than_the_list_may_have() -> None:
    many = [known_peer(f"p{number}") for number in range(2 * MAX_KNOWN)]
    peers = loaded(known_peer("me"), *many)
    assert peers.addresses("me") == []
    assert len(peers) == MAX_KNOWN - 1


def test_loading_twice_changes_nothing() -> None:
    once = [known_peer("bob", addresses={"/b": NOW_MS, "/a": NOW_MS - 1, "/c": 0})]
    peers = loaded(*once)
    peers.load(records.KnownPeers(peers=once), 50.0, NOW_MS)
    assert list(peers.known(NOW_MS).peers) == once
