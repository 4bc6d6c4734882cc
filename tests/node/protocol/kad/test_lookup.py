from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from p2pchat.node.protocol.kad import lookup as rules
from p2pchat.node.protocol.kad.keys import distance, position
from p2pchat.node.protocol.kad.limits import ALPHA, BETA, K
from p2pchat.node.protocol.kad.lookup import Lookup
from p2pchat.node.protocol.kad.peers import KadPeer
from p2pchat.node.protocol.kad.table import RoutingTable
from tests.node.protocol.kad.kad_builders import peer, peer_bytes

TARGET = b"what is looked for"

Answer = Callable[[KadPeer], Sequence[KadPeer] | None]


def far(one: KadPeer) -> int:
    return distance(position(one.peer), position(TARGET))


def run(lookup: Lookup, answer: Answer) -> list[KadPeer]:
    """Ask until it is done; None: no answer. Returns whom was asked."""
    asked: list[KadPeer] = []
    while not lookup.done:
        batch = lookup.next()
        assert batch, "neither done nor anybody to ask"
        assert len(batch) <= ALPHA
        asked += batch
        for each in batch:
            found = answer(each)
            if found is None:
                lookup.failed(each.peer)
            else:
                lookup.heard(each.peer, found)
    assert lookup.next() == []
    return asked


def network(size: int, seed: int = 1) -> tuple[list[KadPeer], Answer]:
    """Everybody with a table of some of the others."""
    rng = random.Random(seed)
    everybody = [peer(number) for number in range(1, size + 1)]
    tables = {}
    for each in everybody:
        table = tables[each.peer] = RoutingTable(each.peer)
        for other in rng.sample(everybody, min(size, 150)):
            table.heard(other, "", 0.0)

    def answer(asked: KadPeer) -> Sequence[KadPeer]:
        return tables[asked.peer].nearest(position(TARGET))

    return everybody, answer


def test_the_nearest_of_many_are_found_with_few_questions() -> None:
    everybody, answer = network(500)
    lookup = Lookup(TARGET, everybody[:3])
    asked = run(lookup, answer)
    assert lookup.closest == sorted(everybody, key=far)[:K]
    assert len(asked) <= K + 25


def test_an_early_end_asks_less() -> None:
    everybody, answer = network(300)
    lookup = Lookup(TARGET, everybody[:3], enough=BETA)
    asked = run(lookup, answer)
    assert lookup.closest[:BETA] == sorted(everybody, key=far)[:BETA]
    assert len(asked) < K


def test_without_anybody_it_is_over_at_once() -> None:
    lookup = Lookup(TARGET, [])
    assert lookup.done
    assert lookup.next() == lookup.closest == []


def test_no_more_than_alpha_questions_are_under_way() -> None:
    lookup = Lookup(TARGET, [peer(number) for number in range(1, 21)])
    first = lookup.next()
    assert len(first) == ALPHA
    assert lookup.next() == []
    lookup.failed(first[0].peer)
    assert len(lookup.next()) == 1
    assert not lookup.done


def test_the_nearest_are_asked_first() -> None:
    seeds = [peer(number) for number in range(1, 21)]
    assert Lookup(TARGET, seeds).next() == sorted(seeds, key=far)[:ALPHA]


def test_some_are_never_asked() -> None:
    lookup = Lookup(TARGET, [peer(1)], besides={peer_bytes(2)})
    asked = run(lookup, lambda _: [peer(1), peer(2), KadPeer(peer_bytes(3)), peer(4)])
    assert asked == [peer(1), peer(4)]


def test_a_third_of_the_network_is_dead() -> None:
    everybody, answer = network(300)
    dead = {each.peer for each in random.Random(2).sample(everybody, 100)}
    lookup = Lookup(TARGET, everybody[:9])
    run(lookup, lambda each: None if each.peer in dead else answer(each))
    alive = [each for each in sorted(everybody, key=far) if each.peer not in dead]
    assert lookup.closest[:10] == alive[:10]


def test_a_liar_that_names_only_itself_changes_nothing() -> None:
    everybody, answer = network(100)
    liar = min(everybody, key=far)
    lookup = Lookup(TARGET, [liar, *everybody[:3]])
    run(lookup, lambda each: [liar] if each == liar else answer(each))
    assert lookup.closest == sorted(everybody, key=far)[:K]


def test_who_names_the_dead_is_not_believed() -> None:
    """Peers that are nearer than anybody, and nowhere: the honest ones are found all the same, and soon."""
    everybody, answer = network(100)
    liar, alive = everybody[0], {each.peer for each in everybody}
    ghosts = sorted((peer(number) for number in range(10_000, 20_000)), key=far)[:K]
    lookup = Lookup(TARGET, everybody[:4])
    asked = run(
        lookup,
        lambda each: None if each.peer not in alive else (ghosts if each == liar else answer(each)),
    )
    assert len([each for each in asked if each.peer not in alive]) <= ALPHA + rules.MAX_DUDS
    assert set(lookup.closest) >= set(sorted(everybody, key=far)[:K]) - {liar}


def test_ghosts_without_end_come_to_an_end() -> None:
    """Everybody asked lives, knows thousands of others that are nearer, and all of them live too."""
    made = iter(range(1, 10**6))
    lookup = Lookup(TARGET, [peer(0)])
    asked = run(lookup, lambda _: sorted((peer(next(made)) for _ in range(1000)), key=far))
    assert len(asked) <= rules.MAX_ASKED
    assert len(lookup.closest) == K


def test_memory_is_bounded() -> None:
    made = iter(range(1, 10**6))
    lookup = Lookup(TARGET, [peer(number) for number in range(10**6, 10**6 + K)], alpha=K)
    for each in lookup.next():
        lookup.heard(each.peer, [peer(next(made)) for _ in range(5000)])
    assert len(lookup._ranked) <= rules.MAX_CANDIDATES
    assert len(lookup._candidates) == len(lookup._ranked)


@pytest.mark.parametrize("copies", [1, 2, 50])
def test_addresses_are_gathered_and_bounded(copies: int) -> None:
    lookup = Lookup(TARGET, [peer(1), peer(2)], alpha=2)
    first, second = lookup.next()
    lookup.heard(first.peer, [peer(3, "/ip4/10.0.0.9/tcp/1")])
    lookup.heard(second.peer, [peer(3, *(f"/ip4/10.0.1.{n}/tcp/1" for n in range(copies)))])
    (third,) = lookup.next()
    assert third.addresses[0] == "/ip4/10.0.0.9/tcp/1"
    assert len(third.addresses) == min(1 + copies, rules.MAX_ADDRESSES)
