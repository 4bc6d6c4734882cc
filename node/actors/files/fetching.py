"""The recipient's side: fetches what is wanted once its sender is connected, and puts what is whole into place."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from functools import partial

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.files.download import Download, SenderError, WithdrawnError
from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.actors.storage_calls import Runner
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import (
    ActorError,
    FileDamagedError,
    FileError,
    RequestRejectedError,
    StreamError,
)
from p2pchat.node.ports import Files, Network
from p2pchat.node.protocol import file_names
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol.file_transfer import Key, Transfer
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

FETCHES = 4  # at a time; further files wait ...
FETCHES_PER_PEER = 2  # ... and of one sender, who serves no more at a time
LOOK = 1.0  # seconds between two looks who is connected, while anything waits
AFTER_BREAK = Backoff(first=0.5, most=60.0)  # seconds until a stream that broke is opened anew
AFTER_DISK = Backoff(first=30.0, most=300.0)  # and after the disk has failed
DIFFERS = "What came is not the file that was offered: its SHA-256 digest differs."

Spawn = Callable[..., None]


class Fetcher:
    def __init__(
        self,
        *,
        network: Network,
        files: Files,
        run: Runner,
        run_long: Runner,
        ledger: Ledger,
        spawn: Spawn,
        rng: random.Random,
        on_answer: Callable[[], None],
    ) -> None:
        """`run` performs one call on `files`, `run_long` one that reads a whole file; `on_answer` is called when the
        sender is to be told something."""
        self._network = network
        self._files = files
        self._run = run
        self._run_long = run_long
        self._ledger = ledger
        self._spawn = spawn
        self._rng = rng
        self._on_answer = on_answer
        self._download = Download(files, run, ledger)
        self._running: dict[Key, trio.CancelScope] = {}
        self._ended = trio.lowlevel.ParkingLot()
        self._not_before: dict[Key, float] = {}
        self._failures: dict[
            Key, tuple[int, int]
        ] = {}  # in a row, without having come further than
        self._bell = Bell()

    def ring(self) -> None:
        self._bell.ring()

    def is_running(self, key: Key) -> bool:
        return key in self._running

    async def check_space(self, record: Transfer) -> None:
        """Raises `FileError`."""
        await self._download.check_space(record)

    async def stop(self, key: Key) -> None:
        """It is not wanted any more; returns when nothing is written any more."""
        while key in self._running:
            self._running[key].cancel()
            await self._ended.park()

    async def drop(self, key: Key) -> None:
        """Delete what is there of it."""
        await self.stop(key)
        self._forget_failures(key)
        if (record := self._ledger.get(key)) is not None:
            await self._run(partial(self._files.drop, rules.partial_name(record)))

    async def sweep(self) -> None:
        """Delete partial files that belong to nothing."""
        wanted = set()
        for key in self._ledger.having(rules.is_to_fetch):
            if (record := self._ledger.get(key)) is not None:
                wanted.add(rules.partial_name(record))
        for name in set(await self._run(self._files.partials)) - wanted:
            await self._run(partial(self._files.drop, name))

    async def run(self) -> None:
        while True:
            wanted = self._ledger.having(rules.is_to_fetch)
            there = {connection.peer for connection in self._network.connections()}
            for key in wanted:
                if self._may_begin(key, there):
                    self._running[key] = trio.CancelScope()
                    self._spawn(self._fetch, key, name=f"file of {key.peer}")
            await self._bell.wait_until(trio.current_time() + LOOK if wanted else None)

    def _may_begin(self, key: Key, there: set[str]) -> bool:
        record = self._ledger.get(key)
        if record is None or key in self._running or len(self._running) >= FETCHES:
            return False
        if trio.current_time() < self._not_before.get(key, 0.0):
            return False
        of_peer = sum(each.peer == key.peer for each in self._running)
        is_whole = record.done == record.offer.size
        return is_whole or (key.peer in there and of_peer < FETCHES_PER_PEER)

    async def _fetch(self, key: Key) -> None:
        scope = self._running[key]
        try:
            with scope:
                await self._try_to_fetch(key)
        finally:
            del self._running[key]
            self._ended.unpark_all()
            self._bell.ring()

    async def _try_to_fetch(self, key: Key) -> None:
        """Whatever goes wrong is either for good, or tried again later."""
        try:
            await self._bring(key)
        except SenderError as error:
            await self._give_up(key, str(error))
        except WithdrawnError:
            withdrawn = wire.FileAnswer(kind=wire.FileAnswer.WITHDRAWN)
            await self._ledger.try_to_change(key, partial(rules.heard, answer=withdrawn))
            await self._run(partial(self._files.drop, _partial_of(self._ledger.get(key))))
        except FileError as error:
            self._pause(key, AFTER_DISK)
            await self._ledger.try_to_change(key, partial(rules.waits, problem=str(error)))
        except (StreamError, RequestRejectedError, ActorError) as error:
            log.info("a file goes on later: %s", error)
            self._pause(key, AFTER_BREAK)

    async def _give_up(self, key: Key, problem: str) -> None:
        if await self._ledger.try_to_change(key, partial(rules.failed, problem=problem)) is None:
            self._pause(key, AFTER_DISK)
            return
        await self._run(partial(self._files.drop, _partial_of(self._ledger.get(key))))
        self._on_answer()

    def _pause(self, key: Key, backoff: Backoff) -> None:
        record = self._ledger.get(key)
        done = record.done if record is not None else 0
        failures, before = self._failures.get(key, (0, done))
        failures = failures + 1 if done == before else 1
        self._failures[key] = (failures, done)
        self._not_before[key] = trio.current_time() + backoff.delay(failures, self._rng)

    async def _bring(self, key: Key) -> None:
        record = await self._as_it_is(key)
        if record is None or not rules.is_to_fetch(record):
            return
        if record.done < record.offer.size:
            await self._download.check_space(record)
            await self._receive(key, record)
        await self._finish(key)

    async def _as_it_is(self, key: Key) -> Transfer | None:
        """No more than is on the disk; a file that was put into place before a crash is finished."""
        record = self._ledger.get(key)
        if record is None:
            return None
        name = rules.partial_name(record)
        there = await self._run(partial(self._files.partial_size, name))
        if record.path and not there:
            return record if await self._was_placed(record) else await self._rewind(key, 0)
        return await self._rewind(key, there) if there < record.done else record

    async def _was_placed(self, record: Transfer) -> bool:
        place = partial(self._files.publish, rules.partial_name(record), record.path)
        try:
            return record.done == record.offer.size and await self._run(place)
        except FileError:
            return False

    async def _rewind(self, key: Key, there: int) -> Transfer | None:
        return await self._ledger.change(key, partial(rules.rewound, done=there))

    async def _receive(self, key: Key, record: Transfer) -> None:
        stream = await self._network.open_stream(key.peer, rules.FILE_PROTOCOL)
        self._ledger.begun(key, record.done)
        try:
            await self._download.receive(stream, key, record)
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.reset()
            raise
        finally:
            with trio.move_on_after(1.0, shield=True):
                await self._ledger.ended(key)
        await stream.close()

    async def _finish(self, key: Key) -> None:
        record = self._ledger.get(key)
        if record is None or not rules.is_to_fetch(record):
            return
        if record.path and await self._was_placed(record):
            await self._is_done(key)
        elif await self._is_as_offered(key, record):
            await self._place(key, record)

    async def _is_as_offered(self, key: Key, record: Transfer) -> bool:
        name, size = rules.partial_name(record), record.offer.size
        if not size:
            await self._run(partial(self._files.write, name, 0, b"", sync=True))
        try:
            digest = await self._run_long(partial(self._files.digest, name, size))
        except FileDamagedError:
            await self._rewind(key, 0)
            raise
        if digest != record.offer.digest:
            await self._give_up(key, DIFFERS)
        return digest == record.offer.digest

    async def _place(self, key: Key, record: Transfer) -> None:
        """The place is noted first, so that after a crash it is known whether the file is there."""
        wanted = file_names.safe(record.offer.name)
        while True:
            path = await self._run(partial(self._files.free_path, wanted))
            if await self._ledger.change(key, partial(rules.placed, path=path)) is None:
                return
            if await self._run(partial(self._files.publish, rules.partial_name(record), path)):
                break
        await self._is_done(key)

    async def _is_done(self, key: Key) -> None:
        await self._ledger.change(key, rules.finished)
        self._forget_failures(key)
        self._on_answer()

    def _forget_failures(self, key: Key) -> None:
        self._failures.pop(key, None)
        self._not_before.pop(key, None)


def _partial_of(record: Transfer | None) -> str:
    return rules.partial_name(record or records.TransferRecord())
