from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import endpoints, hole_punch
from p2pchat.node.protocol.hole_punch import Upgrades

SEEN = endpoints.parse_all(["/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.7/udp/4001/quic-v1"])
LISTENING = ["/ip4/192.168.1.5/tcp/4001", "/ip4/127.0.0.1/tcp/4001"]


def test_messages_arrive_as_they_were_sent() -> None:
    addresses = ["/ip4/203.0.113.7/tcp/4001", "/ip4/192.168.1.5/tcp/4001"]
    assert hole_punch.read_connect(hole_punch.connect(addresses)) == addresses
    hole_punch.read_sync(hole_punch.sync())


@pytest.mark.parametrize("body", [b"", hole_punch.sync(), b"\xff\xff"])
def test_what_is_no_connect_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        hole_punch.read_connect(body)


@given(st.binary(max_size=100))
def test_nonsense_is_refused_in_one_way(body: bytes) -> None:
    for read in (hole_punch.read_connect, hole_punch.read_sync):
        try:
            read(body)
        except ValueError:
            continue


def test_own_addresses_are_those_that_others_see_and_those_of_the_own_network() -> None:
    own = hole_punch.own_addresses(SEEN, LISTENING, over_loopback=False)
    assert own == ["/ip4/203.0.113.7/tcp/4001", "/ip4/192.168.1.5/tcp/4001"]
    own = hole_punch.own_addresses(SEEN, LISTENING, over_loopback=True)
    assert own[-1] == "/ip4/127.0.0.1/tcp/4001"


def test_a_stranger_cannot_make_us_dial_ourselves_or_too_much() -> None:
    asked = [
        "/ip4/127.0.0.1/tcp/22",
        "/ip6/::1/tcp/22",
        "/dns4/example.org/tcp/22",
        "/ip4/198.51.100.1/tcp/1/p2p/12D3KooWx/p2p-circuit",
        "/ip4/198.51.100.1/udp/1/quic-v1",
        *(f"/ip4/198.51.100.1/tcp/{port}" for port in range(1, 20)),
    ]
    found = hole_punch.acceptable(asked, over_loopback=False)
    assert found == [f"/ip4/198.51.100.1/tcp/{port}" for port in range(1, 9)]
    assert "/ip4/127.0.0.1/tcp/22" in hole_punch.acceptable(asked, over_loopback=True)


def test_public_addresses_are_told_from_those_of_somebody_elses_network() -> None:
    asked = ["/ip4/10.0.0.1/tcp/1", "/ip4/203.0.113.7/tcp/1", "/ip4/100.64.0.9/tcp/1"]
    assert hole_punch.public(asked) == ["/ip4/203.0.113.7/tcp/1"]


class TestUpgrades:
    def upgrades(self) -> Upgrades:
        return Upgrades(random.Random(1))

    def test_a_caller_is_looked_after_when_it_has_said_what_it_speaks(self) -> None:
        upgrades = self.upgrades()
        upgrades.called("ann", 0.0)
        assert upgrades.due(0.0) == []
        upgrades.identified("ann", True, 0.2)
        assert upgrades.due(0.2) == ["ann"]
        assert upgrades.is_first("ann")
        assert upgrades.due(5.0) == []  # it is under way
        assert upgrades.next_due() is None

    def test_a_caller_that_says_nothing_is_taken_to_speak_it(self) -> None:
        upgrades = self.upgrades()
        upgrades.called("ann", 0.0)
        assert upgrades.next_due() == hole_punch.IDENTIFY_PATIENCE
        assert upgrades.due(hole_punch.IDENTIFY_PATIENCE) == ["ann"]

    def test_who_does_not_speak_it_is_left_alone_until_it_does(self) -> None:
        upgrades = self.upgrades()
        upgrades.called("ann", 0.0)
        upgrades.identified("ann", False, 0.1)
        assert upgrades.next_due() is None
        assert upgrades.due(1000.0) == []
        upgrades.identified("ann", True, 2000.0)
        assert upgrades.due(2000.0) == ["ann"]

    def test_three_attempts_then_a_rest(self) -> None:
        upgrades, now, waits = self.upgrades(), 0.0, []
        upgrades.called("ann", now)
        upgrades.identified("ann", True, now)
        for _ in range(6):
            assert upgrades.due(now) == ["ann"]
            upgrades.failed("ann", now)
            due = upgrades.next_due()
            assert due is not None
            waits.append(due - now)
            now = due
        shortest, longest = hole_punch.PAUSE
        assert all(shortest <= wait <= longest for wait in (*waits[:2], *waits[3:5]))
        assert 300 <= waits[2] <= 900
        assert waits[5] > 300

    def test_being_identified_again_is_no_reason_to_hurry(self) -> None:
        upgrades = self.upgrades()
        upgrades.called("ann", 0.0)
        upgrades.identified("ann", True, 0.0)
        upgrades.due(0.0)
        upgrades.failed("ann", 0.0)
        upgrades.identified("ann", True, 0.5)
        assert upgrades.due(0.5) == []

    def test_another_network_is_another_chance(self) -> None:
        upgrades = self.upgrades()
        upgrades.called("ann", 0.0)
        upgrades.identified("ann", True, 0.0)
        for _ in range(hole_punch.ATTEMPTS):
            upgrades.due(100.0)
            upgrades.failed("ann", 0.0)
        upgrades.stirred(200.0)
        due = upgrades.next_due()
        assert due is not None
        assert 200.0 < due < 202.0
        upgrades.due(due)
        assert upgrades.is_first("ann")

    def test_what_is_settled_is_over(self) -> None:
        upgrades = self.upgrades()
        upgrades.called("ann", 0.0)
        upgrades.due(5.0)
        upgrades.settled("ann")
        upgrades.failed("ann", 6.0)
        assert upgrades.next_due() is None

    def test_only_so_many_calls_are_looked_after(self) -> None:
        upgrades = self.upgrades()
        for number in range(hole_punch.MAX_PEERS + 10):
            upgrades.called(str(number), 0.0)
        assert len(upgrades.due(10.0)) == hole_punch.MAX_PEERS
