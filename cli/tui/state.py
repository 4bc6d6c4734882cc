"""What the node has told, and what follows from an event for the screen. Without Textual, I/O or clocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from p2pchat.cli.tui.conversation import Conversation, key_of, message_key, transfer_key
from p2pchat.cli.tui.link import NodeState
from p2pchat.cli.tui.opening import OpeningScreen, conversation_key
from p2pchat.cli.tui.people import People
from p2pchat.proto import control_pb2 as control

TRANSFERS_KEPT = 256  # transfers whose progress is known; the oldest are forgotten first

# What is to be asked of the node.
CONVERSATIONS, INFO, MEMBERS, EVERYTHING, TRANSFERS = (
    "conversations",
    "info",
    "members",
    "everything",
    "transfers",
)

ENDED = frozenset({"restarting", "stopped", "failed"})  # phases of a node that does not run


@dataclass(slots=True)
class Changes:
    """What is to be drawn again, asked, and told."""

    touched: set[str] = field(default_factory=set)  # conversations
    overview: bool = False  # the list of conversations
    status: bool = False
    side: bool = False  # the pane about the current conversation
    ask: set[str] = field(default_factory=set)
    arrived: list[control.Message] = field(default_factory=list)  # new, from others, not late
    notices: list[tuple[str, str]] = field(default_factory=list)  # level, text

    def add(self, other: Changes) -> None:
        self.touched |= other.touched
        self.overview |= other.overview
        self.status |= other.status
        self.side |= other.side
        self.ask |= other.ask
        self.arrived += other.arrived
        self.notices += other.notices


class ChatState:
    def __init__(self, opening: OpeningScreen | None = None) -> None:
        self.people = People()
        self.conversations: dict[str, Conversation] = {}  # in the order of the list
        self.current = ""
        self.is_listed = False  # the node has said which conversations there are
        self.members: dict[str, Sequence[control.Member]] = {}  # by room
        self.transfers: dict[str, control.Transfer] = {}
        self.info = control.GetInfoResponse()
        self.node = NodeState("starting")
        if opening is not None:
            self._open(opening)

    def _open(self, opening: OpeningScreen) -> None:
        self.people.be(opening.peer, opening.name)
        self.set_conversations(opening.conversations)
        for key, page in opening.messages.items():
            if key in self.conversations:
                self.learn_from(page)
                self.conversations[key].put_page(page)

    # ---- conversations ----------------------------------------------------------------------------------

    @property
    def here(self) -> Conversation | None:
        return self.conversations.get(self.current)

    def set_conversations(self, found: Iterable[control.ConversationStatus]) -> Changes:
        """As the node lists them; those with something unsent, and the current one, stay in any case."""
        before, now = self.conversations, {}
        for status in found:
            key = conversation_key(status.conversation)
            now[key] = before.get(key) or Conversation(key, status)
            now[key].status = status
            if status.conversation.peer:
                self.people.learn(status.conversation.peer, status.name)
        for key, each in before.items():
            if key not in now and (key == self.current or any(i.is_unsent for i in each.items)):
                each.status.joined = False
                now[key] = each
        self.conversations = now
        if self.current not in now:
            self.current = next(iter(now), "")
        return Changes(overview=True, side=True, status=True)

    def person(self, peer: str, name: str) -> Conversation:
        """The conversation with somebody, made where there was none."""
        return self._conversation(control.Conversation(peer=peer), name)

    def room(self, name: str) -> Conversation:
        found = self._conversation(control.Conversation(room=name), name)
        found.status.joined = True
        return found

    def room_or_person(self, which: control.Conversation, name: str) -> Conversation:
        """One that there is, or is now."""
        return self._conversation(which, which.room or name)

    def _conversation(self, which: control.Conversation, name: str) -> Conversation:
        key = conversation_key(which)
        if key not in self.conversations:
            status = control.ConversationStatus(conversation=which, name=name)
            self.conversations[key] = Conversation(key, status)
        return self.conversations[key]

    def learn_from(self, messages: Iterable[control.Message]) -> None:
        for message in messages:
            if not message.own and not message.unsigned:
                self.people.learn(message.sender, message.name)

    # ---- events -----------------------------------------------------------------------------------------

    def apply(self, event: control.Event | NodeState) -> Changes:
        if isinstance(event, NodeState):
            return self._node_is(event)
        kind = event.WhichOneof("event")
        handler = getattr(self, f"_{kind}", None) if kind else None
        result: Changes = handler(getattr(event, kind)) if handler and kind else Changes()
        return result

    def _node_is(self, state: NodeState) -> Changes:
        if state.phase == "gone" and self.node.phase in ENDED:
            return Changes()  # the connection is noticed later than the end, of which more is known
        self.node = state
        return Changes(status=True, overview=True)

    def _subscribed(self, event: control.Subscribed) -> Changes:
        return Changes(ask={INFO} if event.resumed else {EVERYTHING})

    def _fell_behind(self, _: control.FellBehind) -> Changes:
        return Changes(ask={EVERYTHING})

    def _messages_arrived(self, event: control.MessagesArrived) -> Changes:
        self.learn_from(event.messages)
        key = conversation_key(event.conversation)
        conversation = self.conversations.get(key)
        if conversation is None:
            name = next((m.name for m in event.messages if not m.own), "")
            conversation = self._conversation(event.conversation, event.conversation.room or name)
        new = [message for message in event.messages if conversation.put(message)]
        told = [] if event.late else [message for message in new if not message.own]
        ask = (
            set()
            if conversation.status.last_message_ms or conversation.is_room
            else {CONVERSATIONS}
        )
        if new:
            conversation.status.last_message_ms = max(m.received_at_ms for m in new)
        return Changes({key}, overview=True, ask=ask, arrived=told)

    def _messages_changed(self, event: control.MessagesChanged) -> Changes:
        key = conversation_key(event.conversation)
        conversation = self.conversations.get(key)
        if conversation is None:
            return Changes()
        for message in event.messages:
            if conversation.find(message_key(message.sender, message.id)):
                conversation.put(message)
        for gone in event.deleted:
            conversation.remove(message_key(gone.sender, gone.id))
        return Changes({key})

    def _deliveries_changed(self, event: control.DeliveriesChanged) -> Changes:
        key = conversation_key(event.conversation)
        conversation = self.conversations.get(key)
        if conversation is None:
            return Changes()
        for change in event.changes:
            conversation.deliver(change.id, self.people.me, change.delivery)
        return Changes({key}, ask={INFO, CONVERSATIONS})

    def _unread_changed(self, event: control.UnreadChanged) -> Changes:
        conversation = self.conversations.get(conversation_key(event.conversation))
        if conversation is None:
            return Changes(ask={CONVERSATIONS})
        conversation.status.unread = event.unread
        return Changes(overview=True)

    def _room_joined(self, event: control.RoomJoined) -> Changes:
        self.room(event.room)
        return Changes(overview=True, ask={CONVERSATIONS})

    def _room_left(self, event: control.RoomLeft) -> Changes:
        self.members.pop(event.room, None)
        return Changes(overview=True, ask={CONVERSATIONS})

    def _members_changed(self, event: control.MembersChanged) -> Changes:
        for member in (*event.joined, *event.left):
            self.people.learn(member.peer, member.name)
        is_here = self.current == f"#{event.room}"
        return Changes(ask={MEMBERS} if is_here else set())

    def _room_gap(self, event: control.RoomGap) -> Changes:
        from p2pchat.cli.tui.layout import gap_row

        conversation = self.conversations.get(f"#{event.room}")
        if conversation is None:
            return Changes()
        if event.missing:
            conversation.note([gap_row(event.missing, event.given_up)], key="gap")
        else:
            conversation.remove("gap")
        return Changes({conversation.key})

    def _sync_progressed(self, event: control.SyncProgressed) -> Changes:
        conversation = self.conversations.get(f"#{event.room}")
        if conversation is None:
            return Changes()
        is_over = event.done or event.broken or event.fetched >= event.expected
        conversation.catching_up = None if is_over else (event.fetched, event.expected)
        return Changes(side=True)

    def _peer_connected(self, event: control.PeerConnected) -> Changes:
        return self._connected(event.peer, True)

    def _peer_disconnected(self, event: control.PeerDisconnected) -> Changes:
        return self._connected(event.peer, False)

    def _connected(self, peer: str, is_connected: bool) -> Changes:
        conversation = self.conversations.get(f"@{peer}")
        if conversation is None:
            return Changes(ask={INFO})
        conversation.status.connected = is_connected
        return Changes(overview=True, side=True, ask={INFO, CONVERSATIONS})

    def _peer_named(self, event: control.PeerNamed) -> Changes:
        if f"@{event.peer}" in self.conversations:
            return Changes(ask={CONVERSATIONS})  # the owner may call it otherwise
        self.people.learn(event.peer, event.name)
        return Changes(side=True)

    def _reachability_changed(self, event: control.ReachabilityChanged) -> Changes:
        self.info.reachability = event.reachability
        return Changes(status=True)

    def _notice(self, event: control.Notice) -> Changes:
        return Changes(notices=[(event.level, event.text)])

    def _transfer_changed(self, event: control.TransferChanged) -> Changes:
        return self.set_transfer(event.transfer)

    def _conversation_changed(self, event: control.ConversationChanged) -> Changes:
        conversation = self.conversations.get(conversation_key(event.conversation))
        if conversation is not None:
            conversation.status.muted = event.muted
        return Changes(overview=True, ask={CONVERSATIONS})

    def _contacts_changed(self, _: control.ContactsChanged) -> Changes:
        return Changes(ask={CONVERSATIONS})

    # ---- answers ----------------------------------------------------------------------------------------

    def set_transfer(self, transfer: control.Transfer) -> Changes:
        from p2pchat.cli.tui.layout import transfer_rows

        self.transfers.pop(transfer.id, None)
        self.transfers[transfer.id] = transfer
        while len(self.transfers) > TRANSFERS_KEPT:
            del self.transfers[next(iter(self.transfers))]
        conversation = self.conversations.get(f"@{transfer.peer}")
        if conversation is None:
            return Changes(ask={CONVERSATIONS})
        if not conversation.touch_transfer(transfer.id):
            # Its message has not come, or will not: then it has a note of its own.
            conversation.note(transfer_rows(transfer), key=transfer_key(transfer.id))
        return Changes({conversation.key}, side=True)

    def note_transfer(self, transfer: control.Transfer) -> Changes:
        """One of the list: only what is open, or has a message, is worth showing."""
        is_open = transfer.state in (control.OFFERED, control.WAITING, control.RUNNING)
        if is_open:
            return self.set_transfer(transfer)
        self.transfers[transfer.id] = transfer
        conversation = self.conversations.get(f"@{transfer.peer}")
        is_shown = conversation is not None and conversation.touch_transfer(transfer.id)
        return Changes({f"@{transfer.peer}"} if is_shown else set())

    def set_info(self, info: control.GetInfoResponse) -> Changes:
        self.info = info
        self.people.be(info.peer, info.name)
        return Changes(status=True)

    def set_members(self, room: str, members: Sequence[control.Member]) -> Changes:
        self.members[room] = members
        for member in members:
            if not member.self:
                self.people.learn(member.peer, member.name)
        return Changes(side=True)

    def conversation_of(self, message: control.Message) -> Conversation | None:
        return self.conversations.get(key_of(message))
