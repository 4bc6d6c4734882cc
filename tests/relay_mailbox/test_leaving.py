"""Who leaves a mailbox: no more mail is taken, what is held is handed over, and senders are shown the way."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.errors import StoreError
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import mailbox_record
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox.config import RegistrationPolicy
from tests.relay_mailbox.builders import START_MS, envelope, record_of
from tests.relay_mailbox.rig import MailClient, Scene, numbers, open_mailbox, running, to

ELSEWHERE = Identity((9_001).to_bytes(32, "big"))


def moved(identity: Identity, sequence: int = 7) -> wire.MailboxRecord:
    """A record that names another mailbox."""
    record = record_of(identity, sequence)
    record.mailboxes.add(peer=ELSEWHERE.peer_bytes, addresses=["/memory/9001"])
    mailbox_record.sign(record, identity.private_key)
    return record


async def refused(client: MailClient, token: str = "") -> str:
    reply = await client.register(token, sequence=9)
    assert reply.WhichOneof("reply") == "refused", reply
    return mailbox.Refusal.Name(reply.refused.reason)


async def registered(scene: Scene) -> int:
    return (await scene.describe()).registered


async def test_senders_are_shown_the_way_and_what_is_held_is_handed_over(
    autojump_clock: object,
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2))
        record = moved(bob.identity)
        await bob.unregister(record)
        assert (await alice.refusal(*to(bob, 3))).reason == mailbox.UNKNOWN_RECIPIENT
        assert await alice.look_up(bob.peer) == record
        assert await registered(scene) == 1
        assert await bob.collect_all() == [1, 2]
        assert await bob.collect_all() == []
        assert await alice.look_up(bob.peer) == record


async def test_leaving_lasts_and_what_was_not_collected_is_handed_over_later(
    autojump_clock: object,
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2))
        record = moved(bob.identity)
        await bob.unregister(record)
        await scene.stop()
        await scene.start(nursery)
        await alice.connect()
        await bob.connect()
        assert await registered(scene) == 1
        assert (await alice.refusal(*to(bob, 3))).reason == mailbox.UNKNOWN_RECIPIENT
        assert await alice.look_up(bob.peer) == record
        await bob.unregister(record)
        assert await bob.collect_all() == [1, 2]


async def test_leaving_and_collecting_can_be_asked_for_at_once(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1, 2))
        await bob.collect()
        assert numbers(await bob.hand_over()) == [1, 2]
        await bob.send(unregister=mailbox.Unregister(record=moved(bob.identity)))
        await bob.collect()
        assert (await bob.receive()).WhichOneof("reply") == "unregistered"
        assert numbers(await bob.until_caught_up()) == [1, 2]


async def test_who_comes_back_needs_no_token(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(registration=RegistrationPolicy.INVITE))
    async with running(scene) as nursery:
        made = await scene.operator.ask(actors.MakeInvite(uses=1), actors.InviteDescription)
        alice = await scene.client(nursery, 1, register=False)
        bob = await scene.client(nursery, 2, register=False)
        assert (await bob.register(made.invite.token)).WhichOneof("reply") == "registered"
        await alice.custody(*to(bob, 1))
        await bob.unregister(moved(bob.identity))
        assert (await bob.register(sequence=8)).WhichOneof("reply") == "registered"
        assert await registered(scene) == 1
        await alice.custody(*to(bob, 2))
        assert await alice.look_up(bob.peer) == record_of(bob.identity, 8)
        assert await bob.collect_all() == [1, 2]


async def test_coming_back_with_the_same_record_counts(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await bob.unregister()
        assert await alice.look_up(bob.peer) == record_of(bob.identity)
        await bob.register()
        await alice.custody(*to(bob, 1))


@pytest.mark.parametrize("flaw", ["absent", "unsigned", "another peer's", "older", "keyless"])
async def test_a_record_that_is_no_good_is_passed_over(autojump_clock: object, flaw: str) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2, register=False)
        await bob.register(sequence=5)
        record: wire.MailboxRecord | None = moved(bob.identity)
        assert record is not None
        match flaw:
            case "absent":
                record = None
            case "unsigned":
                record.sequence += 1
            case "another peer's":
                record = moved(alice.identity)
            case "older":
                record = moved(bob.identity, sequence=4)
            case _:  # of another seal key, which nobody knows
                record.seal_key = record.seal_key[::-1]
                mailbox_record.sign(record, bob.identity.private_key)
                record.seal_key = b""
        await bob.unregister(record)
        assert await alice.look_up(bob.peer) == record_of(bob.identity, 5)
        assert await alice.look_up(alice.peer) == record_of(alice.identity)
        assert (await alice.refusal(*to(bob, 1))).reason == mailbox.UNKNOWN_RECIPIENT


async def test_a_record_without_its_seal_key_gets_the_one_that_is_known(
    autojump_clock: object,
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        bob = await scene.client(nursery, 2)
        await bob.unregister(mailbox_record.without_key(moved(bob.identity)))
        assert await bob.look_up(bob.peer) == moved(bob.identity)


async def test_who_never_registered_leaves_nothing(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        bob = await scene.client(nursery, 2, register=False)
        await bob.unregister(moved(bob.identity))
        assert await bob.look_up(bob.peer) is None
        assert not scene.memory.registry().registrations


async def test_a_full_disk_changes_nothing(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        scene.memory.failure = StoreError("The disk is full.")
        await bob.send(unregister=mailbox.Unregister(record=moved(bob.identity)))
        assert await bob.look_up(bob.peer) == record_of(bob.identity)
        scene.memory.failure = None
        await alice.custody(*to(bob, 1))


async def test_who_has_left_takes_no_place_of_others(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(max_registrations=1))
    async with running(scene) as nursery:
        a, b = [await scene.client(nursery, n, register=False) for n in (1, 2)]
        await a.register()
        await a.unregister()
        await b.register()
        assert await refused(a) == "FULL"
        assert await registered(scene) == 1
        await b.unregister()
        assert (await a.register()).WhichOneof("reply") == "registered"


async def test_who_has_left_is_forgotten_for_others_only_when_nothing_is_held(
    autojump_clock: object,
) -> None:
    scene = Scene(
        open_mailbox(max_registrations=1, registration=RegistrationPolicy.INVITE),
    )
    async with running(scene) as nursery:
        made = await scene.operator.ask(actors.MakeInvite(uses=9), actors.InviteDescription)
        token = made.invite.token
        a, b, c, d = [await scene.client(nursery, n, register=False) for n in (1, 2, 3, 4)]
        await a.register(token)
        await d.custody(*to(a, 1))
        await a.unregister()
        await b.register(token)
        await b.unregister()
        assert await refused(c, "wrong") == "BAD_INVITE"
        assert await d.look_up(b.peer) is not None
        assert (await c.register(token)).WhichOneof("reply") == "registered"
        assert await d.look_up(b.peer) is None
        await b.collect()
        assert (await b.receive()).refused.reason == mailbox.NOT_REGISTERED
        await d.custody(*to(c, 1))
        await c.unregister()
        assert await refused(b, token) == "FULL"
        assert await a.collect_all() == [1]
        assert (await b.register(token)).WhichOneof("reply") == "registered"
        assert await d.look_up(a.peer) is None
        assert await c.collect_all() == [1]
        await scene.stop()
        await scene.start(nursery)
        await d.connect()
        assert [await d.look_up(one.peer) is not None for one in (a, b, c)] == [False, True, True]


async def test_who_has_left_is_forgotten_in_time(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(retention_days=100))
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        carol = await scene.client(nursery, 3)
        await alice.custody(envelope(1, bob.peer, expires_at_ms=START_MS + 90 * DAY_MS))
        await bob.unregister()
        await carol.unregister()

        async def known() -> list[bool]:
            peers = (alice.peer, bob.peer, carol.peer)
            return [await alice.look_up(peer) is not None for peer in peers]

        await trio.sleep(120)
        assert await known() == [True, True, True]
        scene.clock.off_ms += 32 * DAY_MS  # all three records are over
        await trio.sleep(120)
        assert await known() == [True, True, False]
        assert await bob.collect_all() == [1]
        await trio.sleep(120)
        assert await known() == [True, False, False]
        assert len(scene.memory.registry().registrations) == 1
