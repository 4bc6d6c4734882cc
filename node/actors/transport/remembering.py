"""Keeps the address book on the disk, so that a node finds its people again when nobody else says where they are."""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol.address_book import AddressBook
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

SAVE_EVERY = 60.0  # seconds between two looks whether there is something new to keep
LAST_SAVE = 1.0  # seconds that a stop waits for it


class Remembering:
    """Between the book and storage."""

    def __init__(self, book: AddressBook, storage: ActorRef, now_ms: Callable[[], int]) -> None:
        self._book = book
        self._storage = storage
        self._now_ms = now_ms

    async def load(self) -> None:
        """What cannot be read is only a hint that is missing."""
        try:
            known = await self._storage.ask(actors.ReadKnownPeers(), records.KnownPeers)
        except (RequestRejectedError, ActorError) as error:
            log.warning("the known peers were not read: %s", error)
            return
        self._book.load(known, trio.current_time(), self._now_ms())

    async def run(self) -> None:
        while True:
            await trio.sleep(SAVE_EVERY)
            await self.save()

    async def last(self) -> None:
        """At a stop."""
        with trio.move_on_after(LAST_SAVE):
            await self.save()

    async def save(self) -> None:
        """Only when there is news. A disk that is full is no reason to stop."""
        if not self._book.worth_saving:
            return
        command = actors.SaveKnownPeers(known=self._book.known(self._now_ms()))
        try:
            await self._storage.ask(command, actors.Done)
        except (RequestRejectedError, ActorError) as error:
            log.warning("the known peers were not saved: %s", error)
        else:
            self._book.saved()
