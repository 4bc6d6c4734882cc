"""Events from the hub to callers, over the journal; and over the socket."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.adapters.grpc_server import MAX_STREAMS, TOO_MANY_STREAMS, address
from p2pchat.node.control import NodeControl, translate_events
from p2pchat.node.control.event_stream import NAMES_PATIENCE
from p2pchat.node.events import FEED_SIZE
from p2pchat.node.protocol.event_journal import MAX_BYTES
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import control_pb2_grpc
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.node.control.stage import BOB, played, status


def notice(text: object) -> actors.Notice:
    return actors.Notice(level=actors.Notice.INFO, text=str(text))


class Reader:
    """What one caller hears, without a socket in between."""

    def __init__(self, servant: NodeControl, after: str = "") -> None:
        self._batches = servant.subscribe(control.SubscribeRequest(after=after))
        self._events: Iterator[bytes] = iter(())

    async def next(self) -> control.Event:
        while True:
            for content in self._events:
                return control.Event.FromString(content)
            self._events = iter(await anext(self._batches))

    async def close(self) -> None:
        await self._batches.aclose()


@contextlib.asynccontextmanager
async def reading(servant: NodeControl, after: str = "") -> AsyncIterator[Reader]:
    reader = Reader(servant, after)
    try:
        yield reader
    finally:
        await reader.close()


async def test_events_come_as_they_happen(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    node = played(tmp_path)
    async with node.running() as servant, reading(servant) as reader:
        first = await reader.next()
        assert first.HasField("subscribed")
        node.hub.emit(notice("1"))
        node.hub.emit(actors.RoomLeft(room="lobby"))
        one, two = await reader.next(), await reader.next()
    assert one.notice.text == "1"
    assert two.room_left.room == "lobby"
    assert two.at_ms >= one.at_ms > 1_700_000_000_000


async def test_what_happens_right_after_the_first_word_is_not_lost(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Also where the names of people take their time."""
    node = played(tmp_path)
    names_known = trio.Event()

    async def slowly(_: Message) -> Message:
        await names_known.wait()
        return actors.ContactStatusList()

    node.answers[actors.ListContacts] = slowly
    async with node.running() as servant, reading(servant) as reader:
        await reader.next()
        node.hub.emit(notice("1"))
        await trio.testing.wait_all_tasks_blocked()
        node.hub.emit(notice("2"))
        names_known.set()
        assert [(await reader.next()).notice.text for _ in "12"] == ["1", "2"]


async def test_nothing_is_kept_before_somebody_wants_it(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    node = played(tmp_path)
    async with node.running() as servant:
        node.hub.emit(notice("before"))
        await trio.testing.wait_all_tasks_blocked()
        assert not node.asked
        async with reading(servant) as reader:
            await reader.next()
            node.hub.emit(notice("after"))
            assert (await reader.next()).notice.text == "after"


async def test_people_are_called_as_the_owner_calls_them_now(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    node = played(tmp_path)
    message = wire.RoomMessage(room="lobby", sender=BOB.peer_bytes, nick="bob", text="Hi")
    arrived = actors.RoomMessagesArrived(
        room="lobby", records=[records.RoomRecord(message=message)]
    )
    async with node.running() as servant, reading(servant) as reader:
        await reader.next()
        node.hub.emit(arrived)
        assert (await reader.next()).messages_arrived.messages[0].name == "bob"
        contact = records.Contact(peer=BOB.peer_bytes, name="Robert")
        status_ = actors.ContactStatus(contact=contact, name="Robert")
        node.answers[actors.ListContacts] = actors.ContactStatusList(contacts=[status_])
        node.hub.emit(actors.ContactChanged(peer=BOB.peer))
        node.hub.emit(arrived)
        assert (await reader.next()).contacts_changed.peer == BOB.peer
        assert (await reader.next()).messages_arrived.messages[0].name == "Robert"


async def test_events_do_not_wait_long_for_what_people_are_called(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    node = played(tmp_path)

    async def never(_: Message) -> Message:
        await trio.sleep_forever()
        raise AssertionError

    node.answers[actors.ListContacts] = never
    async with node.running() as servant, reading(servant) as reader:
        await reader.next()
        node.hub.emit(notice("1"))
        with trio.fail_after(NAMES_PATIENCE + 1):
            assert (await reader.next()).notice.text == "1"


async def test_an_event_is_translated_once_for_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    translated = []
    real = translate_events.events

    def counted(happened: Message, names: Any) -> Any:
        translated.append(happened)
        return real(happened, names)

    monkeypatch.setattr(translate_events, "events", counted)
    node = played(tmp_path)
    async with (
        node.running() as servant,
        reading(servant) as one,
        reading(servant) as two,
    ):
        await one.next()
        await two.next()
        node.hub.emit(notice("1"))
        assert await one.next() == await two.next()
    assert translated == [notice("1")]


async def test_a_burst_that_the_journal_cannot_follow_is_told(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    node = played(tmp_path)
    async with node.running() as servant, reading(servant) as reader:
        await reader.next()
        for number in range(FEED_SIZE + 5):
            node.hub.emit(notice(number))
        fell_behind = (await reader.next()).fell_behind
        assert fell_behind.missed == FEED_SIZE + 5 or fell_behind.missed == 5
        node.hub.emit(notice("on"))
        while (event := await reader.next()).notice.text != "on":
            assert event.HasField("notice")


async def test_an_event_that_cannot_be_shown_costs_nobody_more_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    real = translate_events.events

    def faulty(happened: Message, names: Any) -> Any:
        if happened == notice("bad"):
            raise ZeroDivisionError
        return real(happened, names)

    monkeypatch.setattr(translate_events, "events", faulty)
    node = played(tmp_path)
    async with node.running() as servant, reading(servant) as reader:
        await reader.next()
        node.hub.emit(notice("bad"))
        assert (await reader.next()).fell_behind.missed == 1
        node.hub.emit(notice("good"))
        assert (await reader.next()).notice.text == "good"


@pytest.mark.parametrize("seed", range(10))
async def test_any_number_of_reconnects_loses_nothing_and_doubles_nothing(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, seed: int
) -> None:
    rng = random.Random(seed)
    node = played(tmp_path)
    heard: list[str] = []

    async def say() -> None:
        for number in range(300):
            node.hub.emit(notice(number))
            await trio.sleep(rng.choice((0, 0, 0.01, 0.1)))

    async with node.running() as servant, trio.open_nursery() as nursery:
        cursor = ""
        while len(heard) < 300:
            async with reading(servant, cursor) as reader:
                greeting = await reader.next()
                assert greeting.subscribed.resumed == bool(cursor)
                cursor = greeting.cursor
                if not heard and not nursery.child_tasks:
                    nursery.start_soon(say)
                for _ in range(min(rng.randrange(20), 300 - len(heard))):
                    event = await reader.next()
                    heard.append(event.notice.text)
                    cursor = event.cursor
            await trio.sleep(rng.choice((0, 0.05, 0.5)))
    assert heard == [str(number) for number in range(300)]


# ---- over the socket ------------------------------------------------------------------------------------


class Caller:
    """One stream of a real client. Each method blocks; in a thread."""

    def __init__(self, path: Path, after: str = "") -> None:
        self._channel = grpc.insecure_channel(address(path))
        stub: Any = control_pb2_grpc.NodeStub(self._channel)  # type: ignore[no-untyped-call]
        self._call = stub.Subscribe(control.SubscribeRequest(after=after), timeout=60)

    def next(self) -> control.Event:
        event: control.Event = next(self._call)
        return event

    def close(self) -> None:
        self._call.cancel()
        self._channel.close()


@contextlib.asynccontextmanager
async def calling(path: Path, after: str = "") -> AsyncIterator[Caller]:
    caller = Caller(path, after)
    try:
        yield caller
    finally:
        await trio.to_thread.run_sync(caller.close)


async def said(caller: Caller) -> control.Event:
    return await trio.to_thread.run_sync(caller.next)


async def test_a_stream_over_the_socket_and_on_after_a_cut(tmp_path: Path) -> None:
    node = played(tmp_path)
    async with node.served() as path:
        async with calling(path) as caller:
            assert (await said(caller)).HasField("subscribed")
            node.hub.emit(notice("1"))
            one = await said(caller)
        node.hub.emit(notice("2"))
        async with calling(path, one.cursor) as caller:
            assert (await said(caller)).subscribed.resumed
            assert (await said(caller)).notice.text == "2"


async def test_a_caller_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    """And hears, when it reads again, that it fell behind."""
    node = played(tmp_path)
    long = "x" * 10_000
    async with node.served() as path, calling(path) as slow, calling(path) as quick:
        await said(slow)
        await said(quick)
        for number in range(3 * MAX_BYTES // len(long)):
            node.hub.emit(notice(f"{number} {long}"))
            assert (await said(quick)).notice.text.startswith(f"{number} ")
        while not (event := await said(slow)).HasField("fell_behind"):
            assert event.HasField("notice")
        assert event.fell_behind.missed > 0
        node.hub.emit(notice("on"))
        assert (await said(slow)).notice.text == "on"


async def test_who_goes_without_a_word_frees_its_place(tmp_path: Path) -> None:
    node = played(tmp_path)
    async with node.served() as path:
        for _ in range(3):
            callers = [Caller(path) for _ in range(MAX_STREAMS)]
            try:
                for caller in callers:
                    await said(caller)
                with pytest.raises(grpc.RpcError) as caught:
                    await refused(path)
                assert status(caught.value) == ("RESOURCE_EXHAUSTED", TOO_MANY_STREAMS)
            finally:
                for caller in callers:
                    await trio.to_thread.run_sync(caller.close)
            await until_free(path)


async def refused(path: Path) -> None:
    async with calling(path) as caller:
        await said(caller)


async def until_free(path: Path) -> None:
    """The server hears a little later that somebody has gone."""
    with trio.fail_after(30):
        while True:
            with contextlib.suppress(grpc.RpcError):
                return await refused(path)


async def test_the_end_of_the_node_ends_streams(tmp_path: Path) -> None:
    node = played(tmp_path)
    statuses = []

    async def read(caller: Caller) -> None:
        with pytest.raises(grpc.RpcError) as caught:
            await said(caller)
        statuses.append(status(caught.value))

    async with trio.open_nursery() as nursery, node.served() as path:
        caller = Caller(path)
        await said(caller)
        nursery.start_soon(read, caller)
    await trio.to_thread.run_sync(caller.close)
    assert statuses == [("UNAVAILABLE", "The process is stopping.")]
