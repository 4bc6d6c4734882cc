"""What the storage actor does for search: tells what has come, and reads what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import StoreActor, length_of_page
from p2pchat.node.protocol.search_query import peer_of, room_of
from p2pchat.node.runtime import handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index


class SearchStorage(StoreActor):
    """Answers the search actor."""

    @handles(index.ReadFollower)
    async def _read_follower(self, _: index.ReadFollower) -> Message:
        return await self._answer(lambda: index.Follower(id=self._store.arrivals.follower()))

    @handles(index.SetFollower)
    async def _set_follower(self, command: index.SetFollower) -> Message:
        return await self._write(lambda: self._store.arrivals.set_follower(command.id))

    @handles(index.ReadArrivals)
    async def _read_arrivals(self, query: index.ReadArrivals) -> Message:
        limit = length_of_page(query.limit)
        return await self._answer(lambda: self._store.arrivals.oldest(limit))

    @handles(index.DropArrivals)
    async def _drop_arrivals(self, command: index.DropArrivals) -> Message:
        return await self._write(lambda: self._store.arrivals.drop(command.last))

    @handles(index.ScanMessages)
    async def _scan_messages(self, query: index.ScanMessages) -> Message:
        limit = length_of_page(query.limit)
        return await self._answer(lambda: self._store.arrivals.scan(limit, query.after))

    @handles(index.ReadSpots)
    async def _read_spots(self, query: index.ReadSpots) -> Message:
        return await self._answer(lambda: index.SpotsRead(hits=self._hits(query.spots)))

    # What runs in the worker thread.

    def _hits(self, spots: Iterable[index.Spot]) -> Iterator[actors.SearchHit]:
        for spot in spots:
            room, peer = room_of(spot.place), peer_of(spot.place)
            if room is not None:
                for message in self._store.found_room_messages(room, [spot.key]):
                    yield actors.SearchHit(room_message=message)
            elif peer is not None:
                for record in self._store.found_direct_messages(peer, [spot.key]):
                    yield actors.SearchHit(direct=record)
