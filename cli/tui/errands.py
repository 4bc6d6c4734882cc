"""Carries out what was typed: asks the node, and gives what there is to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from p2pchat.cli.terminal import commands as line
from p2pchat.cli.terminal.render import count
from p2pchat.cli.tui import answers, commands
from p2pchat.cli.tui.conversation import Conversation, Item, message_key
from p2pchat.cli.tui.errands_files import FileErrands, peer_here
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.outcome import Outcome, hint, note
from p2pchat.cli.tui.state import CONVERSATIONS, INFO, MEMBERS, ChatState
from p2pchat.proto import control_pb2 as control

NOTHING_TO_EDIT = "There is no message of yours here that could be changed."
WAITS = "That waits for the node still: try again when it has been sent, or could not be."
NOT_SENT = "That was not sent: /edit alone puts it back where you type, /retract takes it away."
TAKEN_AWAY = "Taken away; it had not been sent. The up key brings back what you have typed."


class Errands:
    """`columns` says how wide a table may be. Every method raises what `NodeLink.ask` raises."""

    def __init__(self, link: NodeLink, state: ChatState, columns: Callable[[], int]) -> None:
        self._link = link
        self._state = state
        self._columns = columns
        self._files = FileErrands(link, state, columns)

    async def carry_out(self, command: commands.Command) -> Outcome:
        """Everything but what is said, and what concerns only the screen."""
        handler = self._handlers().get(type(command))
        return await handler(command) if handler else Outcome()

    def _handlers(self) -> dict[type, Callable[[Any], Awaitable[Outcome]]]:
        return {
            line.Join: self._join,
            line.Switch: self._switch,
            line.Leave: self._leave,
            line.ShowRooms: self._show_rooms,
            line.ShowMembers: self._show_members,
            line.KeepRoom: self._keep,
            line.ForgetRoom: self._forget,
            line.ArchiveRoom: self._archive,
            line.Write: self._write,
            line.Converse: self._converse,
            line.ShowContacts: self._show_contacts,
            line.AddContact: self._add_contact,
            line.RenameContact: self._rename_contact,
            line.RemoveContact: self._remove_contact,
            line.ShowOwnLink: self._show_link,
            line.ShowSafetyNumber: self._show_safety_number,
            line.SetVerified: self._set_verified,
            line.ShowMailboxes: self._show_mailboxes,
            line.AddMailbox: self._add_mailbox,
            line.RemoveMailbox: self._remove_mailbox,
            line.ShowPeers: self._show_peers,
            line.ShowInfo: self._show_info,
            line.Examine: self._examine,
            line.Rename: self._rename,
            line.Block: self._block,
            line.ShowBlocked: self._show_blocked,
            line.Mute: self._mute,
            line.EditMessage: self._edit,
            line.RetractMessage: self._retract,
            line.DeleteMessage: self._delete,
            commands.EditLast: self._edit_last,
            commands.BlockHere: self._block_here,
            commands.VerifyHere: self._verify_here,
            **self._files.handlers(),
        }

    # ---- rooms ------------------------------------------------------------------------------------------

    async def _join(self, command: line.Join) -> Outcome:
        request = control.JoinRoomRequest(room=command.room, plain=command.plain)
        joined = await self._link.ask(request)
        conversation = self._state.room(joined.room)
        conversation.status.plain = conversation.status.plain or command.plain
        return Outcome(open=conversation.key, ask={CONVERSATIONS, MEMBERS})

    async def _switch(self, command: line.Switch) -> Outcome:
        if f"#{command.room}" in self._state.conversations:
            return Outcome(open=f"#{command.room}")
        return hint(f"You are not in #{command.room}: /join {command.room} goes there.")

    async def _leave(self, command: line.Leave) -> Outcome:
        name = command.room or self._room_here()
        if not name:
            return hint("Which room? E.g. /leave lobby.")
        await self._link.ask(control.LeaveRoomRequest(room=name))
        self._state.members.pop(name, None)
        return Outcome(rows=note(f"You have left #{name}."), ask={CONVERSATIONS})

    async def _show_rooms(self, _: object) -> Outcome:
        found = await self._link.ask(control.ListRoomsRequest())
        return Outcome(answers.rooms(found.rooms, self._columns()))

    async def _show_members(self, command: line.ShowMembers) -> Outcome:
        name = command.room or self._room_here()
        if not name:
            return hint("Of which room? E.g. /who lobby.")
        found = await self._link.ask(control.ListMembersRequest(room=name))
        self._state.set_members(name, found.members)
        return Outcome(answers.members(name, found.members))

    async def _keep(self, command: line.KeepRoom) -> Outcome:
        name = command.room or self._room_here()
        if not name:
            return hint("Of which room? E.g. /keep 30 lobby.")
        request = control.KeepRoomRequest(room=name, keep_days=command.days)
        return Outcome(answers.kept(await self._link.ask(request)))

    async def _forget(self, command: line.ForgetRoom) -> Outcome:
        found = await self._link.ask(control.ForgetRoomRequest(room=command.room))
        conversation = self._state.conversations.get(f"#{command.room}")
        if conversation is not None:
            conversation.clear_messages()
            conversation.cursor = ""
        deleted = count(found.messages, "message")
        text = f"Deleted here: {deleted} of #{command.room}; others keep theirs."
        return Outcome(rows=note(text), ask={CONVERSATIONS})

    async def _archive(self, command: line.ArchiveRoom) -> Outcome:
        request = control.ArchiveRoomRequest(room=command.room, stop=command.stop)
        found = await self._link.ask(request)
        return Outcome(answers.archived(found.status, stop=command.stop))

    # ---- people -----------------------------------------------------------------------------------------

    async def _write(self, command: line.Write) -> Outcome:
        request = control.SendMessageRequest(who=command.who, text=command.text)
        sent = (await self._link.ask(request)).message
        conversation = self._state.person(sent.conversation.peer, command.who)
        conversation.put(sent)
        return Outcome(open=conversation.key, ask={CONVERSATIONS, INFO})

    async def _converse(self, command: line.Converse) -> Outcome:
        if not command.who:
            rooms = [each.key for each in self._state.conversations.values() if each.is_room]
            return Outcome(open=rooms[0]) if rooms else hint("There is no room: /join lobby.")
        found = await self._link.ask(control.ResolvePeerRequest(who=command.who))
        return Outcome(open=self._state.person(found.peer, found.name).key, ask={CONVERSATIONS})

    async def _show_contacts(self, _: object) -> Outcome:
        found = await self._link.ask(control.ListContactsRequest())
        return Outcome(answers.contacts(found.contacts, self._columns()))

    async def _add_contact(self, command: line.AddContact) -> Outcome:
        request = control.AddContactRequest(who=command.who, name=command.name)
        contact = (await self._link.ask(request)).contact
        key = self._state.person(contact.peer, contact.name).key
        return Outcome(note(f"Now among your contacts: {contact.name}"), key, {CONVERSATIONS})

    async def _rename_contact(self, command: line.RenameContact) -> Outcome:
        request = control.RenameContactRequest(who=command.who, name=command.name)
        contact = (await self._link.ask(request)).contact
        return Outcome(note(f"For you this is now {contact.name}"), ask={CONVERSATIONS})

    async def _remove_contact(self, command: line.RemoveContact) -> Outcome:
        await self._link.ask(control.RemoveContactRequest(who=command.who))
        text = f"{command.who} is no longer among your contacts; the messages stay."
        return Outcome(note(text), ask={CONVERSATIONS})

    async def _show_link(self, _: object) -> Outcome:
        return Outcome(answers.link((await self._link.ask(control.GetLinkRequest())).link))

    async def _show_safety_number(self, command: line.ShowSafetyNumber) -> Outcome:
        found = await self._link.ask(control.GetSafetyNumberRequest(who=command.who))
        return Outcome(answers.safety_number(found, self._state.people))

    async def _set_verified(self, command: line.SetVerified) -> Outcome:
        request = control.SetVerifiedRequest(who=command.who, verified=command.verified)
        await self._link.ask(request)
        text = "Noted as verified." if command.verified else "Noted as not verified."
        return Outcome(note(text), ask={CONVERSATIONS})

    async def _verify_here(self, _: object) -> Outcome:
        peer = peer_here(self._state)
        if not peer:
            return hint("Whom? E.g. /verify Bob.")
        return await self._show_safety_number(line.ShowSafetyNumber(peer))

    async def _block_here(self, command: commands.BlockHere) -> Outcome:
        peer = peer_here(self._state)
        if not peer:
            return hint("Whom? E.g. /block Bob.")
        return await self._block(line.Block(peer, command.undo))

    async def _block(self, command: line.Block) -> Outcome:
        if command.undo:
            await self._link.ask(control.UnblockPeerRequest(who=command.who))
            return Outcome(note("No longer blocked."), ask={CONVERSATIONS})
        found = await self._link.ask(control.BlockPeerRequest(who=command.who))
        name = self._state.people.label(found.peer, found.name)
        text = f"Blocked: {name}. /unblock takes it back, /blocked lists whom you have blocked."
        return Outcome(note(text), ask={CONVERSATIONS})

    async def _show_blocked(self, _: object) -> Outcome:
        found = await self._link.ask(control.ListBlockedPeersRequest())
        return Outcome(answers.blocked(found.peers, self._state.people))

    async def _mute(self, command: line.Mute) -> Outcome:
        conversation = await self._meant(command)
        if conversation is None:
            return hint("Which room, or whom? E.g. /mute #lobby.")
        which, muted = conversation.status.conversation, not command.undo
        await self._link.ask(control.MuteRequest(conversation=which, muted=muted))
        conversation.status.muted = muted
        return Outcome(note("Muted." if muted else "No longer muted."), ask={CONVERSATIONS})

    async def _meant(self, command: line.Mute) -> Conversation | None:
        if command.room:
            return self._state.conversations.get(f"#{command.room}")
        if not command.who:
            return self._state.here
        found = await self._link.ask(control.ResolvePeerRequest(who=command.who))
        return self._state.person(found.peer, found.name)

    # ---- messages ---------------------------------------------------------------------------------------

    async def _edit(self, command: line.EditMessage) -> Outcome:
        item = self._own(command.nth)
        message = item.message if item else None
        if item is None or message is None:
            return hint(NOTHING_TO_EDIT)
        if item.is_unsent:
            return hint(WAITS if item.pending else NOT_SENT)
        request = control.EditMessageRequest(
            conversation=message.conversation, id=message.id, text=command.text
        )
        await self._link.ask(request)
        return Outcome()

    async def _edit_last(self, _: object) -> Outcome:
        item = self._own(1)
        message = item.message if item else None
        if item is not None and message is not None and item.is_unsent:
            return self._take_away(item, back=True)
        if message is None or message.retracted or message.HasField("file"):
            return hint(NOTHING_TO_EDIT)
        number = "1 " if message.text[:1].isdigit() else ""
        return Outcome(input=f"/edit {number}{message.text}")

    async def _retract(self, command: line.RetractMessage) -> Outcome:
        item = self._own(command.nth)
        message = item.message if item else None
        if item is None or message is None:
            return hint("There is no such message of yours here.")
        if item.is_unsent:
            return self._take_away(item)
        request = control.RetractMessageRequest(conversation=message.conversation, id=message.id)
        await self._link.ask(request)
        return Outcome()

    def _own(self, back: int) -> Item | None:
        """As they stand on the screen, also one that could not be sent."""
        here = self._state.here
        found = here.said(own=True) if here else []
        return found[-back] if 0 < back <= len(found) else None

    def _take_away(self, item: Item, *, back: bool = False) -> Outcome:
        """What was not sent: from the screen, and if wanted `back` to where one types."""
        here, message = self._state.here, item.message
        if item.pending or here is None or message is None:
            return hint(WAITS)
        here.remove(item.key)
        return Outcome(input=message.text) if back else Outcome(note(TAKEN_AWAY))

    async def _delete(self, command: line.DeleteMessage) -> Outcome:
        here = self._state.here
        found = here.said() if here else []
        if here is None or command.nth > len(found):
            return hint("There is no such message here.")
        item = found[-command.nth]
        message = item.message
        if message is None or item.is_unsent:
            return self._take_away(item)
        request = control.DeleteMessageRequest(
            conversation=message.conversation, sender=message.sender, id=message.id
        )
        await self._link.ask(request)
        here.remove(message_key(message.sender, message.id))
        return Outcome(note("Deleted here; others keep it."))

    # ---- mailboxes, and this node -----------------------------------------------------------------------

    async def _show_mailboxes(self, _: object) -> Outcome:
        found = await self._link.ask(control.ListMailboxesRequest())
        return Outcome(answers.mailboxes(found.mailboxes, self._columns()))

    async def _add_mailbox(self, command: line.AddMailbox) -> Outcome:
        found = await self._link.ask(control.AddMailboxRequest(link=command.link))
        return Outcome(answers.mailboxes([found.mailbox], self._columns()), ask={INFO})

    async def _remove_mailbox(self, command: line.RemoveMailbox) -> Outcome:
        await self._link.ask(control.RemoveMailboxRequest(which=command.which))
        return Outcome(note(f"Mailbox {command.which} is not used any more."), ask={INFO})

    async def _show_peers(self, _: object) -> Outcome:
        found = await self._link.ask(control.ListPeersRequest())
        return Outcome(answers.peers(found.peers, self._columns()))

    async def _show_info(self, _: object) -> Outcome:
        found = await self._link.ask(control.GetInfoRequest())
        self._state.set_info(found)
        rooms = (await self._link.ask(control.ListRoomsRequest())).rooms
        return Outcome(answers.info(found, rooms), title="How this node is doing")

    async def _examine(self, _: object) -> Outcome:
        found = await self._link.ask(control.DiagnoseRequest())
        return Outcome(answers.diagnosis(found.diagnosis))

    async def _rename(self, command: line.Rename) -> Outcome:
        await self._link.ask(control.SetNameRequest(name=command.name))
        return Outcome(note(f"You are now called {command.name}."), ask={INFO})

    def _room_here(self) -> str:
        here = self._state.here
        return here.status.conversation.room if here else ""
