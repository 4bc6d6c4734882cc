"""Mailboxes that take mail for the owner."""

from __future__ import annotations

from p2pchat.node.control import translate_lists
from p2pchat.node.control.group import Group
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control


class Mailboxes(Group):
    async def list_mailboxes(
        self, _: control.ListMailboxesRequest
    ) -> control.ListMailboxesResponse:
        listed = await self._front.ask(actors.ListMailboxes(), actors.MailboxStatusList)
        mailboxes = map(translate_lists.own_mailbox, listed.mailboxes)
        return control.ListMailboxesResponse(mailboxes=mailboxes)

    async def add_mailbox(self, request: control.AddMailboxRequest) -> control.AddMailboxResponse:
        status = await self._front.ask(actors.AddMailbox(link=request.link), actors.MailboxStatus)
        return control.AddMailboxResponse(mailbox=translate_lists.own_mailbox(status))

    async def remove_mailbox(
        self, request: control.RemoveMailboxRequest
    ) -> control.RemoveMailboxResponse:
        await self._front.do(actors.RemoveMailbox(text=request.which))
        return control.RemoveMailboxResponse()
