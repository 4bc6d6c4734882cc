"""What is stored of conversations, out and in again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import trio

from p2pchat.node.control import arguments
from p2pchat.node.control.group import Group
from p2pchat.node.protocol import history_export as rules
from p2pchat.node.protocol import items, names, room_message
from p2pchat.node.protocol import readable_messages as translate
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records

MOST = 256  # records of a page, and of an import
PAGE_BYTES = (
    1 << 20
)  # of messages in a page, or one: twice that goes out, as it is stored and as it reads
BREATH = 32  # records that are looked through before others get a turn

END = items.bound_at(room_message.MAX_LAMPORT + 1)  # above every item

R = TypeVar("R")


class Export(Group):
    async def export_records(
        self, request: control.ExportRecordsRequest
    ) -> control.ExportRecordsResponse:
        where = arguments.the_conversation(request.conversation)
        limit = arguments.limit(request.limit, MOST, MOST)
        before = arguments.position(request.before)
        if where.room:
            stored = names.stored_room(where.room, request.plain)
            return await self._room_page(stored, limit, before)
        return await self._direct_page(where.peer, limit, before)

    async def _room_page(
        self, stored: str, limit: int, before: bytes
    ) -> control.ExportRecordsResponse:
        question = actors.ReadRange(room=stored, limit=limit, max_bytes=PAGE_BYTES)
        question.interval.upper.CopyFrom(items.pack_bound(before or END))
        page = await self._front.ask(question, actors.RoomPage)
        shown = await self._as_shown(stored, page.records)
        return control.ExportRecordsResponse(
            records=self._exported(page.records, shown),
            cursor=_cursor(page.records[-1]) if page.more and page.records else "",
        )

    async def _as_shown(
        self, stored: str, found: Iterable[records.RoomRecord]
    ) -> dict[tuple[bytes, bytes], records.RoomRecord]:
        """By sender and id: those that these are or are about, without what the owner has deleted."""
        wanted = dict.fromkeys(map(_subject, found))
        if not wanted:
            return {}
        question = actors.FindMessages(room=stored)
        for sender, id_ in wanted:
            question.names.add(sender=sender, id=id_)
        answer = await self._front.ask(question, actors.MessagesFound)
        return {(each.message.sender, each.message.id): each for each in answer.room_records}

    def _exported(
        self,
        found: Iterable[records.RoomRecord],
        shown: dict[tuple[bytes, bytes], records.RoomRecord],
    ) -> Iterator[control.ExportedRecord]:
        for record in found:
            now = shown.get(_subject(record))
            if now is None or now.alteration.deleted:
                continue
            exported = control.ExportedRecord(record=record.SerializeToString())
            if not room_message.is_alteration(record.message):
                exported.message.CopyFrom(translate.room_message(now, self._front.names))
            yield exported

    async def _direct_page(
        self, peer: str, limit: int, before: bytes
    ) -> control.ExportRecordsResponse:
        # Each may be two records: the message, and what it says since.
        limit = max(1, limit // 2)
        while True:
            question = actors.ReadDirectHistory(peer=peer, limit=limit, before=before)
            page = await self._front.ask(question, actors.DirectHistoryPage)
            if limit == 1 or page.ByteSize() <= PAGE_BYTES:
                break
            limit = max(1, min(limit - 1, limit * PAGE_BYTES // page.ByteSize()))
        return control.ExportRecordsResponse(
            records=self._exported_direct(reversed(page.records)),
            cursor=arguments.cursor(page.first),
        )

    def _exported_direct(
        self, found: Iterable[records.DirectRecord]
    ) -> Iterator[control.ExportedRecord]:
        for record in found:
            for part in rules.direct_parts(record):
                exported = control.ExportedRecord(record=part.SerializeToString())
                if not part.target:
                    exported.message.CopyFrom(translate.direct_message(record, self._front.names))
                yield exported

    # ---- in -----------------------------------------------------------------------------------------

    async def import_records(
        self, request: control.ImportRecordsRequest
    ) -> control.ImportRecordsResponse:
        given = len(request.room_records) + len(request.direct_records)
        if given > MOST:
            raise arguments.invalid(f"At most {MOST} records go in at a time.")
        now_ms = time.time_ns() // 1_000_000
        me = self._front.names.me_bytes
        rooms, refused = await _looked_at(
            request.room_records, lambda each: rules.room_record(each, now_ms)
        )
        direct, refused_direct = await _looked_at(
            request.direct_records, lambda each: rules.direct_save(each, me, now_ms)
        )
        for each in refused_direct:
            each.direct = True
        fresh = await self._save(rooms, direct)
        return control.ImportRecordsResponse(
            imported=sum(fresh),
            known=len(fresh) - sum(fresh),
            refused=given - len(fresh),
            refused_records=[*refused, *refused_direct],
        )

    async def _save(
        self, rooms: Sequence[records.RoomRecord], direct: Sequence[actors.DirectSave]
    ) -> list[bool]:
        fresh: list[bool] = []
        if rooms:
            saved = actors.SaveRoomMessages(records=rooms)
            fresh += (await self._front.ask(saved, actors.RoomMessagesSaved)).fresh
        if direct:
            fresh += (
                await self._front.ask(actors.SaveDirect(saves=direct), actors.DirectSaved)
            ).fresh
        return fresh


async def _looked_at(
    given: Iterable[bytes], rule: Callable[[bytes], R]
) -> tuple[list[R], list[control.RefusedRecord]]:
    """What the rule makes of each, and which of them it refuses."""
    good: list[R] = []
    refused: list[control.RefusedRecord] = []
    async for index, each in _breathing(enumerate(given)):
        try:
            good.append(rule(each))
        except rules.RefusedRecordError as error:
            refused.append(control.RefusedRecord(index=index, reason=str(error)))
    return good, refused


async def _breathing(given: Iterable[R]) -> AsyncIterator[R]:
    for number, each in enumerate(given, 1):
        yield each
        if number % BREATH == 0:
            await trio.lowlevel.checkpoint()


def _subject(record: records.RoomRecord) -> tuple[bytes, bytes]:
    """The message that this is, or that it is about."""
    message = record.message
    return message.sender, message.target or message.id


def _cursor(record: records.RoomRecord) -> str:
    return arguments.cursor(items.item_of(record.message))
