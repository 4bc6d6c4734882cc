"""`MailStore` in memory: for simulations, tests and benchmarks. Keeps what it has while it is closed."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from p2pchat.node.errors import StoreError
from p2pchat.node.ports import StoreInfo
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.ports import Kept
from p2pchat.relay_mailbox.pseudonyms import KEY_BYTES
from p2pchat.relay_mailbox.quota import Quota, Usage, shortage

SCHEMA_VERSION = 2

K = TypeVar("K", bytes, str)
R = TypeVar("R")


@dataclass
class _Item:
    """One envelope, or what is left of it."""

    sequence: int
    stored_until_ms: int
    size: int
    sender: bytes
    held: bytes | None  # a serialized HeldEnvelope; None: a tombstone


class MemoryMail:
    """Holds serialized records, so that no caller shares an object with the store."""

    def __init__(self) -> None:
        self.failure: StoreError | None = None  # set it to play a full disk: every write raises it
        self._is_open = False
        self._secret = os.urandom(KEY_BYTES)
        self._items: defaultdict[bytes, dict[bytes, _Item]] = defaultdict(dict)  # recipient -> id
        self._sequences: defaultdict[bytes, int] = defaultdict(int)
        self._total = Usage()
        self._usage: defaultdict[bytes, Usage] = defaultdict(Usage)  # recipient, or with sender
        self._registrations: dict[bytes, bytes] = {}
        self._invites: dict[str, bytes] = {}
        self._blocks: dict[bytes, bytes] = {}
        self._archived: dict[str, bytes] = {}

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def checkpoint(self) -> Path:
        raise StoreError("This mailbox keeps nothing on a disk that could be backed up.")

    def deposit(self, batch: Sequence[actors.NewMail], quota: Quota) -> list[Kept]:
        self._check_writable()
        return [self._keep(new, quota) for new in batch]

    def read(self, recipient: bytes, after: int, limit: int, max_bytes: int) -> actors.MailPage:
        self._check_open()
        page = actors.MailPage(end=self._sequences[recipient])
        size = 0
        for id_, item in self._items[recipient].items():
            if item.held is None or item.sequence <= after:
                continue
            size += item.size
            if len(page.mail) == limit or (page.mail and size > max_bytes):
                page.more = True
                break
            held = records.HeldEnvelope.FromString(item.held)
            page.mail.add(
                sequence=item.sequence,
                id=id_,
                size=item.size,
                envelope=held.envelope,
                deposited_at_ms=held.deposited_at_ms,
            )
        return page

    def acknowledge(self, acks: Sequence[actors.ForgetMail]) -> int:
        self._check_writable()
        count = 0
        for ack in acks:
            for id_ in ack.ids:
                item = self._items[ack.recipient].get(id_)
                if item is not None and item.held is not None:
                    for usage in self._usages(ack.recipient, item.sender):
                        usage.remove(item.size)
                    item.held, item.sender = None, b""
                    count += 1
        return count

    def sweep(self, now_ms: int, limit: int) -> actors.MailSwept:
        self._check_writable()
        swept = actors.MailSwept()
        due = sorted(
            (item.stored_until_ms, recipient, id_)
            for recipient, items in self._items.items()
            for id_, item in items.items()
            if item.stored_until_ms < now_ms
        )
        for _, recipient, id_ in due[:limit]:
            item = self._items[recipient].pop(id_)
            if item.held is None:
                swept.tombstones += 1
                continue
            swept.envelopes += 1
            for usage in self._usages(recipient, item.sender):
                usage.remove(item.size)
        swept.more = len(due) >= limit
        return swept

    def usage(self, recipient: bytes, sender: bytes = b"") -> Usage:
        self._check_open()
        return replace(self._usage[recipient + sender])

    def totals(self) -> Usage:
        self._check_open()
        return replace(self._total)

    def registry(self) -> actors.RegistryRecords:
        self._check_open()
        return actors.RegistryRecords(
            registrations=_sorted(self._registrations, records.Registration.FromString),
            invites=_sorted(self._invites, records.Invite.FromString),
            blocks=_sorted(self._blocks, records.Block.FromString),
            archived=_sorted(self._archived, records.ArchivedRoom.FromString),
            depositor_secret=self._secret,
        )

    def change_registry(self, change: actors.ChangeRegistry) -> None:
        self._check_writable()
        if change.HasField("registration"):
            self._registrations[change.registration.peer] = change.registration.SerializeToString()
        if change.HasField("invite"):
            self._invites[change.invite.id] = change.invite.SerializeToString()
        if change.HasField("block"):
            self._blocks[change.block.peer] = change.block.SerializeToString()
        self._invites.pop(change.revoked, None)
        self._blocks.pop(change.unblocked, None)
        for peer in change.unregistered:
            self._registrations.pop(peer, None)
        for archived in change.archived:
            self._archived[archived.room] = archived.SerializeToString()
        for room in change.unarchived:
            self._archived.pop(room, None)

    def describe(self) -> StoreInfo:
        totals = self.totals()
        return StoreInfo("memory", totals.bytes, totals.count, SCHEMA_VERSION)

    def _keep(self, new: actors.NewMail, quota: Quota) -> Kept:
        held, recipient = new.held, new.held.envelope.recipient
        items = self._items[recipient]
        if new.id in items:
            return Kept(actors.KEPT_BEFORE, items[new.id].stored_until_ms)
        usages = self._usages(recipient, held.sender)
        short = shortage(quota, *usages, new.size)
        if short is not None:
            return Kept(short)
        for usage in usages:
            usage.add(new.size)
        self._sequences[recipient] += 1
        sequence = self._sequences[recipient]
        items[new.id] = _Item(
            sequence, held.stored_until_ms, new.size, held.sender, held.SerializeToString()
        )
        return Kept(actors.KEPT, held.stored_until_ms, sequence)

    def _usages(self, recipient: bytes, sender: bytes) -> tuple[Usage, Usage, Usage]:
        """In all, for the recipient, of the sender for the recipient."""
        return self._total, self._usage[recipient], self._usage[recipient + sender]

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError("The mail store is not open.")

    def _check_writable(self) -> None:
        self._check_open()
        if self.failure is not None:
            raise self.failure


def _sorted(stored: dict[K, bytes], parse: Callable[[bytes], R]) -> list[R]:
    return [parse(stored[key]) for key in sorted(stored)]
