from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import trio
import trio.testing
from google.protobuf.message import Message

from p2pchat.node.actors.files.telling import Telling
from p2pchat.node.protocol.file_transfer import Key
from p2pchat.node.protocol.transfer_pace import TELL_EVERY
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

Clock = trio.testing.MockClock
KEY = Key("bob", True, b"\x01" * 16)


class PlayedUi(Actor):
    def __init__(self) -> None:
        self.told: list[tuple[float, records.TransferRecord]] = []

    @handles(actors.TransferChanged)
    async def _changed(self, event: actors.TransferChanged) -> Message | None:
        self.told.append((trio.current_time(), event.transfer.record))
        return None


class Stage:
    def __init__(self, ui: PlayedUi, cell: ActorCell) -> None:
        self.ui = ui
        self.record: records.TransferRecord | None = records.TransferRecord(state=records.WAITING)
        self.telling = Telling(cell.ref, self._status)

    def _status(self, _: Key) -> actors.TransferStatus | None:
        return actors.TransferStatus(record=self.record) if self.record else None

    async def is_now(self, **fields: object) -> None:
        assert self.record is not None
        for name, value in fields.items():
            setattr(self.record, name, value)
        await self.telling.tell(KEY)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    ui = PlayedUi()
    cell = ActorCell.of("ui", PlayedUi, lambda: ui)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Supervisor("root", [cell], root=True).run)
        played = Stage(ui, cell)
        nursery.start_soon(played.telling.run)
        yield played
        nursery.cancel_scope.cancel()


async def test_a_transfer_is_told_a_few_times_a_second_and_its_newest_state_at_last(
    autojump_clock: Clock,
) -> None:
    async with stage() as played:
        for done in range(1, 1001):
            await played.is_now(done=done)
            await trio.sleep(0.001)
        await trio.sleep(1)
        times = [time for time, _ in played.ui.told]
        assert all(b - a >= TELL_EVERY for a, b in pairwise(times))
        assert 3 <= len(times) <= 6
        assert played.ui.told[-1][1].done == 1000


async def test_its_end_does_not_wait(autojump_clock: Clock) -> None:
    async with stage() as played:
        await played.is_now(done=1)
        await played.is_now(done=2)
        await played.is_now(done=3, state=records.FINISHED)
        await trio.sleep(1)
        (began, _), (ended, last) = played.ui.told
        assert ended - began < TELL_EVERY
        assert last.state == records.FINISHED


async def test_what_nobody_sees_is_not_told(autojump_clock: Clock) -> None:
    async with stage() as played:
        await played.is_now(done=1)
        await trio.sleep(1)
        await played.is_now(answer_due=wire.FileAnswer.WANTED, taken_by_mailbox=5)
        await trio.sleep(1)
        assert len(played.ui.told) == 1


async def test_a_forgotten_transfer_leaves_nothing(autojump_clock: Clock) -> None:
    async with stage() as played:
        await played.is_now(done=1)
        played.record = None
        played.telling.soon(KEY)
        await trio.sleep(1)
        assert not played.telling._told
        assert len(played.ui.told) == 1
