"""People: who is connected, who is a contact, who is blocked, who has proved to be who they say."""

from __future__ import annotations

from p2pchat.node.control import translate_lists
from p2pchat.node.control.group import Group
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control


class People(Group):
    async def list_peers(self, _: control.ListPeersRequest) -> control.ListPeersResponse:
        listed = await self._front.ask(actors.ListConnections(), actors.ConnectionList)
        names = self._front.names
        peers = (translate_lists.peer(each, names) for each in listed.connections)
        return control.ListPeersResponse(peers=peers)

    async def resolve_peer(
        self, request: control.ResolvePeerRequest
    ) -> control.ResolvePeerResponse:
        found = await self._front.resolve(request.who)
        return control.ResolvePeerResponse(peer=found.peer, name=found.name)

    # ---- contacts -----------------------------------------------------------------------------------

    async def list_contacts(self, _: control.ListContactsRequest) -> control.ListContactsResponse:
        listed = await self._front.ask(actors.ListContacts(), actors.ContactStatusList)
        self._front.names.learn(listed.contacts)
        contacts = map(translate_lists.contact, listed.contacts)
        return control.ListContactsResponse(contacts=contacts)

    async def add_contact(self, request: control.AddContactRequest) -> control.AddContactResponse:
        command = actors.AddContact(
            text=request.who, name=request.name, last_message_ms=request.last_message_ms
        )
        status = await self._front.ask(command, actors.ContactStatus)
        await self._front.learn_names()
        return control.AddContactResponse(contact=translate_lists.contact(status))

    async def rename_contact(
        self, request: control.RenameContactRequest
    ) -> control.RenameContactResponse:
        command = actors.RenameContact(text=request.who, name=request.name)
        status = await self._front.ask(command, actors.ContactStatus)
        await self._front.learn_names()
        return control.RenameContactResponse(contact=translate_lists.contact(status))

    async def remove_contact(
        self, request: control.RemoveContactRequest
    ) -> control.RemoveContactResponse:
        await self._front.do(actors.RemoveContact(text=request.who))
        await self._front.learn_names()
        return control.RemoveContactResponse()

    # ---- blocked, verified --------------------------------------------------------------------------

    async def block_peer(self, request: control.BlockPeerRequest) -> control.BlockPeerResponse:
        blocked = await self._front.ask(actors.BlockPeer(text=request.who), actors.PeerResolved)
        return control.BlockPeerResponse(peer=blocked.peer, name=blocked.name)

    async def unblock_peer(
        self, request: control.UnblockPeerRequest
    ) -> control.UnblockPeerResponse:
        await self._front.ask(actors.UnblockPeer(text=request.who), actors.PeerResolved)
        return control.UnblockPeerResponse()

    async def list_blocked_peers(
        self, _: control.ListBlockedPeersRequest
    ) -> control.ListBlockedPeersResponse:
        listed = await self._front.ask(actors.ListBlocked(), actors.BlockedList)
        return control.ListBlockedPeersResponse(peers=map(translate_lists.blocked, listed.peers))

    async def get_safety_number(
        self, request: control.GetSafetyNumberRequest
    ) -> control.GetSafetyNumberResponse:
        number = await self._front.ask(actors.DescribeSafety(text=request.who), actors.SafetyNumber)
        return control.GetSafetyNumberResponse(
            peer=number.peer, name=number.name, digits=number.digits, verified=number.verified
        )

    async def set_verified(
        self, request: control.SetVerifiedRequest
    ) -> control.SetVerifiedResponse:
        await self._front.do(actors.SetVerified(text=request.who, verified=request.verified))
        return control.SetVerifiedResponse()
