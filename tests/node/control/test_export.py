"""Records out of one store and into another, through the control API and the real storage actor."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from p2pchat.node.actors.storage import StorageActor, inline
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.control import NodeControl, export
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.room_message import sign
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.node.control.stage import BOB, EVE, played

LAMPORT = 1_700_000_000_000
LOBBY = control.Conversation(room="lobby")
WITH_BOB = control.Conversation(peer=BOB.peer)

REPLIES: dict[Any, Any] = {
    actors.ReadRange: actors.RoomPage,
    actors.FindMessages: actors.MessagesFound,
    actors.ReadDirectHistory: actors.DirectHistoryPage,
    actors.SaveRoomMessages: actors.RoomMessagesSaved,
    actors.SaveDirect: actors.DirectSaved,
}


@contextlib.asynccontextmanager
async def node_on(store: MessageStore, folder: Path) -> AsyncIterator[NodeControl]:
    storage = ActorCell.of("storage", StorageActor, lambda: StorageActor(store, inline))
    tree = Supervisor("root", [storage], root=True)
    answers = {
        question: lambda asked, reply=reply: storage.ref.request(asked, reply)
        for question, reply in REPLIES.items()
    }
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: tree.run(task_status=task_status))
        async with played(folder, answers).running() as servant:
            yield servant
        tree.request_stop()


@pytest.fixture(params=["memory", "rocksdb"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> list[MessageStore]:
    """Two of a kind; the storage actors open and close them."""
    if request.param == "memory":
        return [MemoryStore(), MemoryStore()]
    return [RocksdbStore(tmp_path / name / "store") for name in ("one", "two")]


def said(number: int, text: str = "", *, by: Any = BOB, **more: Any) -> records.RoomRecord:
    message = wire.RoomMessage(
        id=number.to_bytes(16, "big"),
        room="lobby",
        sender=by.peer_bytes,
        nick="bob",
        lamport=LAMPORT + number,
        sent_at_ms=LAMPORT + number,
        text=text or ("" if more.get("retraction") else f"text {number}"),
        **more,
    )
    sign(message, by.private_key)
    return records.RoomRecord(message=message, received_at_ms=LAMPORT + number)


def about(number: int, target: int, text: str = "", **more: Any) -> records.RoomRecord:
    return said(number, text, target=target.to_bytes(16, "big"), **more)


def written(number: int, *, outgoing: bool = False, **more: Any) -> actors.DirectSave:
    fields: dict[str, Any] = {
        "peer": BOB.peer_bytes,
        "outgoing": outgoing,
        "id": number.to_bytes(16, "big"),
        "lamport": LAMPORT + number,
        "sent_at_ms": LAMPORT + number,
        "received_at_ms": LAMPORT + number,
        "text": f"text {number}",
    }
    record = records.DirectRecord(**(fields | more))
    return actors.DirectSave(record=record)


async def export_all(
    node: NodeControl, where: control.Conversation, *, plain: bool = False, limit: int = 3
) -> list[control.ExportedRecord]:
    request = control.ExportRecordsRequest(conversation=where, plain=plain, limit=limit)
    found: list[control.ExportedRecord] = []
    while True:
        page = await node.export_records(request)
        found += page.records
        if not page.cursor:
            return found
        request.before = page.cursor


def numbers(found: list[control.ExportedRecord]) -> Iterator[int]:
    yield from (int(each.message.id, 16) for each in found if each.HasField("message"))


async def test_a_room_goes_from_one_node_to_another(
    stores: list[MessageStore], tmp_path: Path
) -> None:
    old, new = stores
    async with node_on(old, tmp_path / "a") as one, node_on(new, tmp_path / "b") as two:
        old.append([said(number) for number in range(1, 9)])
        old.append([about(10, 2, "changed"), about(11, 3, retraction=True)])
        old.delete_room_message("lobby", BOB.peer_bytes, (4).to_bytes(16, "big"))
        out = await export_all(one, LOBBY)
        assert list(numbers(out)) == [8, 7, 6, 5, 3, 2, 1]
        assert not any(b"text 4" in each.record for each in out)
        by_number = {int(each.message.id or "0", 16): each.message for each in out}
        assert by_number[2].text == "changed"
        assert by_number[3].retracted
        request = control.ImportRecordsRequest(room_records=[each.record for each in out])
        assert await two.import_records(request) == control.ImportRecordsResponse(imported=9)
        assert await two.import_records(request) == control.ImportRecordsResponse(known=9)
        before, after = old.history("lobby", 100), new.history("lobby", 100)
        assert list(after.records) == list(before.records)


async def test_a_plain_room_is_another_one(stores: list[MessageStore], tmp_path: Path) -> None:
    old, new = stores
    async with node_on(old, tmp_path / "a") as one, node_on(new, tmp_path / "b") as two:
        raw = said(1, "raw")
        raw.plain = True
        raw.message.ClearField("signature")
        old.append([raw, said(2, "signed")])
        out = await export_all(one, LOBBY, plain=True)
        assert [(each.message.text, each.message.unsigned) for each in out] == [("raw", True)]
        request = control.ImportRecordsRequest(room_records=[each.record for each in out])
        assert (await two.import_records(request)).imported == 1
        assert not new.history("lobby", 10).records
        assert len(new.history(stored_room("lobby", True), 10).records) == 1


async def test_a_conversation_goes_from_one_node_to_another(
    stores: list[MessageStore], tmp_path: Path
) -> None:
    old, new = stores
    async with node_on(old, tmp_path / "a") as one, node_on(new, tmp_path / "b") as two:
        old.save_direct([written(number, outgoing=number % 2 == 0) for number in range(1, 6)])
        edit = written(7, target=(1).to_bytes(16, "big"), text="changed")
        taken_back = written(
            8, outgoing=True, target=(2).to_bytes(16, "big"), retraction=True, text=""
        )
        old.save_direct([edit, taken_back])
        delivered = records.Delivery(stage=records.DELIVERED)
        done = actors.OutboxUpdate(
            peer=BOB.peer, id=(4).to_bytes(16, "big"), delivery=delivered, finished=True
        )
        old.update_outbox([done])
        old.mark_read(BOB.peer, [number.to_bytes(16, "big") for number in (1, 3, 5)], False)
        out = await export_all(one, WITH_BOB)
        assert list(numbers(out)) == [5, 4, 3, 2, 1]
        request = control.ImportRecordsRequest(direct_records=[each.record for each in out])
        assert await two.import_records(request) == control.ImportRecordsResponse(imported=7)
        assert await two.import_records(request) == control.ImportRecordsResponse(known=7)
        assert not new.outbox(10).records
        assert not new.due_receipts(10)
        before = old.direct_history(BOB.peer, 100).records
        after = new.direct_history(BOB.peer, 100).records
        assert [each.text for each in after] == [each.text for each in before]
        assert [each.alteration for each in after] == [each.alteration for each in before]
        assert [each.read for each in after] == [each.read for each in before]
        assert [each.delivery.stage for each in after if each.outgoing] == [
            records.EXPIRED,
            records.DELIVERED,
        ]


async def test_forged_records_are_refused_and_the_others_go_in(tmp_path: Path) -> None:
    store = MemoryStore()
    forged = said(1)
    forged.message.sender = EVE.peer_bytes
    async with node_on(store, tmp_path) as node:
        request = control.ImportRecordsRequest(
            room_records=[forged.SerializeToString(), said(2).SerializeToString(), b"\xff"],
            direct_records=[written(1).record.SerializeToString(), b""],
        )
        done = await node.import_records(request)
        assert (done.imported, done.refused) == (2, 3)
        assert [(each.direct, each.index, each.reason) for each in done.refused_records] == [
            (False, 0, "It is not signed by whom it names."),
            (False, 2, "It is damaged."),
            (True, 1, "It is damaged."),
        ]


async def test_bad_requests(tmp_path: Path) -> None:
    async with node_on(MemoryStore(), tmp_path) as node:
        for request in (
            control.ExportRecordsRequest(),
            control.ExportRecordsRequest(conversation=LOBBY, limit=257),
            control.ExportRecordsRequest(conversation=LOBBY, before="!"),
        ):
            with pytest.raises(RequestRejectedError):
                await node.export_records(request)
        many = control.ImportRecordsRequest(room_records=[b""] * (export.MOST + 1))
        with pytest.raises(RequestRejectedError):
            await node.import_records(many)
        assert not (
            await node.export_records(control.ExportRecordsRequest(conversation=LOBBY))
        ).records
