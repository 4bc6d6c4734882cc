"""What comes into one room, by gossip and by sync: saved first, then shown in an order that makes sense."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence

import trio

from p2pchat.node.errors import ActorError, ActorStoppedError, RequestRejectedError
from p2pchat.node.protocol.room_message import ACCEPT_AHEAD_MS
from p2pchat.node.protocol.rooms import Room
from p2pchat.node.protocol.timeline import Step, Timeline
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

RETRY_SAVE = 1.0  # seconds until received messages that the store refused are tried again
GAP_TRIES = 3  # members that are asked for what is missing until it is given up
STIR_PAUSE = 5.0  # seconds between two words to sync that something was said
BUSY = 1.0  # seconds since the last gossip in which a room counts as busy
RECENT_MS = 10_000  # of Lamport time: what is newer may still be on its way by gossip
SETTLING = 30.0  # seconds after joining in which a first comparison should have come to its end
MAX_IDS = 1_000  # in one question to the store


class Intake:
    """Of one room. One call after the other, or what is shown would stand in another order than it is known."""

    def __init__(
        self,
        room: Room,
        timeline: Timeline,
        *,
        storage: ActorRef,
        ui: ActorRef,
        sync: ActorRef,
        now_ms: Callable[[], int],
    ) -> None:
        self._room = room
        self._timeline = timeline
        self._storage = storage
        self._ui = ui
        self._sync = sync
        self._now_ms = now_ms
        self._turn = trio.Lock()
        self._compared = False  # once with somebody
        self._opened_at = trio.current_time()
        self._tries = 0
        self._clock_doubted = False
        self._gossip_at = -BUSY
        self._stirred_at = -STIR_PAUSE
        self._source = ""  # of the last messages: who wrote them knows what comes before them

    def due(self) -> float | None:
        return self._timeline.due()

    async def gossip(self, good: Sequence[records.RoomRecord], source: str) -> None:
        """Messages without a flaw, as they came from `source`."""
        self._gossip_at = trio.current_time()
        new = await self._keep(good)
        if not new:
            return
        self._mind_clock(new)
        async with self._turn:
            if self._room.plain:
                await self._show(new)
                return
            unknown = await self._unknown(self._timeline.unsure(new))
            self._source = source
            self._stir()
            await self._carry_out(self._timeline.arrived(new, unknown, trio.current_time()))

    async def synced(self, messages: Sequence[wire.RoomMessage]) -> int:
        """Good messages that another member had; how many were new."""
        await self._let_gossip_pass(messages)
        now_ms = self._now_ms()
        found = [records.RoomRecord(message=each, received_at_ms=now_ms) for each in messages]
        new = await self._keep(found, patiently=False)
        if new:
            self._stir()  # what one of us lacked, others may lack
        async with self._turn:
            await self._carry_out(self._timeline.synced(new, trio.current_time()))
            return len(new)

    async def posted(self, own: Sequence[records.RoomRecord]) -> None:
        """Own messages, saved."""
        async with self._turn:
            if self._room.plain:
                await self._show(own)
            else:
                self._stir()
                await self._carry_out(self._timeline.posted(own, trio.current_time()))

    async def _let_gossip_pass(self, messages: Sequence[wire.RoomMessage]) -> None:
        """What was said a moment ago is most likely on its way by gossip, which keeps the order of a burst."""
        recent = self._room.clock - RECENT_MS
        wanted = any(self._timeline.waits_for(each.id) for each in messages)
        quiet = trio.current_time() > self._gossip_at + BUSY
        if not wanted and not quiet and any(each.lamport > recent for each in messages):
            await trio.sleep(BUSY)

    def _stir(self) -> None:
        now = trio.current_time()
        if now >= self._stirred_at + STIR_PAUSE:
            self._stirred_at = now
            self._sync.offer(actors.RoomStirred(room=self._room.name))

    async def expire(self) -> None:
        async with self._turn:
            await self._carry_out(self._timeline.expire(trio.current_time()))

    async def flush(self) -> None:
        async with self._turn:
            await self._carry_out(self._timeline.flush(trio.current_time()))

    async def compared(self, began: float) -> None:
        """A comparison with a member that began then has come to its end."""
        async with self._turn:
            if self._compared and self._timeline.missing and self._tries < GAP_TRIES:
                self._tries += 1
                self._sync.offer(actors.RoomGapFound(room=self._room.name))
                return
            step = self._timeline.compared(trio.current_time(), since=began)
            await self._carry_out(step)
            self._compared = True

    async def _carry_out(self, step: Step) -> None:
        if step.late:
            await self._show(step.late, late=True)
        if step.show:
            await self._show(step.show)
        if step.ask:
            self._tries = 0
            self._sync.offer(actors.RoomGapFound(room=self._room.name, peer=self._source))
        if step.gap is not None and (self._is_settled() or not step.gap.missing):
            self._ui.offer(step.gap)

    def _is_settled(self) -> bool:
        """Before that, what is missing is what was said before we came: nothing to tell."""
        return self._compared or trio.current_time() > self._opened_at + SETTLING

    def _mind_clock(self, new: Sequence[records.RoomRecord]) -> None:
        """What is said now is not dated days back: then it is our clock that is ahead, and nobody hears us."""
        if self._clock_doubted or self._room.plain:
            return
        if all(r.message.lamport + ACCEPT_AHEAD_MS < self._now_ms() for r in new):
            self._clock_doubted = True
            text = (
                f"What is said in #{self._room.name} is dated days ago. Is the clock of this computer right? "
                "If it is ahead, the others do not see what you say."
            )
            self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    # ---- store and screen ---------------------------------------------------------------------------

    async def _keep(
        self, good: Sequence[records.RoomRecord], *, patiently: bool = True
    ) -> list[records.RoomRecord]:
        """Those that were new. Without patience it raises what the store answers."""
        save = self._save_patiently if patiently else self.save
        fresh = await save(good)
        new = [record for record, is_fresh in zip(good, fresh, strict=True) if is_fresh]
        self._room.counts["received"] += len(new)
        self._room.counts["duplicates"] += len(good) - len(new)
        self._room.accept(new, self._now_ms())
        return new

    async def _save_patiently(self, received: Sequence[records.RoomRecord]) -> Sequence[bool]:
        """A full disk or a restarting store must not lose what others said: keep trying."""
        while True:
            try:
                return await self.save(received)
            except (RequestRejectedError, ActorError) as error:
                log.warning("received messages wait for the store: %s", error)
                await trio.sleep(RETRY_SAVE)

    async def save(self, to_save: Sequence[records.RoomRecord]) -> Sequence[bool]:
        """Without a deadline: a save that was given up would be carried out all the same, and what it saved
        would count as known, and never be shown."""
        saved = await self._storage.request(
            actors.SaveRoomMessages(records=to_save), actors.RoomMessagesSaved
        )
        return saved.fresh

    async def _unknown(self, ids: Sequence[bytes]) -> Sequence[bytes]:
        unknown: list[bytes] = []
        for start in range(0, len(ids), MAX_IDS):
            question = actors.FindUnknown(room=self._room.name, ids=ids[start : start + MAX_IDS])
            # Nothing is held back for long while the store does not answer.
            with contextlib.suppress(RequestRejectedError, ActorError):
                unknown += (await self._storage.ask(question, actors.UnknownIds)).ids
        return unknown

    async def _show(self, fresh: Sequence[records.RoomRecord], *, late: bool = False) -> None:
        # Told, not offered: a stored message must be shown, and ui takes letters without waiting for us.
        with contextlib.suppress(
            ActorStoppedError
        ):  # at the end nobody looks any more; it still goes out
            await self._ui.tell(
                actors.RoomMessagesArrived(room=self._room.name, records=fresh, late=late)
            )
