"""From the ui actor to front ends: every front end has a bounded feed of its own."""

from __future__ import annotations

from collections import deque
from types import TracebackType

import trio
from google.protobuf.message import Message

FEED_SIZE = (
    4096  # events; a front end that falls further behind loses the oldest and is told how many
)


class EventFeed:
    """One front end's events, oldest first. `missed` counts what it was too slow for."""

    def __init__(self, hub: EventHub) -> None:
        self.missed = 0
        self._hub = hub
        self._events: deque[Message] = deque()
        self._arrivals = trio.lowlevel.ParkingLot()

    async def next_batch(self) -> list[Message]:
        """Wait for events, then take all that are there: showing many at once is cheaper."""
        while not self._events:
            await self._arrivals.park()
        batch = list(self._events)
        self._events.clear()
        return batch

    def push(self, event: Message) -> None:
        if len(self._events) >= FEED_SIZE:
            self._events.popleft()
            self.missed += 1
        self._events.append(event)
        self._arrivals.unpark_all()

    def __enter__(self) -> EventFeed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hub.drop(self)


class EventHub:
    """Hands each event to every open feed; never waits for any of them."""

    def __init__(self) -> None:
        self._feeds: list[EventFeed] = []

    def open(self) -> EventFeed:
        feed = EventFeed(self)
        self._feeds.append(feed)
        return feed

    def drop(self, feed: EventFeed) -> None:
        if feed in self._feeds:
            self._feeds.remove(feed)

    def emit(self, event: Message) -> None:
        for feed in self._feeds:
            feed.push(event)
