"""What the node's events look like to this session: which lines each of them is worth."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from p2pchat.cli.terminal import render
from p2pchat.cli.terminal.conversations import Conversations
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.rooms import Rooms
from p2pchat.proto import actors_pb2 as actors


class EventLines:
    """`me` is the own binary peer id."""

    def __init__(self, me: bytes, rooms: Rooms, conversations: Conversations) -> None:
        self._me = me
        self._rooms = rooms
        self._conversations = conversations
        self._addresses: list[str] = []
        self.in_company = False  # a chat peer or somebody's message has been seen

    def of(self, event: Message, now: float) -> Sequence[Line]:
        """`now` is a time of trio's clock."""
        match event:
            case actors.RoomMessagesArrived():
                self.in_company |= any(each.message.sender != self._me for each in event.records)
                return self._rooms.arrived(event, away=self._conversations.current is not None)
            case actors.DirectArrived():
                self.in_company |= not all(record.outgoing for record in event.records)
                return self._conversations.lines_of(event, now)
            case actors.DeliveriesChanged():
                return self._conversations.lines_of(event, now)
            case actors.PeerNamed():
                return self._peer_named(event)
            case actors.PeerDisconnected():
                name = self._rooms.known.pop(event.peer, None)
                return [] if name is None else [render.disconnected(event.peer, name)]
            case actors.Listening():
                fresh = [each for each in event.addresses if each not in self._addresses]
                self._addresses = list(event.addresses)
                return render.listening(fresh)
            case actors.RoomJoined():
                return self._rooms.entered(event.room, event.plain)
            case actors.Notice():
                return render.notice(event)
        return []

    def _peer_named(self, event: actors.PeerNamed) -> list[Line]:
        """A peer is worth a line once it is known to chat: most of the network does not."""
        previous = self._rooms.known.get(event.peer)
        self._rooms.known[event.peer] = event.name
        self.in_company = True
        if previous is None:
            return [render.connected(event.peer, event.name)]
        return [] if previous == event.name else [render.renamed(event.peer, previous, event.name)]
