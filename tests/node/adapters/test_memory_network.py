"""What the memory network adds to the contract: weather, partitions and hard bounds, on virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters import memory_gossip
from p2pchat.node.adapters.memory_link import STREAM_WINDOW
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.ports import PeerDown, PeerIdentified, PeerUp, RelayStatus, Stream, Subscription
from p2pchat.node.protocol.framing import frame

PROTOCOL = "/test/1.0.0"
TOPIC = "talk"


async def started(
    hub: MemoryHub, nursery: trio.Nursery, *names: str, connected: bool = True
) -> list[MemoryNetwork]:
    """Running networks of those names; connected to the one before each."""
    networks = [MemoryNetwork(hub, name, [hub.new_address()]) for name in names]
    for index, network in enumerate(networks):
        await nursery.start(network.run)
        if index and connected:
            await connect(network, networks[index - 1])
    return networks


async def connect(near: MemoryNetwork, far: MemoryNetwork) -> None:
    await near.dial(far.peer, far.listen_addresses())


async def settled() -> None:
    """Everything that is under way has arrived."""
    await trio.sleep(60)


async def drain(subscription: Subscription) -> list[bytes]:
    received = []
    with trio.move_on_after(60):
        async for message in subscription:
            received.append(message.data)
    return received


async def test_everything_takes_its_latency(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(0.1, 0.1)), nursery, "ann", "bob")
    assert trio.current_time() == pytest.approx(0.2)  # one round trip to connect
    assert await ann.ping("bob") == pytest.approx(0.2)
    assert ann.connections()[0].rtt_ms == pytest.approx(200)

    heard = await bob.subscribe(TOPIC)
    await settled()
    before = trio.current_time()
    await ann.publish(TOPIC, b"hello")
    await heard.__anext__()
    assert trio.current_time() - before == pytest.approx(0.1)


async def test_a_wire_keeps_order_whatever_each_latency_is(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(seed=7, latency=(0.0, 1.0)), nursery, "ann", "bob")
    heard = await bob.subscribe(TOPIC)
    await settled()
    sent = [bytes([n]) for n in range(100)]
    for data in sent:
        await ann.publish(TOPIC, data)
    assert await drain(heard) == sent


async def weather_of(seed: int) -> list[bytes]:
    hub = MemoryHub(seed, latency=(0.01, 0.1), loss=0.5)
    async with trio.open_nursery() as nursery:
        ann, bob = await started(hub, nursery, "ann", "bob")
        heard = await bob.subscribe(TOPIC)
        await settled()
        for n in range(50):
            await ann.publish(TOPIC, bytes([n]))
        received = await drain(heard)
        assert hub.lost == 50 - len(received)
        nursery.cancel_scope.cancel()
    return received


async def test_the_seed_decides_what_is_lost(autojump_clock: MockClock) -> None:
    first = await weather_of(1)
    assert 0 < len(first) < 50
    assert await weather_of(1) == first
    assert await weather_of(2) != first


async def test_a_partition_cuts_and_healing_allows_to_dial_again(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    hub = MemoryHub()
    ann, bob, cyd = await started(hub, nursery, "ann", "bob", "cyd")
    hub.partition(["ann", "bob"])
    assert [c.peer for c in bob.connections()] == ["ann"]
    assert not cyd.connections()
    with pytest.raises(DialError):
        await connect(cyd, ann)

    hub.heal()
    await connect(cyd, ann)
    assert {c.peer for c in ann.connections()} == {"bob", "cyd"}


async def test_a_circle_of_nodes_hears_each_message_once(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    networks = await started(MemoryHub(latency=(0.01, 0.5)), nursery, "ann", "bob", "cyd", "dan")
    await connect(networks[0], networks[-1])
    heard = [await network.subscribe(TOPIC) for network in networks]
    await settled()
    for network in networks:
        await network.publish(TOPIC, network.peer.encode())
    for network, subscription in zip(networks, heard, strict=True):
        others = sorted(n.peer.encode() for n in networks if n is not network)
        assert sorted(await drain(subscription)) == others


async def test_publishing_waits_for_a_slow_neighbour(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(1.0, 1.0)), nursery, "ann", "bob")
    heard = await bob.subscribe(TOPIC)
    await settled()
    before = trio.current_time()
    for _ in range(memory_gossip.NEIGHBOUR_QUEUE):
        await ann.publish(TOPIC, b"x")
    assert trio.current_time() == before
    await ann.publish(TOPIC, b"one more")
    assert trio.current_time() == before + 1
    assert len(await drain(heard)) == memory_gossip.NEIGHBOUR_QUEUE + 1


async def test_a_publisher_that_waits_goes_on_when_its_neighbour_leaves(
    autojump_clock: MockClock,
    nursery: trio.Nursery,
) -> None:
    ann, bob = await started(MemoryHub(latency=(1.0, 1.0)), nursery, "ann", "bob")
    await bob.subscribe(TOPIC)
    await settled()
    for _ in range(memory_gossip.NEIGHBOUR_QUEUE):
        await ann.publish(TOPIC, b"x")
    nursery.start_soon(bob.disconnect, "ann")
    nursery.start_soon(ann.disconnect, "bob")
    await ann.publish(TOPIC, b"to nobody")


async def test_a_subscription_that_nobody_reads_drops_and_counts(
    autojump_clock: MockClock, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_gossip, "SUBSCRIPTION_QUEUE", 3)
    ann, bob = await started(MemoryHub(), nursery, "ann", "bob")
    heard = await bob.subscribe(TOPIC)
    await settled()
    for n in range(5):
        await ann.publish(TOPIC, bytes([n]))
    await settled()
    assert bob.counters()["gossip_dropped"] == 2
    assert await drain(heard) == [b"\x00", b"\x01", b"\x02"]


async def test_a_writer_waits_for_a_reader_that_does_not_read(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(0.1, 0.1)), nursery, "ann", "bob")
    reading = trio.Event()
    body = bytes(3 * STREAM_WINDOW)

    async def read_later(stream: Stream) -> None:
        await reading.wait()
        assert await stream.read_frame(len(body)) == body
        await stream.write(frame(b"got it"))

    bob.handle(PROTOCOL, read_later)
    stream = await ann.open_stream("bob", PROTOCOL)
    written = trio.Event()

    async def write() -> None:
        await stream.write(frame(body))
        written.set()

    nursery.start_soon(write)
    await settled()
    assert not written.is_set()
    reading.set()
    assert await stream.read_frame(16) == b"got it"
    assert written.is_set()


async def test_a_writer_that_waits_fails_when_the_connection_goes(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(0.1, 0.1)), nursery, "ann", "bob")

    async def never_read(stream: Stream) -> None:
        await trio.sleep_forever()

    bob.handle(PROTOCOL, never_read)
    stream = await ann.open_stream("bob", PROTOCOL)
    nursery.start_soon(bob.disconnect, "ann")
    with pytest.raises(StreamError):
        await stream.write(bytes(3 * STREAM_WINDOW))


async def test_an_open_that_is_given_up_leaves_nothing_behind(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(1.0, 1.0)), nursery, "ann", "bob")
    ended = trio.Event()

    async def wait_for_the_end(stream: Stream) -> None:
        with pytest.raises(StreamError):
            await stream.read_frame(16)
        ended.set()

    bob.handle(PROTOCOL, wait_for_the_end)
    with trio.move_on_after(1.5):
        await ann.open_stream("bob", PROTOCOL)
    await ended.wait()
    assert not bob.counters().get("streams_reset")


async def test_an_open_and_a_ping_fail_when_the_connection_goes(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(1.0, 1.0)), nursery, "ann", "bob")
    nursery.start_soon(bob.disconnect, "ann")
    with pytest.raises(StreamError):
        await ann.ping("bob")
    with pytest.raises(StreamError):
        await ann.open_stream("bob", PROTOCOL)


async def test_a_peer_that_dials_again_before_its_end_was_noticed(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await started(MemoryHub(latency=(1.0, 1.0)), nursery, "ann", "bob")
    events = bob.peer_events()
    await ann.disconnect("bob")
    await connect(ann, bob)
    await settled()
    assert [c.peer for c in bob.connections()] == ["ann"]
    seen = [events.receive_nowait() for _ in range(events.statistics().current_buffer_used)]
    news = [type(event) for event in seen if not isinstance(event, PeerIdentified)]
    assert news == [PeerUp, PeerDown, PeerUp]


async def test_whoever_does_not_listen_can_dial_and_be_talked_to(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    hub = MemoryHub()
    [bob] = await started(hub, nursery, "bob")
    ann = MemoryNetwork(hub, "ann")
    await nursery.start(ann.run)
    await connect(ann, bob)
    assert await bob.ping("ann") >= 0
    assert not ann.listen_addresses()


async def test_events_that_nobody_reads_keep_room_for_every_peer_down(
    autojump_clock: MockClock, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pchat.node.adapters.memory_network.PEER_EVENTS", 4)
    hub = MemoryHub()
    [bob, *others] = await started(hub, nursery, "bob", "ann", "cyd", "dan", connected=False)
    for other in others[:2]:
        await connect(other, bob)
    with pytest.raises(DialError):
        await connect(others[2], bob)
    assert bob.counters()["connections_refused"] == 1
    for other in others[:2]:
        await other.disconnect("bob")
    await settled()
    assert bob.peer_events().statistics().current_buffer_used == 4


# ---- relays ---------------------------------------------------------------------------------------------


async def relayed(hub: MemoryHub, nursery: trio.Nursery) -> list[MemoryNetwork]:
    """A relay, and two without addresses, the first connected to the second through it."""
    relay = MemoryNetwork(hub, "relay", [hub.new_address()], relay=RelayLimits())
    ann, bob = MemoryNetwork(hub, "ann"), MemoryNetwork(hub, "bob")
    for network in (relay, ann, bob):
        await nursery.start(network.run)
    await connect(bob, relay)
    await bob.reserve("relay")
    await connect(ann, bob)
    return [relay, ann, bob]


async def test_a_circuit_has_the_latency_of_both_hops(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    _, ann, bob = await relayed(MemoryHub(latency=(0.1, 0.1)), nursery)
    assert await ann.ping("bob") == pytest.approx(0.4)
    assert await bob.ping("relay") == pytest.approx(0.2)


async def test_circuits_end_when_the_relay_is_cut_off(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    hub = MemoryHub(latency=(0.1, 0.1))
    relay, ann, bob = await relayed(hub, nursery)
    hub.partition(["ann", "bob"])
    await settled()
    assert not any(network.connections() for network in (relay, ann, bob))
    assert not bob.listen_addresses()
    assert relay.relay_status() == RelayStatus(reservations=0, circuits=0)


async def test_who_is_cut_off_loses_his_circuits_alone(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    hub = MemoryHub()
    relay, ann, bob = await relayed(hub, nursery)
    hub.partition(["ann"])
    await settled()
    assert not ann.connections()
    assert [c.peer for c in bob.connections()] == ["relay"]
    assert relay.relay_status() == RelayStatus(reservations=1, circuits=0)
