"""Who may talk to a supervisor and its workers, on streams in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import memory_stream_pair

from p2pchat.relay_mailbox.workers import admission
from p2pchat.relay_mailbox.workers.admission import Admission, NotAdmittedError

OURS, OTHER = Admission(b"o" * 32), Admission(b"x" * 32)
HERE, THERE = "127.0.0.1:5000", "127.0.0.1:5001"

Talk = Callable[[trio.abc.Stream, str], Awaitable[None]]
Outcomes = dict[str, str]  # by side; empty: it went well


async def outcome(talk: Talk, stream: trio.abc.Stream, address: str = HERE) -> str:
    """Empty: it went well."""
    try:
        await talk(stream, address)
    except NotAdmittedError as error:
        await trio.aclose_forcefully(stream)
        return str(error)
    return ""


async def between(
    listening: Talk, connecting: Talk, seen: str = HERE
) -> tuple[Outcomes, trio.abc.Stream, trio.abc.Stream]:
    """What either side has come to; `seen`: the address that the one that connects sees."""
    one, other = memory_stream_pair()
    found: Outcomes = {}

    async def note(name: str, talk: Talk, stream: trio.abc.Stream, address: str) -> None:
        found[name] = await outcome(talk, stream, address)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(note, "listening", listening, one, HERE)
        nursery.start_soon(note, "connecting", connecting, other, seen)
    return found, one, other


async def test_who_knows_the_secret_comes_in_and_the_rest_is_untouched() -> None:
    found, one, other = await between(OURS.admit, OURS.enter)
    assert found == {"listening": "", "connecting": ""}
    await other.send_all(b"first words")
    assert await one.receive_some() == b"first words"


async def test_with_another_secret_neither_side_goes_on() -> None:
    found, _, _ = await between(OURS.admit, OTHER.enter)
    assert found["listening"] == "a wrong answer"
    assert found["connecting"]


async def test_who_only_listens_there_is_found_out() -> None:
    """Somebody who had the port before us, and lets everybody in."""

    async def pretend(stream: trio.abc.Stream, _: str) -> None:
        await stream.send_all(bytes(32))
        await stream.receive_some(64)
        await stream.send_all(bytes(32))

    found, _, _ = await between(pretend, OURS.enter)
    assert found["connecting"] == "a wrong answer"


async def test_an_answer_that_was_got_elsewhere_is_none() -> None:
    """Somebody listens at one address, and hands on everything to another one: byte for byte."""
    found, _, _ = await between(OURS.admit, OURS.enter, seen=THERE)
    assert found["listening"] == "a wrong answer"
    assert found["connecting"]


async def test_a_question_sent_back_is_no_answer() -> None:
    async def mirror(stream: trio.abc.Stream, _: str) -> None:
        while heard := await stream.receive_some():
            await stream.send_all(heard)

    found, _, _ = await between(OURS.admit, mirror)
    assert found["listening"] == "a wrong answer"


async def test_who_says_nothing_is_sent_away(autojump_clock: object) -> None:
    one, _ = memory_stream_pair()
    begin = trio.current_time()
    assert await outcome(OURS.admit, one) == "no answer"
    assert trio.current_time() - begin == pytest.approx(admission.PATIENCE)


async def test_many_who_say_nothing_keep_nobody_out(autojump_clock: object) -> None:
    here = Admission(b"o" * 32)
    silent: list[str] = []

    async def be_silent() -> None:
        one, _ = memory_stream_pair()
        silent.append(await outcome(here.admit, one))

    async with trio.open_nursery() as nursery:
        for _ in range(admission.MOST_STRANGERS):
            nursery.start_soon(be_silent)
        await trio.testing.wait_all_tasks_blocked()
        assert silent == []
        begin = trio.current_time()
        found, _, _ = await between(here.admit, OURS.enter)
        assert found == {"listening": "", "connecting": ""}
        assert trio.current_time() == begin
        await trio.testing.wait_all_tasks_blocked()
        assert silent == ["too many at a time"]
