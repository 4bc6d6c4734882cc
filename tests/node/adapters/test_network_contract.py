"""What every `Network` adapter promises. Real time and generous bounds, so that real libp2p can take part."""

from __future__ import annotations

import functools

import pytest
import trio

from p2pchat.node.config import NetworkLimits
from p2pchat.node.errors import (
    DialError,
    ListenError,
    NetworkError,
    PublishError,
    StreamError,
)
from p2pchat.node.ports import (
    MAX_GOSSIP_BYTES,
    GossipMessage,
    PeerDown,
    PeerUp,
    Stream,
)
from p2pchat.node.protocol.framing import frame
from tests.node.adapters.network_stage import (
    ECHO,
    ECHO_LIMIT,
    PATIENCE,
    POLL,
    TOPIC,
    Stage,
    bounded,
    eventually,
    joined,
    next_message,
)

# ---- listening ------------------------------------------------------------------------------------------


@bounded
async def test_it_says_where_it_listens_while_it_runs(stage: Stage) -> None:
    node = await stage.node()
    addresses = node.network.listen_addresses()
    assert addresses
    assert not any("/p2p/" in address for address in addresses)
    await node.stop()
    assert not node.network.listen_addresses()


@bounded
async def test_an_address_in_use_is_refused_in_a_sentence(stage: Stage) -> None:
    first = await stage.node()
    second = stage.build(listen=first.network.listen_addresses())
    with pytest.RaisesGroup(
        pytest.RaisesExc(ListenError, match=r"[Cc]annot listen.*\.$"),
        allow_unwrapped=True,
        flatten_subgroups=True,
    ):
        async with trio.open_nursery() as nursery:
            await nursery.start(functools.partial(second.network.run))


@bounded
async def test_nothing_works_before_it_runs_and_everything_fails_politely(stage: Stage) -> None:
    running, idle = await stage.node(), stage.build()
    with pytest.raises(DialError):
        await idle.dial(running)
    with pytest.raises(NetworkError):
        await idle.network.open_stream(running.peer, ECHO)
    with pytest.raises(NetworkError):
        await idle.network.ping(running.peer)
    with pytest.raises(NetworkError):
        await idle.network.subscribe(TOPIC)
    with pytest.raises(PublishError):
        await idle.network.publish(TOPIC, b"hello")
    await idle.network.unsubscribe(TOPIC)
    await idle.network.disconnect(running.peer)
    assert not idle.connected
    assert not idle.network.topic_peers(TOPIC)


# ---- connections ----------------------------------------------------------------------------------------


@bounded
async def test_a_dial_connects_both_sides_in_spite_of_dead_addresses(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    dead, nonsense = stage.world.dead_address, stage.world.no_address
    await near.network.dial(far.peer, [dead, nonsense, *far.network.listen_addresses()])

    up, seen = await near.next_event(), await far.next_event()
    assert isinstance(up, PeerUp)
    assert isinstance(seen, PeerUp)
    assert (up.peer, up.outbound) == (far.peer, True)
    assert (seen.peer, seen.outbound) == (near.peer, False)
    assert up.address in far.network.listen_addresses()
    [connection] = near.network.connections()
    assert connection.peer == far.peer
    assert connection.outbound
    assert connection.transport == up.transport != ""
    assert far.connected == [near.peer]


@bounded
async def test_an_address_may_name_the_peer(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    await near.network.dial("", [f"{a}/p2p/{far.peer}" for a in far.network.listen_addresses()])
    assert near.connected == [far.peer]


@bounded
async def test_a_second_dial_changes_nothing(stage: Stage) -> None:
    near, far = await stage.pair()
    await near.dial(far)
    await near.network.dial(far.peer, [])
    assert near.connected == [far.peer]
    await near.network.disconnect(far.peer)
    assert await near.next_event() == PeerDown(far.peer)


@bounded
async def test_who_dials_each_other_at_once_is_up_once(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.dial, far)
        nursery.start_soon(far.dial, near)
    first = await near.next_event()
    assert isinstance(first, PeerUp)
    assert await near.is_echoed(far)
    assert await far.is_echoed(near)
    await near.network.disconnect(far.peer)
    assert await near.next_event() == PeerDown(far.peer)


@bounded
async def test_a_dial_that_leads_nowhere_says_so(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    for addresses in ([stage.world.dead_address], [stage.world.no_address], []):
        with pytest.raises(DialError):
            await near.network.dial(far.peer, addresses)
    with pytest.raises(DialError):
        await near.network.dial("", far.network.listen_addresses())
    with pytest.raises(DialError):
        await near.network.dial("no peer id", far.network.listen_addresses())
    with pytest.raises(DialError):
        await near.dial(near)
    assert not near.connected


@bounded
async def test_whoever_answers_with_another_identity_is_refused(stage: Stage) -> None:
    near, far = await stage.node(), await stage.node()
    expected = stage.identity().peer
    with pytest.raises(DialError):
        await near.network.dial(expected, far.network.listen_addresses())
    with pytest.raises(DialError):
        await near.network.dial(
            expected, [f"{a}/p2p/{far.peer}" for a in far.network.listen_addresses()]
        )
    assert expected not in near.connected
    await near.dial(far)
    assert await near.is_echoed(far)


@bounded
async def test_a_ping_measures_the_round_trip(stage: Stage) -> None:
    near, far = await stage.pair()
    assert 0 <= await near.network.ping(far.peer) < PATIENCE
    assert near.network.connections()[0].rtt_ms is not None
    with pytest.raises(StreamError):
        await near.network.ping(stage.identity().peer)


@bounded
async def test_a_disconnect_is_noticed_by_both_and_can_be_mended(stage: Stage) -> None:
    near, far = await stage.pair()
    await near.network.disconnect(far.peer)
    assert await near.next_event() == PeerDown(far.peer)
    assert await far.next_event() == PeerDown(near.peer)
    assert not near.connected
    assert not far.connected
    await far.dial(near)
    assert await near.is_echoed(far)


@bounded
async def test_a_peer_that_ends_is_noticed(stage: Stage) -> None:
    near, far = await stage.pair()
    await far.stop()
    assert await near.next_event() == PeerDown(far.peer)
    assert not near.connected
    assert not far.connected
    with pytest.raises(DialError):
        await near.dial(far)


@bounded
async def test_a_peer_that_comes_back_is_the_same_peer(stage: Stage) -> None:
    near, far = await stage.pair()
    for _ in range(2):
        await far.stop()
        assert await near.next_event() == PeerDown(far.peer)
        await far.start()
        await near.dial(far)
        assert isinstance(await near.next_event(), PeerUp)
        assert isinstance(await far.next_event(), PeerUp)
        assert await near.is_echoed(far)
        assert await far.is_echoed(near)
        [subscription] = await joined(near, far)
        await near.network.publish(TOPIC, b"welcome back")
        assert await next_message(subscription) == GossipMessage(near.peer, b"welcome back")


@bounded
async def test_a_full_house_refuses_until_somebody_leaves(stage: Stage) -> None:
    house = await stage.node(limits=NetworkLimits(max_connections=8, max_inbound=1))
    first, second = await stage.node(), await stage.node()
    await first.dial(house)
    assert isinstance(await house.next_event(), PeerUp)

    try:
        await second.dial(house)
    except DialError:
        pass
    else:  # libp2p may only find out after the handshake
        assert isinstance(await second.next_event(), PeerUp)
        assert isinstance(await second.next_event(), PeerDown)
    assert house.connected == [first.peer]

    await first.network.disconnect(house.peer)
    assert await house.next_event() == PeerDown(first.peer)
    await second.dial(house)
    assert await second.is_echoed(house)


# ---- streams --------------------------------------------------------------------------------------------


@bounded
async def test_frames_come_back_whole_and_in_order(stage: Stage) -> None:
    near, far = await stage.pair()
    stream = await near.network.open_stream(far.peer, ECHO)
    assert stream.peer == far.peer
    sizes = [1, 127, 128, 16_383, 16_384, 65_536, ECHO_LIMIT]
    for size in sizes:
        body = bytes([size % 251]) * size
        await stream.write(frame(body))
        assert await stream.read_frame(ECHO_LIMIT) == body
    bodies = [bytes([index]) * (index + 1) for index in range(100)]
    await stream.write(b"".join(map(frame, bodies)))
    assert [await stream.read_frame(ECHO_LIMIT) for _ in bodies] == bodies


@bounded
async def test_a_handler_knows_who_speaks(stage: Stage) -> None:
    near, far = await stage.pair()

    async def greet(stream: Stream) -> None:
        await stream.write(frame(stream.peer.encode()))
        await stream.close()

    far.network.handle("/test/greet", greet)
    stream = await near.network.open_stream(far.peer, "/test/greet")
    assert await stream.read_frame(100) == near.peer.encode()


@bounded
async def test_streams_do_not_wait_for_each_other(stage: Stage) -> None:
    near, far = await stage.pair()
    idle = await near.network.open_stream(far.peer, ECHO)
    for _ in range(10):
        assert await near.is_echoed(far)
        assert await far.is_echoed(near)
    await idle.write(frame(b"x"))
    assert await idle.read_frame(1) == b"x"


@bounded
@pytest.mark.parametrize(
    "bad",
    [b"\x00", frame(bytes(17)), b"\xff" * 64, b"\x80\x00"],
    ids=["empty", "over-long", "endless length", "padded length"],
)
async def test_a_frame_that_breaks_the_rules_costs_the_stream_only(
    stage: Stage, bad: bytes
) -> None:
    near, far = await stage.pair()
    refused = trio.Event()

    async def read_one(stream: Stream) -> None:
        try:
            await stream.read_frame(16)
        except StreamError:
            refused.set()

    far.network.handle("/test/strict", read_one)
    stream = await near.network.open_stream(far.peer, "/test/strict")
    await stream.write(bad)
    with pytest.raises(StreamError):
        await stream.read_frame(16)
    await refused.wait()
    assert await near.is_echoed(far)


@bounded
async def test_a_handler_that_raises_costs_the_stream_only_and_is_counted(stage: Stage) -> None:
    near, far = await stage.pair()

    async def fail(stream: Stream) -> None:
        await stream.read_frame(16)
        raise ZeroDivisionError("a bug")

    far.network.handle("/test/bug", fail)
    before = sum(far.network.counters().values())
    for _ in range(3):
        stream = await near.network.open_stream(far.peer, "/test/bug")
        await stream.write(frame(b"go"))
        with pytest.raises(StreamError):
            await stream.read_frame(16)
    assert sum(far.network.counters().values()) >= before + 3
    assert await near.is_echoed(far)
    assert near.connected == [far.peer]


@bounded
async def test_a_protocol_that_nobody_serves_is_refused(stage: Stage) -> None:
    near, far = await stage.pair()
    with pytest.raises(StreamError):
        await near.network.open_stream(far.peer, "/test/unknown")
    with pytest.raises(StreamError):
        await near.network.open_stream(stage.identity().peer, ECHO)
    assert await near.is_echoed(far)


@bounded
async def test_a_reset_reaches_the_other_side(stage: Stage) -> None:
    near, far = await stage.pair()
    ended = trio.Event()

    async def wait_for_the_end(stream: Stream) -> None:
        await stream.write(frame(b"ready"))
        with pytest.raises(StreamError):
            await stream.read_frame(16)
        ended.set()

    far.network.handle("/test/reset", wait_for_the_end)
    stream = await near.network.open_stream(far.peer, "/test/reset")
    assert await stream.read_frame(16) == b"ready"
    await stream.reset()
    await ended.wait()
    with pytest.raises(StreamError):
        await stream.read_frame(16)
    with pytest.raises(StreamError):
        await stream.write(frame(b"too late"))


@bounded
async def test_what_was_written_before_a_close_arrives_and_then_the_end(stage: Stage) -> None:
    near, far = await stage.pair()
    received: list[bytes] = []
    ended = trio.Event()

    async def collect(stream: Stream) -> None:
        try:
            while True:
                received.append(await stream.read_frame(1000))
        except StreamError:
            ended.set()

    far.network.handle("/test/collect", collect)
    stream = await near.network.open_stream(far.peer, "/test/collect")
    await stream.write(b"".join(frame(bytes([n])) for n in range(1, 11)) + frame(b"cut off")[:3])
    await stream.close()
    await ended.wait()
    assert received == [bytes([n]) for n in range(1, 11)]


@bounded
async def test_a_handler_that_returns_ends_its_stream(stage: Stage) -> None:
    near, far = await stage.pair()

    async def answer_once(stream: Stream) -> None:
        await stream.write(frame(b"that was all"))

    far.network.handle("/test/once", answer_once)
    stream = await near.network.open_stream(far.peer, "/test/once")
    assert await stream.read_frame(100) == b"that was all"
    with pytest.raises(StreamError):
        await stream.read_frame(100)


@bounded
async def test_streams_end_with_the_connection(stage: Stage) -> None:
    near, far = await stage.pair()
    stream = await near.network.open_stream(far.peer, ECHO)
    await far.stop()
    with pytest.raises(StreamError):
        await stream.read_frame(16)

    async def write_until_it_fails() -> None:
        while True:
            await stream.write(frame(bytes(1000)))

    with pytest.raises(StreamError):
        await write_until_it_fails()


@bounded
async def test_one_peer_may_not_take_all_streams(stage: Stage) -> None:
    near = await stage.node()
    far = await stage.node(limits=NetworkLimits(max_streams_per_peer=4))
    await near.dial(far)
    await far.next_event()
    open_streams = []

    async def open_one_more() -> None:
        stream = await near.network.open_stream(far.peer, ECHO)
        open_streams.append(stream)
        await stream.write(frame(b"x"))
        await stream.read_frame(1)

    async def open_too_many() -> None:
        while True:
            await open_one_more()

    with pytest.raises(StreamError):
        await open_too_many()
    assert 1 <= len(open_streams) <= 5
    for stream in open_streams:
        await stream.reset()

    async def is_welcome_again() -> bool:
        try:
            return await near.is_echoed(far)
        except StreamError:
            return False

    while not await is_welcome_again():
        await trio.sleep(POLL)


# ---- gossip ---------------------------------------------------------------------------------------------


@bounded
async def test_gossip_goes_both_ways_and_does_not_come_back(stage: Stage) -> None:
    near, far = await stage.pair()
    [at_far] = await joined(near, far)
    [at_near] = await joined(far, near)

    await near.network.publish(TOPIC, b"from near")
    assert await next_message(at_far) == GossipMessage(near.peer, b"from near")
    await far.network.publish(TOPIC, b"from far")
    # Not the own "from near", which would have been there first.
    assert await next_message(at_near) == GossipMessage(far.peer, b"from far")


@bounded
async def test_what_was_flushed_arrives_although_its_sender_is_gone(stage: Stage) -> None:
    near, far = await stage.pair()
    [at_far] = await joined(near, far)
    sent = [bytes([number]) * 50_000 for number in range(40)]
    for data in sent:
        await near.network.publish(TOPIC, data)
    await near.network.flush()
    await near.stop()
    assert [(await next_message(at_far)).data for _ in sent] == sent


@bounded
async def test_who_leaves_and_comes_back_at_once_hears_and_is_heard(stage: Stage) -> None:
    near, far = await stage.pair()
    await joined(near, far)
    await far.network.unsubscribe(TOPIC)
    [at_near] = await joined(far, near)
    [at_far] = await joined(near, far)
    await near.network.publish(TOPIC, b"welcome back")
    assert (await next_message(at_far)).data == b"welcome back"
    await far.network.publish(TOPIC, b"thank you")
    assert (await next_message(at_near)).data == b"thank you"


@bounded
async def test_gossip_is_passed_on_and_heard_once(stage: Stage) -> None:
    left, middle, right = await stage.node(), await stage.node(), await stage.node()
    await left.dial(middle)
    await right.dial(middle)
    at_middle, at_right = await joined(left, middle, right)
    for word in (b"one", b"two", b"three"):
        await left.network.publish(TOPIC, word)
        assert await next_message(at_middle) == GossipMessage(left.peer, word)
        assert await next_message(at_right) == GossipMessage(left.peer, word)
    assert left.connected == [middle.peer]


@bounded
async def test_equal_bytes_published_twice_are_two_messages(stage: Stage) -> None:
    near, far = await stage.pair()
    [at_far] = await joined(near, far)
    await near.network.publish(TOPIC, b"again")
    await near.network.publish(TOPIC, b"again")
    for _ in range(2):
        assert (await next_message(at_far)).data == b"again"


@bounded
async def test_topics_are_kept_apart(stage: Stage) -> None:
    near, far = await stage.pair()
    [at_far] = await joined(near, far)
    await near.network.subscribe("other")
    await near.network.publish("other", b"not for far")
    await near.network.publish(TOPIC, b"for far")
    assert (await next_message(at_far)).data == b"for far"


@bounded
async def test_subscribers_are_known_until_they_leave(stage: Stage) -> None:
    near, far = await stage.pair()
    assert not near.network.topic_peers(TOPIC)
    await near.network.subscribe(TOPIC)
    subscription = await far.network.subscribe(TOPIC)
    await eventually(lambda: list(near.network.topic_peers(TOPIC)) == [far.peer])
    await eventually(lambda: list(far.network.topic_peers(TOPIC)) == [near.peer])

    await far.network.unsubscribe(TOPIC)
    await eventually(lambda: not near.network.topic_peers(TOPIC))
    with pytest.raises(StopAsyncIteration):
        await next_message(subscription)

    await far.network.subscribe(TOPIC)
    await eventually(lambda: list(near.network.topic_peers(TOPIC)) == [far.peer])
    await near.network.disconnect(far.peer)
    await eventually(lambda: not near.network.topic_peers(TOPIC))


@bounded
async def test_a_subscription_ends_with_its_run(stage: Stage) -> None:
    node = await stage.node()
    subscription = await node.network.subscribe(TOPIC)
    await node.stop()
    with pytest.raises(StopAsyncIteration):
        await next_message(subscription)


@bounded
async def test_gossip_up_to_the_limit_arrives_and_more_is_refused(stage: Stage) -> None:
    near, far = await stage.pair()
    [at_far] = await joined(near, far)
    with pytest.raises(PublishError):
        await near.network.publish(TOPIC, bytes(MAX_GOSSIP_BYTES + 1))
    await near.network.publish(TOPIC, bytes(MAX_GOSSIP_BYTES))
    assert len((await next_message(at_far)).data) == MAX_GOSSIP_BYTES


@bounded
async def test_publishing_to_nobody_is_fine(stage: Stage) -> None:
    node = await stage.node()
    await node.network.publish(TOPIC, b"hello?")
    await node.network.subscribe(TOPIC)
    await node.network.publish(TOPIC, b"anybody?")
