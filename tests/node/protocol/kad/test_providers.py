from __future__ import annotations

import random

import pytest

from p2pchat.node.protocol.kad import providers as rules
from p2pchat.node.protocol.kad.keys import distance, position, topic_key
from p2pchat.node.protocol.kad.peers import KadPeer
from p2pchat.node.protocol.kad.providers import PROVIDER_TTL, ProviderStore
from tests.node.protocol.kad.kad_builders import OWN, peer

KEY, OTHER = topic_key("talk"), topic_key("other")


def store() -> ProviderStore:
    return ProviderStore(OWN, random.Random(1))


def names(peers: list[KadPeer]) -> set[bytes]:
    return {each.peer for each in peers}


def test_providers_are_found_under_their_key() -> None:
    kept = store()
    assert kept.add(KEY, peer(1), 0.0)
    assert kept.add(KEY, peer(2), 0.0)
    assert kept.add(OTHER, peer(3), 0.0)
    assert sorted(kept.get(KEY, 1.0), key=lambda each: each.addresses) == [peer(1), peer(2)]
    assert kept.get(topic_key("nothing"), 1.0) == []
    assert len(kept) == 3


def test_saying_it_again_renews_it_and_its_addresses() -> None:
    kept = store()
    kept.add(KEY, peer(1), 0.0)
    kept.add(KEY, peer(1, "/ip4/10.0.0.9/tcp/9"), 100.0)
    assert kept.get(KEY, PROVIDER_TTL + 99) == [peer(1, "/ip4/10.0.0.9/tcp/9")]
    assert kept.get(KEY, PROVIDER_TTL + 100) == []
    assert len(kept) == 1
    kept.expire(PROVIDER_TTL + 100)
    assert len(kept) == 0


def test_an_answer_is_bounded_and_another_one_each_time() -> None:
    kept = store()
    for number in range(100):
        kept.add(KEY, peer(number), 0.0)
    first, second = kept.get(KEY, 1.0), kept.get(KEY, 1.0)
    assert len(names(first)) == len(names(second)) == rules.MAX_TOLD
    assert names(first) != names(second)


def test_of_too_many_for_a_key_the_oldest_go() -> None:
    kept = store()
    for number in range(rules.MAX_OF_KEY + 5):
        assert kept.add(KEY, peer(number), float(number))
    assert len(kept) == rules.MAX_OF_KEY
    seen: set[bytes] = set()
    for _ in range(200):
        seen |= names(kept.get(KEY, 10.0))
    assert seen == {peer(number).peer for number in range(5, rules.MAX_OF_KEY + 5)}


def test_one_peer_provides_only_so_much() -> None:
    kept = store()
    for number in range(rules.MAX_OF_PEER):
        assert kept.add(topic_key(str(number)), peer(1), 0.0)
    assert not kept.add(KEY, peer(1), 1.0)
    assert kept.add(topic_key("7"), peer(1), 1.0)
    assert kept.add(KEY, peer(2), 1.0)
    assert kept.add(KEY, peer(1), PROVIDER_TTL)  # the others have ended


def test_a_full_store_keeps_what_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_PROVIDERS", 4)
    kept = store()
    keys = sorted(
        (topic_key(str(number)) for number in range(6)),
        key=lambda key: distance(position(key), position(OWN)),
    )
    for number, key in enumerate(reversed(keys)):
        assert kept.add(key, peer(number), 0.0)
    assert not kept.add(keys[5], peer(9), 0.0)
    assert [key for key in keys if kept.get(key, 1.0)] == keys[:4]
    assert len(kept) == 4
