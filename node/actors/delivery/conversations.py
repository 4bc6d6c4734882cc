"""In which order own messages come after those of the other side, for as many people as are talked to at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.conversation import Conversation
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

KEPT = 1024  # in memory; the one that was read first makes place, and is read from the store again


class Conversations:
    """Peers are named in base58."""

    def __init__(
        self, storage: ActorRef, randomness: Callable[[int], bytes], now_ms: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._randomness = randomness
        self._now_ms = now_ms
        self._known: dict[str, Conversation] = {}

    async def of(self, peer: str) -> Conversation:
        """Raises what `ActorRef.request` raises."""
        known = self._known.get(peer)
        if known is None:
            question = actors.ReadConversation(peer=peer)
            state = await self._storage.request(question, actors.RoomState)
            known = Conversation(
                peer_id.from_text(peer), state.lamport, state.parents, self._randomness
            )
            self._known[peer] = known
            while len(self._known) > KEPT:
                self._known.pop(next(iter(self._known)))
        return known

    def not_saved(self, peer: str) -> None:
        """Something that was composed for a conversation: it is nobody's parent."""
        self._known.pop(peer, None)

    async def accepted(self, peer: str, fresh: Sequence[records.DirectRecord]) -> None:
        """The other side has written: what we write from now on comes after that."""
        try:
            talk = await self.of(peer)
        except (RequestRejectedError, ActorError) as error:
            log.warning("the order of a conversation is read again later: %s", error)
            return
        for record in fresh:
            talk.accept(record, self._now_ms())
