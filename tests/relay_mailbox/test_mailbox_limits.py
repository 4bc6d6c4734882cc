"""The mailbox at its limits: quotas, rates, a full or slow disk, clients that do not read, crashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest
import trio

from p2pchat.node.errors import StoreError
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.client import FRAMES_IN_FLIGHT
from tests.relay_mailbox.rig import Scene, numbers, open_mailbox, running, to

T = TypeVar("T")


class SlowDisk:
    """Each call takes so many seconds of virtual time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def __call__(self, call: Callable[[], T], /) -> T:
        await trio.sleep(self.seconds)
        return call()


async def test_one_flooder_never_fills_a_mailbox(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(quota_count=40))
    async with running(scene) as nursery:
        flooder = await scene.client(nursery, 1)
        friend = await scene.client(nursery, 3)
        bob = await scene.client(nursery, 2)
        await flooder.send(deposit=mailbox.Deposit(envelopes=to(bob, *range(30))))
        assert len((await flooder.receive()).custody.ids) == 20
        refused = (await flooder.receive()).refused
        assert (refused.reason, len(refused.ids)) == (mailbox.FULL, 10)
        assert refused.retry_after_ms
        assert "share" in refused.detail
        await friend.custody(*to(bob, *range(100, 110)))
        assert (await friend.refusal(*to(bob, 111))).reason == mailbox.FULL
        assert len(await bob.collect_all()) == 30
        await flooder.custody(*to(bob, *range(30, 40)))


async def test_a_quota_in_bytes_holds(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(quota_bytes=20_000))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2, size=4000))
        assert (await alice.refusal(*to(bob, 3, size=4000))).reason == mailbox.FULL
        limits_now = {limit.name: limit.bitten for limit in (await scene.describe()).limits}
        assert limits_now["quota_bytes"] == 1


async def test_a_rate_is_refused_with_the_time_to_wait(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(deposit_rate=10, deposit_burst=128))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, *range(120)))
        await alice.send(deposit=mailbox.Deposit(envelopes=to(bob, *range(120, 140))))
        assert len((await alice.receive()).custody.ids) == 8
        refused = (await alice.receive()).refused
        assert (refused.reason, len(refused.ids)) == (mailbox.RATE_LIMITED, 12)
        await trio.sleep(refused.retry_after_ms / 1000)
        await alice.custody(*to(bob, *range(128, 140)))
        assert await scene.counter("limit_deposit_rate") == 12


async def test_a_full_disk_is_said_plainly_and_passes(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))
        scene.memory.failure = StoreError("The disk is full.")
        refused = await alice.refusal(*to(bob, 2, 3))
        assert (refused.reason, refused.retry_after_ms) == (mailbox.FULL, 60_000)
        await bob.collect()
        assert numbers(await bob.hand_over()) == [1]
        await bob.ack(envelope_id(to(bob, 1)[0]))
        await trio.sleep(30)
        scene.memory.failure = None
        assert (await bob.receive()).WhichOneof("reply") == "caught_up"
        await alice.custody(*to(bob, 2, 3))
        assert numbers(await bob.hand_over()) == [2, 3]
        assert (await scene.describe()).held_envelopes == 2


async def test_many_frames_may_be_under_way(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(deposit_rate=1e6))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)

        async def write() -> None:
            for number in range(200):
                await alice.send(deposit=mailbox.Deposit(envelopes=to(bob, number)))

        nursery.start_soon(write)
        ids = [id_ for _ in range(200) for id_ in (await alice.receive()).custody.ids]
        assert ids == [envelope_id(one) for one in to(bob, *range(200))]
        assert await bob.collect_all() == [*range(200)]


async def test_one_client_does_not_fill_the_store_with_its_frames(autojump_clock: object) -> None:
    slow = SlowDisk()
    scene = Scene(open_mailbox(deposit_rate=1e6), run_mail=slow)
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        slow.seconds = 5.0
        for number in range(100):
            await alice.send(deposit=mailbox.Deposit(envelopes=to(bob, number)))
        await trio.sleep(1)
        assert scene.cell("mail_storage").stats().queue <= FRAMES_IN_FLIGHT
        for _ in range(100):
            assert len((await alice.receive()).custody.ids) == 1


async def test_a_client_that_reads_nothing_is_not_read_either_and_ends(
    autojump_clock: object,
) -> None:
    scene = Scene(open_mailbox(deposit_rate=1e6))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await alice.send(deposit=mailbox.Deposit(envelopes=to(bob, *range(128))))
                sent += 1

        with trio.move_on_after(30):
            await flood()
        before = sent
        assert sent < 400
        with trio.move_on_after(20):
            await flood()
        assert sent == before
        await trio.sleep(60)
        await alice.until_reset()
        assert await scene.counter("clients_stalled") == 1
        assert len(await bob.collect_all()) == 128


async def test_streams_of_one_peer_are_bounded(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(max_streams_per_peer=2))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        await alice.open()
        assert (await alice.register()).WhichOneof("reply") == "registered"
        await alice.open()
        await alice.until_reset()
        assert await scene.counter("limit_max_streams_per_peer") == 1


async def test_a_crash_of_the_mail_storage_ends_streams_and_nothing_else(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))

        def crash(*_: object) -> Sequence[object]:
            raise RuntimeError("a bug")

        with monkeypatch.context() as patch:
            patch.setattr(scene.mail, "deposit", crash)
            await alice.send(deposit=mailbox.Deposit(envelopes=to(bob, 2)))
            await alice.until_reset()
        await alice.open()
        await alice.custody(*to(bob, 3))
        assert await bob.collect_all() == [1, 3]


async def test_a_restart_of_the_mailbox_actor_ends_its_streams(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        scene.cell("mailbox").give_up()
        await alice.until_reset()
        await trio.sleep(10)
        await alice.open()
        await alice.custody(*to(bob, 3))
        await bob.open()
        assert await bob.collect_all() == [3]
        assert scene.cell("mailbox").restarts == 1
