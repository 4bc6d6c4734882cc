"""What every `Network` adapter promises to peers that listen nowhere and talk through a relay."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.errors import DialError
from p2pchat.node.ports import GossipMessage, PeerDown, PeerMoved, RelayStatus
from tests.node.adapters.network_stage import (
    TOPIC,
    Node,
    Stage,
    bounded,
    eventually,
    joined,
    next_message,
)
from tests.node.adapters.relay_scene import scene, seen

MEGABYTE = 2**20


# ---- talking --------------------------------------------------------------------------------------------


@bounded
async def test_two_that_listen_nowhere_see_each_other_through_a_relay(stage: Stage) -> None:
    on = await scene(stage)
    far = await on.reserved()
    near = await on.hidden()
    addresses = far.network.listen_addresses()
    assert addresses
    assert all(a.endswith(f"/p2p/{on.relay.peer}/p2p-circuit") for a in addresses)
    await near.network.dial("", [f"{address}/p2p/{far.peer}" for address in addresses])

    await seen(near, on.relay)
    up, called = await seen(near, far), await seen(far, near)
    assert (up.outbound, called.outbound) == (True, False)
    assert up.address in addresses
    assert "/p2p-circuit" in called.address
    for node, other in ((near, far), (far, near)):
        [info] = [c for c in node.network.connections() if c.peer == other.peer]
        assert info.relayed
        assert "/p2p-circuit" in info.address
        [to_relay] = [c for c in node.network.connections() if c.peer == on.relay.peer]
        assert not to_relay.relayed
    assert on.status == RelayStatus(reservations=1, circuits=1)


@bounded
async def test_streams_and_pings_go_both_ways(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    assert on.carried[0] == 1
    before = on.carried[1]
    for node, other in ((near, far), (far, near)):
        assert await node.network.ping(other.peer) > 0
        assert await node.is_echoed(other, bytes(range(256)) * (MEGABYTE // 256))
    assert on.carried[0] == 1
    assert on.carried[1] - before >= 4 * MEGABYTE  # there and back, from both


@bounded
async def test_gossip_goes_both_ways(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    [at_far] = await joined(near, far)
    [at_near] = await joined(far, near)
    await near.network.publish(TOPIC, b"from near")
    assert await next_message(at_far) == GossipMessage(near.peer, b"from near")
    await far.network.publish(TOPIC, b"from far")
    assert await next_message(at_near) == GossipMessage(far.peer, b"from far")


@bounded
async def test_what_was_flushed_arrives_although_its_sender_is_gone(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    [at_far] = await joined(near, far)
    sent = [bytes([number]) * 20_000 for number in range(20)]
    for data in sent:
        await near.network.publish(TOPIC, data)
    await near.network.flush()
    await near.stop()
    assert [(await next_message(at_far)).data for _ in sent] == sent


@bounded
async def test_a_relay_can_be_called_and_talks_as_well(stage: Stage) -> None:
    on = await scene(stage)
    _, far = await on.pair()
    assert await far.is_echoed(on.relay)
    assert await on.relay.is_echoed(far)


# ---- dialling -------------------------------------------------------------------------------------------


@bounded
async def test_dead_addresses_beside_a_circuit_do_no_harm(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.hidden(), await on.reserved()
    dead = [stage.world.dead_address, stage.world.no_address, "/p2p-circuit", "/p2p/x/p2p-circuit"]
    await near.network.dial(far.peer, [*dead, *far.network.listen_addresses()])
    assert await near.is_echoed(far)


@bounded
async def test_of_two_relays_one_is_used(stage: Stage) -> None:
    first, second = await scene(stage), await scene(stage)
    near, far = await first.hidden(), await first.reserved()
    await far.dial(second.relay)
    await far.network.reserve(second.relay.peer)
    addresses = far.network.listen_addresses()
    assert {first.relay.peer, second.relay.peer} == {
        a.split("/p2p/")[1].removesuffix("/p2p-circuit") for a in addresses
    }
    await near.network.dial(far.peer, addresses)
    await eventually(lambda: first.status.circuits + second.status.circuits == 1)
    await eventually(lambda: near.connected.count(far.peer) == far.connected.count(near.peer) == 1)
    assert await near.is_echoed(far)


@bounded
async def test_who_calls_many_connects_to_the_relay_once(stage: Stage) -> None:
    on = await scene(stage)
    near, called = await on.hidden(), [await on.reserved() for _ in range(4)]
    async with trio.open_nursery() as nursery:
        for far in called:
            nursery.start_soon(near.dial, far)
    assert near.connected.count(on.relay.peer) == 1
    assert sorted(near.connected) == sorted([on.relay.peer, *(far.peer for far in called)])
    assert on.status == RelayStatus(reservations=4, circuits=4)


@bounded
async def test_a_second_dial_through_a_relay_changes_nothing(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    await near.dial(far)
    await near.network.dial(far.peer, [])
    assert sorted(near.connected) == sorted([on.relay.peer, far.peer])
    assert on.status.circuits == 1


@bounded
async def test_direct_addresses_are_tried_although_there_is_a_circuit(stage: Stage) -> None:
    on = await scene(stage)
    near = await on.hidden()
    far = await stage.node()
    own = far.network.listen_addresses()
    await far.dial(on.relay)
    await far.network.reserve(on.relay.peer)
    circuits = [a for a in far.network.listen_addresses() if a not in own]
    await near.network.dial(far.peer, circuits)
    await near.network.dial(far.peer, [stage.world.dead_address])  # in vain, and no error
    assert [c.relayed for c in near.network.connections() if c.peer == far.peer] == [True]

    await near.network.dial(far.peer, own)
    await eventually(lambda: far.connected.count(near.peer) == 2)
    [at_far] = await joined(near, far)
    await on.relay.stop()
    await eventually(lambda: not on_circuit(near) and not on_circuit(far))
    assert near.connected == [far.peer]
    assert await near.is_echoed(far)
    assert await far.is_echoed(near)
    await near.network.publish(TOPIC, b"still there?")
    assert (await next_message(at_far)).data == b"still there?"
    for node in (near, far):
        events = [await node.next_event() for _ in range(4)]
        assert sum(isinstance(event, PeerMoved) for event in events) == 1
        assert sum(isinstance(event, PeerDown) for event in events) == 1  # the relay


def on_circuit(node: Node) -> bool:
    return any(c.relayed for c in node.network.connections())


@bounded
async def test_who_has_no_reservation_cannot_be_called(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.hidden(), await on.hidden()
    await far.dial(on.relay)
    address = f"{on.relay.network.listen_addresses()[0]}/p2p/{on.relay.peer}/p2p-circuit"
    with pytest.raises(DialError, match="no reservation at the relay"):
        await near.network.dial(far.peer, [address])
    assert not on.status.circuits
    assert near.connected == [on.relay.peer]


@bounded
async def test_who_has_left_cannot_be_called(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.hidden(), await on.reserved()
    addresses = far.network.listen_addresses()
    await far.network.disconnect(on.relay.peer)
    assert not far.network.listen_addresses()
    await eventually(lambda: on.status.reservations == 0)
    with pytest.raises(DialError):
        await near.network.dial(far.peer, addresses)


@bounded
async def test_a_dead_relay_is_named_in_the_error(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.hidden(), await on.reserved()
    addresses = far.network.listen_addresses()
    await on.relay.stop()
    with pytest.raises(DialError, match="relay"):
        await near.network.dial(far.peer, addresses)
