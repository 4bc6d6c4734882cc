from __future__ import annotations

import pytest
from google.protobuf.message import Message

from p2pchat.node.actors.hiding import Hiding
from p2pchat.proto import actors_pb2 as actors


@pytest.mark.parametrize(
    "kind",
    [actors.PeerConnected, actors.PeerDisconnected, actors.PeerNamed, actors.PeerMoved],
)
def test_whoever_is_blocked_comes_and_goes_unseen(kind: type[Message]) -> None:
    hiding = Hiding()
    bob, eve = kind(peer="bob"), kind(peer="eve")
    assert hiding.event(eve) == eve
    hiding.block(["eve"])
    assert hiding.event(bob) == bob
    assert hiding.event(eve) is None
    assert hiding.hidden == 1
    hiding.block([])
    assert hiding.event(eve) == eve


def test_of_those_who_come_together_the_others_are_told() -> None:
    hiding = Hiding()
    hiding.block(["eve"])
    bob, eve = actors.Member(peer="bob"), actors.Member(peer="eve")
    both = actors.MembersChanged(room="den", joined=[eve, bob], left=[eve])
    assert hiding.event(both) == actors.MembersChanged(room="den", joined=[bob])
    assert len(both.joined) == 2  # somebody else may have it as well
    assert hiding.event(actors.MembersChanged(room="den", left=[eve])) is None


def test_answers_leave_them_out() -> None:
    hiding = Hiding()
    hiding.block(["eve"])
    bob, eve = actors.Member(peer="bob"), actors.Member(peer="eve")
    found = hiding.answer(actors.MemberList(members=[eve, bob, eve]))
    assert found == actors.MemberList(members=[bob])
    connections = [actors.Connection(peer="eve"), actors.Connection(peer="bob")]
    listed = hiding.answer(actors.ConnectionList(connections=connections))
    assert listed == actors.ConnectionList(connections=connections[1:])


def test_everything_else_is_told() -> None:
    hiding = Hiding()
    hiding.block(["eve"])
    for event in (actors.ContactChanged(peer="eve"), actors.Notice(text="eve")):
        assert hiding.event(event) == event
