"""Members that lie when rooms are compared: they are cut off and counted, and the room goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.sync.frames import FRAME_LIMIT, SYNC_PROTOCOL
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.errors import StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import items as item_rules
from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.rooms import Room
from p2pchat.node.protocol.sync_schedule import PENALTY
from p2pchat.proto import sync_pb2 as sync
from p2pchat.proto import wire_pb2 as wire
from tests.simulation.nodes import (
    EPOCH_MS,
    ROOM,
    SimulatedNode,
    address_of,
    make_node,
    running,
)
from tests.simulation.test_sync import items_of, sync_of

PATIENCE = 4 * 3600.0  # seconds of virtual time
MALLORY = 66

Answer = Callable[[sync.SyncRequest], bytes | sync.SyncReply]


def message_of(text: str, author: int = MALLORY, **changes: object) -> wire.RoomMessage:
    who = Identity(author.to_bytes(32, "big"))
    room = Room(ROOM, False, who.peer_bytes, who.private_key, bytes)
    message = room.compose(text, "Mallory", EPOCH_MS).message
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def whole(request: sync.SyncRequest, **content: object) -> sync.SyncReply:
    """One range from end to end of what was asked."""
    step = sum(each.step for each in request.compare.ranges)
    ranges = sync.Ranges(lower=request.compare.lower, ranges=[sync.Range(step=step, **content)])  # type: ignore[arg-type]
    return sync.SyncReply(compared=ranges)


def wrong_fingerprint(request: sync.SyncRequest) -> sync.SyncReply:
    """Differs always, and everything that is asked for is listed as there already."""
    return whole(request, fingerprint=sync.Fingerprint(count=10**6, hash=b"x" * 16))


def forged_messages(request: sync.SyncRequest) -> sync.SyncReply:
    message = message_of("send me money", sender=Identity(bytes(32)).peer_bytes)
    if request.HasField("compare"):
        return whole(request, items=item_rules.pack_items([item_rules.item_of(message)]))
    return sync.SyncReply(messages=sync.Messages(messages=[message]))


def never_delivers(request: sync.SyncRequest) -> sync.SyncReply:
    if request.HasField("compare"):
        return whole(request, items=item_rules.pack_items([item_rules.item_of(message_of("x"))]))
    return sync.SyncReply(messages=sync.Messages())


def other_messages(request: sync.SyncRequest) -> sync.SyncReply:
    if request.HasField("compare"):
        return whole(request, items=item_rules.pack_items([item_rules.item_of(message_of("x"))]))
    return sync.SyncReply(messages=sync.Messages(messages=[message_of("y")]))


def endless_ranges(request: sync.SyncRequest) -> sync.SyncReply:
    """Cuts what was asked into as many differing parts as a frame takes."""
    span = sum(each.step for each in request.compare.ranges)
    parts = min(span, 4096)
    steps = [span // parts] * (parts - 1)
    steps.append(span - sum(steps))
    content = sync.Fingerprint(count=2, hash=b"y" * 16)
    ranges = [sync.Range(step=step, fingerprint=content) for step in steps]
    return sync.SyncReply(compared=sync.Ranges(lower=request.compare.lower, ranges=ranges))


def outside_of_what_was_asked(request: sync.SyncRequest) -> sync.SyncReply:
    reply = whole(request, fingerprint=sync.Fingerprint(count=1, hash=b"z" * 16))
    reply.compared.lower.lamport += 1
    return reply


def no_reply_at_all(_: sync.SyncRequest) -> bytes:
    return b"\xff" * 40


def another_kind(_: sync.SyncRequest) -> sync.SyncReply:
    return sync.SyncReply(pushed=sync.Pushed(fresh=1))


def endless_page(request: sync.SyncRequest) -> sync.SyncReply:
    """Says there is more for ever, with the same message."""
    if request.HasField("compare"):
        return whole(request, fingerprint=sync.Fingerprint(count=10**9, hash=b"w" * 16))
    return sync.SyncReply(messages=sync.Messages(messages=[message_of("again")], more=True))


LIES = [
    wrong_fingerprint,
    forged_messages,
    never_delivers,
    other_messages,
    endless_ranges,
    outside_of_what_was_asked,
    no_reply_at_all,
    another_kind,
    endless_page,
]


@asynccontextmanager
async def mallory(hub: MemoryHub, answer: Answer | None = None) -> AsyncIterator[MemoryNetwork]:
    """A bare peer that is in the room, and answers comparisons as it likes."""
    network = MemoryNetwork(hub, Identity(MALLORY.to_bytes(32, "big")).peer, [f"/memory/{MALLORY}"])

    async def lie(stream: Stream) -> None:
        try:
            while True:
                request = sync.SyncRequest.FromString(await stream.read_frame(FRAME_LIMIT))
                assert answer is not None
                reply = answer(request)
                body = reply if isinstance(reply, bytes) else reply.SerializeToString()
                await stream.write(frame(body))
        except StreamError:
            return

    async with trio.open_nursery() as nursery:
        if answer is not None:
            network.handle(SYNC_PROTOCOL, lie)
        await nursery.start(network.run)
        await network.subscribe(rules.topic_of(ROOM, plain=False))
        yield network
        nursery.cancel_scope.cancel()


async def counters_of(node: SimulatedNode) -> dict[str, int]:
    return dict((await sync_of(node)).counters)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
async def test_a_liar_is_cut_off_and_counted_and_the_room_goes_on(
    autojump_clock: MockClock, lie: Answer
) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    alice = make_node(hub, 1, [address_of(2), address_of(MALLORY)])
    bob = make_node(hub, 2)
    with trio.fail_after(PATIENCE):
        async with mallory(hub, lie), running(bob):
            await bob.say("before you came")
            async with running(alice):
                await alice.until_listening(2)
                while items_of(alice) != items_of(bob):
                    await trio.sleep(0.1)
                while not (await counters_of(alice)).get("sync_liars"):
                    await trio.sleep(1)
                compared = (await counters_of(alice))["sync_liars"]
                await trio.sleep(PENALTY / 4)
                assert (await counters_of(alice))["sync_liars"] == compared
                await bob.say("and the room goes on")
                await alice.until_shown("and the room goes on")
                assert len(items_of(alice)) <= 3  # a liar may have written one message, too
                assert all(cell.restarts == 0 for cell in alice.tree.cells())


async def asked(network: MemoryNetwork, peer: str, *requests: bytes) -> list[sync.SyncReply]:
    """The answers; ends at the first that does not come."""
    replies: list[sync.SyncReply] = []
    stream = await network.open_stream(peer, SYNC_PROTOCOL)
    try:
        for request in requests:
            await stream.write(frame(request))
            replies.append(sync.SyncReply.FromString(await stream.read_frame(FRAME_LIMIT)))
        await stream.close()
    except StreamError:
        pass
    return replies


def request(**kind: object) -> bytes:
    return sync.SyncRequest(room=ROOM, **kind).SerializeToString()  # type: ignore[arg-type]


def steps(count: int, **content: object) -> sync.Ranges:
    return sync.Ranges(ranges=[sync.Range(step=1, **content)] * count)  # type: ignore[arg-type]


MALFORMED = {
    "nothing": request(),
    "no ranges": request(compare=sync.Ranges()),
    "too many ranges": request(compare=steps(257, list=True)),
    "ranges that do not ascend": request(compare=sync.Ranges(ranges=[sync.Range(list=True)])),
    "a short fingerprint": request(compare=steps(1, fingerprint=sync.Fingerprint(hash=b"x"))),
    "items in a question": request(compare=steps(1, items=sync.Items())),
    "no items": request(fetch_items=sync.Items()),
    "too many items": request(fetch_items=sync.Items(steps=[1] * 257, tags=b"t" * 16 * 257)),
    "items without tags": request(fetch_items=sync.Items(steps=[1, 2])),
    "a range upside down": request(
        fetch_range=sync.Interval(lower=sync.Bound(lamport=2), upper=sync.Bound(lamport=1))
    ),
    "a long tag": request(
        fetch_range=sync.Interval(upper=sync.Bound(lamport=2**40, tag=b"t" * 17))
    ),
    "an empty push": request(push=sync.Push()),
    "no protobuf": b"\xff" * 100,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_request_ends_its_stream_and_is_counted(
    autojump_clock: MockClock, body: bytes
) -> None:
    hub = MemoryHub(seed=1)
    alice = make_node(hub, 1)
    with trio.fail_after(PATIENCE):
        async with running(alice), mallory(hub) as network:
            await network.dial(alice.identity.peer, [address_of(1)])
            assert await asked(network, alice.identity.peer, body) == []
            assert (await counters_of(alice))["sync_malformed"] == 1
            assert all(cell.restarts == 0 for cell in alice.tree.cells())


async def test_a_forged_push_is_refused_and_its_sender_left_alone(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1)
    alice = make_node(hub, 1)
    forged = message_of("hm", sender=Identity(bytes(32)).peer_bytes)
    with trio.fail_after(PATIENCE):
        async with running(alice), mallory(hub) as network:
            await network.dial(alice.identity.peer, [address_of(1)])
            body = request(push=sync.Push(messages=[message_of("good"), forged]))
            assert await asked(network, alice.identity.peer, body) == []
            counters = await counters_of(alice)
            assert (counters["sync_forged"], counters["sync_liars"]) == (1, 1)
            assert items_of(alice) == []
            (reply,) = await asked(
                network, alice.identity.peer, request(push=sync.Push(messages=[message_of("good")]))
            )
            assert reply.declined.reason == sync.Declined.BUSY


async def test_streams_of_strangers_that_wait_make_way(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1)
    alice = make_node(hub, 1)
    body = request(compare=steps(1, list=True))
    with trio.fail_after(PATIENCE):
        async with running(alice), trio.open_nursery() as nursery:
            idle = []
            for number in range(100, 117):
                network = MemoryNetwork(hub, Identity(number.to_bytes(32, "big")).peer, [])
                await nursery.start(network.run)
                await network.dial(alice.identity.peer, [address_of(1)])
                if number < 116:
                    for _ in range(2):
                        stream = await network.open_stream(alice.identity.peer, SYNC_PROTOCOL)
                        await stream.write(frame(body))
                        await stream.read_frame(FRAME_LIMIT)
                        idle.append(stream)
            assert len(idle) == 32
            (reply,) = await asked(network, alice.identity.peer, body)
            assert reply.declined.reason == sync.Declined.BUSY
            await trio.sleep(3)
            (reply,) = await asked(network, alice.identity.peer, body)
            assert reply.HasField("compared")
            assert (await counters_of(alice))["sync_streams_evicted"] == 1
            nursery.cancel_scope.cancel()


async def test_a_room_that_is_not_open_is_not_served(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1)
    alice = make_node(hub, 1)
    with trio.fail_after(PATIENCE):
        async with running(alice), mallory(hub) as network:
            await network.dial(alice.identity.peer, [address_of(1)])
            body = sync.SyncRequest(room="attic", compare=steps(1, list=True))
            (reply,) = await asked(network, alice.identity.peer, body.SerializeToString())
            assert reply.declined.reason == sync.Declined.NOT_A_MEMBER


async def test_many_streams_and_many_requests_are_limited(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1)
    alice = make_node(hub, 1)
    body = request(compare=steps(1, list=True))
    with trio.fail_after(PATIENCE):
        async with running(alice), mallory(hub) as network:
            await network.dial(alice.identity.peer, [address_of(1)])
            streams = [
                await network.open_stream(alice.identity.peer, SYNC_PROTOCOL) for _ in range(5)
            ]
            await trio.sleep(1)
            assert (await counters_of(alice))["sync_streams_refused"] == 3
            for stream in streams:
                await stream.reset()
            await trio.sleep(1)
            began = trio.current_time()
            replies = await asked(network, alice.identity.peer, *[body] * 1000)
            assert len(replies) == 1000
            assert trio.current_time() - began >= 5  # a burst of 500, then 50 a second
            assert (await counters_of(alice))["sync_waits"] > 0


async def test_a_stranger_cannot_have_more_than_its_share_of_bytes(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1)
    alice = make_node(hub, 1)
    everything = sync.Interval(upper=sync.Bound(lamport=EPOCH_MS + rules.MAX_AHEAD_MS))
    with trio.fail_after(PATIENCE):
        async with running(alice), mallory(hub) as network:
            for _ in range(10):
                await alice.say("x" * 65_000)
            await network.dial(alice.identity.peer, [address_of(1)])
            began = trio.current_time()
            replies = await asked(
                network, alice.identity.peer, *[request(fetch_range=everything)] * 400
            )
            size = sum(reply.ByteSize() for reply in replies)
            assert len(replies) == 400
            assert all(reply.ByteSize() <= FRAME_LIMIT for reply in replies)
            assert size / (trio.current_time() - began) <= 16 << 20
