"""What the node's events look like to this session: which lines each of them is worth."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from p2pchat.cli.terminal import render
from p2pchat.cli.terminal.alterations import Alterations
from p2pchat.cli.terminal.catching_up import CatchingUp
from p2pchat.cli.terminal.company import Company
from p2pchat.cli.terminal.conversations import Conversations
from p2pchat.cli.terminal.files import Files
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.rooms import Rooms
from p2pchat.cli.terminal.ways import reached
from p2pchat.proto import actors_pb2 as actors


class EventLines:
    """`me` is the own binary peer id."""

    def __init__(
        self,
        me: bytes,
        rooms: Rooms,
        conversations: Conversations,
        files: Files,
        alterations: Alterations,
    ) -> None:
        self._files = files
        self._me = me
        self._rooms = rooms
        self._conversations = conversations
        self._alterations = alterations
        self._company = Company(rooms.known)
        self._catching_up = CatchingUp(rooms.view, self._is_elsewhere)
        self._addresses: set[str] = set()  # shown in this run
        self._relayed: set[str] = set()  # connected peers that are reached through a relay only
        self._reached_as = ""  # as it was shown last
        self.in_company = False  # a chat peer or somebody's message has been seen

    def of(self, event: Message, now: float) -> Sequence[Line]:
        """`now` is a time of trio's clock."""
        match event:
            case actors.RoomMessagesArrived():
                self.in_company |= any(each.message.sender != self._me for each in event.records)
                if event.late:
                    self._catching_up.arrived(event, now)
                    return []
                return self._rooms.arrived(event, elsewhere=self._is_elsewhere(event.room))
            case actors.RoomGap():
                return self._catching_up.gap(event)
            case actors.SyncProgressed():
                return self._catching_up.progressed(event, now)
            case actors.MembersChanged():
                self.in_company |= bool(event.joined)
                return self._company.changed(event, self._rooms.current, now)
            case actors.DirectArrived():
                self.in_company |= not all(record.outgoing for record in event.records)
                return self._conversations.lines_of(event, now)
            case actors.MessagesAltered():
                elsewhere = self._is_elsewhere(event.room)
                return self._alterations.lines_of(event, elsewhere=elsewhere)
            case actors.TransferChanged():
                return self._files.lines_of(event)
            case actors.DeliveriesChanged():
                return self._conversations.lines_of(event, now)
            case actors.PeerConnected():
                self._note_way(event.peer, relayed=event.relayed)
            case actors.PeerMoved():
                self._note_way(event.peer, relayed=event.relayed)
                name = self._rooms.known.get(event.peer)
                return [] if name is None else [render.moved(event, name)]
            case actors.ReachabilityChanged():
                return self._reached(event)
            case actors.PeerNamed():
                return self._peer_named(event, now)
            case actors.PeerDisconnected():
                self._relayed.discard(event.peer)
                name = self._rooms.known.pop(event.peer, None)
                if name is None or not self._company.disconnected(event.peer, now):
                    return []
                return [render.disconnected(event.peer, name)]
            case actors.Listening():
                fresh = [each for each in event.addresses if each not in self._addresses]
                # A relay that comes back is no news.
                self._addresses |= set(event.addresses)
                return render.listening(fresh)
            case actors.RoomJoined():
                return self._rooms.entered(event.room, event.plain)
            case actors.Notice():
                return render.notice(event)
        return []

    @property
    def due_at(self) -> float:
        """When `due` has something to show, on trio's clock; infinite when nothing waits."""
        return self._catching_up.due_at

    def due(self, now: float) -> list[Line]:
        return self._catching_up.due(now)

    def flush(self) -> list[Line]:
        """Everything that waits to be shown with more of its kind."""
        return self._catching_up.flush()

    def _is_elsewhere(self, room: str) -> bool:
        """Whether what is typed does not go there, so that its messages name it."""
        return self._conversations.current is not None or room != self._rooms.current

    def _note_way(self, peer: str, *, relayed: bool) -> None:
        if relayed:
            self._relayed.add(peer)
        else:
            self._relayed.discard(peer)

    def _reached(self, event: actors.ReachabilityChanged) -> list[Line]:
        """Once for each change; a time in which it is not known in between is none."""
        text = reached(event)
        if not text or text == self._reached_as:
            return []
        self._reached_as = text
        return [render.note(text)]

    def _peer_named(self, event: actors.PeerNamed, now: float) -> list[Line]:
        """A peer is worth a line once it is known to chat: most of the network does not."""
        previous = self._rooms.known.get(event.peer)
        self._rooms.known[event.peer] = event.name
        self.in_company = True
        if previous is None:
            is_news = self._company.connected(event.peer, now)
            relayed = event.peer in self._relayed
            return [render.connected(event.peer, event.name, relayed=relayed)] if is_news else []
        return [] if previous == event.name else [render.renamed(event.peer, previous, event.name)]
