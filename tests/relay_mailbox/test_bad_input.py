"""Frames that no client would send: the mailbox lives, other clients go on, and each is counted."""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from p2pchat.node.errors import StreamError
from p2pchat.node.protocol import limits
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.protocol.framing import encode_uvarint, frame
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from tests.relay_mailbox.builders import RECIPIENT, envelope
from tests.relay_mailbox.rig import MailClient, Scene, open_mailbox, running, to

ID = bytes(32)


def request(**fields: object) -> bytes:
    return frame(mailbox.MailboxRequest(**fields).SerializeToString() or b"\x7a\x00")  # type: ignore[arg-type]


NONSENSE = {
    "no protobuf": frame(b"\xff\xff\xff"),
    "an unknown request": frame(b"\x7a\x00"),
    "no envelope": request(deposit=mailbox.Deposit()),
    "too many envelopes": request(
        deposit=mailbox.Deposit(envelopes=[wire.Envelope()] * (limits.MAX_BATCH + 1))
    ),
    "no ids": request(ack=mailbox.Ack()),
    "too many ids": request(ack=mailbox.Ack(ids=[ID] * (limits.MAX_ACKS + 1))),
    "short ids": request(ack=mailbox.Ack(ids=[ID, b"x"])),
    "no peer": request(lookup=mailbox.Lookup()),
    "a long peer": request(lookup=mailbox.Lookup(peer=bytes(100))),
    "text that is none": frame(b"\x0a\x04\x0a\x02\xff\xfe"),
}


@pytest.mark.parametrize("data", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_gets_the_stream_reset_and_is_counted(
    autojump_clock: object, data: bytes
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        mallory = await scene.client(nursery, 1)
        await mallory.line.write(data)
        await mallory.until_reset()
        assert await scene.counter("frames_malformed") == 1


@pytest.mark.parametrize("data", [b"\x00", encode_uvarint(limits.FRAME_LIMIT + 1), b"\xff" * 11])
async def test_bad_frames_get_the_stream_reset(autojump_clock: object, data: bytes) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        mallory = await scene.client(nursery, 1)
        await mallory.line.write(data)
        await mallory.until_reset()
        assert await scene.counter("frames_refused") == 1


@pytest.mark.parametrize("window", [0, 1025, 2**32 - 1])
async def test_an_impossible_window_is_refused(autojump_clock: object, window: int) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        mallory = await scene.client(nursery, 1)
        await mallory.collect(window)
        assert (await mallory.receive()).refused.reason == mailbox.MALFORMED
        assert await mallory.collect_all() == []


@pytest.mark.parametrize(
    "odd",
    [
        wire.Envelope(),
        wire.Envelope(version=1, recipient=b"short", scheme=1, ciphertext=b"x"),
        wire.Envelope(version=2**32 - 1, recipient=RECIPIENT, expires_at_ms=2**64 - 1),
        envelope(1, expires_at_ms=2**64 - 1),
        envelope(1, bytes(38)),
        envelope(1, size=0),
    ],
)
async def test_odd_envelopes_are_refused_one_by_one(
    autojump_clock: object, odd: wire.Envelope
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        reply = await alice.deposit(odd, *to(bob, 1))
        assert list(reply.custody.ids) == [envelope_id(to(bob, 1)[0])]
        assert list((await alice.receive()).refused.ids) == [envelope_id(odd)]


async def test_collecting_all_the_time_without_reading_costs_nothing(
    autojump_clock: object,
) -> None:
    scene = Scene(open_mailbox(request_rate=1e6, request_burst=100_000))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        for number in range(8):
            await alice.custody(*to(bob, number, size=200_000))
        with trio.move_on_after(30):
            for _ in range(5_000):
                await bob.collect(1)
        assert await scene.counter("handed_over") <= 12


REPLY_OR_REQUEST = st.one_of(
    st.binary(min_size=1, max_size=80),
    st.builds(
        lambda envelopes: mailbox.MailboxRequest(
            deposit=mailbox.Deposit(envelopes=envelopes)
        ).SerializeToString(),
        st.lists(
            st.builds(
                wire.Envelope,
                version=st.integers(0, 2),
                recipient=st.sampled_from([b"", RECIPIENT, bytes(38)]) | st.binary(max_size=40),
                scheme=st.integers(0, 2),
                ciphertext=st.binary(max_size=40),
                expires_at_ms=st.integers(0, 2**64 - 1),
            ),
            max_size=4,
        ),
    ),
    st.builds(
        lambda ids: mailbox.MailboxRequest(ack=mailbox.Ack(ids=ids)).SerializeToString(),
        st.lists(st.binary(min_size=30, max_size=33), max_size=4),
    ),
    st.builds(
        lambda window: mailbox.MailboxRequest(
            collect=mailbox.Collect(window=window)
        ).SerializeToString(),
        st.integers(0, 2**32 - 1),
    ),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(REPLY_OR_REQUEST, min_size=1, max_size=20), seed=st.integers(0, 2**32))
def test_wild_frames_harm_nobody_else(frames: list[bytes], seed: int) -> None:
    rng = random.Random(seed)

    async def scene_with_a_vandal() -> None:
        scene = Scene()
        async with running(scene) as nursery:
            mallory = await scene.client(nursery, 1)
            alice = await scene.client(nursery, 2)
            bob = await scene.client(nursery, 3)
            for body in frames:
                await vandalize(mallory, frame(body) if body and rng.random() < 0.9 else body)
            await alice.custody(*to(bob, 1))
            assert await bob.collect_all() == [1]
            assert all(cell.restarts == 0 for cell in scene.tree.cells())  # type: ignore[union-attr]

    trio.run(scene_with_a_vandal, clock=trio.testing.MockClock(autojump_threshold=0))


async def vandalize(client: MailClient, data: bytes) -> None:
    """Send it, on a new stream when the old one is gone, and read what comes back."""
    try:
        await client.line.write(data)
        with trio.move_on_after(0.1):
            while True:
                await client.receive()
    except StreamError:
        await client.open()
