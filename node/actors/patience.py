"""Questions to the store that have to be answered, however long it takes."""

from __future__ import annotations

import logging

import trio

from p2pchat.node.errors import ActorError, ActorStoppedError, RequestRejectedError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

RETRY = 1.0  # seconds until a store that failed is asked again


async def find_patiently(storage: ActorRef, question: actors.FindMessages) -> actors.MessagesFound:
    """What was taken back must not be shown: so it waits for a store that does not answer."""
    while True:
        try:
            return await storage.request(question, actors.MessagesFound)
        except ActorStoppedError:
            return actors.MessagesFound()  # nobody looks any more
        except (RequestRejectedError, ActorError) as error:
            log.warning("edits wait for the store: %s", error)
            await trio.sleep(RETRY)
