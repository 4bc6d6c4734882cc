from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import autonat, multiaddrs, peer_id
from p2pchat.proto import nat_pb2 as nat

ANN, BEN = (Identity(bytes([n]) * 32).peer for n in (1, 2))
HERE = "/ip4/203.0.113.7/tcp/4001"
QUIC = "/ip4/203.0.113.7/udp/4001/quic-v1"


def test_a_question_arrives_as_it_was_asked() -> None:
    body = autonat.question(ANN, [HERE, QUIC, "nonsense"])
    assert autonat.read_question(body, ANN) == [HERE, QUIC]
    assert len(body) < autonat.FRAME_LIMIT


def test_only_so_many_addresses_are_asked_about_and_looked_at() -> None:
    many = [f"/ip4/203.0.113.7/tcp/{port}" for port in range(1, 101)]
    assert len(autonat.read_question(autonat.question(ANN, many), ANN)) == autonat.MAX_ASKED
    asked = nat.Autonat.Peer(addrs=multiaddrs.all_to_bytes(many))
    flood = nat.Autonat(type=nat.Autonat.DIAL, dial=nat.Autonat.Dial(peer=asked))
    found = autonat.read_question(flood.SerializeToString(), ANN)
    assert len(found) == autonat.MAX_READ


def test_who_asks_about_somebody_else_is_refused() -> None:
    with pytest.raises(ValueError, match="somebody else"):
        autonat.read_question(autonat.question(ANN, [HERE]), BEN)


def test_addresses_may_end_in_the_own_peer_id_as_others_write_them() -> None:
    full = multiaddrs.to_bytes(f"{HERE}/p2p/{ANN}")
    asked = nat.Autonat.Peer(id=peer_id.from_text(ANN), addrs=[full])
    message = nat.Autonat(type=nat.Autonat.DIAL, dial=nat.Autonat.Dial(peer=asked))
    assert autonat.read_question(message.SerializeToString(), ANN) == [HERE]


def test_answers_arrive_as_they_were_given() -> None:
    yes = autonat.read_answer(autonat.answer(nat.Autonat.OK, address=HERE))
    assert yes == autonat.Answer(nat.Autonat.OK, HERE)
    no = autonat.read_answer(autonat.answer(nat.Autonat.E_DIAL_ERROR, "no"))
    assert no == autonat.Answer(nat.Autonat.E_DIAL_ERROR, "")


@pytest.mark.parametrize(
    "message",
    [
        nat.Autonat(),
        nat.Autonat(type=nat.Autonat.DIAL_RESPONSE),
        nat.Autonat(type=nat.Autonat.DIAL_RESPONSE, dial_response=nat.Autonat.DialResponse()),
        nat.Autonat(
            type=nat.Autonat.DIAL_RESPONSE,
            dial_response=nat.Autonat.DialResponse(status=nat.Autonat.OK, addr=b"\xff\xff"),
        ),
    ],
)
def test_half_an_answer_is_none(message: nat.Autonat) -> None:
    with pytest.raises(ValueError):
        autonat.read_answer(message.SerializeToString())


@given(st.binary(max_size=200))
def test_nonsense_is_refused_in_one_way(body: bytes) -> None:
    for read in (lambda b: autonat.read_question(b, ANN), autonat.read_answer):
        try:
            read(body)
        except ValueError:
            continue


def test_only_where_a_peer_is_connected_from_is_dialled() -> None:
    asked = [
        "/ip4/198.51.100.1/tcp/25",
        HERE,
        "/ip4/203.0.113.7/tcp/1/p2p/12D3KooWx/p2p-circuit",
        "/dns4/example.org/tcp/4001",
        QUIC,
        "/ip4/203.0.113.7/tcp/2",
        "/ip4/203.0.113.7/tcp/3",
    ]
    found = autonat.may_be_dialled(asked, ["/ip4/203.0.113.7/tcp/50123"])
    assert found == [HERE, QUIC, "/ip4/203.0.113.7/tcp/2"]
    assert len(found) == autonat.MAX_DIALLED
    assert autonat.may_be_dialled(asked, []) == []


def test_a_peer_is_let_in_once_at_a_time_and_seldom() -> None:
    door = autonat.Doorkeeper(0.0)
    assert door.admit(ANN, 0.0) == ""
    assert door.admit(ANN, 0.0) != ""
    for _ in range(autonat.PEER_BURST - 1):
        door.leave(ANN)
        assert door.admit(ANN, 0.0) == ""
    door.leave(ANN)
    assert door.admit(ANN, 1.0) == "too many questions"
    assert door.admit(ANN, 10.0) == ""


def test_only_so_many_are_let_in_at_a_time_and_in_all() -> None:
    door = autonat.Doorkeeper(0.0)
    guests = [str(number) for number in range(autonat.AT_ONCE)]
    assert all(door.admit(guest, 0.0) == "" for guest in guests)
    assert door.admit("one more", 0.0) == "busy"
    for guest in guests:
        door.leave(guest)
    admitted = 0
    for number in range(100):
        if door.admit(f"stranger {number}", 0.0) == "":
            admitted += 1
            door.leave(f"stranger {number}")
    assert admitted == autonat.BURST - autonat.AT_ONCE
