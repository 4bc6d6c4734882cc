"""The search actor over a store and an index in memory: virtual time."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock as Clock

from p2pchat.node.actors.search import (
    CATCH_UP,
    CHUNK,
    IDLE_PAUSE,
    SCAN_UP,
    START_DELAY,
    SearchActor,
)
from p2pchat.node.actors.storage import StorageActor, inline
from p2pchat.node.adapters.memory_index import MemoryIndex
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.sqlite_index import SqliteIndex
from p2pchat.node.errors import (
    RequestRejectedError,
    SearchUnavailableError,
    StoreError,
)
from p2pchat.node.ports import IndexState, SearchIndex
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.direct_builders import incoming, peer_text

SOON = START_DELAY + IDLE_PAUSE + 1  # seconds until everything has been indexed


class CountingIndex(MemoryIndex):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.batches: list[int] = []

    def open(self) -> IndexState:
        self.opened += 1
        return super().open()

    def apply(self, changes: Sequence[index.Change], scanned: bytes | None) -> IndexState:
        state = super().apply(changes, scanned)
        self.batches.append(len(changes))
        return state


class Scene:
    """A storage and a search actor; `start` and `stop` as often as wanted."""

    def __init__(self, search_index: SearchIndex | None = None) -> None:
        self.store = MemoryStore()
        self.store.open()
        self.index = CountingIndex()
        self.used: SearchIndex | None = search_index or self.index

    async def start(self, nursery: trio.Nursery) -> None:
        self.storage = ActorCell.of(
            "storage", StorageActor, lambda: StorageActor(self.store, inline)
        )
        self.search = ActorCell.of("search", SearchActor, self._make)
        self.tree = Supervisor("root", [self.storage, self.search], root=True)
        await nursery.start(self.tree.run)

    def _make(self) -> SearchActor:
        return SearchActor(
            self.used,
            me=self.search.ref,
            storage=self.storage.ref,
            randomness=lambda size: b"r" * size,
            run=inline,
        )

    async def stop(self) -> None:
        self.tree.request_stop()
        while self.search.state != "stopped" or self.storage.state != "stopped":
            await trio.sleep(0.01)

    async def ask(self, words: str, **more: object) -> actors.SearchPage:
        question = actors.SearchHistory(words=words, limit=100)
        question.MergeFrom(actors.SearchHistory(**more))  # type: ignore[arg-type]
        return await self.search.ref.ask(question, actors.SearchPage)

    async def found(self, words: str, **more: object) -> list[str]:
        return [_text(hit) for hit in (await self.ask(words, **more)).hits]

    async def save(self, *numbers: int, room: str = ROOM) -> None:
        batch = [room_record(n, room=room) for n in numbers]
        command = actors.SaveRoomMessages(records=batch)
        await self.storage.ref.ask(command, actors.RoomMessagesSaved)

    async def forget(self, floor: int) -> None:
        settings = records.RoomSettings(room=ROOM, floor=floor)
        self.store.save_room_settings(settings)
        self.store.trim_room(ROOM, 1000)


def _text(hit: actors.SearchHit) -> str:
    is_room = hit.HasField("room_message")
    return hit.room_message.message.text if is_room else hit.direct.text


@pytest.fixture
async def scene(nursery: trio.Nursery) -> Scene:
    made = Scene()
    await made.start(nursery)
    return made


async def test_what_has_just_come_is_found(scene: Scene, autojump_clock: Clock) -> None:
    await scene.ask("message")
    await scene.save(1, 2)
    scene.store.save_direct([incoming(3)])
    page = await scene.ask("message")
    assert [_text(hit) for hit in page.hits] == ["message 3", "message 2", "message 1"]
    assert (page.last, page.waiting) == (b"", 0)
    assert page.hits[1].room_message == room_record(2)
    assert page.hits[0].direct.peer == incoming(3).record.peer


async def test_what_was_there_before_the_index_is_found_in_the_end(
    scene: Scene, autojump_clock: Clock
) -> None:
    scene.store.append([room_record(n) for n in range(3 * CHUNK)])
    scene.store.save_direct([incoming(5000)])
    page = await scene.ask("message")
    assert page.waiting == (3 - SCAN_UP) * CHUNK + 1
    await trio.sleep(SOON)
    page = await scene.ask("message 5000")
    assert (len(page.hits), page.waiting) == (1, 0)
    assert await scene.found("message 7") == ["message 7"]
    assert max(scene.index.batches) <= CHUNK


async def test_what_comes_while_that_goes_on_is_found(scene: Scene, autojump_clock: Clock) -> None:
    scene.store.append([room_record(n) for n in range(5 * CHUNK)])
    await trio.sleep(START_DELAY + 0.06)
    await scene.save(9000)
    page = await scene.ask("9000")
    assert len(page.hits) == 1
    assert 0 < page.waiting < 5 * CHUNK


async def test_opening_the_node_opens_no_index(scene: Scene, autojump_clock: Clock) -> None:
    await trio.sleep(START_DELAY / 2)
    assert scene.index.opened == 0
    await trio.sleep(START_DELAY)
    assert scene.index.opened == 1


async def test_a_search_opens_it_at_once(scene: Scene, autojump_clock: Clock) -> None:
    assert (await scene.ask("message")).waiting <= 1
    assert scene.index.opened == 1


async def test_arrivals_are_taken_without_a_search(scene: Scene, autojump_clock: Clock) -> None:
    await trio.sleep(SOON)
    await scene.save(*range(10))
    await trio.sleep(IDLE_PAUSE + 1)
    assert scene.store.arrivals.oldest(10) == index.Changes()
    assert await scene.found("message 3") == ["message 3"]


async def test_a_flood_of_arrivals_does_not_hold_a_search_up(
    scene: Scene, autojump_clock: Clock
) -> None:
    await trio.sleep(SOON)
    many = (CATCH_UP + 2) * CHUNK
    scene.store.append([room_record(n) for n in range(many)])
    assert (await scene.ask("message")).waiting == many - CATCH_UP * CHUNK
    await trio.sleep(SOON)
    assert (await scene.ask("message")).waiting == 0


async def test_pages_and_places(scene: Scene, autojump_clock: Clock) -> None:
    await scene.save(*range(5))
    await scene.save(*range(5, 10), room="garden")
    scene.store.save_direct([incoming(20, peer=1), incoming(21, peer=2)])
    await trio.sleep(SOON)
    assert await scene.found("message", room="garden", limit=1) == ["message 9"]
    assert await scene.found("message", peer=peer_text(1)) == ["message 20"]
    page = await scene.ask("message", room=ROOM, limit=3)
    assert [_text(hit) for hit in page.hits] == ["message 4", "message 3", "message 2"]
    rest = await scene.ask("message", room=ROOM, limit=3, before=page.last)
    assert [_text(hit) for hit in rest.hits] == ["message 1", "message 0"]
    assert rest.last == b""


async def test_the_deleted_is_not_found(scene: Scene, autojump_clock: Clock) -> None:
    await scene.save(*range(10))
    await trio.sleep(SOON)
    await scene.forget(8)
    assert await scene.found("message") == ["message 9", "message 8"]
    assert scene.index.open().messages == 2


async def test_hits_that_are_not_stored_are_left_out(scene: Scene, autojump_clock: Clock) -> None:
    await scene.save(*range(10))
    await trio.sleep(SOON)
    scene.store.arrivals.set_follower(b"")  # nobody hears of the deletion
    await scene.forget(3)
    scene.store.arrivals.set_follower(b"r" * 16)
    page = await scene.ask("message", limit=2)
    assert [_text(hit) for hit in page.hits] == ["message 9", "message 8"]
    first = await scene.ask("message 1", limit=1)
    assert (list(first.hits), first.last) == ([], b"")


@pytest.mark.parametrize("words", ["", "!!", "x" * 1001])
async def test_nothing_to_look_for_is_rejected(
    scene: Scene, words: str, autojump_clock: Clock
) -> None:
    with pytest.raises(RequestRejectedError) as caught:
        await scene.ask(words)
    assert caught.value.reason == actors.INVALID


async def test_no_index_no_search(nursery: trio.Nursery, autojump_clock: Clock) -> None:
    scene = Scene()
    scene.used = None
    await scene.start(nursery)
    with pytest.raises(RequestRejectedError, match="no index"):
        await scene.ask("message")
    await scene.save(1)
    assert scene.store.arrivals.follower() == b""


async def test_a_python_without_full_text_search(
    nursery: trio.Nursery,
    autojump_clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Lacking(MemoryIndex):
        def open(self) -> IndexState:
            raise SearchUnavailableError("Search does not work with this Python.")

    scene = Scene(Lacking())
    scene.store.arrivals.set_follower(b"of a Python that could")
    await scene.start(nursery)
    await scene.save(1)
    await trio.sleep(10 * SOON)
    await scene.save(2)
    assert scene.store.arrivals.follower() == b""
    assert scene.store.arrivals.oldest(10) == index.Changes()
    for _ in range(2):
        with pytest.raises(RequestRejectedError, match="does not work with this Python"):
            await scene.ask("message")
    assert len(caplog.records) == 1
    assert scene.search.restarts == 0


async def test_a_full_disk_is_waited_for_and_logged_once(
    scene: Scene, autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await scene.save(1)
    await trio.sleep(SOON)
    scene.index.failure = StoreError("The disk is full.")
    await scene.save(2, 3)
    await trio.sleep(1000)
    page = await scene.ask("message")
    assert [_text(hit) for hit in page.hits] == ["message 1"]
    assert page.waiting >= 1
    assert len(scene.store.arrivals.oldest(10).changes) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "the search index is not up to date: The disk is full."
    ]
    scene.index.failure = None
    assert await scene.found("message") == ["message 3", "message 2", "message 1"]
    await trio.sleep(SOON)
    assert scene.search.restarts == 0


async def test_an_index_of_another_store_is_built_again(
    nursery: trio.Nursery, autojump_clock: Clock
) -> None:
    scene = Scene()
    scene.index.open()
    scene.index.begin(b"another store")
    stray = index.Change(spot=index.Spot(place=f"#{ROOM}", key=b"x" * 24), text="message stray")
    scene.index.apply([stray], None)
    scene.store.append([room_record(1)])
    await scene.start(nursery)
    await trio.sleep(SOON)
    assert await scene.found("message") == ["message 1"]
    assert scene.index.open() == IndexState(b"r" * 16, None, 1)


async def test_building_goes_on_after_a_restart(
    nursery: trio.Nursery, autojump_clock: Clock
) -> None:
    scene = Scene()
    scene.store.append([room_record(n) for n in range(4 * CHUNK)])
    await scene.start(nursery)
    await trio.sleep(START_DELAY + 0.06)
    await scene.save(9999)
    await scene.stop()
    before = len(scene.index.batches)
    assert 0 < before < 5
    scene.store.open()
    await scene.start(nursery)
    await trio.sleep(SOON)
    assert await scene.found("message 9999") == ["message 9999"]
    assert await scene.found("message 3") == ["message 3"]
    assert sum(scene.index.batches) == 4 * CHUNK + 2  # the late one by the scan and by its arrival


async def test_what_was_indexed_before_a_crash_comes_again_and_changes_nothing(
    scene: Scene, autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.save(1)
    await trio.sleep(SOON)
    with monkeypatch.context() as patch:
        patch.setattr(scene.store.arrivals, "drop", _fail)
        await scene.save(2)
        assert await scene.found("message") == ["message 2", "message 1"]
    assert len(scene.store.arrivals.oldest(10).changes) == 1
    assert await scene.found("message") == ["message 2", "message 1"]
    assert scene.store.arrivals.oldest(10) == index.Changes()


def _fail(_: bytes) -> None:
    raise StoreError("The disk is full.")


async def test_with_the_real_index_in_threads(nursery: trio.Nursery, tmp_path: Path) -> None:
    scene = Scene(SqliteIndex(tmp_path / "search.db"))
    await scene.start(nursery)
    await scene.ask("message")
    await scene.save(*range(20))
    assert len(await scene.found("message")) == 20
    await scene.stop()
    assert os.listdir(tmp_path) == ["search.db"]
