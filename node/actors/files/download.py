"""One file from one sender: over a stream into a partial file, as far as the stream leads."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import trio

from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.actors.storage_calls import Runner
from p2pchat.node.errors import FileError, P2pchatError, StreamError, one_error
from p2pchat.node.ports import Files, Stream
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol.file_transfer import Key, Transfer
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import wire_pb2 as wire

IDLE = 60.0  # seconds without a chunk until a stream is given up
BLOCK = 4 * rules.CHUNK  # bytes written to the disk at once
BLOCKS_BEHIND = 1  # that wait for the disk while the next one comes in; then reading waits
SYNC_EVERY = 8 << 20  # bytes between two moments at which all is on the disk, and said to be
RESERVE = 64 << 20  # bytes of the disk that stay free

_PROBLEMS = {
    "unknown": "The sender does not know of it any more.",
    "changed": "The file was changed after it had been offered.",
}


class SenderError(P2pchatError):
    """It cannot be had from this sender, for good; the message is a sentence for the owner."""


class WithdrawnError(P2pchatError):
    """The sender does not offer it any more."""


class Download:
    def __init__(self, files: Files, run: Runner, ledger: Ledger) -> None:
        """`run` performs one call on `files`."""
        self._files = files
        self._run = run
        self._ledger = ledger

    async def check_space(self, record: Transfer) -> None:
        """Raises `FileError` when the rest of the file does not fit."""
        free = await self._run(self._files.free_bytes)
        needed = record.offer.size - record.done
        if free - RESERVE < needed:
            raise FileError(
                f"The disk is too full: {needed:,} bytes are needed, and {RESERVE:,} have to stay free; "
                f"{free:,} are."
            )

    async def receive(self, stream: Stream, key: Key, record: Transfer) -> None:
        """From where it stands to its end. Raises `SenderError`, `WithdrawnError`, `StreamError` and `FileError`."""
        request = wire.FileRequest(transfer=key.id, offset=record.done)
        await stream.write(frame(request.SerializeToString()))
        send, blocks = trio.open_memory_channel[bytes](BLOCKS_BEHIND)
        broken: StreamError | None = None
        with one_error():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, key, record, blocks)
                async with send, aclosing(_blocks(stream, record)) as incoming:
                    try:
                        async for block in incoming:
                            await send.send(block)
                    except StreamError as error:
                        broken = error  # what has come is written all the same
        if broken is not None:
            raise broken

    async def _write(
        self, key: Key, record: Transfer, blocks: trio.MemoryReceiveChannel[bytes]
    ) -> None:
        name, offset, unsynced = rules.partial_name(record), record.done, 0
        async with blocks:
            async for block in blocks:
                await self._run(partial(self._files.write, name, offset, block, sync=False))
                offset, unsynced = offset + len(block), unsynced + len(block)
                self._ledger.moved(key, offset)
                if unsynced >= SYNC_EVERY:
                    unsynced = 0
                    await self._sync(key, name, offset)
        if unsynced:
            await self._sync(key, name, offset)

    async def _sync(self, key: Key, name: str, offset: int) -> None:
        """From now on so much is done."""
        await self._run(partial(self._files.write, name, offset, b"", sync=True))
        if await self._ledger.change(key, partial(rules.advanced, done=offset)) is None:
            raise StreamError("it is not wanted any more")


async def _blocks(stream: Stream, record: Transfer) -> AsyncGenerator[bytes, None]:
    """What comes, in pieces for the disk, until the stream breaks. What breaks the rules is a `SenderError`."""
    offset, size = record.done, record.offer.size
    pieces: list[bytes] = []
    held = 0  # bytes of them: a sender may make each as small as it likes
    while offset < size:
        try:
            chunk = await _next_chunk(stream)
        except StreamError:
            if pieces:
                yield b"".join(pieces)
            raise
        offset += len(chunk.data)
        if not chunk.data or offset > size or chunk.last != (offset == size):
            raise SenderError("The sender sent something else than it had offered.")
        pieces.append(chunk.data)
        held += len(chunk.data)
        if chunk.last or held >= BLOCK:
            yield b"".join(pieces)
            pieces.clear()
            held = 0


async def _next_chunk(stream: Stream) -> wire.FileChunk:
    with trio.move_on_after(IDLE):
        chunk = _parsed(await stream.read_frame(rules.FRAME_LIMIT))
        if chunk.problem == "busy":
            raise StreamError("the sender is busy")
        if chunk.problem == "withdrawn":
            raise WithdrawnError
        if chunk.problem:
            raise SenderError(_PROBLEMS.get(chunk.problem, "The sender does not send it."))
        return chunk
    raise StreamError("nothing comes any more")


def _parsed(body: bytes) -> wire.FileChunk:
    try:
        return wire.FileChunk.FromString(body)
    except Exception as error:  # protobuf's own, or one of text that is no text
        raise SenderError("The sender sent something else than a file.") from error
