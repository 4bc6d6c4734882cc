"""Everything that happens, for any number of callers, from the same journal."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncGenerator, Sequence

import trio
from google.protobuf.message import Message

from p2pchat.node.control import translate_events
from p2pchat.node.control.front import Front
from p2pchat.node.control.group import Group
from p2pchat.node.events import EventFeed, EventHub
from p2pchat.node.protocol.event_journal import EPOCH_BYTES, EventJournal, EventReader
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

log = logging.getLogger(__name__)

NAMES_PATIENCE = 1.0  # seconds for what people are called, before events go out with what is known


class EventStream(Group):
    """`keep_journal` writes it, each `subscribe` reads it. Nobody who reads slowly holds up anything."""

    def __init__(self, front: Front, hub: EventHub) -> None:
        super().__init__(front)
        self._hub = hub
        self._journal = EventJournal(os.urandom(EPOCH_BYTES))
        self._news = trio.lowlevel.ParkingLot()
        self._feed: EventFeed | None = None  # none before the first caller wants to read
        self._wanted = trio.Event()

    async def keep_journal(self) -> None:
        """Until cancelled."""
        await self._wanted.wait()
        assert self._feed is not None
        with self._feed as feed:
            await self._learn_names()
            missed = 0
            while True:
                batch = await feed.next_batch()
                self._journal.lose(feed.missed - missed)
                missed = feed.missed
                await self._take(batch)
                self._news.unpark_all()

    async def subscribe(
        self, request: control.SubscribeRequest
    ) -> AsyncGenerator[Sequence[bytes], None]:
        """Batches of serialized events."""
        if self._feed is None:
            self._feed = self._hub.open()
            self._wanted.set()
        reader = EventReader(self._journal, request.after)
        while True:
            if batch := reader.read(_now_ms()):
                yield batch
            else:
                await self._news.park()

    async def _take(self, batch: Sequence[Message]) -> None:
        if any(isinstance(happened, actors.ContactChanged) for happened in batch):
            await self._learn_names()
        for happened in batch:
            try:
                self._note(happened)
            except Exception:
                # A fault in one event costs its readers that event, and they are told.
                log.exception("%s cannot be shown", type(happened).__name__)
                self._journal.lose(1)

    async def _learn_names(self) -> None:
        """The part of the node that knows them may be starting anew."""
        with trio.move_on_after(NAMES_PATIENCE):
            await self._front.learn_names()

    def _note(self, happened: Message) -> None:
        now_ms = _now_ms()
        for event in translate_events.events(happened, self._front.names):
            event.at_ms = now_ms
            self._journal.append(event)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
