"""What the mailbox needs from outside, besides a network: a store for mail that waits, and who keeps the invites.

A real and an in-memory adapter are in `adapters/`; one contract test holds both. Peers are binary peer ids here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from p2pchat.node.errors import P2pchatError
from p2pchat.node.ports import StoreInfo
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.quota import Quota, Usage


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one envelope: a receipt for `KEPT` and `KEPT_BEFORE`, else which limit refused it."""

    outcome: actors.Outcome
    stored_until_ms: int = 0
    sequence: int = 0  # the recipient's own, from 1, without gaps; 0 unless KEPT


class InvitesAwayError(P2pchatError):
    """Whoever keeps the invites does not answer at the moment."""


class Invites(Protocol):
    """The invites of a mailbox, kept by another of its workers."""

    async def redeem(self, token: str, peer: bytes) -> bool:
        """Whether `peer` may join by it: that costs one use, once. Raises `InvitesAwayError`."""
        ...


class MailStore(Protocol):
    """Mail in custody, and who may leave and collect it. Synchronous: called in a worker thread, one call at a time.

    Who deposited is given and kept by a name (`pseudonyms.depositor_name`), and no longer than the envelope is held.
    Every method raises `StoreError` when the disk fails or is full; nothing of that call is kept then. What is held
    for a recipient, from a sender and in all is counted exactly, in the same writes.
    """

    def open(self) -> None:
        """Raises `StoreInUseError`, `StoreTooNewError` or `StoreError`. Costs the same however much is stored."""
        ...

    def close(self) -> None: ...

    def checkpoint(self) -> Path:
        """All that is stored, in a folder beside the store, in place of an earlier one. `open` deletes it."""
        ...

    def deposit(self, batch: Sequence[actors.NewMail], quota: Quota) -> list[Kept]:
        """Keep what the quota admits, in one synced write; one result for each, in order.

        The key of an envelope is (recipient, id). One that is held, or was collected and left a tombstone, in the
        store or earlier in the batch, gets the receipt of the first time and changes nothing.
        """
        ...

    def read(self, recipient: bytes, after: int, limit: int, max_bytes: int) -> actors.MailPage:
        """What is held behind the sequence number `after`, oldest first; `max_bytes` of envelopes, or one."""
        ...

    def acknowledge(self, acks: Sequence[actors.ForgetMail]) -> int:
        """Delete in one synced write, leaving tombstones until the envelopes' time is over; how many there were."""
        ...

    def sweep(self, now_ms: int, limit: int) -> actors.MailSwept:
        """Delete up to `limit` envelopes and tombstones that are due before `now_ms`; costs by what is due."""
        ...

    def usage(self, recipient: bytes, sender: bytes = b"") -> Usage:
        """What is held for a recipient, in all or of one sender, by the name that it was deposited under."""
        ...

    def totals(self) -> Usage:
        """What is held in all."""
        ...

    def registry(self) -> actors.RegistryRecords:
        """Registrations, invites, blocks and archived rooms, each kind by its keys, and the store's secret."""
        ...

    def change_registry(self, change: actors.ChangeRegistry) -> None:
        """All of it in one synced write."""
        ...

    def describe(self) -> StoreInfo:
        """`messages` is the exact number of envelopes held."""
        ...
