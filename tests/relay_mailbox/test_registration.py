"""Who may leave and collect mail, and what the operator does about it."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.links import MailboxLink, parse_link
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.config import RegistrationPolicy
from tests.relay_mailbox.builders import record_of
from tests.relay_mailbox.rig import MAILBOX, MailClient, Scene, open_mailbox, running, to


def by_invite(**options: object) -> Scene:
    return Scene(open_mailbox(registration=RegistrationPolicy.INVITE, **options))


async def invites(scene: Scene) -> list[actors.InviteDescription]:
    return list((await scene.operator.ask(actors.ListInvites(), actors.InviteList)).invites)


async def token_of_first_invite(scene: Scene) -> str:
    link = parse_link((await invites(scene))[0].link)
    assert isinstance(link, MailboxLink)
    assert (link.peer, link.addresses) == (MAILBOX.peer, ("/memory/9000",))
    return link.token


async def outcome(client: MailClient, token: str = "") -> str:
    """How registering ends: "registered", or the reason why not."""
    reply = await client.register(token)
    if reply.WhichOneof("reply") == "refused":
        assert reply.refused.request == mailbox.Refused.REGISTER
        return mailbox.Refusal.Name(reply.refused.reason)
    return str(reply.WhichOneof("reply"))


async def test_the_first_start_makes_one_invite_for_ten(autojump_clock: object) -> None:
    scene = by_invite()
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        (first,) = await invites(scene)
        assert first.invite.uses_left == 10
        assert len(first.invite.token) >= 26
        await scene.stop()
        await scene.start(nursery)
        assert await invites(scene) == [first]
        await scene.stop()
        nursery.cancel_scope.cancel()


async def test_nobody_registers_without_a_good_token(autojump_clock: object) -> None:
    scene = by_invite()
    async with running(scene) as nursery:
        token = await token_of_first_invite(scene)
        stranger = await scene.client(nursery, 1, register=False)
        for bad in ("", "x", token[:-1], token + "a", token.upper(), "ü"):
            assert await outcome(stranger, bad) == "BAD_INVITE"
        assert await outcome(stranger, token) == "registered"
        assert await scene.counter("refused_bad_invite") == 6


async def test_an_invite_is_good_for_its_uses_and_registering_again_needs_none(
    autojump_clock: object,
) -> None:
    scene = by_invite()
    async with running(scene) as nursery:
        made = await scene.operator.ask(
            actors.MakeInvite(uses=2, label="family"), actors.InviteDescription
        )
        token = made.invite.token
        a, b, c = [await scene.client(nursery, n, register=False) for n in (1, 2, 3)]
        assert [await outcome(one, token) for one in (a, a, b, c)] == [
            "registered",
            "registered",
            "registered",
            "BAD_INVITE",
        ]
        assert await outcome(b) == "registered"
        family = next(one.invite for one in await invites(scene) if one.invite.label == "family")
        assert (family.uses_left, family.used) == (0, 2)


async def test_one_use_is_one_use_however_many_ask_at_once(autojump_clock: object) -> None:
    scene = by_invite()
    async with running(scene) as nursery:
        made = await scene.operator.ask(actors.MakeInvite(uses=1), actors.InviteDescription)
        clients = [await scene.client(nursery, n, register=False) for n in range(1, 6)]
        outcomes: list[str] = []

        async def ask(client: MailClient) -> None:
            outcomes.append(await outcome(client, made.invite.token))

        async with trio.open_nursery() as asking:
            for client in clients:
                asking.start_soon(ask, client)
        assert sorted(outcomes) == ["BAD_INVITE"] * 4 + ["registered"]


async def test_a_revoked_invite_is_worth_nothing_and_who_has_joined_stays(
    autojump_clock: object,
) -> None:
    scene = by_invite()
    async with running(scene) as nursery:
        token = await token_of_first_invite(scene)
        bob = await scene.client(nursery, 2, register=False)
        assert await outcome(bob, token) == "registered"
        id_ = (await invites(scene))[0].invite.id
        await scene.operator.ask(actors.RevokeInvite(id=id_), actors_pb2.Done)
        eve = await scene.client(nursery, 3, register=False)
        assert await outcome(eve, token) == "BAD_INVITE"
        assert await outcome(bob) == "registered"
        with pytest.raises(RequestRejectedError, match="no invite"):
            await scene.operator.ask(actors.RevokeInvite(id=id_), actors_pb2.Done)


async def test_an_allow_list_lets_in_whom_it_names(autojump_clock: object) -> None:
    friend = Identity((1).to_bytes(32, "big")).peer
    policy = RegistrationPolicy.ALLOW_LIST
    scene = Scene(open_mailbox(registration=policy, allowed_peers=(friend,)))
    async with running(scene) as nursery:
        a, b = [await scene.client(nursery, n, register=False) for n in (1, 2)]
        assert [await outcome(one) for one in (a, b)] == ["registered", "BLOCKED"]
        assert await invites(scene) == []


async def test_a_mailbox_takes_so_many_peers(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(max_registrations=2))
    async with running(scene) as nursery:
        clients = [await scene.client(nursery, n, register=False) for n in (1, 2, 3)]
        assert [await outcome(client) for client in clients] == ["registered", "registered", "FULL"]
        assert await outcome(clients[0]) == "registered"


async def test_the_newest_record_is_served(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1, register=False)
        bob = await scene.client(nursery, 2, register=False)

        async def served() -> int:
            await alice.send(lookup=mailbox.Lookup(peer=bob.peer))
            found = (await alice.receive()).found
            assert found.peer == bob.peer
            return found.record.sequence if found.HasField("record") else 0

        assert await served() == 0
        for sequence, wanted in ((5, 5), (3, 5), (6, 6)):
            await bob.register(sequence=sequence)
            assert await served() == wanted
        await scene.stop()
        await scene.start(nursery)
        await alice.connect()
        assert await served() == 6


@pytest.mark.parametrize("flaw", ["unsigned", "keyless", "absent"])
async def test_a_record_must_be_whole(autojump_clock: object, flaw: str) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        bob = await scene.client(nursery, 2, register=False)
        record = record_of(bob.identity)
        match flaw:
            case "unsigned":
                record.sequence += 1
            case "keyless":
                record.seal_key = b""
            case _:
                record.Clear()
        await bob.send(register=mailbox.Register(record=record))
        assert (await bob.receive()).refused.reason == mailbox.MALFORMED


async def test_a_blocked_peer_neither_deposits_nor_registers_nor_collects(
    autojump_clock: object,
) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))
        block = actors.BlockPeer(peer=bob.identity.peer, note="spam")
        await scene.operator.ask(block, actors_pb2.Done)
        await bob.until_reset()
        await bob.open()
        assert await outcome(bob) == "BLOCKED"
        assert (await bob.refusal(*to(alice, 1))).reason == mailbox.BLOCKED
        await bob.collect()
        assert (await bob.receive()).refused.reason == mailbox.BLOCKED
        assert (await alice.refusal(*to(bob, 2))).reason == mailbox.UNKNOWN_RECIPIENT
        listed = await scene.operator.ask(actors.ListBlocks(), actors.BlockList)
        assert [(one.peer, one.note) for one in listed.blocks] == [(bob.identity.peer, "spam")]

        unblock = actors.UnblockPeer(peer=bob.identity.peer)
        await scene.operator.ask(unblock, actors_pb2.Done)
        assert await outcome(bob) == "registered"
        assert await bob.collect_all() == [1]
        with pytest.raises(RequestRejectedError, match="not blocked"):
            await scene.operator.ask(unblock, actors_pb2.Done)


async def test_a_full_disk_takes_no_registration_and_spends_no_invite(
    autojump_clock: object,
) -> None:
    scene = by_invite()
    async with running(scene) as nursery:
        token = await token_of_first_invite(scene)
        bob = await scene.client(nursery, 2, register=False)
        scene.memory.failure = StoreError("The disk is full.")
        assert await outcome(bob, token) == "FULL"
        with pytest.raises(RequestRejectedError, match="full"):
            await scene.operator.ask(actors.MakeInvite(uses=1), actors.InviteDescription)
        scene.memory.failure = None
        assert await outcome(bob, token) == "registered"
        assert (await invites(scene))[0].invite.used == 1


async def test_registering_all_the_time_is_slowed_down(autojump_clock: object) -> None:
    scene = Scene(open_mailbox(request_rate=1, request_burst=3))
    async with running(scene) as nursery:
        bob = await scene.client(nursery, 2, register=False)
        start = trio.current_time()
        for _ in range(10):
            assert await outcome(bob) == "registered"
        assert trio.current_time() - start > 6
        assert await scene.counter("limit_request_rate") >= 6


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (actors.MakeInvite(uses=0), "1 to 10,000 uses"),
        (actors.MakeInvite(uses=10_001), "1 to 10,000 uses"),
        (actors.MakeInvite(uses=1, label="x" * 65), "64 characters"),
        (actors.BlockPeer(peer="nobody"), "not a peer id"),
        (actors.BlockPeer(peer=MAILBOX.peer, note="x" * 201), "200 characters"),
        (actors.UnblockPeer(peer=""), "not a peer id"),
    ],
)
async def test_what_an_operator_gets_wrong_is_told_plainly(
    autojump_clock: object, command: actors.MakeInvite, complaint: str
) -> None:
    scene = Scene()
    async with running(scene):
        with pytest.raises(RequestRejectedError, match=complaint):
            await scene.operator.ask(command, actors_pb2.Done)


async def test_the_description_names_everything(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))
        await bob.collect()
        await bob.receive()
        await trio.sleep(5)
        status = await scene.describe()
        assert status.peer == MAILBOX.peer
        assert list(status.addresses) == [f"/memory/9000/p2p/{MAILBOX.peer}"]
        assert isinstance(parse_link(status.link), MailboxLink)
        assert (status.registered, status.streams, status.collecting) == (2, 2, 1)
        assert (status.held_envelopes, status.store.messages) == (1, 1)
        assert status.held_bytes > 100
        assert status.uptime_ms >= 5000
        assert not status.HasField("relay")
        assert {actor.name for actor in status.actors} >= {"mail_storage", "mailbox", "relay"}
        assert {limit.name: limit.value for limit in status.limits}["quota_count"] == 10_000
