"""What every `Network` adapter promises about probing, and about getting from a relay to a direct connection."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.errors import DialError
from p2pchat.node.ports import PeerDown, PeerEvent, PeerMoved, Subscription
from tests.node.adapters.network_stage import (
    PROBE,
    TOPIC,
    Node,
    Stage,
    bounded,
    eventually,
    joined,
)
from tests.node.adapters.relay_scene import Scene, scene

RATE = 50  # gossip messages a second
RETIRE_SOON = 1.0  # seconds


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Circuits are closed soon after they have become needless."""
    for adapter in ("memory_network", "libp2p_watcher"):
        monkeypatch.setattr(f"p2pchat.node.adapters.{adapter}.RETIRE_AFTER", RETIRE_SOON)


def direct(node: Node) -> list[str]:
    return [a for a in node.network.listen_addresses() if "/p2p-circuit" not in a]


def relayed(node: Node, other: Node) -> list[bool]:
    return [c.relayed for c in node.network.connections() if c.peer == other.peer]


async def punch(near: Node, far: Node) -> None:
    """Both at once."""
    async with trio.open_nursery() as nursery:
        for node, other, initiator in ((near, far, True), (far, near, False)):

            async def attempt(
                node: Node = node, other: Node = other, part: bool = initiator
            ) -> None:
                await node.network.punch(other.peer, direct(other), initiator=part)

            nursery.start_soon(attempt)


# ---- probing --------------------------------------------------------------------------------------------


@bounded
async def test_a_probe_says_which_address_works_and_leaves_nothing(stage: Stage) -> None:
    asker, asked = await stage.node(), await stage.node()
    [works] = asked.network.listen_addresses()
    found = await asker.network.probe(asked.peer, [stage.world.dead_address, works])
    assert found == works
    assert not asker.connected
    assert not asked.connected
    assert not any(asked.network.counters().values())
    await asker.dial(asked)
    assert await asker.is_echoed(asked)


@bounded
async def test_a_probe_is_fresh_although_there_is_a_connection(stage: Stage) -> None:
    asker, asked = await stage.pair()
    assert await asker.network.probe(asked.peer, direct(asked)) in direct(asked)
    with pytest.raises(DialError):
        await asker.network.probe(asked.peer, [stage.world.dead_address])
    assert asker.connected == [asked.peer]
    assert asked.connected == [asker.peer]


@bounded
async def test_a_probe_wants_proof(stage: Stage) -> None:
    asker, asked, other = await stage.node(), await stage.node(), await stage.node()
    with pytest.raises(DialError):
        await asker.network.probe(asked.peer, direct(other))
    with pytest.raises(DialError):
        await asker.network.probe(asked.peer, [])
    assert not asker.connected


@bounded
async def test_many_probes_take_no_room(stage: Stage) -> None:
    asker, asked = await stage.node(), await stage.node()
    for _ in range(40):
        await asker.network.probe(asked.peer, direct(asked))
    await asker.dial(asked)
    assert await asker.is_echoed(asked)
    assert not any(asked.network.counters().values())


# ---- punching -------------------------------------------------------------------------------------------


@bounded
async def test_two_that_punch_at_once_get_one_direct_connection(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    await punch(near, far)
    for node, other in ((near, far), (far, near)):
        moved = await node.next_event()
        assert isinstance(moved, PeerMoved)
        assert (moved.peer, moved.relayed, moved.punched) == (other.peer, False, True)
        assert sorted(relayed(node, other)) == [False, True]
        [info] = [c for c in node.network.connections() if c.peer == other.peer and not c.relayed]
        assert info.punched
        assert info.address in direct(other)
    assert await near.is_echoed(far)
    assert await far.is_echoed(near)


@bounded
async def test_who_is_connected_directly_needs_no_punch(stage: Stage) -> None:
    near, far = await stage.pair()
    await near.network.punch(far.peer, [stage.world.dead_address], initiator=True)
    assert [c.punched for c in near.network.connections()] == [False]


@bounded
async def test_a_punch_where_nobody_is_fails(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    for addresses in ([stage.world.dead_address], []):
        with pytest.raises(DialError):
            await near.network.punch(far.peer, addresses, initiator=True)
    assert relayed(near, far) == [True]
    assert await near.is_echoed(far)


@bounded
async def test_a_punch_at_somebody_else_connects_nobody(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    other = await stage.node()
    for part in (True, False):
        with pytest.raises(DialError):
            await near.network.punch(far.peer, direct(other), initiator=part)
    assert not other.connected
    assert relayed(near, far) == [True]


@bounded
async def test_a_dial_of_the_other_side_ends_a_punch_well(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    async with trio.open_nursery() as nursery:

        async def attempt() -> None:
            await near.network.punch(far.peer, [stage.world.dead_address], initiator=True)

        nursery.start_soon(attempt)
        await far.network.dial(near.peer, direct(near))
    assert sorted(relayed(near, far)) == [False, True]


# ---- moving ---------------------------------------------------------------------------------------------


@bounded
async def test_a_circuit_is_retired_and_nobody_notices(stage: Stage, soon: None) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    await near.network.dial(far.peer, direct(far))
    for node, other in ((near, far), (far, near)):
        moved = await node.next_event()
        assert isinstance(moved, PeerMoved)
        assert (moved.peer, moved.relayed, moved.punched) == (other.peer, False, False)
    stream = await near.network.open_stream(far.peer, "/test/echo/1.0.0")
    await stream.write(b"\x05hello")
    assert await stream.read_frame(5) == b"hello"
    await eventually(lambda: relayed(near, far) == relayed(far, near) == [False])
    await stream.write(b"\x05again")
    assert await stream.read_frame(5) == b"again"
    assert await near.network.ping(far.peer) >= 0
    await eventually(lambda: on.status.circuits == 0)
    await near.network.disconnect(far.peer)
    assert await near.next_event() == PeerDown(far.peer)  # and nothing before that


@bounded
async def test_a_circuit_takes_over_again(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    await near.network.dial(far.peer, direct(far))
    [at_far] = await joined(near, far)
    assert isinstance(await near.next_event(), PeerMoved)
    assert isinstance(await far.next_event(), PeerMoved)
    await stage.world.cut_direct(near.network, far.peer)
    for node, other in ((near, far), (far, near)):
        moved = await node.next_event()
        assert isinstance(moved, PeerMoved)
        assert (moved.peer, moved.relayed) == (other.peer, True)
        assert "/p2p-circuit" in moved.address
    assert relayed(near, far) == relayed(far, near) == [True]
    assert await near.is_echoed(far)
    await near.network.publish(TOPIC, b"still there?")
    assert await next_body(at_far) == b"still there?"


@bounded
async def test_a_circuit_beside_a_direct_connection_is_needless_too(
    stage: Stage, soon: None
) -> None:
    on = await scene(stage)
    near, far = await stage.node(), await on.reserved()
    await near.dial(on.relay)
    await far.dial(near)
    circuits = [a for a in far.network.listen_addresses() if "/p2p-circuit" in a]
    await near.network.dial(far.peer, circuits)
    await eventually(lambda: relayed(near, far) == [False])


async def next_body(subscription: Subscription) -> bytes:
    while (message := await subscription.__anext__()).data == PROBE:
        pass
    return message.data


async def publish_at(rate: int, node: Node, count: int) -> list[bytes]:
    sent = [b"%s %d" % (node.peer.encode(), number) for number in range(count)]
    for body in sent:
        await node.network.publish(TOPIC, body)
        await trio.sleep(1 / rate)
    return sent


async def collect(subscription: Subscription, into: list[bytes]) -> None:
    async for message in subscription:
        if message.data != PROBE:
            into.append(message.data)


@bounded
async def test_no_gossip_is_lost_or_doubled_on_the_way_to_a_direct_connection(
    stage: Stage, soon: None
) -> None:
    on = await scene(stage)
    near, far = await on.listening_pair()
    [at_far] = await joined(near, far)
    [at_near] = await joined(far, near)
    heard: dict[str, list[bytes]] = {near.peer: [], far.peer: []}
    sent: dict[str, list[bytes]] = {}

    async def publish(node: Node) -> None:
        sent[node.peer] = await publish_at(RATE, node, int(3 * RETIRE_SOON * RATE))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, at_near, heard[near.peer])
        nursery.start_soon(collect, at_far, heard[far.peer])
        async with trio.open_nursery() as publishing:
            publishing.start_soon(publish, near)
            publishing.start_soon(publish, far)
            await trio.sleep(RETIRE_SOON / 2)
            await punch(near, far)
            await eventually(lambda: relayed(near, far) == relayed(far, near) == [False])
        with trio.move_on_after(5):
            await eventually(lambda: len(heard[far.peer]) >= len(sent[near.peer]))
            await eventually(lambda: len(heard[near.peer]) >= len(sent[far.peer]))
        nursery.cancel_scope.cancel()
    assert sorted(heard[far.peer]) == sorted(sent[near.peer])
    assert sorted(heard[near.peer]) == sorted(sent[far.peer])
    assert await events_of(near, on, far) == await events_of(far, on, near) == []


async def events_of(node: Node, on: Scene, other: Node) -> list[PeerEvent]:
    """What has happened besides the move."""
    moved = await node.next_event()
    assert isinstance(moved, PeerMoved)
    await node.network.disconnect(on.relay.peer)
    found = []
    while (event := await node.next_event()) != PeerDown(on.relay.peer):
        found.append(event)
    return found
