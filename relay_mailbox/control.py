"""The operator's side of a mailbox, served to other processes: `p2pchat.control.v1.Mailbox`, beside `Node`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from p2pchat.node import control as node_control
from p2pchat.node.adapters.grpc_server import Service, serving
from p2pchat.node.protocol.links import MailboxLink, format_link
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import mailbox_actors_pb2 as actors

SERVICE = control.DESCRIPTOR.services_by_name["Mailbox"]


def serve(path: Path, servant: MailboxControl) -> AbstractAsyncContextManager[None]:
    """On a socket at `path`, while the context lasts. Raises `ConfigError` when there can be none."""
    return serving(path, [Service(SERVICE, servant), node_control.service(servant.operator)])


class MailboxControl:
    """Asks the operator actor. Each method raises what `ActorRef.ask` raises.

    `announced` are multiaddrs to put into links; none: those that the mailbox listens on, public ones first.
    """

    def __init__(self, operator: ActorRef, announced: Sequence[str] = ()) -> None:
        self.operator = operator
        self._announced = tuple(announced)

    async def status(self, _: control.StatusRequest) -> control.StatusResponse:
        return control.StatusResponse(mailbox=await self._describe())

    async def list_invites(self, _: control.ListInvitesRequest) -> control.ListInvitesResponse:
        here = await self._describe()
        listed = await self.operator.ask(actors.ListInvites(), actors.InviteList)
        for invite in listed.invites:
            invite.link = self._link(here, invite.invite.token)
        return control.ListInvitesResponse(invites=listed.invites)

    async def make_invite(self, request: control.MakeInviteRequest) -> control.MakeInviteResponse:
        here = await self._describe()
        command = actors.MakeInvite(uses=request.uses, label=request.label)
        made = await self.operator.ask(command, actors.InviteDescription)
        made.link = self._link(here, made.invite.token)
        return control.MakeInviteResponse(invite=made)

    async def revoke_invite(
        self, request: control.RevokeInviteRequest
    ) -> control.RevokeInviteResponse:
        await self.operator.ask(actors.RevokeInvite(id=request.id), actors_pb2.Done)
        return control.RevokeInviteResponse()

    async def block(self, request: control.BlockRequest) -> control.BlockResponse:
        command = actors.BlockPeer(peer=request.peer, note=request.note)
        await self.operator.ask(command, actors_pb2.Done)
        return control.BlockResponse()

    async def unblock(self, request: control.UnblockRequest) -> control.UnblockResponse:
        await self.operator.ask(actors.UnblockPeer(peer=request.peer), actors_pb2.Done)
        return control.UnblockResponse()

    async def list_blocks(self, _: control.ListBlocksRequest) -> control.ListBlocksResponse:
        listed = await self.operator.ask(actors.ListBlocks(), actors.BlockList)
        return control.ListBlocksResponse(blocks=listed.blocks)

    async def redeem_invite(
        self, request: control.RedeemInviteRequest
    ) -> control.RedeemInviteResponse:
        """For another worker of the same mailbox."""
        command = actors.RedeemInvite(token=request.token, peer=request.peer)
        redeemed = await self.operator.ask(command, actors.InviteRedeemed)
        return control.RedeemInviteResponse(id=redeemed.id)

    async def _describe(self) -> actors.MailboxDescription:
        described = await self.operator.ask(actors.DescribeMailbox(), actors.MailboxDescription)
        described.link = self._link(described)
        return described

    def _link(self, here: actors.MailboxDescription, token: str = "") -> str:
        """Not the actor's own: that knows nothing of what is announced, and keeps any eight addresses."""
        ending = f"/p2p/{here.peer}"
        addresses = self._announced or public_first(here.addresses)
        without_peer = tuple(address.removesuffix(ending) for address in addresses)
        return format_link(MailboxLink(here.peer, without_peer, token))


def public_first(addresses: Iterable[str]) -> list[str]:
    """Multiaddrs by how far they reach: public ones, those of a local network, those of this machine alone.

    Among equals, those that most others can use: IPv4 before IPv6, TCP before QUIC.
    """
    return sorted(addresses, key=lambda a: (_nearness(a), "/udp/" in a, a.startswith("/ip6/")))


def _nearness(address: str) -> int:
    """0 for what may be reached from everywhere, 3 for what only this machine reaches."""
    kind, _, rest = address.removeprefix("/").partition("/")
    if kind not in ("ip4", "ip6"):
        return 0  # somebody has given it a name
    try:
        ip = ipaddress.ip_address(rest.partition("/")[0])
    except ValueError:
        return 3
    return 0 if ip.is_global else 3 if ip.is_loopback else 2 if ip.is_link_local else 1
