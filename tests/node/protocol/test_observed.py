from __future__ import annotations

from p2pchat.node.protocol import observed
from p2pchat.node.protocol.observed import Observed

LISTENING = [
    "/ip4/192.168.1.5/tcp/4001",
    "/ip4/192.168.1.5/udp/4002/quic-v1",
    "/ip6/2001:db8::5/tcp/4001",
    "/ip4/198.51.100.1/tcp/1/p2p/12D3KooWx/p2p-circuit",
]


def candidates(seen: Observed) -> list[str]:
    return [str(endpoint) for endpoint in seen.candidates(LISTENING)]


def test_an_observed_host_is_tried_with_every_own_port_of_its_family() -> None:
    seen = Observed()
    assert seen.heard("ann", "/ip4/203.0.113.7/tcp/50001", outbound=True)
    assert candidates(seen) == ["/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.7/udp/4002/quic-v1"]
    assert seen.host_seen_by("ann") == "/ip4/203.0.113.7"
    assert seen.host_seen_by("ben") == ""


def test_where_others_have_reached_us_counts_with_its_port() -> None:
    seen = Observed()
    assert seen.heard("ann", "/ip4/203.0.113.7/tcp/9000", outbound=False)
    assert candidates(seen)[0] == "/ip4/203.0.113.7/tcp/9000"


def test_only_what_nobody_said_before_is_news() -> None:
    seen = Observed()
    assert seen.heard("ann", "/ip4/203.0.113.7/tcp/50001", outbound=True)
    assert not seen.heard("ben", "/ip4/203.0.113.7/tcp/50002", outbound=True)
    assert not seen.heard("ann", "/ip4/203.0.113.7/tcp/50003", outbound=True)
    assert seen.heard("ann", "/ip4/203.0.113.8/tcp/50003", outbound=True)
    assert not seen.heard("cal", "/dns4/example.org/tcp/1", outbound=True)
    assert seen.heard("cal", "/ip4/203.0.113.8/tcp/9000", outbound=False)
    assert not seen.heard("dan", "/ip4/203.0.113.8/tcp/9000", outbound=False)


def test_an_observation_goes_with_its_observer() -> None:
    seen = Observed()
    seen.heard("ann", "/ip4/203.0.113.7/tcp/50001", outbound=True)
    seen.gone("ann")
    assert seen.hosts() == []
    assert candidates(seen) == []


def test_what_most_say_counts_and_liars_crowd_nobody_out() -> None:
    seen = Observed()
    for number in range(20):
        seen.heard(f"liar{number}", f"/ip4/192.0.2.{number + 1}/tcp/1", outbound=False)
    for name in ("ann", "ben"):
        seen.heard(name, "/ip4/203.0.113.7/tcp/50001", outbound=True)
    assert seen.hosts()[0] == "/ip4/203.0.113.7"
    assert len(seen.hosts()) == observed.MAX_HOSTS
    assert len(candidates(seen)) <= 3 * observed.MAX_HOSTS


def test_only_so_many_observers_are_remembered() -> None:
    seen = Observed()
    seen.heard("first", "/ip4/192.0.2.1/tcp/1", outbound=True)
    for number in range(observed.MAX_OBSERVERS):
        seen.heard(str(number), "/ip4/203.0.113.7/tcp/1", outbound=True)
    assert seen.hosts() == ["/ip4/203.0.113.7"]
