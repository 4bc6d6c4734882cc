"""The client of the control socket, before a node that is played."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from p2pchat.cli import control_client
from p2pchat.cli.control_client import ControlError, NodeClient, RequestRefusedError
from p2pchat.proto import control_pb2 as control
from tests.cli.played_control import PlayedNode, arrived, in_room, playing


@pytest.fixture
def played() -> PlayedNode:
    return PlayedNode()


@pytest.fixture
def client(played: PlayedNode, tmp_path: Path) -> Iterator[NodeClient]:
    with playing(tmp_path, played), control_client.node(tmp_path) as running:
        yield running


def test_each_request_has_its_response(client: NodeClient, played: PlayedNode) -> None:
    for method in control.DESCRIPTOR.services_by_name["Node"].methods:
        if not method.server_streaming:
            request = getattr(control, method.input_type.name)()
            assert isinstance(client.ask(request), getattr(control, method.output_type.name))
            assert played.asked[-1] == request


@pytest.mark.parametrize(
    ("code", "error", "part"),
    [
        ("INVALID_ARGUMENT", RequestRefusedError, "Said so."),
        ("FAILED_PRECONDITION", RequestRefusedError, "Said so."),
        ("UNIMPLEMENTED", RequestRefusedError, "of another version"),
        ("UNAVAILABLE", ControlError, "cannot answer: Said so."),
        ("DEADLINE_EXCEEDED", ControlError, "did not answer within"),
        ("RESOURCE_EXHAUSTED", ControlError, "cannot answer: Said so."),
    ],
)
def test_a_status_becomes_an_error_for_people(
    client: NodeClient, played: PlayedNode, code: str, error: type[Exception], part: str
) -> None:
    def fail(_: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode[code], "Said so.")

    played.answer = lambda _name, request, context: fail(request, context)  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(error, match=part):
        client.ask(control.ListRoomsRequest())


def test_a_stream_ends_when_its_time_is_over(client: NodeClient, played: PlayedNode) -> None:
    events = client.subscribe(timeout=0.5)
    assert next(events).HasField("subscribed")
    played.emit(messages_arrived=arrived(in_room("hello")))
    assert [event.messages_arrived.messages[0].text for event in events] == ["hello"]


def test_a_stream_that_the_node_ends_is_over(client: NodeClient, played: PlayedNode) -> None:
    events = client.subscribe()
    next(events)
    played.is_stopping = True
    assert list(events) == []


def test_a_stream_begins_behind_a_cursor(client: NodeClient, played: PlayedNode) -> None:
    first = played.emit(messages_arrived=arrived(in_room("one")))
    played.emit(messages_arrived=arrived(in_room("two")))
    begin, event, *_ = client.subscribe(first, timeout=0.5)
    assert begin.subscribed.resumed
    assert event.messages_arrived.messages[0].text == "two"
