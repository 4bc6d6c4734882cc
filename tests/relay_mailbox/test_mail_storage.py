"""The mail storage actor: group commit, a failing disk, answers in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest
import trio
import trio.testing

from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.mail_storage import FRAMES_PER_COMMIT, MailStorageActor
from p2pchat.relay_mailbox.ports import Kept
from p2pchat.relay_mailbox.quota import Quota
from tests.relay_mailbox.builders import RECIPIENT, new_mail

QUOTA = Quota(1 << 30, 1 << 20, 1 << 40)


class WatchedMail(MemoryMail):
    """Writes down each write's size, and can be made to wait in the worker thread."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[int] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def deposit(self, batch: Sequence[actors.NewMail], quota: Quota) -> list[Kept]:
        self.gate.wait()
        self.threads.add(threading.get_ident())
        self.writes.append(len(batch))
        return super().deposit(batch, quota)


class Rig:
    def __init__(self) -> None:
        self.store = WatchedMail()
        self.cell = ActorCell.of(
            "mail_storage", MailStorageActor, lambda: MailStorageActor(self.store, QUOTA)
        )
        self.supervisor = Supervisor("root", [self.cell], root=True)

    async def keep(self, *numbers: int) -> actors.MailKept:
        command = actors.KeepMail(mail=map(new_mail, numbers))
        return await self.cell.ref.ask(command, actors.MailKept)


@pytest.fixture
async def rig(nursery: trio.Nursery) -> Rig:
    made = Rig()
    await nursery.start(made.supervisor.run)
    return made


async def test_frames_that_queue_up_share_one_write_and_get_their_own_answers(rig: Rig) -> None:
    rig.store.gate.clear()
    answers: dict[int, actors.MailKept] = {}

    async def keep(number: int) -> None:
        answers[number] = await rig.keep(*range(100 * number, 100 * number + number))

    async with trio.open_nursery() as nursery:
        for number in range(1, 13):
            nursery.start_soon(keep, number)
        await trio.testing.wait_all_tasks_blocked()
        rig.store.gate.set()
    assert len(rig.store.writes) <= 2
    assert {number: len(answer.outcomes) for number, answer in answers.items()} == {
        number: number for number in range(1, 13)
    }
    sequences = sorted(n for answer in answers.values() for n in answer.sequences)
    assert sequences == [*range(1, 79)]
    assert threading.get_ident() not in rig.store.threads


async def test_one_write_has_a_bound(rig: Rig) -> None:
    rig.store.gate.clear()
    async with trio.open_nursery() as nursery:
        for number in range(3 * FRAMES_PER_COMMIT):
            nursery.start_soon(rig.keep, number)
        await trio.testing.wait_all_tasks_blocked()
        rig.store.gate.set()
    assert max(rig.store.writes) == FRAMES_PER_COMMIT


async def test_a_failing_disk_is_an_answer_and_no_crash(rig: Rig) -> None:
    rig.store.failure = StoreError("The disk is full.")
    for command in (
        actors.KeepMail(mail=[new_mail(1)]),
        actors.ForgetMail(recipient=RECIPIENT, ids=[new_mail(1).id]),
        actors.SweepMail(now_ms=1),
        actors.ChangeRegistry(revoked="x"),
    ):
        with pytest.raises(RequestRejectedError, match="full"):
            await rig.cell.ref.ask(command, actors_pb2.Done)
    rig.store.failure = None
    assert list((await rig.keep(1)).outcomes) == [actors.KEPT]
    assert rig.cell.restarts == 0


async def test_a_read_behind_a_deposit_sees_it(rig: Rig) -> None:
    await rig.cell.ref.tell(actors.KeepMail(mail=[new_mail(1)]))
    query = actors.ReadMail(recipient=RECIPIENT, limit=10, max_bytes=1000)
    page = await rig.cell.ref.ask(query, actors.MailPage)
    assert [one.id for one in page.mail] == [new_mail(1).id]
    described = await rig.cell.ref.ask(actors.DescribeMail(), actors.MailDescription)
    assert (described.held_envelopes, described.held_bytes) == (1, 100)


async def test_a_full_disk_is_in_the_log_once_and_so_is_its_end(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="p2pchat.relay_mailbox.mail_storage")
    rig.store.failure = StoreError("The disk is full.")
    for number in range(3):
        with pytest.raises(RequestRejectedError):
            await rig.keep(number)
    rig.store.failure = None
    for number in range(3):
        await rig.keep(number)
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [("WARNING", "The disk is full."), ("INFO", "mail is saved again")]


async def test_what_needs_no_space_is_no_sign_of_any(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="p2pchat.relay_mailbox.mail_storage")
    await rig.keep(1)
    rig.store.failure = StoreError("The disk is full.")
    with pytest.raises(RequestRejectedError):
        await rig.keep(2)
    rig.store.failure = None
    assert list((await rig.keep(1)).outcomes) == [actors.KEPT_BEFORE]
    gone = actors.ForgetMail(recipient=RECIPIENT, ids=[new_mail(1).id])
    await rig.cell.ref.ask(gone, actors_pb2.Done)
    assert [record.getMessage() for record in caplog.records] == ["The disk is full."]
