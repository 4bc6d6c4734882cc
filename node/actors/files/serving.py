"""The sender's side: whoever was offered a file and asks for it gets the rest of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import trio

from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.actors.files.source import facts_of
from p2pchat.node.actors.storage_calls import Runner
from p2pchat.node.errors import ActorError, FileChangedError, StreamError, one_error
from p2pchat.node.ports import FileFacts, Files, Stream
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol.file_transfer import Key
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

STREAMS = 8  # being served at a time ...
STREAMS_PER_PEER = 2  # ... to one peer; one more is told that it is busy here
REQUEST_TIMEOUT = 10.0  # seconds for the recipient to say what it wants
WRITE_TIMEOUT = 60.0  # seconds in which a peer must read a chunk
BLOCK = 4 * rules.CHUNK  # bytes read from the disk at once
BLOCKS_AHEAD = 1  # read while the one before is sent


class FileServer:
    def __init__(self, *, files: Files, run: Runner, ledger: Ledger) -> None:
        """`run` performs one call on `files`."""
        self._files = files
        self._run = run
        self._ledger = ledger
        self._served: dict[Key, trio.CancelScope] = {}
        self._over = False

    async def serve(self, stream: Stream) -> None:
        """A stream that breaks the rules is reset by the exception."""
        request = await self._request(stream)
        key = Key(stream.peer, True, request.transfer)
        record = self._ledger.get(key)
        problem = rules.refusal_of(record) or self._busy(key)
        if record is None or problem:
            log.info("%s asked for a file and was told: %s", stream.peer, problem)
            await _write(stream, wire.FileChunk(problem=problem, last=True))
            await stream.close()
            return
        if request.offset > record.offer.size:
            raise StreamError("it asks for more than there is")
        await self._serve(stream, key, request.offset)

    def stop(self, key: Key) -> None:
        """It is not to be had any more."""
        if scope := self._served.get(key):
            scope.cancel()

    def stop_all(self) -> None:
        """Whoever asks from now on has to try again with the next incarnation."""
        self._over = True
        for scope in self._served.values():
            scope.cancel()

    async def _request(self, stream: Stream) -> wire.FileRequest:
        with trio.move_on_after(REQUEST_TIMEOUT):
            body = await stream.read_frame(rules.REQUEST_LIMIT)
            try:
                return wire.FileRequest.FromString(body)
            except Exception as error:  # protobuf's own
                raise StreamError("not a FileRequest") from error
        raise StreamError("nobody says what is wanted")

    def _busy(self, key: Key) -> str:
        """A transfer that is asked for again replaces its own stream: the one before has broken."""
        others = [each for each in self._served if each != key]
        of_peer = sum(each.peer == key.peer for each in others)
        is_full = len(others) >= STREAMS or of_peer >= STREAMS_PER_PEER
        return "busy" if self._over or is_full else ""

    async def _serve(self, stream: Stream, key: Key, offset: int) -> None:
        self.stop(key)
        scope = self._served[key] = trio.CancelScope()
        try:
            with scope:
                record = await self._ledger.change(key, partial(rules.fetched, offset=offset))
                if record is not None:
                    self._ledger.begun(key, offset)
                    await self._send(stream, key, facts_of(record), offset)
        except FileChangedError as error:
            await _write(stream, wire.FileChunk(problem="changed", last=True))
            await self._ledger.try_to_change(key, partial(rules.failed, problem=str(error)))
        except ActorError as error:
            raise StreamError("a part of the node restarts") from error
        finally:
            if self._served.get(key) is scope:
                del self._served[key]
                with trio.move_on_after(1.0, shield=True):
                    await self._ledger.ended(key)
        if scope.cancel_called:
            raise StreamError("it is not sent any more")
        await stream.close()

    async def _send(self, stream: Stream, key: Key, facts: FileFacts, offset: int) -> None:
        if offset == facts.size:
            await self._run(partial(self._files.read, facts, offset, 0))
            await _write(stream, wire.FileChunk(last=True))
        send, blocks = trio.open_memory_channel[bytes](BLOCKS_AHEAD)
        with one_error():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read, facts, offset, send)
                async for block in blocks:
                    for chunk in _chunks(block):
                        offset += len(chunk)
                        last = offset == facts.size
                        await _write(stream, wire.FileChunk(data=chunk, last=last))
                    self._ledger.moved(key, offset)

    async def _read(
        self, facts: FileFacts, offset: int, send: trio.MemorySendChannel[bytes]
    ) -> None:
        async with send:
            while offset < facts.size:
                block = await self._run(partial(self._files.read, facts, offset, BLOCK))
                await send.send(block)
                offset += len(block)


def _chunks(block: bytes) -> Iterator[bytes]:
    for begin in range(0, len(block), rules.CHUNK):
        yield block[begin : begin + rules.CHUNK]


async def _write(stream: Stream, chunk: wire.FileChunk) -> None:
    with trio.move_on_after(WRITE_TIMEOUT) as patience:
        await stream.write(frame(chunk.SerializeToString()))
    if patience.cancelled_caught:
        raise StreamError("the recipient does not read")
