"""A libp2p stream behind the `Stream` port."""

from __future__ import annotations

import contextlib
from collections import Counter

from libp2p.abc import INetStream

from p2pchat.node.errors import StreamError
from p2pchat.node.protocol.framing import FrameDecoder, FrameError

READ_CHUNK = 64 * 1024  # bytes asked of libp2p at once


def deepest(error: BaseException) -> str:
    """libp2p wraps errors several times; the innermost one says what happened."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


class Libp2pStream:
    """Frames over one libp2p stream. Every foreign error becomes `StreamError`."""

    def __init__(self, stream: INetStream, peer: str, counters: Counter[str]) -> None:
        self._stream = stream
        self._peer = peer
        self._counters = counters
        self._decoder = FrameDecoder(0)

    @property
    def peer(self) -> str:
        return self._peer

    async def read_frame(self, limit: int) -> bytes:
        self._decoder.limit = limit
        try:
            while (body := self._decoder.next_frame()) is None:
                chunk = await self._stream.read(READ_CHUNK)
                if not chunk:
                    raise StreamError("the stream ended")
                self._decoder.push(chunk)
            return body
        except StreamError:
            raise
        except FrameError as error:
            self._counters["frames_refused"] += 1
            await self.reset()
            raise StreamError(f"bad frame: {error}") from error
        except Exception as error:
            raise StreamError(str(error) or type(error).__name__) from error

    async def write(self, data: bytes) -> None:
        try:
            await self._stream.write(data)
        except Exception as error:
            raise StreamError(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        with contextlib.suppress(Exception):  # it is gone either way
            await self._stream.close()

    async def reset(self) -> None:
        with contextlib.suppress(Exception):
            await self._stream.reset()
