"""Which comings and goings are worth a line: a friend who is connected, and then in the room, has come once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from p2pchat.cli.terminal import render_members
from p2pchat.cli.terminal.lines import Line
from p2pchat.proto import actors_pb2 as actors

COMING = 10.0  # seconds in which being connected and being in the room are the same news
# The same of going. A peer that vanished has left its rooms only after a grace, see node/protocol/room_presence.py.
GOING = 30.0


class Company:
    """`known`: names of connected peers, by peer id. Times are those of trio's clock."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        # When it was last shown, by peer id.
        self._connected: dict[str, float] = {}
        self._disconnected: dict[str, float] = {}
        self._joined: dict[str, float] = {}
        self._left: dict[str, float] = {}

    def connected(self, peer: str, now: float) -> bool:
        """Whether that is news."""
        self._prune(now)
        if peer in self._joined:
            return False
        self._connected[peer] = now
        self._disconnected.pop(peer, None)
        return True

    def disconnected(self, peer: str, now: float) -> bool:
        """Whether that is news."""
        self._prune(now)
        if peer in self._left:
            return False
        self._disconnected[peer] = now
        self._connected.pop(peer, None)
        return True

    def changed(self, event: actors.MembersChanged, current: str, now: float) -> list[Line]:
        """`current`: the room that the user is in."""
        self._prune(now)
        is_here = event.room == current
        if event.first:
            return self._first(event, is_here, now)
        # Who is not connected any more has left every room, and that is no further news.
        left = self._named(each for each in event.left if each.peer not in self._disconnected)
        joined = self._named(
            each for each in event.joined if not (is_here and each.peer in self._connected)
        )
        if is_here:
            self._note(joined, self._joined, self._left, now)
            self._note(left, self._left, self._joined, now)
        lines = [render_members.came(event.room, joined)] if joined else []
        return [*lines, render_members.went(event.room, left)] if left else lines

    def _first(self, event: actors.MembersChanged, is_here: bool, now: float) -> list[Line]:
        """Whole or not at all: a list with holes would not be true."""
        there = self._named(event.joined)
        if not there or (is_here and all(each.peer in self._connected for each in there)):
            return []
        if is_here:
            self._note(there, self._joined, self._left, now)
        return [render_members.here_already(event.room, there)]

    def _named(self, members: Iterable[actors.Member]) -> list[actors.Member]:
        return [
            each if each.name else actors.Member(peer=each.peer, name=self._known.get(each.peer))
            for each in members
        ]

    def _note(
        self,
        members: Sequence[actors.Member],
        shown: dict[str, float],
        undone: dict[str, float],
        now: float,
    ) -> None:
        for each in members:
            shown[each.peer] = now
            undone.pop(each.peer, None)

    def _prune(self, now: float) -> None:
        for shown, lasts in (
            (self._connected, COMING),
            (self._joined, COMING),
            (self._disconnected, GOING),
            (self._left, GOING),
        ):
            for peer in [peer for peer, at in shown.items() if at + lasts <= now]:
                del shown[peer]
