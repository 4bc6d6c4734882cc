"""What a mailbox tells a depositor does not depend on anybody else's mail."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.config import RegistrationPolicy
from tests.relay_mailbox.builders import record_of
from tests.relay_mailbox.rig import MailClient, Scene, open_mailbox, running, to

ALICE, BOB, MALLORY = 1, 2, 3
OTHERS = range(100, 120)  # numbers of Alice's mail for Bob


async def everything_told(mallory: MailClient, bob: MailClient) -> list[bytes]:
    """All that she hears when she asks for everything that she may ask for, and some more."""
    heard: list[mailbox.MailboxReply] = []
    own, others = to(bob, 1, 2, 3), to(bob, *OTHERS)

    async def hear() -> None:
        with trio.move_on_after(60):
            while True:
                heard.append(await mallory.receive())

    for _ in range(2):  # the second time it is there already, or was collected
        await mallory.send(deposit=mailbox.Deposit(envelopes=own))
        await hear()
    await mallory.ack(*map(envelope_id, [*own, *others]))
    await hear()
    await mallory.collect()
    await hear()
    await mallory.send(lookup=mailbox.Lookup(peer=bob.peer))
    await mallory.send(register=mailbox.Register(record=record_of(bob.identity, 99)))
    await hear()
    return [reply.SerializeToString(deterministic=True) for reply in heard]


async def told(history: str) -> list[bytes]:
    """What Mallory is told, after Alice and Bob have done something or nothing."""
    scene = Scene()
    async with running(scene) as nursery:
        alice, bob, mallory = [await scene.client(nursery, n) for n in (ALICE, BOB, MALLORY)]
        if history != "nothing":
            await alice.custody(*to(bob, *OTHERS))
        if history in ("collected", "collecting"):
            assert await bob.collect_all() == [*OTHERS]
        if history == "collected":
            await bob.network.disconnect(scene.network.peer)
        # The same moment in each history.
        await trio.sleep_until(100)
        return await everything_told(mallory, bob)


@pytest.mark.parametrize("history", ["waiting", "collected", "collecting"])
async def test_a_depositor_learns_nothing_about_others_mail(
    autojump_clock: object, history: str
) -> None:
    assert await told(history) == await told("nothing")


async def test_without_a_token_nobody_gets_into_a_default_mailbox(autojump_clock: object) -> None:
    """Nor can anybody leave mail for, collect or acknowledge what is there, in whoever's name."""
    scene = Scene(open_mailbox(registration=RegistrationPolicy.INVITE))
    async with running(scene) as nursery:
        bob = await scene.client(nursery, BOB, register=False)
        mallory = await scene.client(nursery, MALLORY, register=False)
        for record in (record_of(mallory.identity), record_of(bob.identity)):
            await mallory.send(register=mailbox.Register(record=record))
            reply = await mallory.receive()
            assert reply.WhichOneof("reply") == "refused"
        assert (await mallory.refusal(*to(mallory, 1))).reason == mailbox.UNKNOWN_RECIPIENT
        await mallory.collect()
        assert (await mallory.receive()).refused.reason == mailbox.NOT_REGISTERED
        status = await scene.describe()
        assert (status.registered, status.held_envelopes) == (0, 0)


async def test_an_older_record_of_the_peer_itself_does_not_count(autojump_clock: object) -> None:
    """Whoever has kept one cannot bring it back, not even over the peer's own connection."""
    scene = Scene()
    async with running(scene) as nursery:
        bob = await scene.client(nursery, BOB)
        await bob.register(sequence=7)
        await bob.register(sequence=2)
        await bob.send(lookup=mailbox.Lookup(peer=bob.peer))
        assert (await bob.receive()).found.record.sequence == 7


async def test_a_listed_name_is_good_for_its_peer_alone(autojump_clock: object) -> None:
    scene = Scene(
        open_mailbox(registration=RegistrationPolicy.ALLOW_LIST, allowed_peers=(_peer(BOB),))
    )
    async with running(scene) as nursery:
        bob = await scene.client(nursery, BOB)
        mallory = await scene.client(nursery, MALLORY, register=False)
        await mallory.send(register=mailbox.Register(record=record_of(bob.identity)))
        assert (await mallory.receive()).refused.reason == mailbox.MALFORMED
        assert (await mallory.register()).refused.reason == mailbox.BLOCKED


def _peer(number: int) -> str:
    return Identity(number.to_bytes(32, "big")).peer
