"""One joined room at work: listens to gossip, watches who is there, and says that this node is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.pubsub.intake import Intake
from p2pchat.node.errors import PublishError
from p2pchat.node.ports import Network, Subscription
from p2pchat.node.protocol.room_message import Flaw
from p2pchat.node.protocol.room_presence import RoomPresence
from p2pchat.node.protocol.rooms import Room
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.protocol.timeline import Timeline
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

LOOK = 1.0  # seconds between two looks at who is connected


class OpenRoom:
    """Runs until it is closed, or the network ends."""

    def __init__(
        self,
        room: Room,
        subscription: Subscription,
        *,
        network: Network,
        storage: ActorRef,
        ui: ActorRef,
        sync: ActorRef,
        author: bytes,
        key: Ed25519PrivateKey,
        known: Iterable[bytes],
        self_image: SelfImage,
        called: Mapping[str, str],
        announce: bool,
        rng: random.Random,
        now_ms: Callable[[], int],
        is_blocked: Callable[[bytes], bool],
    ) -> None:
        """`known`: ids that messages may name as parents although they are not at hand; `called`: names of peers, by
        their ids, as they said when they connected."""
        now = trio.current_time()
        self.room = room
        self.intake = Intake(
            room,
            Timeline(room.name, now, known),
            storage=storage,
            ui=ui,
            sync=sync,
            now_ms=now_ms,
            author=author,
            is_blocked=is_blocked,
        )
        self._subscription = subscription
        self._network = network
        self._ui = ui
        self._self_image = self_image
        self._called = called
        self._announce = announce
        self._now_ms = now_ms
        self._presence = RoomPresence(
            room.name, author, key, self_image.name, rng, now, announced=not room.plain
        )
        self._bell = Bell()
        self._scope = trio.CancelScope()
        self._clock_doubted = False

    async def run(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep_time)
                nursery.start_soon(self._watch)
                async for gossip in self._subscription:
                    received = self.room.receive(gossip.source, gossip.data, self._now_ms())
                    self._hear(received.presences)
                    self._mind_clock()
                    if received.records:
                        await self.intake.gossip(received.records, gossip.source)
                        self._bell.ring()
                nursery.cancel_scope.cancel()

    def close(self) -> None:
        self._scope.cancel()

    def members(self) -> list[actors.Member]:
        self._look()
        return self._presence.members(trio.current_time())

    async def say_goodbye(self) -> None:
        """What was held back is shown, and the others hear that this node leaves the room."""
        await self.intake.flush()
        farewell = self._presence.farewell(self._now_ms())
        if farewell is not None and self._announce:
            await self._publish(farewell)

    async def _keep_time(self) -> None:
        """What waits for its parents is shown when its time is up."""
        while True:
            if await self._bell.wait_until(self.intake.due()):
                continue
            await self.intake.expire()

    def _mind_clock(self) -> None:
        """Somebody is days ahead of us, or we are behind everybody."""
        if self._clock_doubted or not self.room.counts[Flaw.TOO_FAR_AHEAD.value]:
            return
        self._clock_doubted = True
        text = (
            f"A message in #{self.room.name} is dated days ahead, so it is not taken yet. "
            "Is the clock of this computer right?"
        )
        self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    # ---- presence -----------------------------------------------------------------------------------

    def _hear(self, presences: Iterable[wire.Presence]) -> None:
        now = trio.current_time()
        for each in presences:
            if flaw := self._presence.receive(each, now, self._now_ms()):
                self.room.counts[flaw.value] += 1

    async def _watch(self) -> None:
        while True:
            self._look()
            now = trio.current_time()
            if self._announce:
                own = self._presence.announcement(now, self._now_ms())
                if own is not None:
                    await self._publish(own)
            report = self._presence.changes(now)
            if report is not None:
                self._ui.offer(
                    actors.MembersChanged(
                        room=self.room.name,
                        joined=report.joined,
                        left=report.left,
                        first=report.first,
                    )
                )
            await trio.sleep(LOOK)

    def _look(self) -> None:
        now = trio.current_time()
        peers = frozenset(self._network.topic_peers(self.room.topic))
        self._presence.subscribed(peers, now, self._now_ms())
        for peer in peers & self._called.keys():
            self._presence.named(peer, self._called[peer])
        self._presence.rename(self._self_image.name, now)

    async def _publish(self, own: wire.Presence) -> None:
        batch = wire.RoomBatch(presences=[own])
        try:
            await self._network.publish(self.room.topic, batch.SerializeToString())
        except PublishError:
            return  # it is said again
