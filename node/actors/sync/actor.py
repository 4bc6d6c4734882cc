"""Keeps open rooms complete: compares them with other members, and answers members who do."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.sync.frames import SYNC_PROTOCOL
from p2pchat.node.actors.sync.server import SyncServer
from p2pchat.node.actors.sync.session import MAX_GIVEN, DeclinedError, LiarError, SyncSession
from p2pchat.node.config import SyncLimits
from p2pchat.node.errors import ActorError, RequestRejectedError, StreamError
from p2pchat.node.ports import Network
from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol.sync_schedule import UNREACHED, Penalties, Result, RoomSchedule
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks at who is in a room
SHORTEST_LOOK = 0.05  # seconds
SESSIONS = 4  # comparisons that we have begun at a time; further rooms wait
PROGRESS_FROM = 500  # messages; a smaller catch-up is over before anybody wonders
RETRY_DISK = 30.0  # seconds until the next try when the own disk is full


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class _OpenRoom:
    schedule: RoomSchedule
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    bell: Bell = field(default_factory=Bell)
    status: actors.RoomSync = field(default_factory=actors.RoomSync)


class SyncActor(Actor):
    """One comparison at a time for each room. What is fetched is saved and shown by pubsub."""

    def __init__(
        self,
        network: Network,
        limits: SyncLimits,
        *,
        storage: ActorRef,
        pubsub: ActorRef,
        ui: ActorRef,
        rng: random.Random,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self._network = network
        self._storage = storage
        self._pubsub = pubsub
        self._ui = ui
        self._rng = rng
        self._now_ms = now_ms
        self._rooms: dict[str, _OpenRoom] = {}
        self._penalties = Penalties()
        self._counters: Counter[str] = Counter()
        self._free = trio.Semaphore(SESSIONS)
        self._busy: set[str] = (
            set()
        )  # peers that we are comparing a room with: one at a time with each
        self._server = SyncServer(
            limits,
            self._rooms.keys(),
            storage=storage,
            pubsub=pubsub,
            counters=self._counters,
            now_ms=now_ms,
            compared=self._compared_by,
            lied=self._lied,
            is_liar=lambda peer: self._penalties.lied_until(peer) > trio.current_time(),
        )

    async def started(self) -> None:
        self._network.handle(SYNC_PROTOCOL, self._server.serve)

    @handles(actors.RoomOpened)
    async def _opened(self, event: actors.RoomOpened) -> None:
        self._open(event.room)

    @handles(actors.RoomClosed)
    async def _closed(self, event: actors.RoomClosed) -> None:
        if room := self._rooms.pop(event.room, None):
            room.scope.cancel()

    @handles(actors.RoomGapFound)
    async def _gap_found(self, event: actors.RoomGapFound) -> None:
        if room := self._rooms.get(event.room):
            room.schedule.gap(event.peer, trio.current_time())
            room.bell.ring()

    @handles(actors.RoomStirred)
    async def _stirred(self, event: actors.RoomStirred) -> None:
        if room := self._rooms.get(event.room):
            room.schedule.stirred(trio.current_time())

    @handles(actors.DescribeSync)
    async def _describe(self, _: actors.DescribeSync) -> actors.SyncDescription:
        return actors.SyncDescription(
            rooms=[room.status for room in self._rooms.values()],
            counters={name: count for name, count in self._counters.items() if count},
        )

    def _open(self, name: str) -> None:
        if name in self._rooms:
            return
        room = _OpenRoom(RoomSchedule(self._rng, self._penalties))
        room.status.room = name
        self._rooms[name] = room
        self.spawn(self._keep_complete, name, room, name=f"sync {name}")

    # ---- one room -----------------------------------------------------------------------------------

    async def _keep_complete(self, name: str, room: _OpenRoom) -> None:
        topic = rules.topic_of(name, plain=False)
        with room.scope:
            while True:
                now = trio.current_time()
                room.schedule.neighbours(self._network.topic_peers(topic), now)
                peer = room.schedule.next(now, self._busy)
                if peer is not None:
                    self._busy.add(peer)
                    try:
                        async with self._free:
                            await self._compare(name, room, peer)
                    finally:
                        self._busy.discard(peer)
                    continue
                next_at = min(room.schedule.next_at(), now + LOOK)
                await room.bell.wait_until(max(next_at, now + SHORTEST_LOOK))

    async def _compare(self, name: str, room: _OpenRoom, peer: str) -> None:
        began = trio.current_time()
        room.schedule.began(peer, began)
        room.status.running = True
        self._counters["sync_sessions"] += 1
        result = await self._attempt(name, room, peer)
        room.status.running = False
        now = trio.current_time()
        if result is None:
            room.schedule.failed(peer, now)
            return
        room.schedule.finished(peer, result, now)
        room.status.compared += 1
        room.status.fetched += result.fetched
        room.status.last_ms = self._now_ms()
        if self._penalties.finished(peer, result, now):
            self._counters["sync_liars"] += 1
            log.warning("sync: the set of %s differs, and it does not say in what", peer)
        await self._pubsub.tell(actors.RoomCompared(room=name, began=began))

    async def _attempt(self, name: str, room: _OpenRoom, peer: str) -> Result | None:
        """None when it did not come to an end."""
        progress = _Progress(self._ui, name, peer)
        session = SyncSession(
            self._network,
            name,
            peer,
            storage=self._storage,
            pubsub=self._pubsub,
            counters=self._counters,
            now_ms=self._now_ms,
            progress=progress.report,
        )
        now = trio.current_time
        try:
            result = await session.run()
            progress.complete()
            return result
        except LiarError as error:
            log.warning("sync: %s lies: %s", peer, error)
            self._lied(peer)
        except DeclinedError as error:
            self._counters["sync_declined"] += 1
            room.schedule.avoid(peer, max(error.pause, UNREACHED), now())
        except (StreamError, ActorError) as error:
            log.debug("sync with %s broke off: %s", peer, error)
            self._counters["sync_broken"] += 1
            self._penalties.put_off(peer, UNREACHED, now())
        except RequestRejectedError as error:
            log.warning("sync waits: %s", error)
            room.schedule.avoid(peer, RETRY_DISK, now())
        finally:
            progress.finish()
        return None

    def _lied(self, peer: str) -> None:
        self._counters["sync_liars"] += 1
        self._penalties.lied(peer, trio.current_time())

    def _compared_by(self, name: str, peer: str, lacking: int) -> None:
        room = self._rooms.get(name)
        if room is None:
            return
        # It may have come since the last look: then it is not to be compared with once more, at the same time.
        topic = rules.topic_of(name, plain=False)
        room.schedule.neighbours(self._network.topic_peers(topic), trio.current_time())
        if lacking > MAX_GIVEN:
            room.schedule.behind(peer, trio.current_time())
        else:
            room.schedule.compared_by(peer, trio.current_time())
        room.bell.ring()


class _Progress:
    """Tells front ends about a catch-up that takes longer."""

    def __init__(self, ui: ActorRef, room: str, peer: str) -> None:
        self._ui = ui
        self._last = actors.SyncProgressed(room=room, peer=peer)
        self._complete = False

    def report(self, fetched: int, expected: int) -> None:
        self._last.fetched, self._last.expected = fetched, expected
        if expected >= PROGRESS_FROM:
            self._ui.offer(_copy(self._last))

    def complete(self) -> None:
        self._complete = True

    def finish(self) -> None:
        if self._last.expected >= PROGRESS_FROM:
            self._last.done = True
            self._last.broken = not self._complete
            self._ui.offer(_copy(self._last))


def _copy(event: actors.SyncProgressed) -> actors.SyncProgressed:
    copied = actors.SyncProgressed()
    copied.CopyFrom(event)
    return copied
