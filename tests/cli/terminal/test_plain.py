import os

import pytest
import trio

from p2pchat.cli.terminal.console import Typed
from p2pchat.cli.terminal.lines import Span, line
from p2pchat.cli.terminal.plain import OutputClosedError, PlainConsole


async def test_lines_from_a_pipe() -> None:
    read_end, write_end = os.pipe()
    console = PlainConsole(stdin=read_end)
    os.write(write_end, b"one\ntw")
    assert await console.read() == Typed("one")
    os.write(write_end, b"o\nthree")
    assert await console.read() == Typed("two")
    os.close(write_end)
    assert await console.read() == Typed("three")
    assert await console.read() is None
    assert await console.read() is None
    os.close(read_end)


async def test_no_escape_sequences_go_out() -> None:
    read_end, write_end = os.pipe()
    console = PlainConsole(stdout=write_end)
    await console.show([line(Span("a", "warning"), "b"), line("ü")])
    assert os.read(read_end, 100) == "ab\nü\n".encode()
    os.close(read_end)
    os.close(write_end)


async def test_a_slow_reader_sets_the_pace_and_batches_stay_whole() -> None:
    read_end, write_end = os.pipe()
    console = PlainConsole(stdout=write_end)
    got = bytearray()
    async with trio.open_nursery() as nursery:
        for letter in "abc":
            nursery.start_soon(console.show, [line(letter * 100_000)])
        while len(got) < 3 * 100_001:
            got += await trio.to_thread.run_sync(os.read, read_end, 65_536)
    rows = bytes(got).decode().splitlines()
    assert sorted("".join(set(row)) for row in rows) == ["a", "b", "c"]
    os.close(read_end)
    os.close(write_end)


async def test_nobody_reads_the_output_any_more() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with pytest.raises(OutputClosedError):
        await PlainConsole(stdout=write_end).show([line("a")])
    os.close(write_end)


async def test_reading_can_be_cancelled() -> None:
    read_end, write_end = os.pipe()
    with trio.CancelScope() as scope:
        scope.cancel()
        await PlainConsole(stdin=read_end).read()
    os.close(write_end)  # ends the abandoned thread


async def test_only_a_terminal_has_somebody_before_it() -> None:
    piped, written = os.pipe()
    assert not PlainConsole(stdin=piped, stdout=written).is_watched
    primary, replica = os.openpty()
    assert PlainConsole(stdin=replica, stdout=replica).is_watched
    assert not PlainConsole(stdin=replica, stdout=written).is_watched
    for descriptor in (piped, written, primary, replica):
        os.close(descriptor)
