"""Bad input on both protocols: small versions of what `make soak` runs in full (`tests/soak/vandals.py`).

The host lives, others go on, memory stays flat, and the counters of the other side agree with what was sent.
"""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import limits
from tests.soak.vandals import LoopbackPlace, MemoryPlace, flood_a_mailbox, flood_a_node, who

FRAMES, OVER_LIBP2P = 5_000, 500
PATIENCE = 120.0  # seconds
SEED = 11


async def test_a_mailbox_lives_through_a_flood(autojump_clock: object) -> None:
    await flood_a_mailbox(MemoryPlace(), FRAMES, SEED, 0.02)


async def test_a_node_lives_through_a_flood(autojump_clock: object) -> None:
    await flood_a_node(MemoryPlace(), FRAMES, SEED, 0.02)


async def test_a_mailbox_lives_through_a_flood_over_libp2p() -> None:
    with trio.fail_after(PATIENCE):
        await flood_a_mailbox(LoopbackPlace(), OVER_LIBP2P, SEED, 0)


async def test_a_node_lives_through_a_flood_over_libp2p() -> None:
    with trio.fail_after(PATIENCE):
        await flood_a_node(LoopbackPlace(), OVER_LIBP2P, SEED, 0)


async def test_a_broken_frame_over_libp2p_is_counted() -> None:
    async def read(stream: Stream) -> None:
        with pytest.raises(StreamError):
            await stream.read_frame(limits.FRAME_LIMIT)
        served.set()

    served = trio.Event()
    place = LoopbackPlace()
    here, there = place.network(who(1), listens=True), place.network(who(2))
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            for network in (here, there):
                await nursery.start(network.run)
            here.handle("/read/1", read)
            await there.dial(here.peer, here.listen_addresses())
            await (await there.open_stream(here.peer, "/read/1")).write(b"\x00")
            await served.wait()
            counted = here.counters().get("frames_refused", 0)
            nursery.cancel_scope.cancel()
    assert counted == 1
