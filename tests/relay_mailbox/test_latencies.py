"""What the mailbox times, and how full the fullest recipient is, over the memory network."""

from __future__ import annotations

import trio

from p2pchat.node.adapters.memory_network import MemoryNetwork
from p2pchat.proto import actors_pb2
from tests.relay_mailbox.rig import Scene, open_mailbox, running, to


async def took(scene: Scene, what: str) -> actors_pb2.Histogram:
    return (await scene.describe()).latencies[what]


async def test_every_deposit_is_timed_until_its_receipt(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2, 3))
        await alice.custody(*to(bob, 4))
        assert sum((await took(scene, "deposit")).counts) == 4


async def test_mail_waits_as_long_as_its_recipient_is_away(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2))
        await trio.sleep(300)
        assert await bob.collect_all() == [1, 2]
        waited = await took(scene, "waited")
        assert sum(waited.counts) == 2
        assert 600 <= waited.sum < 610
        handed_over = await took(scene, "hand_over")
        assert sum(handed_over.counts) == 1


async def test_who_is_there_does_not_wait(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        assert await bob.collect_all() == []
        await alice.custody(*to(bob, 1))
        await bob.hand_over()
        waited = await took(scene, "waited")
        assert (sum(waited.counts), waited.sum) == (1, 0.0)


async def test_the_fullest_recipient(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(quota_count=100))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        assert (await scene.describe()).fullest_recipient == 0
        await alice.custody(*to(bob, *range(25)))
        await alice.custody(*to(alice, *range(5)))
        await trio.sleep(60)  # it is not looked at for every question
        assert (await scene.describe()).fullest_recipient == 0.25
        await bob.collect_all()
        await trio.sleep(60)
        assert (await scene.describe()).fullest_recipient == 0.05


async def test_parts_of_the_node_describe_themselves_as_well(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        client = await scene.client(nursery, 1)
        await client.custody(*to(client, 1))
        here = await scene.describe()
        assert here.tasks > 10
        assert isinstance(client.network, MemoryNetwork)
        assert sum(kind.count for kind in here.transport.connections) == 1
        assert here.HasField("reachability")
        assert here.HasField("rooms")
        assert sum(here.store.commits.counts) >= 1
