from __future__ import annotations

import random

import pytest

from p2pchat.node.backoff import Backoff
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import peer_exchange, peer_id
from p2pchat.node.protocol.multiaddrs import MAX_LENGTH
from p2pchat.node.protocol.peer_exchange import (
    AGAIN,
    AGAIN_FEW,
    FEW,
    FIRST,
    MAX_ADDRESSES,
    MAX_ASKED,
    MAX_PEERS,
    REFUSED,
    REPLY_LIMIT,
    REQUEST_LIMIT,
    Asking,
    Whereabouts,
    read_reply,
    reply_of,
)
from p2pchat.proto import wire_pb2 as wire

PEERS = [Identity(bytes([n]) * 32).peer for n in range(1, 60)]
WIDE, LAN, LOCAL = "/ip4/192.0.2.1/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1"


def passed(
    *members: Whereabouts, limit: int = MAX_PEERS, loopback: bool = False
) -> list[Whereabouts]:
    """What the asking side makes of the answering side's reply."""
    reply = reply_of(members, limit, to_loopback=loopback)
    received = wire.PeersReply.FromString(reply.SerializeToString())
    return read_reply(received, from_loopback=loopback, without=())


# ---- what is said ----------------------------------------------------------------------------------------


def test_members_are_told_with_their_addresses() -> None:
    members = [Whereabouts(peer, (WIDE, LAN)) for peer in PEERS[:3]]
    assert passed(*members) == members


def test_an_address_is_told_without_the_peer_it_leads_to_and_once() -> None:
    told = Whereabouts(PEERS[0], [f"{WIDE}/p2p/{PEERS[0]}", WIDE])
    assert passed(told) == [Whereabouts(PEERS[0], (WIDE,))]


@pytest.mark.parametrize(("loopback", "told"), [(True, (WIDE, LOCAL)), (False, (WIDE,))])
def test_loopback_addresses_are_told_only_on_one_computer(
    loopback: bool, told: tuple[str, ...]
) -> None:
    member = Whereabouts(PEERS[0], (WIDE, LOCAL))
    assert passed(member, loopback=loopback) == [Whereabouts(PEERS[0], told)]
    only = Whereabouts(PEERS[1], ("/ip6/::1/tcp/1",))
    assert passed(only, loopback=loopback) == ([only] if loopback else [])


def test_a_liar_who_is_elsewhere_cannot_make_us_dial_this_computer() -> None:
    reply = wire.PeersReply(
        peers=[wire.RoomPeer(peer=peer_id.from_text(PEERS[0]), addresses=[LOCAL, WIDE])]
    )
    (found,) = read_reply(reply, from_loopback=False, without=())
    assert found.addresses == (WIDE,)


def test_who_is_known_already_is_left_out() -> None:
    reply = reply_of([Whereabouts(peer, [WIDE]) for peer in PEERS[:3]], 32, to_loopback=False)
    found = read_reply(reply, from_loopback=False, without={PEERS[0], PEERS[2]})
    assert [member.peer for member in found] == [PEERS[1]]


@pytest.mark.parametrize(("limit", "told"), [(0, 0), (1, 1), (32, 32), (2**32 - 1, 32)])
def test_no_more_are_told_than_asked_for_and_never_too_many(limit: int, told: int) -> None:
    members = [Whereabouts(peer, [WIDE]) for peer in PEERS]
    assert len(passed(*members, limit=limit)) == told


def test_the_largest_reply_and_request_fit_into_their_frames() -> None:
    long = [f"/dns4/{n}{'x' * (MAX_LENGTH - 20)}/tcp/1" for n in range(20)]
    reply = reply_of([Whereabouts(peer, long) for peer in PEERS], 32, to_loopback=True)
    assert REPLY_LIMIT / 2 < reply.ByteSize() <= REPLY_LIMIT
    assert all(len(told.addresses) == MAX_ADDRESSES for told in reply.peers)
    request = wire.PeersRequest(room="\x01" + "🦀" * 64, limit=2**32 - 1)
    assert request.ByteSize() <= REQUEST_LIMIT


def test_an_empty_reply_is_a_frame_all_the_same() -> None:
    reply = reply_of([], 32, to_loopback=True)
    assert reply == peer_exchange.nobody()
    assert reply.SerializeToString()
    assert passed() == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no multiaddr",
        "/ip4/192.0.2.1/tcp/1\x1b[2J",
        "/dns4/ünï/tcp/1",
        "/" + "x" * MAX_LENGTH,
        f"/dnsaddr/example.org/p2p/{PEERS[0]}",
    ],
)
def test_addresses_that_nobody_could_dial_are_left_out(address: str) -> None:
    peer = peer_id.from_text(PEERS[0])
    reply = wire.PeersReply(peers=[wire.RoomPeer(peer=peer, addresses=[address, WIDE])])
    (found,) = read_reply(reply, from_loopback=False, without=())
    assert found.addresses == (WIDE,)
    reply = wire.PeersReply(peers=[wire.RoomPeer(peer=peer, addresses=[address])])
    assert read_reply(reply, from_loopback=False, without=()) == []


@pytest.mark.parametrize("peer", [b"", b"x", b"\x00\x24" + b"x" * 35, b"\x12\x7f" + b"x" * 127])
def test_who_has_no_peer_id_is_left_out(peer: bytes) -> None:
    reply = wire.PeersReply(peers=[wire.RoomPeer(peer=peer, addresses=[WIDE])])
    assert read_reply(reply, from_loopback=False, without=()) == []


def test_a_reply_with_too_many_is_read_up_to_the_limit() -> None:
    peers = [wire.RoomPeer(peer=peer_id.from_text(peer), addresses=[WIDE] * 50) for peer in PEERS]
    found = read_reply(wire.PeersReply(peers=peers), from_loopback=False, without=())
    assert len(found) == MAX_PEERS
    assert {member.addresses for member in found} == {(WIDE,)}


# ---- whom to ask, and when ---------------------------------------------------------------------------


def asking() -> Asking:
    return Asking(random.Random(1))


def test_a_neighbour_is_asked_soon_after_it_is_seen() -> None:
    schedule = asking()
    assert schedule.next_due() is None
    schedule.see("room", ["bob"], 100.0)
    due = schedule.next_due()
    assert due is not None
    assert FIRST[0] <= due - 100.0 <= FIRST[1]
    assert schedule.due(due - 0.001) == []
    assert schedule.due(due) == [("room", "bob")]
    assert schedule.due(due) == []


@pytest.mark.parametrize(("number", "again"), [(FEW - 1, AGAIN_FEW), (FEW, AGAIN)])
def test_with_few_neighbours_they_are_asked_more_often(number: int, again: Backoff) -> None:
    schedule = asking()
    schedule.see("room", [f"p{n}" for n in range(number)], 0.0)
    assert len(schedule.due(10.0)) == number
    due = schedule.next_due()
    assert due is not None
    assert 0.5 * again.first <= due - 10.0 <= 1.5 * again.first


def test_when_neighbours_go_the_rest_is_asked_sooner() -> None:
    schedule = asking()
    schedule.see("room", [f"p{n}" for n in range(FEW)], 0.0)
    schedule.due(10.0)
    schedule.see("room", ["p0"], 20.0)
    due = schedule.next_due()
    assert due is not None
    assert due <= 20.0 + 1.5 * AGAIN_FEW.first


def test_seeing_a_neighbour_again_changes_nothing_and_a_gone_one_is_not_asked() -> None:
    schedule = asking()
    schedule.see("room", ["bob", "eve"], 0.0)
    due = schedule.next_due()
    schedule.see("room", ["bob", "eve"], 0.5)
    assert schedule.next_due() == due
    schedule.see("room", ["eve"], 0.6)
    assert schedule.due(10.0) == [("room", "eve")]


def test_of_many_neighbours_some_are_asked_and_they_stay_the_same() -> None:
    schedule = asking()
    crowd = [f"p{n:03}" for n in range(100)]
    schedule.see("room", crowd, 0.0)
    first = schedule.due(10.0)
    assert len(first) == MAX_ASKED
    schedule.see("room", list(reversed(crowd)), 11.0)
    assert schedule.due(20.0) == []


def test_rooms_that_were_left_are_forgotten() -> None:
    schedule = asking()
    schedule.see("one", ["bob"], 0.0)
    schedule.see("two", ["bob"], 0.0)
    schedule.keep_only({"two"})
    assert schedule.due(10.0) == [("two", "bob")]


def test_who_refuses_is_asked_ever_more_rarely_until_he_answers() -> None:
    schedule = asking()
    schedule.see("room", ["js"], 0.0)
    now, waits = 10.0, []
    for _ in range(20):
        assert schedule.due(now) == [("room", "js")]
        schedule.refused("room", "js", now)
        due = schedule.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits[0] <= 1.5 * REFUSED.first
    assert waits[-1] >= 0.5 * REFUSED.most
    schedule.due(now)
    schedule.answered("room", "js")
    schedule.refused("room", "js", now)
    due = schedule.next_due()
    assert due is not None
    assert due - now <= 1.5 * REFUSED.first


def test_after_a_change_everybody_is_asked_soon() -> None:
    schedule = asking()
    schedule.see("room", [f"p{n}" for n in range(FEW)], 0.0)
    schedule.due(10.0)
    schedule.again(20.0)
    assert schedule.due(20.0) == []
    assert len(schedule.due(20.0 + FIRST[1])) == FEW


def test_what_is_said_of_unknown_rooms_and_peers_is_no_error() -> None:
    schedule = asking()
    schedule.answered("room", "bob")
    schedule.refused("room", "bob", 0.0)
    assert schedule.next_due() is None
