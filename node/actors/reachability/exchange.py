"""Streams that are given up when something goes wrong on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Network, Stream

RESET_TIMEOUT = 0.2  # seconds to give a stream up


@asynccontextmanager
async def opened(network: Network, peer: str, protocol: str) -> AsyncIterator[Stream]:
    """A new stream: closed behind the block, reset when the block raises. Raises `StreamError`."""
    stream = await network.open_stream(peer, protocol)
    try:
        yield stream
        await stream.close()
    except BaseException:
        with trio.move_on_after(RESET_TIMEOUT, shield=True):
            await _give_up(stream)
        raise


async def _give_up(stream: Stream) -> None:
    try:
        await stream.reset()
    except StreamError:
        return  # that is what was wanted
