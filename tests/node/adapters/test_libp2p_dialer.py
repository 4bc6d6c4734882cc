"""Whom a dial expects, and where it looks."""

from __future__ import annotations

import pytest
from libp2p.peer.id import ID

from p2pchat.node.adapters.libp2p_dialer import MAX_RELAYS, plan_dial
from p2pchat.node.errors import DialError
from p2pchat.node.identity import Identity

PEER, RELAY, OTHER = (Identity(bytes([number]) * 32).peer for number in (1, 2, 3))
TCP, QUIC = "/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/udp/1/quic-v1"
CIRCUIT = f"{TCP}/p2p/{RELAY}/p2p-circuit"


def planned(peer: str, *addresses: str) -> tuple[list[str], dict[str, list[str]]]:
    plan = plan_dial(peer, addresses)
    assert plan.peer == ID.from_string(PEER)
    relays = {str(relay): [str(a) for a in found] for relay, found in plan.relays.items()}
    return [str(address) for address in plan.direct], relays


def test_tcp_comes_before_quic() -> None:
    assert planned(PEER, QUIC, TCP) == ([TCP, QUIC], {})


@pytest.mark.parametrize("end", ["", f"/p2p/{PEER}"])
def test_circuits_are_sorted_by_relay(end: str) -> None:
    other = f"{QUIC}/p2p/{RELAY}/p2p-circuit{end}"
    nowhere = f"/p2p/{OTHER}/p2p-circuit{end}"
    relays = {RELAY: [TCP, QUIC], OTHER: []}
    assert planned(PEER, CIRCUIT + end, other, nowhere, TCP) == ([TCP], relays)


def test_the_peer_may_be_named_by_any_address() -> None:
    assert planned("", f"{CIRCUIT}/p2p/{PEER}") == ([], {RELAY: [TCP]})
    assert planned("", CIRCUIT, f"{TCP}/p2p/{PEER}")[1] == {RELAY: [TCP]}


@pytest.mark.parametrize(
    "useless",
    [
        "nonsense",
        "/p2p-circuit",
        f"/p2p-circuit/p2p/{PEER}",
        f"{TCP}/p2p-circuit",
        f"{TCP}/p2p/nobody/p2p-circuit",
        f"{CIRCUIT}/p2p/nobody",
        f"{CIRCUIT}/p2p/{OTHER}",  # leads to somebody else
        f"{TCP}/p2p/{PEER}/p2p-circuit",  # is its own relay
        f"{CIRCUIT}/p2p/{OTHER}/p2p-circuit",  # two relays
        f"/ip4/1.2.3.4/p2p/{RELAY}/p2p-circuit",
        "/ip4/1.2.3.4/udp/1",
    ],
)
def test_what_leads_nowhere_is_left_out(useless: str) -> None:
    assert planned(PEER, useless, CIRCUIT) == ([], {RELAY: [TCP]})


def test_a_peer_cannot_send_us_to_everybody() -> None:
    relays = [Identity(bytes([number]) * 32).peer for number in range(10, 30)]
    _, planned_relays = planned(PEER, *(f"/p2p/{relay}/p2p-circuit" for relay in relays))
    assert list(planned_relays) == relays[:MAX_RELAYS]


@pytest.mark.parametrize("addresses", [[], [TCP], [CIRCUIT]])
def test_somebody_has_to_be_named(addresses: list[str]) -> None:
    with pytest.raises(DialError):
        plan_dial("", addresses)
    with pytest.raises(DialError):
        plan_dial("nobody", addresses)
