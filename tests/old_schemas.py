"""Writes rooms as the schemas 1 and 2 of the message store had them, and mail as schema 1 of the mail store."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from rocksdict import Options, Rdict

from p2pchat.node.adapters import rocksdb_direct
from p2pchat.node.adapters.history_keys import room_prefix
from p2pchat.node.protocol.limits import ENVELOPE_ID_BYTES
from p2pchat.node.protocol.room_message import MAX_AHEAD_MS
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.adapters import mail_rows

_FAMILIES = {
    1: ("history", "by_id", "meta"),
    2: ("history", "by_id", "meta", *rocksdb_direct.FAMILIES),
}


def write_old_store(path: Path, messages: Iterable[records.RoomRecord], version: int = 2) -> None:
    """A store of that schema, with these messages and a profile."""
    history = {_history_key(record): record.SerializeToString() for record in messages}
    by_id = {_identity_key(record): _history_key(record) for record in messages}
    profile = records.Profile(name="Ada").SerializeToString()
    meta = {b"profile": profile, b"schema_version": version.to_bytes(4, "big")}
    put_raw(path, {"history": history, "by_id": by_id, "meta": meta}, _FAMILIES[version])


def put_raw(path: Path, rows: dict[str, dict[bytes, bytes]], families: Iterable[str] = ()) -> None:
    """Write into column families without our code around it; all of the database's are opened, and `families`."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    existing = Rdict.list_cf(str(path), options) if (path / "CURRENT").exists() else []
    opened = dict.fromkeys((*families, *existing), options)
    opened.pop("default", None)
    database = Rdict(str(path), options, opened)
    for family, entries in rows.items():
        column = database.get_column_family(family)
        for key, value in entries.items():
            column[key] = value
        column.close()
    database.close()


def make_old_mail(path: Path) -> None:
    """Turn the mail store in a folder into one of schema 1.

    That had no archived rooms, and did not say when an envelope was deposited; else it was the same.
    """
    options = Options(raw_mode=True)
    families = dict.fromkeys(Rdict.list_cf(str(path), options), options)
    families.pop("default", None)
    database = Rdict(str(path), options, families)
    database.drop_column_family(mail_rows.ARCHIVED)
    mail = database.get_column_family(mail_rows.MAIL)
    for key, value in list(mail.items()):
        held = records.HeldEnvelope.FromString(value[ENVELOPE_ID_BYTES:])
        held.ClearField("deposited_at_ms")
        mail[key] = value[:ENVELOPE_ID_BYTES] + held.SerializeToString()
    mail.close()
    meta = database.get_column_family("meta")
    meta[b"schema_version"] = (1).to_bytes(4, "big")
    meta.close()
    database.close()


def families_of(path: Path) -> set[str]:
    return {*Rdict.list_cf(str(path), Options(raw_mode=True))}


def _history_key(record: records.RoomRecord) -> bytes:
    message = record.message
    lamport = min(message.lamport, record.received_at_ms + MAX_AHEAD_MS)
    return b"".join(
        (
            room_prefix(message.room),
            struct.pack(">Q", lamport),
            message.id,
            message.sender,
            struct.pack(">H", len(message.sender) & 0xFFFF),
        )
    )


def _identity_key(record: records.RoomRecord) -> bytes:
    message = record.message
    length = struct.pack(">I", len(message.sender))
    return room_prefix(message.room) + length + message.sender + message.id
