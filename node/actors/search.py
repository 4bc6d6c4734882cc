"""Finds messages by their words, and keeps the index behind that up to date."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.actors.storage_calls import Runner, in_thread, length_of_page
from p2pchat.node.errors import (
    ActorStoppedError,
    P2pchatError,
    RequestRejectedError,
    SearchUnavailableError,
)
from p2pchat.node.ports import Found, IndexState, SearchIndex
from p2pchat.node.protocol.search_query import SearchQuery, parse_query, peer_place, room_place
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index

log = logging.getLogger(__name__)

MAX_HITS = 100  # in one page
FOLLOWER_BYTES = 16
CHUNK = 500  # messages indexed at a time: some 10 ms, for which a search may have to wait

START_DELAY = (
    5.0  # seconds from the start until the index is opened, unless somebody searches before
)
CHUNK_PAUSE = 0.05  # seconds between chunks; indexing takes a small part of one processor
IDLE_PAUSE = 15.0  # seconds until it is looked again whether something has come
RETRY_PAUSE = 60.0  # seconds after a failure, e.g. a full disk

# Chunks that are indexed before a search is answered, so that it finds what has just come; what waits behind is told.
CATCH_UP = 8
SCAN_UP = 2  # the same of what was there before the index: a small store is searched whole from the first time on

NO_INDEX = "This node keeps no index to search in."


class SearchActor(Actor):
    """Owns the index. Storage keeps what has come until it is in the index; nothing else waits for either of them.

    A new index, or one that does not belong to the store, is filled by a scan of the store, in chunks; how far it has
    come stands in the index. What comes meanwhile is kept by storage, and indexed in turn.
    """

    def __init__(
        self,
        search_index: SearchIndex | None,
        *,
        me: ActorRef,
        storage: ActorRef,
        randomness: Callable[[int], bytes],
        run: Runner = in_thread,
    ) -> None:
        """`me` leads to this actor; `run` performs one call on the index. Without an index nothing can be searched."""
        self._index = search_index
        self._me = me
        self._storage = storage
        self._randomness = randomness
        self._run = run
        self._state: IndexState | None = None  # None: not open
        self._complaint = ""  # the failure that was logged last; empty: it works
        self._never = ""  # why nothing can ever be searched

    async def started(self) -> None:
        if self._index is not None:
            self.spawn(self._keep_up, name="search index")

    async def stopping(self) -> None:
        await self._close()

    async def _keep_up(self) -> None:
        """Brings the index further by letters to this actor, so that a search comes in between."""
        await trio.sleep(START_DELAY)
        while True:
            try:
                done = await self._me.request(index.IndexSome(), index.IndexedSome)
            except ActorStoppedError:
                return
            if done.never:
                return
            pause = RETRY_PAUSE if done.failed else CHUNK_PAUSE if done.more else IDLE_PAUSE
            await trio.sleep(pause)

    # ---- indexing -----------------------------------------------------------------------------------

    @handles(index.IndexSome)
    async def _index_some(self, _: index.IndexSome) -> index.IndexedSome:
        try:
            search_index, state = await self._opened()
            state = await self._scan(search_index, state)
            behind = await self._take_in(search_index, state)
        except SearchUnavailableError:
            return index.IndexedSome(never=True)
        except P2pchatError as error:
            await self._complain(error)
            return index.IndexedSome(failed=True)
        self._complaint = ""
        return index.IndexedSome(more=behind > 0 or state.scanned is not None)

    async def _opened(self) -> tuple[SearchIndex, IndexState]:
        """The open index, following the store. Raises `P2pchatError`."""
        if self._never or self._index is None:
            raise SearchUnavailableError(self._never or NO_INDEX)
        if self._state is not None:
            return self._index, self._state
        try:
            state = await self._run(self._index.open)
        except SearchUnavailableError as error:
            await self._give_up(error)
            raise
        self._state = await self._followed(self._index, state)
        return self._index, self._state

    async def _give_up(self, error: SearchUnavailableError) -> None:
        # Nobody would ever take the arrivals.
        await self._storage.ask(index.SetFollower(), actors.Done)
        log.warning("%s", error)
        self._never = str(error)

    async def _followed(self, search_index: SearchIndex, state: IndexState) -> IndexState:
        """The state of an index that has, or will have by scanning and by arrivals, all that is in the store."""
        kept_for = (await self._storage.ask(index.ReadFollower(), index.Follower)).id
        if kept_for and kept_for == state.follower:
            return state
        # Arrivals first: what comes while the scan goes on is kept. After a crash in between both differ again.
        follower = self._randomness(FOLLOWER_BYTES)
        await self._storage.ask(index.SetFollower(id=follower), actors.Done)
        return await self._run(lambda: search_index.begin(follower))

    async def _scan(self, search_index: SearchIndex, state: IndexState) -> IndexState:
        """Index the next chunk of what was there before the index, if there is one left."""
        if state.scanned is None:
            return state
        question = index.ScanMessages(limit=CHUNK, after=state.scanned)
        page = await self._storage.ask(question, index.Changes)
        return await self._apply(search_index, page.changes, page.last or None)

    async def _take_in(self, search_index: SearchIndex, state: IndexState) -> int:
        """Index the next chunk of what has come; how many messages wait behind it."""
        page = await self._storage.ask(index.ReadArrivals(limit=CHUNK), index.Changes)
        if page.last:
            await self._apply(search_index, page.changes, state.scanned)
            # After a crash before this they come again, and change nothing.
            await self._storage.ask(index.DropArrivals(last=page.last), actors.Done)
        return page.waiting

    async def _apply(
        self, search_index: SearchIndex, changes: Sequence[index.Change], scanned: bytes | None
    ) -> IndexState:
        self._state = await self._run(lambda: search_index.apply(changes, scanned))
        return self._state

    async def _complain(self, error: P2pchatError) -> None:
        """Log a failure, once for as long as it lasts. What is open may be damaged, so it is opened again."""
        await self._close()
        if str(error) != self._complaint:
            self._complaint = str(error)
            log.warning("the search index is not up to date: %s", error)

    async def _close(self) -> None:
        self._state = None
        if self._index is not None:
            await self._run(self._index.close)

    # ---- searching ----------------------------------------------------------------------------------

    @handles(actors.SearchHistory)
    async def _search(self, question: actors.SearchHistory) -> Message:
        try:
            query = parse_query(question.words)
        except ValueError as error:
            return actors.Rejected(reason=actors.INVALID, detail=str(error))
        try:
            search_index, state = await self._opened()
            waiting = await self._catch_up(search_index, state)
            page = await self._page(search_index, query, question)
        except (SearchUnavailableError, RequestRejectedError) as error:
            return rejection_of(error)
        except P2pchatError as error:
            await self._complain(error)
            return rejection_of(error)
        page.waiting = waiting
        return page

    async def _catch_up(self, search_index: SearchIndex, state: IndexState) -> int:
        """How many messages are not in the index, about; most often none. On a full disk what is there is searched."""
        waiting = 0
        try:
            for _ in range(SCAN_UP):
                state = await self._scan(search_index, state)
            for _ in range(CATCH_UP):
                waiting = await self._take_in(search_index, state)
                if not waiting:
                    break
        except P2pchatError as error:
            waiting = max(1, waiting)
            await self._complain(error)
            await self._opened()
        if state.scanned is not None:
            stored = await self._storage.ask(actors.DescribeStore(), actors.StoreDescription)
            waiting = max(1, waiting, stored.messages - state.messages)
        return waiting

    async def _page(
        self, search_index: SearchIndex, query: SearchQuery, question: actors.SearchHistory
    ) -> actors.SearchPage:
        """Hits whose messages are still stored; a page without any is the last one."""
        limit, last = length_of_page(question.limit, MAX_HITS), question.before
        while True:
            found = await self._find(search_index, query, question, limit, last)
            wanted = index.ReadSpots(spots=found.spots)
            read = await self._storage.ask(wanted, index.SpotsRead)
            last = found.last
            if read.hits or not last:
                return actors.SearchPage(hits=read.hits, last=last)

    async def _find(
        self,
        search_index: SearchIndex,
        query: SearchQuery,
        question: actors.SearchHistory,
        limit: int,
        before: bytes,
    ) -> Found:
        place = room_place(question.room) if question.room else ""
        place = peer_place(question.peer) if question.peer else place
        return await self._run(lambda: search_index.find(query, place, limit, before))
