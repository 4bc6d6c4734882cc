"""An operator actor that is played: invites and blocks in memory, without a mailbox behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import trio
from google.protobuf.message import Message

from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor, handles
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
ADDRESSES = (
    "/ip4/127.0.0.1/tcp/4001",
    "/ip4/10.0.0.7/tcp/4001",
    "/ip4/9.9.9.9/tcp/4001",
)
NOTHING_LIKE_IT = "There is nothing like it."


class PlayedOperator(Actor):
    """Lives as long as the test: restarts are not played."""

    def __init__(self) -> None:
        self.invites: dict[str, actors.InviteDescription] = {}
        self.blocks: dict[str, actors.BlockDescription] = {}
        self.registration = "invite"
        self.uptime_ms = 61_000
        self.checks = [
            actors_pb2.Check(
                name="nat", finding="Others can connect.", verdict=actors_pb2.Check.OK
            ),
            actors_pb2.Check(
                name="dht",
                verdict=actors_pb2.Check.WARNING,
                finding="Nobody is known \x1b[2J.",
                advice="See bootstrap.",
            ),
        ]

    @handles(actors.DescribeMailbox)
    async def _describe(self, _: actors.DescribeMailbox) -> actors.MailboxDescription:
        return actors.MailboxDescription(
            peer=PEER,
            addresses=[f"{address}/p2p/{PEER}" for address in ADDRESSES],
            link="the actor's own",
            registration=self.registration,
            invites=len(self.invites),
            blocked=len(self.blocks),
            uptime_ms=self.uptime_ms,
            held_envelopes=1_234,
            held_bytes=5 << 20,
            relay=actors.RelayDescription(serving=True, reservations=2),
            limits=[
                actors.Limit(name="quota_bytes", value=64 << 20, unit="bytes", bitten=1_001),
                actors.Limit(name="deposit_rate", value=2_000, unit="envelopes/s"),
            ],
            counters={"kept": 1_234},
            archives=archives(),
            actors=[actors_pb2.ActorStatus(name="mailbox", state="running", handled=7)],
        )

    @handles(actors_pb2.Diagnose)
    async def _diagnose(self, _: actors_pb2.Diagnose) -> actors_pb2.Diagnosis:
        return actors_pb2.Diagnosis(checks=self.checks)

    @handles(actors.ListInvites)
    async def _list_invites(self, _: actors.ListInvites) -> actors.InviteList:
        return actors.InviteList(invites=self.invites.values())

    @handles(actors.MakeInvite)
    async def _make_invite(self, command: actors.MakeInvite) -> actors.InviteDescription:
        made = actors.InviteDescription(link="the actor's own")
        made.invite.id = f"invite{len(self.invites)}"
        made.invite.token = f"token{len(self.invites)}"
        made.invite.uses_left = command.uses
        made.invite.label = command.label
        self.invites[made.invite.id] = made
        return made

    @handles(actors.RevokeInvite)
    async def _revoke_invite(self, command: actors.RevokeInvite) -> Message:
        return _done(self.invites.pop(command.id, None))

    @handles(actors.BlockPeer)
    async def _block(self, command: actors.BlockPeer) -> actors_pb2.Done:
        block = actors.BlockDescription(
            peer=command.peer, note=command.note, blocked_at_ms=1_700_000_000_000
        )
        self.blocks[command.peer] = block
        return actors_pb2.Done()

    @handles(actors.UnblockPeer)
    async def _unblock(self, command: actors.UnblockPeer) -> Message:
        return _done(self.blocks.pop(command.peer, None))

    @handles(actors.ListBlocks)
    async def _list_blocks(self, _: actors.ListBlocks) -> actors.BlockList:
        return actors.BlockList(blocks=self.blocks.values())


def archives() -> list[actors.ArchiveDescription]:
    """One that is well, one that cannot be joined and came from somebody cunning, one that nobody wants any more."""
    lobby, garden, shed = (actors.ArchiveDescription() for _ in range(3))
    lobby.usage.room, lobby.usage.messages, lobby.usage.bytes = "lobby", 1_500, 3 << 20
    lobby.usage.newest_lamport = 1_700_000_000_000
    lobby.by_operator, lobby.clients, lobby.members, lobby.joined = True, 2, 5, True
    garden.usage.room, garden.clients = "gar\x1bden", 1
    shed.usage.room, shed.usage.messages = "shed", 1
    shed.deleted_at_ms = 1_700_000_000_000
    return [garden, lobby, shed]


def _done(found: object) -> Message:
    if found is None:
        return actors_pb2.Rejected(reason=actors_pb2.INVALID, detail=NOTHING_LIKE_IT)
    return actors_pb2.Done()


@contextlib.asynccontextmanager
async def playing(operator: PlayedOperator | None = None) -> AsyncIterator[ActorRef]:
    """The reference of a running one."""
    played = operator or PlayedOperator()
    cell = ActorCell.of("operator", PlayedOperator, lambda: played)
    tree = Supervisor("root", [cell], root=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: tree.run(task_status=task_status))
        yield cell.ref
        tree.request_stop()
