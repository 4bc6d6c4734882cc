"""Whom the owner has blocked: of them front ends hear nothing, neither that they are there nor what they are called.

Connections with them stay: they say nothing about the owner, and others may be reached over them. What they write is
kept from front ends where it comes in (pubsub, delivery).
"""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence

from google.protobuf.message import Message

from p2pchat.proto import actors_pb2 as actors

_OF_A_PEER = (
    actors.PeerConnected,
    actors.PeerDisconnected,
    actors.PeerNamed,
    actors.PeerMoved,
    actors.DirectArrived,
)


class Hiding:
    def __init__(self) -> None:
        self.hidden = 0  # events that nobody was told of
        self._blocked: frozenset[str] = frozenset()

    def block(self, peers: Iterable[str]) -> None:
        """These, and nobody else."""
        self._blocked = frozenset(peers)

    def event(self, happened: Message) -> Message | None:
        """What front ends hear of it; None: nothing."""
        if not self._blocked:
            return happened
        hidden = isinstance(happened, _OF_A_PEER) and happened.peer in self._blocked
        if isinstance(happened, actors.MembersChanged):
            happened = self._members_changed(happened)
            hidden = not (happened.joined or happened.left)
        self.hidden += hidden
        return None if hidden else happened

    def answer(self, answer: Message) -> Message:
        """Without those who are blocked."""
        if isinstance(answer, actors.MemberList):
            self._drop(answer.members)
        elif isinstance(answer, actors.ConnectionList):
            self._drop(answer.connections)
        return answer

    def _members_changed(self, happened: actors.MembersChanged) -> actors.MembersChanged:
        seen = actors.MembersChanged()
        seen.CopyFrom(happened)
        self._drop(seen.joined)
        self._drop(seen.left)
        return seen

    def _drop(
        self, some: MutableSequence[actors.Member] | MutableSequence[actors.Connection]
    ) -> None:
        for place in reversed(range(len(some))):
            if some[place].peer in self._blocked:
                del some[place]
