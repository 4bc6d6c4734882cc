"""How Yamux's windows grow here: with what is read, and how fast."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio
import trio.testing
from libp2p.peer.id import ID
from libp2p.stream_muxer.yamux.yamux import Yamux, YamuxStream

from p2pchat.node.adapters import libp2p_fixes
from p2pchat.node.adapters.libp2p_fixes import FAST_USE, MAX_WINDOW
from p2pchat.node.identity import Identity

PEER = ID.from_base58(Identity(bytes(32)).peer)
FIRST_WINDOW = 256 * 1024  # bytes, of every Yamux


class Quiet:
    """A connection that takes everything and says nothing."""

    async def write(self, data: bytes) -> None: ...


@pytest.fixture
def fixed() -> Iterator[None]:
    before = YamuxStream._auto_tune_and_send_window_update
    libp2p_fixes.grow_windows_by_use()
    yield
    YamuxStream._auto_tune_and_send_window_update = before  # type: ignore[method-assign]


async def window_after(times: int, every: float) -> int:
    """Half of a window is used and read so many times, once in so many seconds, at a peer that is very near."""
    connection = Yamux(Quiet(), PEER, is_initiator=True)  # type: ignore[arg-type]
    connection._rtt = 0.0005
    stream = await connection.open_stream()
    for _ in range(times):
        await trio.sleep(every)
        stream.recv_window -= stream.target_recv_window // 2 + 1
        await stream._auto_tune_and_send_window_update(bytes_read=1)
    return int(stream.target_recv_window)


async def test_who_reads_fast_gets_more_though_the_writer_looks_seldom(
    fixed: None, autojump_clock: trio.testing.MockClock
) -> None:
    assert await window_after(10, FAST_USE / 5) == MAX_WINDOW


async def test_who_reads_slowly_gets_no_more(
    fixed: None, autojump_clock: trio.testing.MockClock
) -> None:
    assert await window_after(10, FAST_USE * 2) == FIRST_WINDOW
