"""What every `Network` adapter promises of relays: reservations and circuits that end, within limits."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.ports import PeerDown, PeerUp, RelayStatus
from p2pchat.node.protocol.framing import frame
from tests.node.adapters.network_stage import ECHO, ECHO_LIMIT, Node, Stage, bounded, eventually
from tests.node.adapters.relay_scene import scene, seen

MEGABYTE = 2**20
CIRCUITS = 50  # opened and closed one after the other


async def is_reset(node: Node, other: Node) -> None:
    """Write until the circuit is ended."""

    async def write_for_ever() -> None:
        stream = await node.network.open_stream(other.peer, ECHO)
        while True:
            await stream.write(frame(bytes(1000)))
            await stream.read_frame(1000)

    with pytest.raises(StreamError):
        await write_for_ever()


# ---- reservations ---------------------------------------------------------------------------------------


@bounded
async def test_only_a_connected_relay_takes_reservations(stage: Stage) -> None:
    on = await scene(stage)
    node, no_relay = await stage.node(), await stage.node()
    with pytest.raises(StreamError):
        await node.network.reserve(on.relay.peer)
    await node.dial(no_relay)
    with pytest.raises(StreamError, match="no relay"):
        await node.network.reserve(no_relay.peer)
    assert no_relay.network.relay_status() is None
    assert not any("p2p-circuit" in address for address in node.network.listen_addresses())


@bounded
async def test_a_reservation_is_renewed_by_asking_again(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(max_reservations=1, reservation_seconds=600))
    node = await on.reserved()
    before = node.network.listen_addresses()
    assert 500 < await node.network.reserve(on.relay.peer) <= 601
    assert node.network.listen_addresses() == before
    assert on.status.reservations == 1


@bounded
async def test_a_reservation_ends_with_its_time(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(reservation_seconds=1))
    node = await on.reserved()
    await eventually(lambda: not node.network.listen_addresses())
    await eventually(lambda: on.status.reservations == 0)
    await node.network.reserve(on.relay.peer)
    assert on.status.reservations == 1


@bounded
async def test_a_full_relay_refuses_until_somebody_leaves(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(max_reservations=1))
    first, second = await on.reserved(), await on.hidden()
    await second.dial(on.relay)
    with pytest.raises(StreamError, match="takes no more reservations"):
        await second.network.reserve(on.relay.peer)
    assert not second.network.listen_addresses()
    assert on.counters == {"reservations_refused": 1}
    await first.stop()
    await eventually(lambda: on.status.reservations == 0)
    await second.network.reserve(on.relay.peer)


@bounded
async def test_everything_goes_on_after_the_relay_was_restarted(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    for _ in range(2):
        await on.relay.stop()
        for node, other in ((near, far), (far, near)):
            downs = {await node.next_event(), await node.next_event()}
            assert downs == {PeerDown(on.relay.peer), PeerDown(other.peer)}
        assert not far.network.listen_addresses()
        await on.relay.start()
        assert on.status == RelayStatus(reservations=0, circuits=0)
        await far.dial(on.relay)
        assert not far.network.listen_addresses()
        await far.network.reserve(on.relay.peer)
        await near.dial(far)
        assert await near.is_echoed(far)
        for node in (near, far):
            assert {type(await node.next_event()) for _ in range(2)} == {PeerUp}


# ---- circuits -------------------------------------------------------------------------------------------


@bounded
async def test_a_circuit_ends_for_both_when_one_hangs_up(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    await near.network.disconnect(far.peer)
    assert await near.next_event() == PeerDown(far.peer)
    assert await far.next_event() == PeerDown(near.peer)
    await eventually(lambda: on.status == RelayStatus(reservations=1, circuits=0))
    await near.dial(far)
    await seen(far, near)
    await near.stop()
    assert await far.next_event() == PeerDown(near.peer)
    await eventually(lambda: on.status == RelayStatus(reservations=1, circuits=0))


@bounded
async def test_circuits_are_limited_in_all(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(max_circuits=1))
    near, far = await on.pair()
    third, fourth = await on.hidden(), await on.reserved()
    with pytest.raises(DialError, match="as many circuits as it may"):
        await third.dial(fourth)
    assert on.counters == {"circuits_refused": 1}
    await near.network.disconnect(far.peer)
    await eventually(lambda: on.status.circuits == 0)
    await third.dial(fourth)


@bounded
async def test_circuits_are_limited_for_each_peer(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(max_circuits_per_peer=1))
    near, far = await on.pair()
    third, fourth = await on.hidden(), await on.reserved()
    with pytest.raises(DialError, match="as many circuits as it may"):
        await third.dial(far)
    with pytest.raises(DialError, match="as many circuits as it may"):
        await near.dial(fourth)
    assert on.counters == {"circuits_refused": 2}
    await third.dial(fourth)
    assert on.status.circuits == 2


@bounded
async def test_a_circuit_that_carried_enough_is_ended(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(circuit_bytes=MEGABYTE))
    near, far = await on.pair()
    await is_reset(near, far)
    assert await near.next_event() == PeerDown(far.peer)
    assert await far.next_event() == PeerDown(near.peer)
    await eventually(lambda: on.status.circuits == 0)
    assert on.counters == {"circuits_ended_by_limit": 1}
    await near.dial(far)
    assert await near.is_echoed(far)


@bounded
async def test_a_circuit_whose_time_is_over_is_ended(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(circuit_seconds=1))
    near, far = await on.pair()
    assert await near.next_event() == PeerDown(far.peer)
    assert await far.next_event() == PeerDown(near.peer)
    await eventually(lambda: on.status.circuits == 0)
    assert on.counters == {"circuits_ended_by_limit": 1}
    assert sorted(near.connected) == [on.relay.peer]
    assert far.network.listen_addresses()


@bounded
async def test_many_circuits_leave_nothing_behind(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()

    async def hang_up_and_call_again() -> None:
        await near.network.disconnect(far.peer)
        assert await near.next_event() == PeerDown(far.peer)
        assert await far.next_event() == PeerDown(near.peer)
        await near.dial(far)
        await seen(near, far)
        await seen(far, near)

    await hang_up_and_call_again()
    await eventually(lambda: on.status.circuits == 1)
    await all_ping(near, far, on.relay)
    before = await tasks_at_rest()
    for _ in range(CIRCUITS):
        await hang_up_and_call_again()
    await eventually(lambda: on.status == RelayStatus(reservations=1, circuits=1))
    await all_ping(near, far, on.relay)
    await eventually(lambda: tasks() <= before)
    assert on.counters == {}
    assert await near.is_echoed(far, bytes(ECHO_LIMIT))


async def all_ping(*nodes: Node) -> None:
    """A connection keeps a stream for the pings of each side, from the first one on."""
    for node in nodes:
        for other in nodes:
            if other is not node:
                await node.network.ping(other.peer)


def tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


async def tasks_at_rest() -> int:
    """When for half a second there were no fewer."""
    fewest, since = tasks(), 0
    while since < 25:
        await trio.sleep(0.02)
        since = since + 1 if tasks() >= fewest else 0
        fewest = min(fewest, tasks())
    return fewest
