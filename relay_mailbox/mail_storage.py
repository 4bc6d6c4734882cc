"""The only actor that touches the mail store: each call runs in a worker thread, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.actors.storage import Runner, in_thread
from p2pchat.node.actors.storage_calls import timed
from p2pchat.node.errors import StoreError
from p2pchat.node.protocol import limits
from p2pchat.node.protocol.histogram import Histogram
from p2pchat.node.runtime import Actor, handles, handles_batch
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.ports import Kept, MailStore
from p2pchat.relay_mailbox.quota import Quota

log = logging.getLogger(__name__)

MAILBOX_SIZE = 256  # letters; askers wait for space when the disk does not keep up
# Queued frames that share one synced write: at most 8 MiB of them, and mostly 2,048 envelopes.
FRAMES_PER_COMMIT = 16
STORE_NAME = "mail"  # in the data folder: `MailboxConfig.mail_path`
MAX_SWEEP = 10_000  # envelopes and tombstones in one write
# Seconds between two looks at every recipient's quota, each of at most 2,000 small reads: see `registry.PLACES`.
FULLEST_EVERY = 10.0


class MailStorageActor(Actor):
    """Keeps mail and the registry. A failing disk is answered with `Rejected`, and is no crash."""

    mailbox_size = MAILBOX_SIZE

    def __init__(self, store: MailStore, quota: Quota, run: Runner | None = None) -> None:
        """`run` performs one call on the store; by default in a worker thread."""
        self._store = store
        self._quota = quota
        self._run = run or in_thread
        self._commits = Histogram()  # of writes, from here to the end of the sync
        self._has_complained = False  # of a store that fails, until mail is saved again
        self._recipients: set[bytes] = set()  # registered ones
        self._fullest = 0.0  # see MailDescription
        self._fullest_due = 0.0  # when it is looked at again, on trio's clock

    async def started(self) -> None:
        await self._run(self._store.open)

    async def stopping(self) -> None:
        await self._run(self._store.close)

    @handles_batch(actors.KeepMail, at_most=FRAMES_PER_COMMIT)
    async def _keep(self, commands: Sequence[actors.KeepMail]) -> Sequence[Message]:
        try:
            with timed(self._commits):
                answers = await self._run(lambda: self._kept(commands))
        except StoreError as error:
            return [self._rejected(error)] * len(commands)
        self._note_saved(answers)
        return answers

    @handles_batch(actors.ForgetMail, at_most=FRAMES_PER_COMMIT)
    async def _forget(self, commands: Sequence[actors.ForgetMail]) -> Sequence[Message]:
        try:
            with timed(self._commits):
                await self._run(lambda: self._store.acknowledge(commands))
        except StoreError as error:
            return [self._rejected(error)] * len(commands)
        return [actors_pb2.Done()] * len(commands)

    @handles(actors.ReadMail)
    async def _read(self, query: actors.ReadMail) -> Message:
        limit = min(max(query.limit, 1), limits.MAX_WINDOW)
        return await self._answer(
            lambda: self._store.read(query.recipient, query.after, limit, query.max_bytes)
        )

    @handles(actors.SweepMail)
    async def _sweep(self, command: actors.SweepMail) -> Message:
        limit = min(max(command.limit, 1), MAX_SWEEP)
        return await self._answer(lambda: self._store.sweep(command.now_ms, limit))

    @handles(actors.ReadRegistry)
    async def _read_registry(self, _: actors.ReadRegistry) -> Message:
        registry = await self._answer(self._store.registry)
        if isinstance(registry, actors.RegistryRecords):
            self._recipients = {each.peer for each in registry.registrations}
        return registry

    @handles(actors.ChangeRegistry)
    async def _change_registry(self, change: actors.ChangeRegistry) -> Message:
        try:
            with timed(self._commits):
                return await self._run(lambda: self._changed(change))
        except StoreError as error:
            return self._rejected(error)

    @handles(actors.SelectWithoutMail)
    async def _select(self, query: actors.SelectWithoutMail) -> Message:
        return await self._answer(lambda: self._without_mail(query.recipients))

    @handles(actors.DescribeMail)
    async def _describe(self, _: actors.DescribeMail) -> Message:
        now = trio.current_time()
        is_due = now >= self._fullest_due
        if is_due:
            self._fullest_due = now + FULLEST_EVERY
        return await self._answer(lambda: self._description(is_due))

    @handles(actors_pb2.MakeCheckpoint)
    async def _make_checkpoint(self, _: actors_pb2.MakeCheckpoint) -> Message:
        return await self._answer(self._checkpoint)

    async def _answer(self, call: Callable[[], Message]) -> Message:
        try:
            return await self._run(call)
        except StoreError as error:
            return self._rejected(error)

    def _rejected(self, error: StoreError) -> actors_pb2.Rejected:
        """In the log once, until mail is saved again: a full disk stays full for long, and still lets mail go."""
        if not self._has_complained:
            log.warning("%s", error)
        self._has_complained = True
        return rejection_of(error)

    def _note_saved(self, answers: Sequence[actors.MailKept]) -> None:
        """What a quota refuses, or was there before, says nothing about the disk."""
        if self._has_complained and any(actors.KEPT in each.outcomes for each in answers):
            log.info("mail is saved again")
            self._has_complained = False

    # What runs in the worker thread.

    def _kept(self, commands: Sequence[actors.KeepMail]) -> list[actors.MailKept]:
        batch = [new for command in commands for new in command.mail]
        results = self._store.deposit(batch, self._quota)
        answers: list[actors.MailKept] = []
        start = 0
        for command in commands:
            end = start + len(command.mail)
            answers.append(_answer_of(results[start:end]))
            start = end
        return answers

    def _changed(self, change: actors.ChangeRegistry) -> actors_pb2.Done:
        self._store.change_registry(change)
        if change.HasField("registration"):
            self._recipients.add(change.registration.peer)
        self._recipients.difference_update(change.unregistered)
        return actors_pb2.Done()

    def _checkpoint(self) -> actors_pb2.CheckpointMade:
        return actors_pb2.CheckpointMade(stores={STORE_NAME: str(self._store.checkpoint())})

    def _without_mail(self, recipients: Sequence[bytes]) -> actors.WithoutMail:
        idle = [peer for peer in recipients if not self._store.usage(peer).count]
        return actors.WithoutMail(recipients=idle)

    def _description(self, look_for_fullest: bool) -> actors.MailDescription:
        totals, info = self._store.totals(), self._store.describe()
        if look_for_fullest:
            self._fullest = max(map(self._share_of, self._recipients), default=0.0)
        return actors.MailDescription(
            held_envelopes=totals.count,
            held_bytes=totals.bytes,
            store=actors_pb2.StoreDescription(
                path=info.path,
                size_bytes=info.size_bytes,
                messages=info.messages,
                schema_version=info.schema_version,
                free_bytes=info.free_bytes,
                commits=self._commits.describe(),
            ),
            fullest_recipient=self._fullest,
        )

    def _share_of(self, recipient: bytes) -> float:
        """Of the recipient's quota, which is over when either kind is."""
        usage = self._store.usage(recipient)
        return max(usage.bytes / self._quota.bytes, usage.count / self._quota.count)


def _answer_of(results: Sequence[Kept]) -> actors.MailKept:
    return actors.MailKept(
        outcomes=[kept.outcome for kept in results],
        stored_until_ms=[kept.stored_until_ms for kept in results],
        sequences=[kept.sequence for kept in results],
    )
