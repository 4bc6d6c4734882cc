from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.dht import serving
from p2pchat.node.actors.dht.turns import (
    MAX_PEERS,
    QUESTION_BURST,
    QUESTION_RATE,
    QUESTIONS_AT_ONCE,
    TURN_TIMEOUT,
    NotTriedError,
    Turns,
)

PEER = b"somebody"


async def ask(turns: Turns, seconds: float = 0.0, peer: bytes = PEER) -> None:
    async with turns.turn(peer):
        await trio.sleep(seconds)


def test_we_ask_less_than_a_server_answers() -> None:
    assert QUESTIONS_AT_ONCE < serving.MAX_STREAMS_OF_PEER
    assert QUESTION_RATE < serving.RATE
    assert QUESTION_BURST < serving.BURST


async def test_after_a_while_questions_to_one_peer_keep_the_pace(autojump_clock: MockClock) -> None:
    turns, more = Turns(), 20
    for _ in range(int(QUESTION_BURST) + more):
        await ask(turns)
    assert trio.current_time() == pytest.approx(more / QUESTION_RATE)
    await ask(turns, peer=b"somebody else")
    assert trio.current_time() == pytest.approx(more / QUESTION_RATE)


async def test_few_questions_are_at_one_peer_at_once(autojump_clock: MockClock) -> None:
    turns = Turns()
    async with trio.open_nursery() as nursery:
        for _ in range(2 * QUESTIONS_AT_ONCE):
            nursery.start_soon(ask, turns, 3.0)
    assert trio.current_time() == pytest.approx(6.0)


async def test_a_turn_is_not_waited_for_without_end(autojump_clock: MockClock) -> None:
    turns = Turns()
    async with trio.open_nursery() as nursery:
        for _ in range(QUESTIONS_AT_ONCE):
            nursery.start_soon(ask, turns, 100.0)
        await trio.sleep(1.0)
        with pytest.raises(NotTriedError):
            await ask(turns)
        assert trio.current_time() == pytest.approx(1.0 + TURN_TIMEOUT)
        await trio.sleep(100.0)
        await ask(turns)


async def test_not_everybody_who_was_asked_is_remembered(autojump_clock: MockClock) -> None:
    turns = Turns()
    for number in range(3 * MAX_PEERS):
        await ask(turns, peer=bytes([number % 256, number // 256]))
    assert len(turns._lines) == MAX_PEERS
