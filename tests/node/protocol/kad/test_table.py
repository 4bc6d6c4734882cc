from __future__ import annotations

import pytest

from p2pchat.node.protocol.kad import table as rules
from p2pchat.node.protocol.kad.keys import distance, position
from p2pchat.node.protocol.kad.limits import K
from p2pchat.node.protocol.kad.peers import KadPeer
from p2pchat.node.protocol.kad.table import RoutingTable, subnet_of
from tests.node.protocol.kad.kad_builders import OWN, in_bucket, peer, peer_bytes

LAN = "/ip4/192.168.0.1/tcp/1"


def filled(*peers: KadPeer, at: str = LAN) -> RoutingTable:
    table = RoutingTable(OWN)
    for now, each in enumerate(peers):
        table.heard(each, at, float(now))
    return table


def test_the_nearest_come_first() -> None:
    everybody = [peer(number) for number in range(1, 60)]
    table, target = filled(*everybody), position(b"somewhere")
    kept = [each for each in everybody if each.peer in table]
    ranked = sorted(kept, key=lambda each: distance(position(each.peer), target))
    assert table.nearest(target) == ranked[:K]
    assert table.nearest(target, 3, besides={ranked[0].peer}) == ranked[1:4]


def test_nobody_is_in_his_own_table() -> None:
    table = RoutingTable(OWN)
    assert not table.heard(KadPeer(OWN, (LAN,)), LAN, 0.0)
    assert len(table) == 0


def test_buckets_are_told_by_the_bits_that_are_shared() -> None:
    table = filled(*in_bucket(0, 2), *in_bucket(3, 1))
    assert table.buckets == [0, 3]
    assert len(table) == 3


def test_a_full_bucket_keeps_those_that_work() -> None:
    everybody = in_bucket(0, K + 1)
    table = filled(*everybody)
    assert len(table) == K
    assert everybody[-1].peer not in table
    assert not table.heard(everybody[-1], LAN, 99.0)


def test_a_peer_that_fails_gives_way_to_the_one_that_waits() -> None:
    everybody = in_bucket(0, K + 2)
    table = filled(*everybody)
    table.failed(everybody[4].peer, 50.0, connected=False)
    assert everybody[4].peer not in table
    assert everybody[-1].peer in table  # heard last
    assert everybody[-2].peer not in table
    assert len(table) == K


def test_a_new_peer_takes_the_place_of_one_that_has_failed() -> None:
    everybody = in_bucket(0, K + 1)
    table = filled(*everybody[:K])
    table.failed(everybody[0].peer, 50.0, connected=False)
    assert everybody[0].peer in table  # nobody waits: it gets more chances
    assert table.heard(everybody[K], LAN, 50.0)
    assert everybody[0].peer not in table


def test_who_fails_again_and_again_is_dropped() -> None:
    table = filled(peer(1), peer(2))
    for _ in range(rules.MAX_FAILURES):
        assert peer(1).peer in table
        table.failed(peer(1).peer, 5.0, connected=False)
    assert peer(1).peer not in table
    table.failed(peer(77).peer, 5.0, connected=False)  # not known: nothing happens


def test_who_is_connected_is_not_dropped_but_rests() -> None:
    table = filled(peer(1), peer(2))
    for _ in range(10 * rules.MAX_FAILURES):
        table.failed(peer(1).peer, 5.0, connected=True)
    assert peer(1).peer in table
    assert table.seeds(0, 5.0 + rules.MOST_REST - 1.0) == [peer(2)]
    assert table.stale(2.5, 5, 5.0) == [peer(2)]
    assert set(table.seeds(0, 5.0 + rules.MOST_REST)) == {peer(1), peer(2)}
    table.failed(peer(1).peer, 5.0, connected=False)
    assert peer(1).peer not in table


def test_a_rest_is_longer_after_each_failure_and_ends_with_an_answer() -> None:
    table = filled(peer(1), peer(2))
    for rest in (rules.REST, 2 * rules.REST, 4 * rules.REST):
        table.failed(peer(1).peer, 100.0, connected=True)
        assert len(table.seeds(0, 99.0 + rest)) == 1
        assert len(table.seeds(0, 100.0 + rest)) == 2
    table.heard(peer(1), LAN, 101.0)
    assert len(table.seeds(0, 101.0)) == 2


def test_those_that_rest_are_asked_when_there_are_no_others() -> None:
    table = filled(peer(1))
    table.failed(peer(1).peer, 5.0, connected=True)
    assert table.seeds(0, 5.0) == [peer(1)]


def test_what_may_be_our_own_fault_counts_after_long_silence_only() -> None:
    everybody = in_bucket(0, K + 1)
    table, silent = filled(*everybody), everybody[0]
    for _ in range(10):
        table.failed(silent.peer, rules.DOUBT - 1.0, connected=False, sure=False)
    assert silent.peer in table
    assert silent not in table.seeds(0, rules.DOUBT)
    table.failed(silent.peer, rules.DOUBT + 1.0, connected=False, sure=False)
    assert silent.peer not in table
    assert everybody[-1].peer in table


def test_who_is_connected_waits_for_a_place_again() -> None:
    everybody = in_bucket(0, K + 2)
    table = filled(*everybody)
    table.failed(everybody[0].peer, 50.0, connected=True)
    assert everybody[0].peer not in table
    assert table.knows(everybody[0].peer)
    table.forget(everybody[1].peer)  # the other one that waits comes first
    assert everybody[0].peer not in table
    table.forget(everybody[2].peer)
    assert everybody[0].peer in table
    table.failed(everybody[3].peer, 50.0, connected=False)
    table.failed(everybody[4].peer, 50.0, connected=False)
    assert not table.knows(peer_bytes(4711))


def test_failures_are_forgiven_when_a_peer_answers() -> None:
    table = filled(peer(1))
    for _ in range(5):
        table.failed(peer(1).peer, 5.0, connected=False)
        table.heard(peer(1), LAN, 9.0)
    assert peer(1).peer in table


def test_others_are_not_told_of_those_that_failed() -> None:
    table = filled(peer(1), peer(2))
    table.failed(peer(1).peer, 5.0, connected=False)
    assert table.nearest(0, working=True) == [peer(2)]
    assert len(table.nearest(0)) == 2


def test_the_newest_addresses_hold_and_none_are_no_news() -> None:
    table = filled(peer(1, "/ip4/10.0.0.1/tcp/1"))
    table.heard(peer(1, "/ip4/10.0.0.2/tcp/2"), LAN, 1.0)
    table.heard(KadPeer(peer_bytes(1)), LAN, 2.0)
    assert table.get(peer_bytes(1)) == peer(1, "/ip4/10.0.0.2/tcp/2")
    assert table.get(peer_bytes(2)) is None


def test_who_serves_no_longer_is_forgotten() -> None:
    everybody = in_bucket(0, K + 1)
    table = filled(*everybody)
    table.forget(everybody[0].peer)
    assert everybody[0].peer not in table
    assert everybody[-1].peer in table
    table.forget(peer_bytes(4711))


def test_those_silent_for_long_are_named_the_longest_first() -> None:
    table = filled(peer(1), peer(2), peer(3))
    table.heard(peer(1), LAN, 10.0)
    assert table.stale(2.5, 5, 20.0) == [peer(2), peer(3)]
    assert table.stale(2.5, 1, 20.0) == [peer(2)]
    assert table.stale(1.0, 5, 20.0) == []


# ---- one network does not fill the table -----------------------------------------------------------------


def test_few_of_one_public_network_are_in_a_bucket() -> None:
    table = RoutingTable(OWN)
    for number, each in enumerate(in_bucket(0, 5)):
        table.heard(each, f"/ip4/8.8.8.{number}/tcp/1", 0.0)
    assert len(table) == rules.SUBNET_IN_BUCKET
    for each in in_bucket(1, 1):
        assert table.heard(each, "/ip4/8.8.8.99/tcp/1", 0.0)


def test_few_of_one_public_network_are_in_the_table() -> None:
    table = RoutingTable(OWN)
    for index in range(8):
        for each in in_bucket(index, 2):
            table.heard(each, "/ip4/8.8.8.8/tcp/1", 0.0)
    assert len(table) == rules.SUBNET_IN_TABLE


def test_waiting_peers_of_the_same_network_do_not_slip_in() -> None:
    everybody = in_bucket(0, 4)
    table = filled(*everybody, at="/ip4/8.8.8.8/tcp/1")
    table.failed(everybody[0].peer, 50.0, connected=False)
    assert len(table) == rules.SUBNET_IN_BUCKET
    assert everybody[3].peer in table  # in its place
    table.forget(everybody[3].peer)
    assert len(table) == rules.SUBNET_IN_BUCKET


def test_private_networks_may_be_as_large_as_they_are() -> None:
    assert len(filled(*in_bucket(0, K), at="/ip4/10.1.2.3/tcp/1")) == K


@pytest.mark.parametrize(
    ("address", "subnet"),
    [
        ("/ip4/8.8.4.4/tcp/1", "8.8.4.0/24"),
        ("/ip6/2a00:1450:4001:81b::1/udp/1/quic-v1", "2a00:1450:4001::/48"),
        (f"/ip4/8.8.4.4/tcp/1/p2p/{peer(1).name}/p2p-circuit", "8.8.4.0/24"),
        ("/ip4/192.168.1.1/tcp/1", ""),
        ("/ip4/127.0.0.1/tcp/1", ""),
        ("/dns4/example.org/tcp/1", ""),
        ("/memory/7", ""),
        ("/ip4/nonsense", ""),
        ("", ""),
    ],
)
def test_networks(address: str, subnet: str) -> None:
    assert subnet_of(address) == subnet


def test_the_table_is_bounded_whoever_comes() -> None:
    table = filled(*(peer(number) for number in range(1, 1000)))
    assert len(table) <= K * len(table.buckets)
    assert len(table.buckets) < 16
