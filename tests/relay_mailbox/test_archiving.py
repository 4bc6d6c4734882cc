"""Clients that have rooms kept, over the memory network: who may, and what becomes of it."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.errors import StoreError
from p2pchat.node.protocol import peer_id
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from tests.relay_mailbox.rig import MailClient, Scene, open_mailbox, running


async def archive(client: MailClient, room: str, *, stop: bool = False) -> mailbox.MailboxReply:
    await client.send(archive=mailbox.Archive(room=room, stop=stop))
    return await client.receive()


async def wanted(scene: Scene) -> dict[str, int]:
    """Rooms that are kept, and how many clients want them."""
    await trio.sleep(5)
    archives = (await scene.describe()).archives
    return {one.usage.room: one.clients for one in archives if one.joined}


async def test_a_client_has_a_room_kept(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(archive_rooms=("lobby",), archive_days=0))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        reply = await archive(alice, "garden")
        assert reply.archived == mailbox.Archived(
            room="garden", archiving=True, retention_ms=0, quota_bytes=256 << 20
        )
        assert await wanted(scene) == {"garden": 1, "lobby": 0}
        assert not (await archive(alice, "garden", stop=True)).archived.archiving
        assert await wanted(scene) == {"lobby": 0}


async def test_mail_is_not_held_up_by_it(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        for room in ("a", "b", "c"):
            await alice.send(archive=mailbox.Archive(room=room))
        await alice.collect()
        replies = [(await alice.receive()).WhichOneof("reply") for _ in range(4)]
        assert replies == ["archived", "archived", "archived", "caught_up"]


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("a stranger", mailbox.NOT_REGISTERED),
        ("somebody who left", mailbox.NOT_REGISTERED),
        ("a client of no such mailbox", mailbox.NOT_OFFERED),
        ("a client with odd names", mailbox.MALFORMED),
    ],
)
async def test_who_gets_no_room_kept(
    autojump_clock: object, who: str, reason: mailbox.Refusal
) -> None:
    scene = Scene(open_mailbox(archive_by_clients="no such" not in who))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1, register=who != "a stranger")
        if who == "somebody who left":
            await alice.unregister()
        refused = (await archive(alice, "two words" if "odd" in who else "garden")).refused
        assert (refused.request, refused.reason) == (mailbox.Refused.ARCHIVE, reason)
        assert refused.detail
        assert await wanted(scene) == {}


async def test_a_full_disk_is_a_refusal_for_now(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        scene.memory.failure = StoreError("The disk is full.")
        refused = (await archive(alice, "garden")).refused
        assert (refused.request, refused.reason) == (mailbox.Refused.ARCHIVE, mailbox.FULL)
        assert refused.retry_after_ms
        scene.memory.failure = None
        assert (await archive(alice, "garden")).archived.archiving


async def test_wishes_end_with_the_registration(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        for client in (alice, bob):
            await archive(client, "garden")
        await archive(alice, "shed")
        await alice.unregister()
        assert await wanted(scene) == {"garden": 1}
        peer = peer_id.to_text(bob.peer)
        await scene.operator.ask(actors.BlockPeer(peer=peer), actors_pb2.Done)
        assert await wanted(scene) == {}
        await scene.operator.ask(actors.UnblockPeer(peer=peer), actors_pb2.Done)
        assert await wanted(scene) == {}


async def test_a_restart_keeps_the_rooms(autojump_clock: object) -> None:
    scene = Scene()
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        alice = await scene.client(nursery, 1)
        await archive(alice, "garden")
        await scene.stop()
        await scene.start(nursery)
        assert await wanted(scene) == {"garden": 1}
        await scene.stop()
        nursery.cancel_scope.cancel()


async def test_what_is_refused_is_seen_in_the_limits(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(max_archived_rooms=1, max_archived_rooms_per_client=1))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await archive(alice, "a")
        assert (await archive(alice, "b")).refused.reason == mailbox.FULL
        assert (await archive(bob, "b")).refused.reason == mailbox.FULL
        bitten = {limit.name: limit.bitten for limit in (await scene.describe()).limits}
        assert bitten["max_archived_rooms"] == 1
        assert bitten["max_archived_rooms_per_client"] == 1
        assert {"archive_days", "archive_bytes", "max_archive_bytes"} <= set(bitten)
