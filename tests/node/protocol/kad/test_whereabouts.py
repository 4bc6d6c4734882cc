from __future__ import annotations

from p2pchat.node.protocol.kad import whereabouts as rules
from p2pchat.node.protocol.kad.peers import KadPeer
from p2pchat.node.protocol.kad.whereabouts import Whereabouts
from tests.node.protocol.kad.kad_builders import peer, peer_bytes

LATER = 10**6  # seconds


def test_a_connected_peer_is_known_as_long_as_it_is_there() -> None:
    known = Whereabouts()
    known.identified(peer(1), 0.0)
    assert known.get(peer_bytes(1), LATER) == peer(1)
    assert known.is_connected(peer_bytes(1))
    known.gone(peer_bytes(1), LATER)
    assert not known.is_connected(peer_bytes(1))
    assert known.get(peer_bytes(1), LATER + rules.AWAY_TTL - 1) == peer(1)
    assert known.get(peer_bytes(1), LATER + rules.AWAY_TTL) is None


def test_who_has_told_on_purpose_is_known_for_longer() -> None:
    known = Whereabouts()
    known.told(peer(1), 0.0)
    known.gone(peer_bytes(1), 1.0)
    assert known.get(peer_bytes(1), rules.TOLD_TTL - 1) == peer(1)
    assert known.get(peer_bytes(1), rules.TOLD_TTL) is None


def test_the_newest_addresses_hold() -> None:
    known = Whereabouts()
    known.identified(peer(1, "/ip4/10.0.0.1/tcp/1"), 0.0)
    known.told(peer(1, "/ip4/10.0.0.2/tcp/1"), 1.0)
    known.identified(KadPeer(peer_bytes(1)), 2.0)  # says nothing, changes nothing
    assert known.get(peer_bytes(1), 3.0) == peer(1, "/ip4/10.0.0.2/tcp/1")
    assert known.is_connected(peer_bytes(1))


def test_who_listens_nowhere_is_not_worth_remembering() -> None:
    known = Whereabouts()
    known.identified(KadPeer(peer_bytes(1)), 0.0)
    assert known.get(peer_bytes(1), 0.0) is None
    assert len(known) == 0
    known.gone(peer_bytes(1), 0.0)


def test_nobody_is_connected_when_the_network_begins_anew() -> None:
    known = Whereabouts()
    known.identified(peer(1), 0.0)
    known.all_gone(5.0)
    assert not known.is_connected(peer_bytes(1))
    assert known.get(peer_bytes(1), 6.0) == peer(1)


def test_those_that_are_still_there_stay_connected() -> None:
    known = Whereabouts()
    known.identified(peer(1), 0.0)
    known.identified(peer(2), 0.0)
    known.all_gone(5.0, besides={peer_bytes(1)})
    assert known.is_connected(peer_bytes(1))
    assert not known.is_connected(peer_bytes(2))


def test_those_heard_of_least_recently_are_forgotten() -> None:
    known = Whereabouts()
    for number in range(rules.MAX_PEERS):
        known.identified(peer(number), 0.0)
    known.identified(peer(0), 1.0)
    known.identified(peer(rules.MAX_PEERS), 2.0)
    assert len(known) == rules.MAX_PEERS
    assert known.get(peer_bytes(0), 3.0)
    assert known.get(peer_bytes(1), 3.0) is None
