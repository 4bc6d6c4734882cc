"""All transfers, as they are stored; what changes is saved first, and then told."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

import trio

from p2pchat.node.actors.files.telling import Telling
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.file_transfer import Key, Transfer
from p2pchat.node.protocol.transfer_pace import Pace
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

Step = Callable[[Transfer], Transfer | None]

SHORTEST_END = 4  # digits of an id's end that name a transfer
MANY = 5  # candidates named in a question back


class Ledger:
    """Peers are named in base58."""

    def __init__(self, storage: ActorRef, ui: ActorRef) -> None:
        self._storage = storage
        self._telling = Telling(ui, self._status_of)
        self._records: dict[Key, Transfer] = {}
        self._names: dict[str, str] = {}  # how to call peers
        self._paces: dict[Key, Pace] = {}  # of those that run
        self._saving = trio.Lock()  # a step begins where the one before has ended

    async def load(self) -> None:
        stored = await self._storage.request(actors.ReadTransfers(), actors.StoredTransfers)
        self._records = {rules.key_of(record): record for record in stored.records}
        await self._prune()

    async def run(self) -> None:
        """Tells what was not told at once."""
        await self._telling.run()

    # ---- what there is --------------------------------------------------------------------------------

    def get(self, key: Key) -> Transfer | None:
        return self._records.get(key)

    def all(self) -> list[Transfer]:
        """The newest first."""
        return sorted(self._records.values(), key=lambda r: r.offered_at_ms, reverse=True)

    def describe(self) -> actors.FilesDescription:
        counts = Counter((record.outgoing, record.state) for record in self._records.values())
        return actors.FilesDescription(
            transfers=[
                actors.TransferCount(outgoing=outgoing, state=state, count=count)
                for (outgoing, state), count in sorted(counts.items())
            ]
        )

    def having(self, is_so: Callable[[Transfer], bool]) -> list[Key]:
        return [key for key, record in self._records.items() if is_so(record)]

    def offers_of(self, peer: str) -> int:
        """Its offers that nobody has answered."""
        return sum(
            key.peer == peer and not key.outgoing and record.state == records.OFFERED
            for key, record in self._records.items()
        )

    def find(self, text: str, is_meant: Callable[[Transfer], bool], what: str) -> Key:
        """The transfer with that id, or end of it. Raises `RequestRejectedError`; `what` is for its sentence."""
        wanted = text.strip().lower()
        if len(wanted) < SHORTEST_END:
            detail = f"Which file? Its id, or at least the last {SHORTEST_END} digits of it."
            raise RequestRejectedError(actors.INVALID, detail)
        found = [key for key in self._records if key.id.hex().endswith(wanted)]
        meant = [key for key in found if is_meant(self._records[key])]
        if len(meant) == 1:
            return meant[0]
        if meant:
            ends = ", ".join(key.id.hex() for key in meant[:MANY])
            raise RequestRejectedError(actors.AMBIGUOUS, f"Several fit: {ends}.")
        detail = f"That file is not one {what}." if found else f"There is no file {wanted[:32]!r}."
        raise RequestRejectedError(actors.INVALID, detail)

    def status(self, record: Transfer) -> actors.TransferStatus:
        """As it stands at the moment."""
        key = rules.key_of(record)
        name = self._names.get(key.peer) or peer_id.short(key.peer)
        status = actors.TransferStatus(record=record, name=name)
        pace = self._paces.get(key)
        if pace is not None and not rules.is_over(record):
            status.record.state = records.RUNNING
            status.record.done = pace.done
            status.bytes_per_second = pace.bytes_per_second
        return status

    # ---- what changes ---------------------------------------------------------------------------------

    def called(self, peer: str, name: str) -> None:
        self._names[peer] = name

    @property
    def unnamed(self) -> set[str]:
        """Peers of whom it is not known how to call them."""
        return {key.peer for key in self._records} - self._names.keys()

    async def add(self, record: Transfer) -> Transfer:
        """One that is stored already; known ones stay as they are."""
        known = self._records.setdefault(rules.key_of(record), record)
        if len(self._records) > rules.MAX_TRANSFERS:
            await self._prune()
        await self._telling.tell(rules.key_of(known))
        return known

    async def change(self, key: Key, step: Step) -> Transfer | None:
        """Take a step, if it can be taken. Raises what `ActorRef.request` raises: then nothing has changed."""
        async with self._saving:
            before = self._records.get(key)
            after = step(before) if before is not None else None
            if after is None:
                return None
            await self._storage.request(actors.SaveTransfer(record=after), actors.Done)
            self._records[key] = after
        await self._telling.tell(key)
        return after

    async def try_to_change(self, key: Key, step: Step) -> Transfer | None:
        """As `change`, for steps that are found out again if they cannot be saved now."""
        try:
            return await self.change(key, step)
        except (RequestRejectedError, ActorError) as error:
            log.warning("the state of a file was not saved: %s", error)
            return None

    def begun(self, key: Key, done: int) -> None:
        """It runs; `done` bytes have been before."""
        self._paces[key] = Pace(done, trio.current_time())

    def moved(self, key: Key, done: int) -> None:
        """Told a few times a second."""
        pace = self._paces.get(key)
        if pace and pace.moved(done, trio.current_time()):
            self._telling.soon(key)

    async def ended(self, key: Key) -> None:
        """It does not run any more."""
        if self._paces.pop(key, None) is not None:
            await self._telling.tell(key)

    def _status_of(self, key: Key) -> actors.TransferStatus | None:
        record = self._records.get(key)
        return None if record is None else self.status(record)

    async def _prune(self) -> None:
        """Forget the oldest that are over; first those that were declined here, of which anybody can make many."""
        over = [record for record in self.all() if rules.is_over(record) and not record.answer_due]
        over.sort(key=lambda record: not record.outgoing and record.state == records.DECLINED)
        gone = over[max(0, rules.MAX_TRANSFERS - (len(self._records) - len(over))) :]
        await self._forget(gone)

    async def _forget(self, gone: Iterable[Transfer]) -> None:
        named = [
            records.TransferRecord(peer=record.peer, outgoing=record.outgoing, offer=record.offer)
            for record in gone
        ]
        if named:
            await self._storage.request(actors.DeleteTransfers(records=named), actors.Done)
            for record in named:
                self._records.pop(rules.key_of(record), None)
                self._telling.soon(rules.key_of(record))
