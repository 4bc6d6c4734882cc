"""What every `Network` adapter promises about what peers say of themselves."""

from __future__ import annotations

from p2pchat.node.config import RelayLimits
from p2pchat.node.ports import PeerDown, RelayStatus
from tests.node.adapters.network_stage import ECHO, Node, Stage, bounded, echo, eventually
from tests.node.adapters.relay_scene import scene

HOP = "/libp2p/circuit/relay/0.2.0/hop"
NEWS = "/test/news/1.0.0"


def protocols(node: Node, other: Node) -> frozenset[str]:
    identified = node.network.identified(other.peer)
    return identified.protocols if identified else frozenset()


def addresses(node: Node, other: Node) -> list[str]:
    identified = node.network.identified(other.peer)
    return list(identified.addresses) if identified else []


@bounded
async def test_peers_say_what_they_serve_and_where(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    assert near.network.identified(far.peer) is None
    await near.dial(far)
    at_near, at_far = await near.hears_from(far), await far.hears_from(near)
    assert ECHO in at_near.protocols
    assert ECHO in at_far.protocols
    assert list(at_near.addresses) == list(far.network.listen_addresses())
    assert list(at_far.addresses) == list(near.network.listen_addresses())
    assert (at_near.outbound, at_far.outbound) == (True, False)
    assert at_near.observed
    # The one that was dialled is seen where it was dialled; that is no passing port.
    assert at_far.observed in far.network.listen_addresses()


@bounded
async def test_who_has_left_is_forgotten(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    await near.dial(far)
    await near.hears_from(far)
    await near.network.disconnect(far.peer)
    assert await near.next_event() == PeerDown(far.peer)
    assert near.network.identified(far.peer) is None


@bounded
async def test_what_is_served_later_or_no_longer_is_told(stage: Stage) -> None:
    near, far = await stage.pair()
    await eventually(lambda: ECHO in protocols(near, far))
    far.network.handle(NEWS, echo)
    await eventually(lambda: NEWS in protocols(near, far))
    far.network.stop_handling(ECHO)
    far.network.stop_handling("/never/served")
    await eventually(lambda: ECHO not in protocols(near, far))
    assert NEWS in protocols(near, far)


@bounded
async def test_each_news_is_an_event(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    await near.dial(far)
    await near.hears_from(far)
    far.network.handle(NEWS, echo)
    assert NEWS in (await near.hears_from(far)).protocols
    far.network.handle(NEWS, echo)  # nothing new
    far.network.stop_handling(NEWS)
    assert NEWS not in (await near.hears_from(far)).protocols


@bounded
async def test_streams_go_on_when_their_protocol_is_no_longer_served(stage: Stage) -> None:
    near, far = await stage.pair()
    stream = await near.network.open_stream(far.peer, ECHO)
    await stream.write(b"\x05hello")
    assert await stream.read_frame(5) == b"hello"
    far.network.stop_handling(ECHO)
    await stream.write(b"\x05again")
    assert await stream.read_frame(5) == b"again"


@bounded
async def test_announced_addresses_come_first_and_are_told(stage: Stage) -> None:
    near, far = await stage.pair()
    own = list(far.network.listen_addresses())
    first, second = stage.world.some_addresses
    far.network.announce([first, stage.world.no_address, own[0]])
    assert list(far.network.listen_addresses()) == [first, *own]
    await eventually(lambda: first in addresses(near, far))
    far.network.announce([second])
    assert list(far.network.listen_addresses()) == [second, *own]
    await eventually(lambda: addresses(near, far) == [second, *own])
    far.network.announce([])
    await eventually(lambda: addresses(near, far) == own)


@bounded
async def test_announced_addresses_outlive_a_run(stage: Stage) -> None:
    node = await stage.node()
    first, _ = stage.world.some_addresses
    node.network.announce([first])
    await node.stop()
    assert not node.network.listen_addresses()
    await node.start()
    assert node.network.listen_addresses()[0] == first


@bounded
async def test_a_reservation_is_told(stage: Stage) -> None:
    on = await scene(stage)
    near = await stage.node()
    far = await on.reserved()
    await far.dial(near)
    await eventually(lambda: addresses(near, far) == list(far.network.listen_addresses()))
    await far.network.disconnect(on.relay.peer)
    await eventually(lambda: not addresses(near, far))


@bounded
async def test_over_a_circuit_nobody_says_where_he_sees_us(stage: Stage) -> None:
    on = await scene(stage)
    near, far = await on.pair()
    await eventually(lambda: ECHO in protocols(near, far) and ECHO in protocols(far, near))
    for node, other in ((near, far), (far, near)):
        identified = node.network.identified(other.peer)
        assert identified is not None
        assert not identified.observed


@bounded
async def test_a_relay_begins_and_ends_by_order(stage: Stage) -> None:
    house, guest = await stage.node(), await stage.node()
    assert house.network.relay_status() is None
    await guest.dial(house)
    await guest.hears_from(house)
    house.network.serve_relay(RelayLimits())
    assert house.network.relay_status() == RelayStatus(reservations=0, circuits=0)
    await eventually(lambda: HOP in protocols(guest, house))
    assert await guest.network.reserve(house.peer) > 0
    house.network.serve_relay(None)
    await eventually(lambda: HOP not in protocols(guest, house))
    assert house.network.relay_status() is None


@bounded
async def test_circuits_go_on_when_their_relay_stops(stage: Stage) -> None:
    relay = await stage.node()
    relay.network.serve_relay(RelayLimits())
    near, far = stage.build(listen=[]), stage.build(listen=[])
    await near.start()
    await far.start()
    await far.dial(relay)
    await far.network.reserve(relay.peer)
    await near.dial(far)
    relay.network.serve_relay(None)
    assert await near.is_echoed(far)
    relay.network.serve_relay(RelayLimits())
    assert relay.network.relay_status() == RelayStatus(reservations=0, circuits=1)


@bounded
async def test_a_relay_by_configuration_stays_one(stage: Stage) -> None:
    on = await scene(stage, RelayLimits(max_reservations=1))
    on.relay.network.serve_relay(None)
    on.relay.network.serve_relay(RelayLimits(max_reservations=0))
    await on.reserved()
    assert on.status.reservations == 1


@bounded
async def test_doubting_costs_no_living_connection(stage: Stage) -> None:
    near, far = await stage.pair()
    near.network.doubt()
    far.network.doubt()
    assert await near.network.ping(far.peer) >= 0
    assert await near.is_echoed(far)
