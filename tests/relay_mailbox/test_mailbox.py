"""The mailbox over the memory network: what clients are promised."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.protocol import limits
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.protocol.limits import CLOCK_GRACE_MS, DAY_MS
from p2pchat.proto import mailbox_pb2 as mailbox
from tests.relay_mailbox.builders import START_MS, envelope, record_of
from tests.relay_mailbox.rig import Clock, MailClient, Scene, numbers, open_mailbox, running, to


async def gone(scene: Scene, client: MailClient) -> None:
    """The client's connection is cut, and the mailbox knows."""
    await client.network.disconnect(scene.network.peer)
    await trio.sleep(1)


async def test_mail_waits_for_who_is_away(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await gone(scene, bob)
        receipt = await alice.custody(*to(bob, 1, 2, 3))
        assert set(receipt.stored_until_ms) == {START_MS + 7 * DAY_MS + CLOCK_GRACE_MS}
        await bob.connect()
        assert await bob.collect_all() == [1, 2, 3]
        await bob.open()
        assert await bob.collect_all() == []
        assert (await scene.describe()).held_envelopes == 0


async def test_new_mail_is_handed_over_at_once_to_who_is_there(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        assert await bob.collect_all() == []
        await alice.custody(*to(bob, 5, 6))
        assert numbers(await bob.hand_over()) == [5, 6]
        await alice.custody(*to(bob, 7))
        assert numbers(await bob.hand_over()) == [7]


async def test_a_restart_keeps_everything(autojump_clock: object) -> None:
    scene = Scene()
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        receipt = await alice.custody(*to(bob, 1, 2))
        await bob.collect()
        assert numbers(await bob.hand_over()) == [1, 2]
        await bob.ack(envelope_id(to(bob, 1)[0]))
        await trio.sleep(1)
        await scene.stop()
        await scene.start(nursery)
        await alice.connect()
        await bob.connect()
        assert list((await alice.custody(*to(bob, 1))).stored_until_ms) == [
            receipt.stored_until_ms[0]
        ]
        assert await bob.collect_all() == [2]
        await scene.stop()
        nursery.cancel_scope.cancel()


async def test_the_same_deposit_again_gets_the_same_receipt(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(retention_days=1))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        first = await alice.custody(*to(bob, 1))
        await trio.sleep(300)
        assert await alice.custody(*to(bob, 1)) == first
        assert await bob.collect_all() == [1]


async def test_a_late_replica_does_not_bring_collected_mail_back(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))
        assert await bob.collect_all() == [1]
        await alice.custody(*to(bob, 1))
        assert await bob.collect_all() == []


async def test_unacknowledged_mail_is_handed_over_again(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2, 3))
        await bob.collect()
        assert numbers(await bob.hand_over()) == [1, 2, 3]
        await bob.ack(envelope_id(to(bob, 2)[0]))
        await trio.sleep(1)
        assert (await scene.describe()).collecting == 1
        await gone(scene, bob)
        assert (await scene.describe()).collecting == 0
        await bob.connect()
        assert await bob.collect_all() == [1, 3]


async def test_a_window_is_not_exceeded(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, *range(10)))
        await bob.collect(window=4)
        first = await bob.hand_over()
        assert numbers(first) == [0, 1, 2, 3]
        await alice.custody(*to(bob, *range(10, 20)))
        with trio.move_on_after(60) as waiting:
            await bob.receive()
        assert waiting.cancelled_caught
        await bob.ack(*map(envelope_id, first[:2]))
        assert numbers(await bob.hand_over()) == [4, 5]
        await bob.ack(*map(envelope_id, [*first[2:], *to(bob, 4, 5)]))
        rest = numbers(await bob.until_caught_up())
        assert rest == [*range(6, 6 + len(rest))]
        assert len(rest) >= 4


@pytest.mark.parametrize("window", [1, 3, 256, 1024])
async def test_a_live_client_that_falls_behind_gets_everything_in_order(
    autojump_clock: object, window: int
) -> None:
    scene = Scene(open_mailbox(deposit_rate=1e6))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        assert await bob.collect_all(window) == []

        async def write() -> None:
            for start in range(0, 600, 60):
                await alice.custody(*to(bob, *range(start, start + 60)))

        nursery.start_soon(write)
        got: list[int] = []
        while len(got) < 600:
            batch = await bob.hand_over()
            assert len(batch) <= window
            got += numbers(batch)
            await trio.sleep(0.01)
            await bob.ack(*map(envelope_id, batch))
        assert got == [*range(600)]


async def test_large_mail_arrives_although_a_frame_cannot_hold_two(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        size = limits.ENVELOPE_LIMIT - 200
        for number in range(12):
            await alice.custody(*to(bob, number, size=size))
        assert await bob.collect_all() == [*range(12)]
        await alice.custody(*to(bob, 50, size=size))
        assert numbers(await bob.hand_over()) == [50]


async def test_a_newer_collect_ends_the_older_stream(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        older = bob.line
        assert await bob.collect_all() == []
        newer = await bob.open()
        assert await bob.collect_all() == []
        await alice.custody(*to(bob, 1))
        assert numbers(await bob.hand_over()) == [1]
        bob.line = older
        await bob.until_reset()
        bob.line = newer
        await bob.ack(envelope_id(to(bob, 1)[0]))
        assert await bob.collect_all() == []
        assert await scene.counter("collects_superseded") == 1


async def test_nobody_collects_or_acknowledges_for_another_peer(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        mallory = await scene.client(nursery, 3)
        receipt = await alice.custody(*to(bob, 1))
        await mallory.ack(*receipt.ids)
        assert await mallory.collect_all() == []
        await alice.ack(*receipt.ids)
        await trio.sleep(1)
        assert await bob.collect_all() == [1]


async def test_nobody_registers_another_peer(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        bob = await scene.client(nursery, 2, register=False)
        mallory = await scene.client(nursery, 3, register=False)
        await mallory.send(register=mailbox.Register(record=record_of(bob.identity)))
        assert (await mallory.receive()).refused.reason == mailbox.MALFORMED
        await mallory.send(lookup=mailbox.Lookup(peer=bob.peer))
        assert not (await mallory.receive()).found.HasField("record")


async def test_mail_for_strangers_is_refused(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2, register=False)
        refused = await alice.refusal(*to(bob, 1))
        assert (refused.reason, refused.request) == (
            mailbox.UNKNOWN_RECIPIENT,
            mailbox.Refused.DEPOSIT,
        )
        await bob.collect()
        refused = (await bob.receive()).refused
        assert (refused.reason, refused.request) == (
            mailbox.NOT_REGISTERED,
            mailbox.Refused.COLLECT,
        )


async def test_one_frame_gets_custody_of_some_and_a_refusal_for_each_reason(
    autojump_clock: object,
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        good = to(bob, 1, 2)
        late = envelope(3, bob.peer, expires_at_ms=START_MS - CLOCK_GRACE_MS - 1)
        strange = envelope(4)
        large = envelope(5, bob.peer, size=limits.ENVELOPE_LIMIT)
        odd = envelope(6, bob.peer)
        odd.version = 77
        reply = await alice.deposit(good[0], late, strange, good[1], large, odd)
        assert list(reply.custody.ids) == [envelope_id(one) for one in good]
        refusals = [(await alice.receive()).refused for _ in range(4)]
        assert {refused.reason: list(refused.ids) for refused in refusals} == {
            mailbox.EXPIRED: [envelope_id(late)],
            mailbox.UNKNOWN_RECIPIENT: [envelope_id(strange)],
            mailbox.TOO_LARGE: [envelope_id(large)],
            mailbox.MALFORMED: [envelope_id(odd)],
        }
        assert all(refused.detail.endswith(".") for refused in refusals)


async def test_expiry_allows_for_clocks_that_are_off(autojump_clock: object) -> None:
    scene = Scene(clock=Clock(DAY_MS))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        soon = envelope(1, bob.peer, expires_at_ms=START_MS + 60_000)
        receipt = await alice.custody(soon)
        assert list(receipt.stored_until_ms) == [START_MS + 60_000 + CLOCK_GRACE_MS]
        assert await bob.collect_all() == [1]


async def test_mail_that_nobody_collects_in_time_goes(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(retention_days=1))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2))
        await alice.custody(envelope(3, bob.peer, expires_at_ms=START_MS - CLOCK_GRACE_MS + 10_000))
        await trio.sleep(120)
        assert (await scene.describe()).held_envelopes == 2
        assert await scene.counter("expired_uncollected") == 1
        scene.clock.off_ms += DAY_MS
        await trio.sleep(120)
        assert await bob.collect_all() == []
        assert await scene.counter("expired_uncollected") == 3
