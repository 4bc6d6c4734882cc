"""Invites that another worker keeps: one use for one peer, whoever asks how often."""

from __future__ import annotations

import trio

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.config import RegistrationPolicy
from p2pchat.relay_mailbox.elsewhere import Elsewhere
from p2pchat.relay_mailbox.ports import InvitesAwayError
from p2pchat.relay_mailbox.registry import BAD_INVITE, INVITES_AWAY, Registry
from tests.relay_mailbox.builders import START_MS, record_of
from tests.relay_mailbox.rig import Scene, open_mailbox, running
from tests.relay_mailbox.test_registration import by_invite, outcome

ALICE, BOB = Identity(bytes([1] * 32)), Identity(bytes([2] * 32))


async def redeem(scene: Scene, token: str, peer: bytes) -> str:
    """The id of the invite, or why not."""
    try:
        command = actors.RedeemInvite(token=token, peer=peer)
        return (await scene.operator.ask(command, actors.InviteRedeemed)).id
    except RequestRejectedError as error:
        return error.detail if error.reason == actors_pb2.REFUSED else f"not refused: {error}"


async def make_invite(scene: Scene, uses: int) -> actors.InviteDescription:
    command = actors.MakeInvite(uses=uses)
    return await scene.operator.ask(command, actors.InviteDescription)


async def left(scene: Scene, invite_id: str) -> tuple[int, int]:
    """Uses that are left, and that were used."""
    listed = await scene.operator.ask(actors.ListInvites(), actors.InviteList)
    (found,) = [one.invite for one in listed.invites if one.invite.id == invite_id]
    return found.uses_left, found.used


async def test_asked_again_it_costs_no_second_use(autojump_clock: object) -> None:
    async with running(scene := by_invite()):
        invite = (await make_invite(scene, 2)).invite
        for _ in range(3):
            assert await redeem(scene, invite.token, ALICE.peer_bytes) == invite.id
        assert await left(scene, invite.id) == (1, 1)
        assert await redeem(scene, invite.token, BOB.peer_bytes) == invite.id
        assert await left(scene, invite.id) == (0, 2)
        assert await redeem(scene, invite.token, ALICE.peer_bytes) == invite.id
        assert await redeem(scene, invite.token, b"carol") == BAD_INVITE.detail
        assert await redeem(scene, "nonsense", ALICE.peer_bytes) == BAD_INVITE.detail


async def test_asked_by_many_at_a_time_uses_are_never_more(autojump_clock: object) -> None:
    async with running(scene := by_invite()) as nursery:
        invite = (await make_invite(scene, 3)).invite
        clients = [await scene.client(nursery, n, register=False) for n in range(10, 14)]
        outcomes: list[bool] = []

        async def elsewhere(number: int) -> None:
            peer = Identity(number.to_bytes(32, "big")).peer_bytes
            outcomes.append(await redeem(scene, invite.token, peer) == invite.id)

        async def here(number: int) -> None:
            outcomes.append(await outcome(clients[number], invite.token) == "registered")

        async with trio.open_nursery() as asking:
            for number in range(4):
                asking.start_soon(elsewhere, 100 + number)
                asking.start_soon(here, number)
        assert sum(outcomes) == 3
        assert await left(scene, invite.id) == (0, 3)


async def test_it_survives_a_restart(autojump_clock: object) -> None:
    scene = by_invite()
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        invite = (await make_invite(scene, 1)).invite
        assert await redeem(scene, invite.token, ALICE.peer_bytes) == invite.id
        await scene.stop()
        await scene.start(nursery)
        assert await redeem(scene, invite.token, ALICE.peer_bytes) == invite.id
        assert await redeem(scene, invite.token, BOB.peer_bytes) == BAD_INVITE.detail
        await scene.stop()
        nursery.cancel_scope.cancel()


async def test_who_is_here_already_needs_no_use_elsewhere_and_the_other_way_round(
    autojump_clock: object,
) -> None:
    async with running(scene := by_invite()) as nursery:
        invite = (await make_invite(scene, 2)).invite
        alice, bob = [await scene.client(nursery, n, register=False) for n in (1, 2)]
        assert await outcome(alice, invite.token) == "registered"
        assert await redeem(scene, invite.token, alice.peer) == invite.id
        assert await redeem(scene, invite.token, bob.peer) == invite.id
        assert await left(scene, invite.id) == (0, 2)
        assert await outcome(bob, invite.token) == "registered"
        assert await left(scene, invite.id) == (0, 2)


async def test_who_is_blocked_gets_nothing_elsewhere(autojump_clock: object) -> None:
    async with running(scene := by_invite()):
        invite = (await make_invite(scene, 2)).invite
        await scene.operator.ask(actors.BlockPeer(peer=ALICE.peer), actors_pb2.Done)
        assert "blocked" in await redeem(scene, invite.token, ALICE.peer_bytes)
        assert await left(scene, invite.id) == (2, 0)


# ---- the side that asks ---------------------------------------------------------------------------------


class Keeper:
    """Who keeps the invites: lets in with "good", and may be away."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.away = False

    async def redeem(self, token: str, peer: bytes) -> bool:
        self.asked.append(peer)
        if self.away:
            raise InvitesAwayError("gone")
        return token == "good"


def registry(**options: int) -> Registry:
    most = options.get("most", 10)
    return Registry(RegistrationPolicy.INVITE, (), most, keeps_invites=False)


def wish(who: Identity, token: str = "good") -> mailbox.Register:
    return mailbox.Register(token=token, record=record_of(who))


async def test_the_keeper_decides() -> None:
    some, keeper = registry(), Keeper()
    elsewhere = Elsewhere(some, keeper)
    assert await elsewhere.why_not(ALICE.peer_bytes, wish(ALICE), START_MS) is None
    assert await elsewhere.why_not(ALICE.peer_bytes, wish(ALICE, "bad"), START_MS) is BAD_INVITE
    keeper.away = True
    assert await elsewhere.why_not(ALICE.peer_bytes, wish(ALICE), START_MS) is INVITES_AWAY
    assert not some.needs_first_invite()


async def test_it_is_not_asked_where_that_would_waste_a_use() -> None:
    """Somebody who is registered already, is blocked, has no valid record, or finds no room."""
    some, keeper = registry(most=1), Keeper()
    elsewhere = Elsewhere(some, keeper)
    change = some.register(ALICE.peer_bytes, wish(ALICE), START_MS, invited=True)
    assert isinstance(change, actors.ChangeRegistry)
    some.apply(change)
    assert await elsewhere.why_not(ALICE.peer_bytes, wish(ALICE), START_MS) is None
    full = await elsewhere.why_not(BOB.peer_bytes, wish(BOB), START_MS)
    assert full is not None
    assert full.reason == mailbox.FULL
    stolen = await elsewhere.why_not(BOB.peer_bytes, wish(ALICE), START_MS)
    assert stolen is not None
    assert stolen.reason == mailbox.MALFORMED
    some.apply(some.block(BOB.peer_bytes, "", START_MS))
    blocked = await elsewhere.why_not(BOB.peer_bytes, wish(BOB), START_MS)
    assert blocked is not None
    assert blocked.reason == mailbox.BLOCKED
    assert keeper.asked == []


async def test_a_mailbox_that_keeps_none_makes_none_and_asks(autojump_clock: object) -> None:
    keeper = Keeper()
    scene = Scene(open_mailbox(registration=RegistrationPolicy.INVITE), invites=keeper)
    async with running(scene) as nursery:
        assert not (await scene.operator.ask(actors.ListInvites(), actors.InviteList)).invites
        client = await scene.client(nursery, 1, register=False)
        assert await outcome(client, "bad") == "BAD_INVITE"
        keeper.away = True
        assert await outcome(client, "good") == "RATE_LIMITED"
        keeper.away = False
        assert await outcome(client, "good") == "registered"
        asked = len(keeper.asked)
        assert await outcome(client, "") == "registered"
        assert len(keeper.asked) == asked
