from __future__ import annotations

from p2pchat.node.protocol import allowances
from p2pchat.node.protocol.allowances import Allowances


def test_every_peer_has_an_allowance_of_its_own() -> None:
    limits = Allowances(rate=0.1, burst=2)
    assert [limits.allows("ann", 0.0) for _ in range(3)] == [True, True, False]
    assert limits.allows("ben", 0.0)
    assert limits.allows("ann", 10.0)
    assert not limits.allows("ann", 10.0)


def test_only_so_many_are_remembered_and_the_quietest_is_forgotten() -> None:
    limits = Allowances(rate=0.0, burst=1)
    assert limits.allows("loud", 0.0)
    assert limits.allows("quiet", 0.0)
    for number in range(allowances.MAX_PEERS - 1):
        assert not limits.allows("loud", 0.0)
        limits.allows(str(number), 0.0)
    assert len(limits) == allowances.MAX_PEERS
    assert not limits.allows("loud", 0.0)
    assert limits.allows("quiet", 0.0)
