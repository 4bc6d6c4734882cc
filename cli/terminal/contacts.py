"""The people of a session: who is meant, how to call them, and the commands about contacts and mailboxes."""

from __future__ import annotations

import trio

from p2pchat.cli.terminal import commands, render, render_contacts
from p2pchat.cli.terminal.front import FIRST_LOOK, POLL, Front
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render_direct import Partner, label
from p2pchat.node.errors import AskTimeoutError, P2pchatError, RequestRejectedError
from p2pchat.node.protocol import names, peer_id
from p2pchat.proto import actors_pb2 as actors

NO_ANSWER_YET = "No answer yet. It goes on in the background: /mailbox list shows how it stands."


class Contacts:
    def __init__(self, front: Front) -> None:
        self._front = front
        self._known: dict[str, actors.ContactStatus] = {}  # by peer id
        self._listed: list[str] = []  # peer ids by their number in the list that was shown last
        self._patient_until = 0.0  # when it is clear that somebody does not turn up
        self.loaded = False

    async def load(self) -> list[actors.ContactStatus]:
        """Ask the node again; raises `P2pchatError`."""
        found = await self._front.ask(actors.ListContacts(), actors.ContactStatusList)
        self._known = {_peer(status): status for status in found.contacts}
        self._front.offer_people(
            status.name
            for status in found.contacts
            if status.contact.added and not names.name_problem(status.name)
        )
        self.loaded = True
        return list(found.contacts)

    async def try_to_load(self) -> None:
        try:
            await self.load()
        except P2pchatError:
            return  # the part of the node that knows them is starting; the next occasion comes

    def missed(self) -> list[Line]:
        """Who has written and was not read the last time."""
        return [render_contacts.missed(status) for status in self._known.values() if status.missed]

    def partner(self, peer: str, name: str) -> Partner:
        """`name` is for somebody whom the owner has not named."""
        status = self._known.get(peer)
        if status is not None and status.contact.name:
            return Partner(peer, status.contact.name, named=True)
        return Partner(peer, name)

    def is_added(self, peer: str) -> bool:
        return peer in self._known and self._known[peer].contact.added

    def written_to(self, peer: str) -> None:
        """Whom the owner writes to becomes a contact, which is worth another look."""
        self.loaded = self.loaded and self.is_added(peer)

    async def resolve(self, who: str) -> Partner:
        """Whom the user means. Raises `P2pchatError` with a sentence.

        What comes by a pipe comes at once, when a node that was just started has found nobody yet: then an
        unknown name is given a little time to turn up.
        """
        if not self.loaded:
            await self.try_to_load()
        now = trio.current_time()
        if self._front.console.must_finish:
            self._patient_until = self._patient_until or now + FIRST_LOOK
        question = actors.ResolvePeer(text=self._meant(who))
        while True:
            try:
                found = await self._front.ask(question, actors.PeerResolved)
                return self.partner(found.peer, found.name)
            except RequestRejectedError as error:
                too_late = trio.current_time() >= self._patient_until
                if error.reason != actors.UNKNOWN_PEER or too_late:
                    raise
            await trio.sleep(POLL)

    def _meant(self, who: str) -> str:
        """Numbers are those of the list, unless somebody is called that."""
        is_number = who.isascii() and who.isdigit() and len(who) < 6  # more: the end of a peer id
        is_name = any(status.name == who for status in self._known.values())
        if is_number and not is_name and 1 <= int(who) <= len(self._listed):
            return self._listed[int(who) - 1]
        return who

    # ---- commands -----------------------------------------------------------------------------------

    async def carry_out(self, command: commands.ContactCommand) -> None:
        """Raises `P2pchatError` with a sentence."""
        match command:
            case commands.ShowContacts():
                await self._show()
            case commands.AddContact(who, name):
                await self._add(who, name)
            case commands.RenameContact(who, name):
                await self._rename(who, name)
            case commands.RemoveContact(who):
                await self._remove(who)
            case commands.ShowSafetyNumber(who):
                await self._show_safety_number(who)
            case commands.SetVerified(who, verified):
                await self._set_verified(who, verified)
            case commands.ShowOwnLink():
                link = await self._front.ask(actors.DescribeSelf(), actors.Link)
                await self._front.show(render_contacts.own_link(link.text))
            case commands.ShowMailboxes():
                found = await self._front.ask(actors.ListMailboxes(), actors.MailboxStatusList)
                await self._front.show(render_contacts.mailboxes(found.mailboxes))
            case commands.AddMailbox(link):
                await self._add_mailbox(link)
            case commands.RemoveMailbox(which):
                await self._front.ask(actors.RemoveMailbox(text=which), actors.Done)
                await self._front.show([render_contacts.mailbox_removed(which)])

    async def _show(self) -> None:
        found = await self.load()
        self._listed = [_peer(status) for status in found]
        await self._front.show(render_contacts.contacts(found))

    async def _add(self, who: str, name: str) -> None:
        question = actors.AddContact(text=self._meant(who), name=name)
        status = await self._front.ask(question, actors.ContactStatus)
        await self.try_to_load()
        await self._front.show([render_contacts.added(status)])

    async def _rename(self, who: str, name: str) -> None:
        question = actors.RenameContact(text=self._meant(who), name=name)
        status = await self._front.ask(question, actors.ContactStatus)
        await self.try_to_load()
        await self._front.show([render_contacts.named(status)])

    async def _remove(self, who: str) -> None:
        partner = await self.resolve(who)
        await self._front.ask(actors.RemoveContact(text=partner.peer), actors.Done)
        await self.try_to_load()
        await self._front.show([render_contacts.removed(label(partner))])

    async def _show_safety_number(self, who: str) -> None:
        partner = await self.resolve(who)
        question = actors.DescribeSafety(text=partner.peer)
        found = await self._front.ask(question, actors.SafetyNumber)
        await self._front.show(render_contacts.safety_number(found))

    async def _set_verified(self, who: str, verified: bool) -> None:
        partner = await self.resolve(who)
        command = actors.SetVerified(text=partner.peer, verified=verified)
        await self._front.ask(command, actors.Done)
        await self.try_to_load()
        await self._front.show([render_contacts.verified(label(partner), verified)])

    async def _add_mailbox(self, link: str) -> None:
        """The mailbox is asked first, which takes its time."""
        try:
            status = await self._front.ask(actors.AddMailbox(link=link), actors.MailboxStatus)
        except AskTimeoutError:
            await self._front.show([render.hint(NO_ANSWER_YET)])
        else:
            await self._front.show([render_contacts.mailbox_added(status)])


def _peer(status: actors.ContactStatus) -> str:
    return peer_id.to_text(status.contact.peer)
