"""The only actor that touches the mail store: each call runs in a worker thread, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.actors.storage import Runner, in_thread
from p2pchat.node.errors import StoreError
from p2pchat.node.protocol import limits
from p2pchat.node.runtime import Actor, handles, handles_batch
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.ports import Kept, MailStore
from p2pchat.relay_mailbox.quota import Quota

MAILBOX_SIZE = 256  # letters; askers wait for space when the disk does not keep up
# Queued frames that share one synced write: at most 8 MiB of them, and mostly 2,048 envelopes.
FRAMES_PER_COMMIT = 16
MAX_SWEEP = 10_000  # envelopes and tombstones in one write


class MailStorageActor(Actor):
    """Keeps mail and the registry. A failing disk is answered with `Rejected`, and is no crash."""

    mailbox_size = MAILBOX_SIZE

    def __init__(self, store: MailStore, quota: Quota, run: Runner | None = None) -> None:
        """`run` performs one call on the store; by default in a worker thread."""
        self._store = store
        self._quota = quota
        self._run = run or in_thread

    async def started(self) -> None:
        await self._run(self._store.open)

    async def stopping(self) -> None:
        await self._run(self._store.close)

    @handles_batch(actors.KeepMail, at_most=FRAMES_PER_COMMIT)
    async def _keep(self, commands: Sequence[actors.KeepMail]) -> Sequence[Message]:
        try:
            return await self._run(lambda: self._kept(commands))
        except StoreError as error:
            return [rejection_of(error)] * len(commands)

    @handles_batch(actors.ForgetMail, at_most=FRAMES_PER_COMMIT)
    async def _forget(self, commands: Sequence[actors.ForgetMail]) -> Sequence[Message]:
        try:
            await self._run(lambda: self._store.acknowledge(commands))
        except StoreError as error:
            return [rejection_of(error)] * len(commands)
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
        return await self._answer(self._store.registry)

    @handles(actors.ChangeRegistry)
    async def _change_registry(self, change: actors.ChangeRegistry) -> Message:
        return await self._answer(lambda: self._changed(change))

    @handles(actors.SelectWithoutMail)
    async def _select(self, query: actors.SelectWithoutMail) -> Message:
        return await self._answer(lambda: self._without_mail(query.recipients))

    @handles(actors.DescribeMail)
    async def _describe(self, _: actors.DescribeMail) -> Message:
        return await self._answer(self._description)

    async def _answer(self, call: Callable[[], Message]) -> Message:
        try:
            return await self._run(call)
        except StoreError as error:
            return rejection_of(error)

    # What runs in the worker thread.

    def _kept(self, commands: Sequence[actors.KeepMail]) -> list[Message]:
        batch = [new for command in commands for new in command.mail]
        results = self._store.deposit(batch, self._quota)
        answers: list[Message] = []
        start = 0
        for command in commands:
            end = start + len(command.mail)
            answers.append(_answer_of(results[start:end]))
            start = end
        return answers

    def _changed(self, change: actors.ChangeRegistry) -> actors_pb2.Done:
        self._store.change_registry(change)
        return actors_pb2.Done()

    def _without_mail(self, recipients: Sequence[bytes]) -> actors.WithoutMail:
        idle = [peer for peer in recipients if not self._store.usage(peer).count]
        return actors.WithoutMail(recipients=idle)

    def _description(self) -> actors.MailDescription:
        totals, info = self._store.totals(), self._store.describe()
        return actors.MailDescription(
            held_envelopes=totals.count,
            held_bytes=totals.bytes,
            store=actors_pb2.StoreDescription(
                path=info.path,
                size_bytes=info.size_bytes,
                messages=info.messages,
                schema_version=info.schema_version,
            ),
        )


def _answer_of(results: Sequence[Kept]) -> actors.MailKept:
    return actors.MailKept(
        outcomes=[kept.outcome for kept in results],
        stored_until_ms=[kept.stored_until_ms for kept in results],
        sequences=[kept.sequence for kept in results],
    )
