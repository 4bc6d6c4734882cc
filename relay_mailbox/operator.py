"""What the operator can see and change, as one actor: front ends ask it, it asks the others."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import trio
from google.protobuf.message import Message

from p2pchat.node.actors import doctor
from p2pchat.node.actors.descriptions import actor_status
from p2pchat.node.actors.lanes import Desk
from p2pchat.node.actors.parts import fill_in
from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.errors import P2pchatError
from p2pchat.node.events import EventHub
from p2pchat.node.ports import Network
from p2pchat.node.protocol import p2p_address
from p2pchat.node.protocol.links import MailboxLink, format_link
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.node.runtime import Actor, ActorRef, ActorStats, handles
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.checkpoints import AT_ONCE, Checkpoints
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.limit_table import limit_table
from p2pchat.relay_mailbox.tally import Tally

log = logging.getLogger(__name__)

# How notices write the name of a room, which is nobody's business in a log.
ROOM = re.compile(r"#\S+")

# Whom to ask what, and which field of a description that is.
Part: TypeAlias = tuple[ActorRef | None, Message, str]


class OperatorActor(Actor):
    """Every command is answered with its reply or with `Rejected`.

    Stands where a node has its ui: the network's notices come here, and go to the hub and the log.
    """

    def __init__(
        self,
        network: Network,
        config: MailboxConfig,
        *,
        mailbox: ActorRef,
        mail_storage: ActorRef,
        relay: ActorRef,
        archive: ActorRef,
        hub: EventHub,
        tally: Tally,
        actor_stats: Callable[[], Sequence[ActorStats]],
        storage: ActorRef | None = None,
        transport: ActorRef | None = None,
        discovery: ActorRef | None = None,
        reachability: ActorRef | None = None,
        dht: ActorRef | None = None,
        sync: ActorRef | None = None,
    ) -> None:
        """The last six are those of the node that every role is; `dht` is None when it is switched off."""
        self._network = network
        self._config = config
        self._mailbox = mailbox
        self._mail_storage = mail_storage
        self._relay = relay
        self._archive = archive
        self._hub = hub
        self._tally = tally
        self._actor_stats = actor_stats
        self._parts = (
            (storage, actors_pb2.DescribeStore(), "store"),
            (transport, actors_pb2.DescribeTransport(), "transport"),
            (discovery, actors_pb2.DescribeDiscovery(), "discovery"),
            (reachability, actors_pb2.DescribeReachability(), "reachability"),
            (dht, actors_pb2.DescribeDht(), "dht"),
        )
        self._own_parts = (
            (storage, actors_pb2.DescribeStore(), "rooms"),
            (transport, actors_pb2.DescribeTransport(), "transport"),
            (reachability, actors_pb2.DescribeReachability(), "reachability"),
            (dht, actors_pb2.DescribeDht(), "dht"),
            (sync, actors_pb2.DescribeSync(), "sync"),
        )
        self._since = trio.current_time()
        self._doctor = doctor.Doctor(
            self._node_description, transport, mailbox=True, dht=dht is not None
        )
        self._desk = Desk(on_unheard=lambda rejected: log.debug("%s", rejected.detail))
        copies = Checkpoints(storage, mail_storage)
        self._lanes = {
            actors_pb2.Diagnose: self._desk.lane(self._doctor.begin, doctor.AT_ONCE),
            actors_pb2.MakeCheckpoint: self._desk.lane(copies.begin, AT_ONCE),
        }

    async def started(self) -> None:
        self.spawn(self._desk.run, name="operator desk")

    async def stopping(self) -> None:
        self._doctor.stop()
        await self._desk.finish()

    async def receive(self, letters: Sequence[Letter]) -> None:
        """A diagnosis and a checkpoint may take their time, and hold up nothing else."""
        lane = self._lanes.get(type(letters[0].message))
        if lane is not None:
            for letter in letters:
                lane.put(letter)
        else:
            await super().receive(letters)

    @handles(actors.DescribeMailbox)
    async def _describe(self, _: actors.DescribeMailbox) -> Message:
        return await self._or_rejected(self._description)

    @handles(actors.ListInvites)
    async def _list_invites(self, query: actors.ListInvites) -> Message:
        async def listed() -> Message:
            found = await self._mailbox.ask(query, actors.InviteList)
            for described in found.invites:
                described.link = self._link(described.invite.token)
            return found

        return await self._or_rejected(listed)

    @handles(actors.MakeInvite)
    async def _make_invite(self, command: actors.MakeInvite) -> Message:
        async def made() -> Message:
            described = await self._mailbox.ask(command, actors.InviteDescription)
            described.link = self._link(described.invite.token)
            return described

        return await self._or_rejected(made)

    @handles(actors.RedeemInvite)
    async def _redeem_invite(self, command: actors.RedeemInvite) -> Message:
        return await self._or_rejected(lambda: self._mailbox.ask(command, actors.InviteRedeemed))

    @handles(actors.RevokeInvite)
    async def _revoke_invite(self, command: actors.RevokeInvite) -> Message:
        return await self._pass_on(command)

    @handles(actors.BlockPeer)
    async def _block(self, command: actors.BlockPeer) -> Message:
        return await self._pass_on(command)

    @handles(actors.UnblockPeer)
    async def _unblock(self, command: actors.UnblockPeer) -> Message:
        return await self._pass_on(command)

    @handles(actors.ListBlocks)
    async def _list_blocks(self, query: actors.ListBlocks) -> Message:
        return await self._or_rejected(lambda: self._mailbox.ask(query, actors.BlockList))

    @handles(actors.TrimArchives)
    async def _trim(self, command: actors.TrimArchives) -> Message:
        return await self._or_rejected(lambda: self._archive.ask(command, actors_pb2.Done))

    # ---- events of the network --------------------------------------------------------------------

    @handles(actors_pb2.Notice)
    async def _note(self, notice: actors_pb2.Notice) -> None:
        log.info("%s", ROOM.sub("a room", notice.text))
        self._hub.emit(notice)

    @handles(actors_pb2.Listening)
    async def _listening(self, listening: actors_pb2.Listening) -> None:
        self._hub.emit(listening)

    # Who comes and goes is nobody's business here, and would put peer ids into logs.

    @handles(actors_pb2.PeerConnected)
    async def _connected(self, _: actors_pb2.PeerConnected) -> None: ...

    @handles(actors_pb2.PeerDisconnected)
    async def _disconnected(self, _: actors_pb2.PeerDisconnected) -> None: ...

    @handles(actors_pb2.PeerNamed)
    async def _named(self, _: actors_pb2.PeerNamed) -> None: ...

    @handles(actors_pb2.PeerMoved)
    async def _moved(self, _: actors_pb2.PeerMoved) -> None: ...

    @handles(actors_pb2.ReachabilityChanged)
    async def _reached(self, changed: actors_pb2.ReachabilityChanged) -> None:
        self._hub.emit(changed)
        if changed.reachability == actors_pb2.PUBLIC:
            log.info("%s", _who_can_connect(changed.addresses, self._config.node.announce))
        elif changed.reachability == actors_pb2.PRIVATE:
            log.warning("people outside cannot connect to this mailbox; see p2pchat doctor")

    # Rooms are kept, not read. How much is said in them concerns the archive, which is told as far as it has time.

    @handles(actors_pb2.RoomMessagesArrived)
    async def _arrived(self, arrived: actors_pb2.RoomMessagesArrived) -> None:
        self._archive.offer(arrived)

    @handles(actors_pb2.MessagesAltered)
    async def _altered(self, altered: actors_pb2.MessagesAltered) -> None:
        grown = actors_pb2.RoomMessagesArrived(room=altered.room, records=altered.room_records)
        self._archive.offer(grown)

    @handles(actors_pb2.RoomJoined)
    async def _joined(self, _: actors_pb2.RoomJoined) -> None: ...

    @handles(actors_pb2.RoomGap)
    async def _gap(self, _: actors_pb2.RoomGap) -> None: ...

    @handles(actors_pb2.MembersChanged)
    async def _members(self, _: actors_pb2.MembersChanged) -> None: ...

    @handles(actors_pb2.SyncProgressed)
    async def _synced(self, _: actors_pb2.SyncProgressed) -> None: ...

    # ---- answers ----------------------------------------------------------------------------------

    async def _pass_on(self, command: Message) -> Message:
        return await self._or_rejected(lambda: self._mailbox.ask(command, actors_pb2.Done))

    async def _or_rejected(self, answer: Callable[[], Awaitable[Message]]) -> Message:
        try:
            return await answer()
        except P2pchatError as error:
            return rejection_of(error)

    async def _description(self) -> Message:
        report = await self._mailbox.ask(actors.DescribeService(), actors.MailboxReport)
        mail = await self._mail_storage.ask(actors.DescribeMail(), actors.MailDescription)
        relay = await self._relay.ask(actors.DescribeRelay(), actors.RelayDescription)
        archive = await self._archive.ask(actors.DescribeArchives(), actors.ArchiveReport)
        network = {name: number for name, number in self._network.counters().items() if number}
        described = actors.MailboxDescription(
            peer=self._network.peer,
            addresses=self._addresses(),
            link=self._link(),
            uptime_ms=round((trio.current_time() - self._since) * 1000),
            registration=self._config.registration.value,
            registered=report.registered,
            invites=report.invites,
            blocked=report.blocked,
            streams=report.streams,
            collecting=report.collecting,
            held_envelopes=mail.held_envelopes,
            held_bytes=mail.held_bytes,
            store=mail.store,
            relay=relay if relay.serving else None,
            limits=limit_table(self._config, self._tally, network),
            counters={**network, **report.counters},
            archives=archive.archives,
            actors=(actor_status(stats) for stats in self._actor_stats()),
            latencies=report.latencies,
            tasks=trio.lowlevel.current_statistics().tasks_living,
            fullest_recipient=mail.fullest_recipient,
        )
        await self._fill_in(described, self._own_parts)
        return described

    async def _node_description(self) -> actors_pb2.NodeDescription:
        """What the doctor has to know; a part that is down is left out."""
        node = actors_pb2.NodeDescription(peer=self._network.peer, addresses=self._addresses())
        await self._fill_in(node, self._parts)
        return node

    async def _fill_in(self, described: Message, parts: Sequence[Part]) -> None:
        async with trio.open_nursery() as nursery:
            for ref, question, part in parts:
                if ref is not None:
                    nursery.start_soon(fill_in, ref, question, getattr(described, part))

    def _addresses(self) -> list[str]:
        peer = self._network.peer
        return [p2p_address.with_peer(a, peer) for a in self._network.listen_addresses()]

    def _link(self, token: str = "") -> str:
        addresses = tuple(self._network.listen_addresses())
        return format_link(MailboxLink(self._network.peer, addresses, token))


def _who_can_connect(confirmed: Sequence[str], announced: Sequence[str]) -> str:
    """`confirmed`: addresses at which somebody or the router says that this mailbox is reached; empty: they did not
    tell. `announced`: those of which the operator says so."""
    if confirmed and Scope.WIDE not in map(scope_of, [*confirmed, *announced]):
        return (
            "others in the same network can connect to this mailbox; whether people outside can is not known: nobody "
            "outside could be asked"
        )
    return "people outside can connect to this mailbox"
