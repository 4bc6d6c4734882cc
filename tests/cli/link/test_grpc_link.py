"""The UI's link to a node: what is asked, what is heard, and what becomes of both when the node goes and comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli.control_client import LinkDownError, RequestRefusedError
from p2pchat.cli.link import grpc_link
from p2pchat.cli.link.grpc_link import GrpcLink
from p2pchat.cli.tui.link import NodeState
from p2pchat.proto import control_pb2 as control
from tests.cli.link.played_node import PlayedNode, serving

PATIENCE = 20.0  # seconds


def in_a_loop(scene: Callable[[Path], Awaitable[None]]) -> Callable[[Path], None]:
    """A test on asyncio."""

    def test(tmp_path: Path) -> None:
        asyncio.run(asyncio.wait_for(scene(tmp_path), PATIENCE))

    return test


@asynccontextmanager
async def linked(folder: Path) -> AsyncIterator[tuple[GrpcLink, AsyncIterator[Any]]]:
    link = GrpcLink(folder)
    running = asyncio.create_task(link.run())
    try:
        yield link, link.events()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until_running(events: AsyncIterator[Any]) -> None:
    """The node answers, and has said that a stream begins."""
    while await anext(events) != NodeState("running"):
        pass
    assert (await anext(events)).HasField("subscribed")


@in_a_loop
async def test_questions_are_answered_by_their_names(folder: Path) -> None:
    async with serving(PlayedNode(), folder), linked(folder) as (link, events):
        await until_running(events)
        answer = await link.ask(control.ListRoomsRequest())
        assert answer == control.ListRoomsResponse(rooms=[control.Room(name="den")])


@in_a_loop
async def test_a_refusal_comes_with_its_sentence(folder: Path) -> None:
    node = PlayedNode()
    node.is_refusing = "Not now."
    async with serving(node, folder), linked(folder) as (link, events):
        await until_running(events)
        with pytest.raises(RequestRefusedError, match=r"^Not now\.$"):
            await link.ask(control.ListRoomsRequest())


@in_a_loop
async def test_without_a_node_questions_come_back_at_once(folder: Path) -> None:
    async with linked(folder) as (link, _):
        with pytest.raises(LinkDownError):
            await link.ask(control.ListRoomsRequest())


@in_a_loop
async def test_a_question_that_is_under_way_when_the_node_goes(folder: Path) -> None:
    node = PlayedNode()
    node.is_hanging = True
    async with linked(folder) as (link, events):
        async with serving(node, folder):
            await until_running(events)
            question = asyncio.create_task(link.ask(control.ListRoomsRequest()))
            await node.was_asked.wait()
        with pytest.raises(LinkDownError):
            await question


@in_a_loop
async def test_who_stops_waiting_for_an_answer_is_no_lost_link(folder: Path) -> None:
    node = PlayedNode()
    node.is_hanging = True
    async with serving(node, folder), linked(folder) as (link, events):
        await until_running(events)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(link.ask(control.ListRoomsRequest()), 0.1)


@in_a_loop
async def test_a_stream_goes_on_behind_the_last_event(folder: Path) -> None:
    node = PlayedNode()
    node.known = ["7"]
    async with linked(folder) as (link, events):
        async with serving(node, folder):
            await until_running(events)
            node.happens("7", "one")
            assert (await anext(events)).notice.text == "one"
        assert await anext(events) == NodeState("gone")
        async with serving(node, folder):
            link.try_now()
            await until_running(events)
            node.happens("8", "two")
            assert (await anext(events)).notice.text == "two"
    assert node.asked_after == ["", "7"]


@in_a_loop
async def test_a_node_that_was_started_anew_has_to_be_read_anew(folder: Path) -> None:
    async with linked(folder) as (link, events):
        for is_first in (True, False):
            async with serving(PlayedNode(), folder):
                link.try_now()
                await until_running(events)
                if not is_first:
                    assert (await anext(events)).fell_behind.reason == grpc_link.NEW_START
            assert await anext(events) == NodeState("gone")


@in_a_loop
async def test_a_ui_that_does_not_read_holds_no_more_than_its_bound(folder: Path) -> None:
    node = PlayedNode()
    async with serving(node, folder), linked(folder) as (_, events):
        await until_running(events)
        for number in range(3 * grpc_link.EVENTS):
            node.happens(str(number + 1), str(number))
        for number in range(3 * grpc_link.EVENTS):
            assert (await anext(events)).notice.text == str(number)


@in_a_loop
async def test_what_runs_there_is_no_node(folder: Path) -> None:
    async with serving(object(), folder):
        with pytest.raises(RequestRefusedError, match="no node"):
            await GrpcLink(folder).run()


@in_a_loop
async def test_our_own_words_stand_between_those_of_the_node(folder: Path) -> None:
    link = GrpcLink(folder)
    await link.tell(NodeState("starting"))
    await link.note("Beware.", "warning")
    events: AsyncIterator[Any] = link.events()
    assert await anext(events) == NodeState("starting")
    assert (await anext(events)).notice == control.Notice(level="warning", text="Beware.")
