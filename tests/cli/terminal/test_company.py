"""One line for each coming and going, whatever it is that tells of it first."""

from __future__ import annotations

from collections.abc import Sequence

from p2pchat.cli.terminal.company import COMING, GOING, Company
from p2pchat.cli.terminal.lines import Line, plain
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors

PEOPLE = [
    actors.Member(peer=Identity(number.to_bytes(32, "big")).peer, name=name)
    for number, name in enumerate(["Ann", "Bob", "Cara", "Dan", "Eve", "Fay", "Gil", "Hal"], 1)
]
ANN, BOB = PEOPLE[:2]


def shown(lines: Sequence[Line]) -> list[str]:
    """Without the ends of the peer ids."""
    return [
        "".join(each.text.split(" (…")[0] if "(…" in each.text else each.text for each in line)
        for line in lines
    ]


def changed(
    joined: Sequence[actors.Member] = (),
    left: Sequence[actors.Member] = (),
    room: str = "den",
    *,
    first: bool = False,
) -> actors.MembersChanged:
    return actors.MembersChanged(room=room, joined=joined, left=left, first=first)


def test_who_joins_and_who_leaves() -> None:
    company = Company({})
    assert shown(company.changed(changed([ANN]), "den", 0.0)) == ["* Ann joined #den"]
    assert shown(company.changed(changed([BOB], room="attic"), "den", 1.0)) == [
        "* Bob joined #attic"
    ]
    lines = company.changed(changed(PEOPLE[1:3], [ANN]), "den", 2.0)
    assert shown(lines) == ["* Bob and Cara joined #den", "* Ann left #den"]


def test_who_was_there_before() -> None:
    company = Company({})
    lines = company.changed(changed(PEOPLE[:3], first=True), "den", 0.0)
    assert shown(lines) == ["* In #den: Ann, Bob and Cara"]
    assert company.changed(changed(first=True, room="attic"), "den", 0.0) == []


def test_the_others_are_counted() -> None:
    lines = Company({}).changed(changed(PEOPLE), "den", 0.0)
    assert shown(lines) == ["* Ann, Bob, Cara, Dan, Eve and 3 others joined #den"]


def test_nameless_members_have_the_name_of_their_greeting() -> None:
    nameless = actors.Member(peer=ANN.peer)
    assert shown(Company({ANN.peer: "Ann"}).changed(changed([nameless]), "den", 0.0)) == [
        "* Ann joined #den"
    ]
    [line] = Company({}).changed(changed([nameless]), "den", 0.0)
    assert plain(line) == f"* (…{ANN.peer[-6:]}) joined #den"


def test_a_friend_who_comes_is_one_line() -> None:
    company = Company({})
    assert company.connected(ANN.peer, 0.0)
    assert company.changed(changed([ANN]), "den", 3.0) == []


def test_a_friend_who_comes_round_a_corner_is_one_line() -> None:
    company = Company({})
    assert company.changed(changed([ANN]), "den", 0.0)
    assert not company.connected(ANN.peer, 3.0)


def test_who_joins_later_or_elsewhere_is_another_line() -> None:
    company = Company({})
    assert company.connected(ANN.peer, 0.0)
    assert company.changed(changed([ANN], room="attic"), "den", 3.0)
    assert company.changed(changed([ANN]), "den", COMING + 0.1)


def test_a_friend_who_goes_is_one_line() -> None:
    company = Company({})
    assert company.disconnected(ANN.peer, 0.0)
    assert company.changed(changed(left=[ANN]), "den", 3.0) == []
    assert company.changed(changed(left=[ANN], room="attic"), "den", 17.0) == []
    assert company.disconnected(BOB.peer, 20.0)
    assert company.changed(changed(left=[BOB]), "den", 20.0 + GOING)


def test_a_friend_who_says_goodbye_first_is_one_line() -> None:
    company = Company({})
    assert company.changed(changed(left=[ANN]), "den", 0.0)
    assert not company.disconnected(ANN.peer, 0.5)


def test_a_friend_who_leaves_the_room_and_stays_connected() -> None:
    company = Company({})
    assert company.connected(ANN.peer, 0.0)
    assert company.changed(changed(left=[ANN]), "den", 60.0)
    assert company.changed(changed([ANN]), "den", 90.0)


def test_who_goes_and_comes_back_at_once_is_two_lines() -> None:
    company = Company({})
    assert company.disconnected(ANN.peer, 0.0)
    assert company.connected(ANN.peer, 2.0)
    assert company.changed(changed([BOB], [ANN]), "den", 3.0)  # in the room only by what it says


def test_two_friends_who_were_just_connected_need_no_list() -> None:
    company = Company({})
    company.connected(ANN.peer, 0.0)
    both = changed([ANN, BOB], first=True)
    assert shown(company.changed(both, "den", 5.0)) == ["* In #den: Ann and Bob"]
    company = Company({})
    company.connected(ANN.peer, 0.0)
    company.connected(BOB.peer, 0.0)
    assert company.changed(both, "den", 5.0) == []
