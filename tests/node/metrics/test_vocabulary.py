"""Every counter's name in the sources is in a vocabulary: else what it counts would be shown as `other`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from p2pchat.node.metrics import vocabulary
from p2pchat.relay_mailbox import metrics

ROOT = Path(__file__).parents[3]
COUNTED = re.compile(r'counters\[f?"([^"]+)"\]|\.count\(\s*"([a-z_{}.]+)"')
NAMED = re.compile(r'ActorCell\.of\(\s*"([a-z_]+)"')

RELAY = (*vocabulary.RELAY, vocabulary.RELAY_BYTES, vocabulary.RELAY_CIRCUITS)
SYNC = (
    *vocabulary.SYNC,
    *vocabulary.SYNC_BYTES.values(),
    *vocabulary.SYNC_MESSAGES.values(),
)
MAILBOX = (*metrics.WRONG, *metrics.COUNTED.values(), metrics.REFUSED_PREFIX)


def sources(*patterns: str) -> Iterator[str]:
    for pattern in patterns:
        found = sorted(ROOT.glob(pattern))
        assert found, pattern
        yield from (path.read_text("utf-8") for path in found)


@pytest.mark.parametrize(
    ("patterns", "names", "at_least"),
    [
        (
            ["node/adapters/libp2p_*.py", "node/adapters/memory_*.py"],
            vocabulary.NETWORK + RELAY,
            15,
        ),
        (["node/actors/reachability/*.py"], vocabulary.REACHABILITY, 5),
        (["node/actors/dht/*.py"], vocabulary.DHT, 7),
        (["node/actors/sync/*.py"], SYNC, 10),
        (["node/actors/delivery/*.py"], vocabulary.DELIVERY, 7),
        (["relay_mailbox/*.py"], MAILBOX, 9),
    ],
)
def test_counters_have_known_names(
    patterns: list[str], names: Iterable[str], at_least: int
) -> None:
    counted = {a or b for text in sources(*patterns) for a, b in COUNTED.findall(text)}
    assert len(counted) >= at_least, counted
    whole = {name for name in counted if "{" not in name}
    unknown = {name for name in whole - set(names) if not name.startswith(metrics.REFUSED_PREFIX)}
    assert not unknown
    for name in counted - whole:  # the rest of it comes from a list of the protocol
        assert any(each.startswith(name.partition("{")[0]) for each in names), name


def test_actors_have_known_names() -> None:
    named = {
        name
        for text in sources("node/app.py", "relay_mailbox/app.py")
        for name in NAMED.findall(text)
    }
    assert named == set(vocabulary.ACTORS)
