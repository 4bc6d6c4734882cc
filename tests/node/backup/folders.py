"""Data folders to back up, and what is in backups."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from p2pchat.node import identity
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.backup import contents
from p2pchat.node.backup.sealed_file import SealedReader, SealedWriter
from p2pchat.node.protocol import peer_id
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.builders import ROOM, room_record
from tests.direct_builders import outgoing

PASSPHRASE = b"correct horse battery"
MADE_AT_MS = 1_700_000_000_000
MARK = (contents.MARK, json.dumps({"form": 1, "made_at_ms": MADE_AT_MS}).encode())


def make_node(folder: Path, messages: int = 10) -> str:
    """A node that has said and written something; its peer id."""
    who = identity.create(folder / "identity.key")
    store = RocksdbStore(folder / "store")
    store.open()
    store.append([room_record(number) for number in range(1, messages + 1)])
    store.save_direct([outgoing(1)])
    address = wire.MailboxAddress(peer=peer_id.from_text(who.peer), addresses=["/ip4/1.2.3.4"])
    own = records.OwnMailboxes(record_sequence=7, mailboxes=[records.OwnMailbox(address=address)])
    store.save_own_mailboxes(own)
    store.close()
    return who.peer


def opened_store(folder: Path) -> RocksdbStore:
    store = RocksdbStore(folder / "store")
    store.open()
    return store


def texts(folder: Path) -> list[str]:
    store = opened_store(folder)
    try:
        return [record.message.text for record in store.history(ROOM, 1000).records]
    finally:
        store.close()


def stores(folder: Path) -> dict[str, Path]:
    return {"store": folder / "store"}


def members(backup: Path) -> dict[str, bytes]:
    """What is in a backup, by name."""
    with backup.open("rb") as file:
        reader = SealedReader(file, PASSPHRASE)
        plain = b"".join(iter(lambda: reader.read(1 << 20), b""))
    found = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        for member in tar:
            data = tar.extractfile(member)
            found[member.name] = data.read() if data is not None else b""
    return found


def seal_tar(backup: Path, *entries: tuple[str | tarfile.TarInfo, bytes]) -> None:
    """A backup with these members, whatever they are."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for entry, data in entries:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with backup.open("wb") as file:
        writer = SealedWriter(file, PASSPHRASE)
        writer.write(plain.getvalue())
        writer.finish()
