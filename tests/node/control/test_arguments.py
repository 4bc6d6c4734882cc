from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.control import arguments
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol.names import stored_room
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from tests.node.control.stage import BOB


def test_a_message_id_is_hexadecimal() -> None:
    assert arguments.message_id("00ff" * 8) == b"\x00\xff" * 8
    assert arguments.message_id("00FF" * 8) == b"\x00\xff" * 8


@pytest.mark.parametrize("text", ["", "00", "0" * 33, "g" * 32, "0" * 31 + "\n", "\u0660" * 32])
def test_everything_else_is_none(text: str) -> None:
    with pytest.raises(RequestRejectedError, match="32 hexadecimal digits") as caught:
        arguments.message_id(text)
    assert caught.value.reason == actors.INVALID


def test_peers_are_base58() -> None:
    assert arguments.binary_peer(BOB.peer) == BOB.peer_bytes
    assert arguments.binary_peer("") == b""
    for text in ("bob", "0OIl", "12D3", "é"):
        with pytest.raises(RequestRejectedError, match="no peer id"):
            arguments.binary_peer(text)


@pytest.mark.parametrize(
    "given",
    [
        control.Conversation(),
        control.Conversation(room="lobby", peer=BOB.peer),
        control.Conversation(peer="bob"),
        control.Conversation(room="not one"),
        control.Conversation(room=stored_room("lobby", True)),
    ],
)
def test_a_conversation_is_a_room_or_a_peer(given: control.Conversation) -> None:
    with pytest.raises(RequestRejectedError):
        arguments.the_conversation(given)


def test_a_limit_has_a_default_and_an_end() -> None:
    assert arguments.limit(0, 50, 100) == 50
    assert arguments.limit(100, 50, 100) == 100
    with pytest.raises(RequestRejectedError, match="at most 1,000"):
        arguments.limit(1001, 50, 1000)


@given(st.binary(max_size=100))
def test_cursors_are_opaque_text_and_lead_back(position: bytes) -> None:
    text = arguments.cursor(position)
    assert text.isascii()
    assert text.isprintable()
    assert arguments.position(text) == position


@pytest.mark.parametrize("text", ["!", "A", "AA==", "AB", "Ü", "A A", "A" * 4100])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(RequestRejectedError, match="no cursor"):
        arguments.position(text)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        position = arguments.position(text)
    except RequestRejectedError:
        return
    assert arguments.cursor(position) == text
