"""Which worker of a mailbox takes a peer's mail: rendezvous hashing, so that peers spread evenly.

Everybody who has the same link comes to the same worker, and when a worker is added, only those move who would go to
it: a peer goes to the worker with the highest SHA-256 of the peer's binary peer id followed by the worker's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.links import MailboxLink, MailboxWorker


def workers_of(link: MailboxLink) -> Sequence[MailboxWorker]:
    """All of them, the one that the link names first in front."""
    return [MailboxWorker(link.peer, link.addresses), *link.workers]


def choose(link: MailboxLink, peer: bytes, known: Collection[str]) -> MailboxLink:
    """The link of the one worker that `peer` uses. One of those that are `known` (in base58) stays what it is."""
    workers = workers_of(link)
    found = next((worker for worker in workers if worker.peer in known), None)
    worker = found or max(workers, key=lambda worker: _weight(peer, worker))
    return MailboxLink(worker.peer, worker.addresses, link.token)


def _weight(peer: bytes, worker: MailboxWorker) -> bytes:
    return hashlib.sha256(peer + peer_id.from_text(worker.peer)).digest()
