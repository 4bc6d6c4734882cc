"""Asks the DHT where mail for somebody can be left, when neither the recipient nor its known mailboxes help."""

from __future__ import annotations

import logging

import trio

from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

FIRST_PAUSE = 30.0  # seconds until a peer of whom nothing is known is looked up again
PAUSE = 600.0  # seconds, when a record is known already and might only be old
MAX_PEERS = 1000  # remembered for that


class RecordLookups:
    """One look-up of a peer at a time, and not often. Without `dht` there is nobody to ask."""

    def __init__(self, dht: ActorRef | None, outgoing: Outgoing) -> None:
        self._dht = dht
        self._outgoing = outgoing
        self._not_before: dict[str, float] = {}

    async def look_up(self, peer: str) -> None:
        """What is found is learned as if the peer itself had told it; the record is signed."""
        if self._dht is None or trio.current_time() < self._not_before.get(peer, 0.0):
            return
        self._remember(peer)
        try:
            record = await self._dht.request(actors.FindRecord(peer=peer), wire.MailboxRecord)
        except (RequestRejectedError, ActorError) as error:
            log.debug("no record of %s in the DHT: %s", peer, error)
            return
        await self._outgoing.learn_record(peer, record)

    def _remember(self, peer: str) -> None:
        known = bool(self._outgoing.outbox.mailboxes(peer))
        self._not_before.pop(peer, None)
        self._not_before[peer] = trio.current_time() + (PAUSE if known else FIRST_PAUSE)
        if len(self._not_before) > MAX_PEERS:
            del self._not_before[next(iter(self._not_before))]
