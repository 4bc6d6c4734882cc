"""`MailStore` on RocksDB. Nothing is kept in memory for an envelope; keys and rows are in `mail_rows.py`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from p2pchat.node.adapters.rocksdb_database import META, Entry, Limits, RocksdbDatabase, deletions
from p2pchat.node.ports import StoreInfo
from p2pchat.node.protocol.limits import ENVELOPE_ID_BYTES
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.adapters.mail_rows import (
    ARCHIVED,
    BLOCKS,
    BY_ID,
    EXPIRY,
    FAMILIES,
    INVITES,
    MAIL,
    REGISTRATIONS,
    SECRET_KEY,
    TOTALS_KEY,
    USAGE,
    Count,
    Row,
    expiry_end,
    expiry_key,
    mail_end,
    mail_key,
    parse_expiry_key,
    sequence_of,
)
from p2pchat.relay_mailbox.ports import Kept
from p2pchat.relay_mailbox.pseudonyms import KEY_BYTES
from p2pchat.relay_mailbox.quota import Quota, Usage, shortage

SCHEMA_VERSION = 2
EVERYTHING = (
    1 << 31
)  # entries; registrations, invites, blocks and archived rooms are bounded where they are made

# A mailbox writes much more than a chat: larger buffers are written out less often.
LIMITS = Limits(
    block_cache=8 << 20,
    write_buffer=4 << 20,
    write_buffers=16 << 20,
    max_wal=32 << 20,
    max_open_files=128,
)


class RocksdbMail:
    """The mail in one folder. Every write is on the disk when its method returns."""

    def __init__(self, path: Path) -> None:
        self._database = RocksdbDatabase(
            path, FAMILIES, SCHEMA_VERSION, noun="mail store", contents="mail", limits=LIMITS
        )
        # Nothing is due before this key. RocksDB is slow to pass over what was deleted lately.
        self._first_due = b""

    def open(self) -> None:
        self._database.open()
        self._first_due = b""
        try:
            self._database.forget_checkpoint()
            if self._database.get(META, [SECRET_KEY])[0] is None:
                self._database.commit([(META, SECRET_KEY, os.urandom(KEY_BYTES))])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def checkpoint(self) -> Path:
        return self._database.checkpoint()

    def deposit(self, batch: Sequence[actors.NewMail], quota: Quota) -> list[Kept]:
        self._database.mend()
        rows = self._rows({new.held.envelope.recipient + new.id for new in batch})
        tally = _Tally(self._database, _usage_keys(batch))
        entries: list[Entry] = []
        results: list[Kept] = []
        for new in batch:
            key = new.held.envelope.recipient + new.id
            row = rows.get(key)
            if row is not None:
                results.append(Kept(actors.KEPT_BEFORE, row.stored_until_ms))
                continue
            kept, row = tally.admit(new, quota)
            results.append(kept)
            if row is not None:
                rows[key] = row
                entries += self._new_entries(new, row)
        if entries:
            undo = deletions(entries) + tally.undo()
            self._database.commit(entries + tally.entries(), undo)
        return results

    def read(self, recipient: bytes, after: int, limit: int, max_bytes: int) -> actors.MailPage:
        start, end = mail_key(recipient, after + 1), mail_end(recipient)
        found = self._database.oldest(MAIL, start, end, limit, max_bytes)
        page = actors.MailPage(end=self._count(USAGE, recipient).sequence)
        with self._database.plain_words():
            for key, value in found:
                held = records.HeldEnvelope.FromString(value[ENVELOPE_ID_BYTES:])
                page.mail.add(
                    sequence=sequence_of(key),
                    id=value[:ENVELOPE_ID_BYTES],
                    size=len(value),
                    envelope=held.envelope,
                    deposited_at_ms=held.deposited_at_ms,
                )
        page.more = bool(found) and page.mail[-1].sequence < page.end
        return page

    def acknowledge(self, acks: Sequence[actors.ForgetMail]) -> int:
        self._database.mend()
        keys = {ack.recipient + id_: ack.recipient for ack in acks for id_ in ack.ids}
        rows = {key: row for key, row in self._rows(keys).items() if row.held}
        tally = _Tally(self._database, _keys_of(rows, keys))
        entries: list[Entry] = []
        for key, row in rows.items():
            entries.append((MAIL, mail_key(keys[key], row.sequence), None))
            tally.remove(keys[key], row)
            row.held, row.sender = False, b""
            entries.append((BY_ID, key, row.encode()))
        # Not to be undone: should a failed write have reached the log, the recipient has the mail all the same.
        if entries:
            self._database.commit(entries + tally.entries(), [])
        return len(rows)

    def sweep(self, now_ms: int, limit: int) -> actors.MailSwept:
        self._database.mend()
        end = expiry_end(now_ms)
        due = [key for key, _ in self._database.oldest(EXPIRY, self._first_due, end, limit)]
        recipients = {
            recipient + id_: recipient for _, recipient, id_ in map(parse_expiry_key, due)
        }
        rows = self._rows(recipients)
        held = {key: row for key, row in rows.items() if row.held}
        tally = _Tally(self._database, _keys_of(held, recipients))
        entries: list[Entry] = [(EXPIRY, key, None) for key in due]
        entries += [(BY_ID, key, None) for key in rows]
        for key, row in held.items():
            entries.append((MAIL, mail_key(recipients[key], row.sequence), None))
            tally.remove(recipients[key], row)
        if entries:
            self._database.commit(entries + tally.entries(), [])  # what is due stays due: as above
        more = len(due) == limit
        self._first_due = due[-1] if more else max(end, self._first_due)
        return actors.MailSwept(envelopes=len(held), tombstones=len(rows) - len(held), more=more)

    def usage(self, recipient: bytes, sender: bytes = b"") -> Usage:
        return _plain(self._count(USAGE, recipient + sender))

    def totals(self) -> Usage:
        return _plain(self._count(META, TOTALS_KEY))

    def registry(self) -> actors.RegistryRecords:
        with self._database.plain_words():
            return actors.RegistryRecords(
                registrations=map(records.Registration.FromString, self._all(REGISTRATIONS)),
                invites=map(records.Invite.FromString, self._all(INVITES)),
                blocks=map(records.Block.FromString, self._all(BLOCKS)),
                archived=map(records.ArchivedRoom.FromString, self._all(ARCHIVED)),
                depositor_secret=self._database.get(META, [SECRET_KEY])[0],
            )

    def change_registry(self, change: actors.ChangeRegistry) -> None:
        self._database.mend()
        entries: list[Entry] = []
        if change.HasField("registration"):
            record = change.registration
            entries.append((REGISTRATIONS, record.peer, record.SerializeToString()))
        if change.HasField("invite"):
            invite = change.invite
            entries.append((INVITES, invite.id.encode(), invite.SerializeToString()))
        if change.HasField("block"):
            block = change.block
            entries.append((BLOCKS, block.peer, block.SerializeToString()))
        if change.revoked:
            entries.append((INVITES, change.revoked.encode(), None))
        if change.unblocked:
            entries.append((BLOCKS, change.unblocked, None))
        entries += [(REGISTRATIONS, peer, None) for peer in change.unregistered]
        for archived in change.archived:
            entries.append((ARCHIVED, archived.room.encode(), archived.SerializeToString()))
        entries += [(ARCHIVED, room.encode(), None) for room in change.unarchived]
        self._database.commit(entries)

    def describe(self) -> StoreInfo:
        path, size = self._database.path, self._database.size_bytes()
        with self._database.plain_words():
            free = shutil.disk_usage(path).free
        return StoreInfo(str(path), size, self.totals().count, SCHEMA_VERSION, free)

    def _rows(self, keys: Iterable[bytes]) -> dict[bytes, Row]:
        """Those that are there."""
        wanted = list(keys)
        found = zip(wanted, self._database.get(BY_ID, wanted), strict=True)
        return {key: Row.decode(value) for key, value in found if value is not None}

    def _count(self, family: str, key: bytes) -> Count:
        return Count.decode(self._database.get(family, [key])[0])

    def _all(self, family: str) -> list[bytes]:
        return [value for _, value in self._database.oldest(family, b"", b"", EVERYTHING)]

    def _new_entries(self, new: actors.NewMail, row: Row) -> list[Entry]:
        recipient = new.held.envelope.recipient
        due = expiry_key(row.stored_until_ms, recipient, new.id)
        self._first_due = min(self._first_due, due)  # the clock may have gone back
        return [
            (MAIL, mail_key(recipient, row.sequence), new.id + new.held.SerializeToString()),
            (BY_ID, recipient + new.id, row.encode()),
            (EXPIRY, due, b""),
        ]


class _Tally:
    """The counts that one write changes."""

    def __init__(self, database: RocksdbDatabase, keys: Iterable[bytes]) -> None:
        wanted = list(keys)
        self._before = dict(zip(wanted, database.get(USAGE, wanted), strict=True))
        self._total_before = database.get(META, [TOTALS_KEY])[0]
        self._counts = {key: Count.decode(value) for key, value in self._before.items()}
        self._total = Count.decode(self._total_before)

    def admit(self, new: actors.NewMail, quota: Quota) -> tuple[Kept, Row | None]:
        """Count one envelope that is not there yet, if there is room for it."""
        held, size = new.held, new.size
        recipient = self._counts[held.envelope.recipient]
        sender = self._counts[held.envelope.recipient + held.sender]
        short = shortage(quota, self._total, recipient, sender, size)
        if short is not None:
            return Kept(short), None
        recipient.sequence += 1
        for usage in (self._total, recipient, sender):
            usage.add(size)
        row = Row(True, recipient.sequence, held.stored_until_ms, size, held.sender)
        return Kept(actors.KEPT, row.stored_until_ms, row.sequence), row

    def remove(self, recipient: bytes, row: Row) -> None:
        for usage in (self._total, self._counts[recipient], self._counts[recipient + row.sender]):
            usage.remove(row.size)

    def entries(self) -> list[Entry]:
        found: list[Entry] = [(META, TOTALS_KEY, self._total.encode())]
        for key, count in self._counts.items():
            found.append((USAGE, key, count.encode() if count.count or count.sequence else None))
        return found

    def undo(self) -> list[Entry]:
        before: list[Entry] = [(USAGE, key, value) for key, value in self._before.items()]
        return [*before, (META, TOTALS_KEY, self._total_before)]


def _usage_keys(batch: Sequence[actors.NewMail]) -> set[bytes]:
    keys = set()
    for new in batch:
        recipient = new.held.envelope.recipient
        keys.add(recipient)
        keys.add(recipient + new.held.sender)
    return keys


def _keys_of(rows: dict[bytes, Row], recipients: dict[bytes, bytes]) -> set[bytes]:
    """The usage keys of stored rows; `recipients` by the rows' keys."""
    whole = {recipients[key] for key in rows}
    return whole | {recipients[key] + row.sender for key, row in rows.items()}


def _plain(count: Count) -> Usage:
    return Usage(count.bytes, count.count)
