"""Own messages on their way out: what has gathered while the last publish was under way goes out together."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence

import trio

from p2pchat.node.errors import NetworkDownError, PublishError
from p2pchat.node.ports import Network
from p2pchat.node.protocol.rooms import Room
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

OUTGOING = 2048  # saved messages that wait for gossip; then posting waits
REUNION = 5.0  # seconds that what was left over waits for neighbours to come back
REUNION_POLL = 0.1  # seconds


class Publisher:
    """Works off `outgoing`, which outlives it: a crash of the network part loses nothing."""

    def __init__(
        self,
        network: Network,
        ui: ActorRef,
        rooms: Mapping[str, Room],
        outgoing: deque[wire.RoomMessage],
    ) -> None:
        self._network = network
        self._ui = ui
        self._rooms = rooms
        self._outgoing = outgoing
        self._network_down = False
        self._changed = trio.Condition()

    async def put(self, messages: Sequence[wire.RoomMessage]) -> None:
        """Waits while too many wait for gossip."""
        async with self._changed:
            self._outgoing.extend(messages)
            self._changed.notify_all()
            while len(self._outgoing) >= OUTGOING:
                await self._changed.wait()

    async def all_published(self) -> None:
        async with self._changed:
            while self._outgoing and not self._network_down:
                await self._changed.wait()

    async def published(self, room: str) -> None:
        """Wait until everything said in a room is out."""
        async with self._changed:
            while any(message.room == room for message in self._outgoing):
                await self._changed.wait()

    async def run(self) -> None:
        if self._outgoing:
            await self._wait_for_neighbours()
        try:
            while True:
                async with self._changed:
                    while not self._outgoing:
                        await self._changed.wait()
                await self._publish_some()
        except NetworkDownError:
            self._network_down = True  # the next incarnation goes on with what is left
            async with self._changed:
                self._changed.notify_all()

    async def _publish_some(self) -> None:
        name = self._outgoing[0].room
        room = self._rooms.get(name)
        waiting = [message for message in self._outgoing if message.room == name]
        if room is not None:
            if room.plain:  # said again after a crash they would be new messages to everybody
                waiting = waiting[:1]
            await self._publish_in(room, waiting)
        async with self._changed:
            sent = {id(message) for message in waiting}
            left = [message for message in self._outgoing if id(message) not in sent]
            self._outgoing.clear()
            self._outgoing.extend(left)
            self._changed.notify_all()

    async def _wait_for_neighbours(self) -> None:
        """After a restart of the network nobody is connected yet to hear what was left over."""
        with trio.move_on_after(REUNION):
            while not self._has_neighbours():  # noqa: ASYNC110
                await trio.sleep(REUNION_POLL)

    def _has_neighbours(self) -> bool:
        return any(self._network.topic_peers(room.topic) for room in self._rooms.values())

    async def _publish_in(self, room: Room, messages: Sequence[wire.RoomMessage]) -> None:
        for data in room.encode(messages):
            try:
                await self._network.publish(room.topic, data)
            except NetworkDownError:
                raise
            except PublishError as error:
                log.warning("a message stays unpublished: %s", error)
                text = f"Something said in #{room.name} was kept and not sent: {error}"
                self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))
