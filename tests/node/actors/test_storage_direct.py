"""The storage actor and direct messages, over the memory store: replies, group commit, wrong peers, a failing disk."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.actors.storage import MAX_PAGE, StorageActor
from p2pchat.node.actors.storage_calls import SAVES_PER_COMMIT
from p2pchat.node.actors.storage_direct import SPOOLS_PER_COMMIT
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.direct_builders import (
    PEER,
    direct_record,
    envelope,
    incoming,
    message_id,
    outgoing,
    peer_text,
    update,
)


class WatchedStore(MemoryStore):
    """Writes down how much each call carries, and can be made to wait in the worker thread."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def save_direct(self, saves: Sequence[actors.DirectSave]) -> list[bool]:
        self._watch(saves)
        return super().save_direct(saves)

    def update_outbox(self, updates: Sequence[actors.OutboxUpdate]) -> list[bool]:
        self._watch(updates)
        return super().update_outbox(updates)

    def spool(self, envelopes: Sequence[wire.Envelope]) -> None:
        self._watch(envelopes)
        super().spool(envelopes)

    def _watch(self, batch: Sequence[object]) -> None:
        self.gate.wait()
        self.calls.append(len(batch))


class Rig:
    """A storage actor under a supervisor of its own."""

    def __init__(self) -> None:
        self.store = WatchedStore()
        self.cell = ActorCell.of("storage", StorageActor, lambda: StorageActor(self.store))
        self.supervisor = Supervisor("root", [self.cell], root=True)
        self.ask = self.cell.ref.ask

    async def save(self, *saves: actors.DirectSave) -> list[bool]:
        return list((await self.ask(actors.SaveDirect(saves=saves), actors.DirectSaved)).fresh)

    async def update(self, *updates: actors.OutboxUpdate) -> list[bool]:
        command = actors.UpdateOutbox(updates=updates)
        return list((await self.ask(command, actors.OutboxUpdated)).changed)

    async def spool(self, *envelopes: wire.Envelope) -> None:
        await self.ask(actors.Spool(envelopes=envelopes), actors.Done)

    async def spooled(self, limit: int = 100) -> list[wire.Envelope]:
        return list((await self.ask(actors.ReadSpool(limit=limit), actors.SpoolPage)).envelopes)

    async def history(self, limit: int = 100) -> list[records.DirectRecord]:
        query = actors.ReadDirectHistory(peer=PEER, limit=limit)
        return list((await self.ask(query, actors.DirectHistoryPage)).records)

    async def due(self) -> list[actors.PeerReceipts]:
        answer = await self.ask(actors.ReadDueReceipts(limit=10), actors.DueReceipts)
        return list(answer.peers)

    async def together(self, calls: Sequence[Callable[[], Awaitable[object]]]) -> None:
        """Make them all wait in the mailbox, then let the store go."""
        self.store.gate.clear()
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(call)
            await trio.testing.wait_all_tasks_blocked()
            self.store.gate.set()


@pytest.fixture
async def rig(nursery: trio.Nursery) -> Rig:
    made = Rig()
    await nursery.start(made.supervisor.run)
    return made


# ---- group commit ----------------------------------------------------------------------------------


async def test_saves_that_queue_up_share_one_write(rig: Rig) -> None:
    answers: dict[int, list[bool]] = {}

    def saving(number: int) -> Callable[[], Awaitable[None]]:
        async def save() -> None:
            answers[number] = await rig.save(incoming(number), outgoing(1000))

        return save

    await rig.together([saving(number) for number in range(60)])
    # The first went alone, or with those that were there already; all the others went together.
    assert len(rig.store.calls) <= 2
    assert sum(rig.store.calls) == 120
    assert all(answer[0] for answer in answers.values())
    assert sum(answer[1] for answer in answers.values()) == 1


async def test_updates_and_spools_that_queue_up_share_one_write(rig: Rig) -> None:
    await rig.save(*(outgoing(number) for number in range(60)))
    rig.store.calls.clear()
    await rig.together(
        [lambda n=n: rig.update(update(n, finished=True)) for n in range(60)]  # type: ignore[misc]
    )
    assert len(rig.store.calls) <= 2
    assert (await rig.ask(actors.ReadOutbox(limit=9), actors.OutboxPage)) == actors.OutboxPage()
    rig.store.calls.clear()
    await rig.together([lambda n=n: rig.spool(envelope(n)) for n in range(60)])  # type: ignore[misc]
    assert len(rig.store.calls) <= 1 + 60 // SPOOLS_PER_COMMIT + 1
    assert len(await rig.spooled()) == 60


async def test_one_write_has_a_bound(rig: Rig) -> None:
    await rig.together(
        [lambda n=n: rig.save(incoming(n)) for n in range(2 * SAVES_PER_COMMIT)]  # type: ignore[misc]
    )
    assert max(rig.store.calls) == SAVES_PER_COMMIT
    await rig.together([lambda n=n: rig.spool(envelope(n)) for n in range(100)])  # type: ignore[misc]
    assert sorted(rig.store.calls)[-2:] != [100, SAVES_PER_COMMIT]
    assert len(await rig.spooled()) == 100


async def test_an_empty_command_is_nothing(rig: Rig) -> None:
    assert await rig.save() == []
    assert await rig.update() == []
    await rig.spool()
    await rig.ask(actors.DropSpooled(), actors.Done)


# ---- replies ---------------------------------------------------------------------------------------


async def test_a_message_goes_out_and_is_finished(rig: Rig) -> None:
    assert await rig.save(outgoing(1, envelope=envelope(1)), outgoing(2)) == [True, True]
    page = await rig.ask(actors.ReadOutbox(limit=1), actors.OutboxPage)
    assert [record.id for record in page.records] == [message_id(1)]
    page = await rig.ask(actors.ReadOutbox(limit=1, after=page.last), actors.OutboxPage)
    assert [record.id for record in page.records] == [message_id(2)]
    query = actors.ReadOutboxEntries(peer=PEER, ids=[message_id(1), message_id(9)])
    (entry,) = (await rig.ask(query, actors.OutboxEntries)).entries
    assert (entry.outbox.envelope, entry.record.text) == (envelope(1), "message 1")
    delivered = update(1, stage=records.DELIVERED, finished=True)
    assert await rig.update(delivered, delivered, update(2, stage=records.SENDING)) == [
        True,
        False,
        True,
    ]
    assert (await rig.ask(query, actors.OutboxEntries)) == actors.OutboxEntries()
    assert [record.delivery.stage for record in await rig.history()] == [
        records.DELIVERED,
        records.SENDING,
    ]


async def test_a_message_comes_in_and_is_read(rig: Rig) -> None:
    await rig.spool(envelope(1), envelope(2))
    await rig.save(incoming(1, receipt_due=True, spooled=envelope_id(envelope(1))))
    assert await rig.spooled() == [envelope(2)]
    await rig.ask(actors.DropSpooled(ids=[envelope_id(envelope(2))]), actors.Done)
    assert await rig.spooled() == []
    (delivered,) = await rig.due()
    assert delivered == actors.PeerReceipts(peer=PEER, delivered=[message_id(1)])
    mark = actors.MarkRead(peer=PEER, ids=[message_id(1)], receipt_due=True)
    assert list((await rig.ask(mark, actors.MarkedRead)).ids) == [message_id(1)]
    assert list((await rig.ask(mark, actors.MarkedRead)).ids) == []
    (read,) = await rig.due()
    assert read == actors.PeerReceipts(peer=PEER, read=[message_id(1)])
    await rig.ask(actors.SettleReceipts(receipts=read), actors.Done)
    assert await rig.due() == []
    assert [record.read for record in await rig.history()] == [True]


async def test_history_comes_in_pages(rig: Rig) -> None:
    await rig.save(*(incoming(number) for number in range(5)))
    query = actors.ReadDirectHistory(peer=PEER, limit=3)
    newest = await rig.ask(query, actors.DirectHistoryPage)
    query.before = newest.first
    older = await rig.ask(query, actors.DirectHistoryPage)
    assert [record.lamport for record in newest.records] == [2, 3, 4]
    assert [record.lamport for record in older.records] == [0, 1]


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (1, 1), (2**32 - 1, MAX_PAGE)])
async def test_the_length_of_a_page_is_clamped(rig: Rig, asked: int, given: int) -> None:
    await rig.save(*(outgoing(number) for number in range(MAX_PAGE + 5)))
    await rig.spool(*(envelope(number) for number in range(MAX_PAGE + 5)))
    assert len(await rig.history(asked)) == given
    assert len(await rig.spooled(asked)) == given
    page = await rig.ask(actors.ReadOutbox(limit=asked), actors.OutboxPage)
    assert len(page.records) == given


async def test_a_conversation_goes_on_from_its_newest_messages(rig: Rig) -> None:
    query = actors.ReadConversation(peer=PEER)
    assert await rig.ask(query, actors.RoomState) == actors.RoomState()
    await rig.save(*(incoming(number) for number in range(5)))
    state = await rig.ask(query, actors.RoomState)
    assert state == actors.RoomState(lamport=4, parents=map(message_id, (4, 3, 2)))


async def test_contacts_and_own_mailboxes_are_kept(rig: Rig) -> None:
    contact = records.Contact(peer=direct_record(1).peer, name="Ada")
    await rig.ask(actors.SaveContact(contact=contact), actors.Done)
    listed = actors.ContactList(contacts=[contact])
    assert await rig.ask(actors.ReadContacts(), actors.ContactList) == listed
    own = records.OwnMailboxes(record_sequence=7)
    await rig.ask(actors.SaveOwnMailboxes(own=own), actors.Done)
    assert await rig.ask(actors.ReadOwnMailboxes(), records.OwnMailboxes) == own
    await rig.ask(actors.DeleteContact(peer=PEER), actors.Done)
    assert await rig.ask(actors.ReadContacts(), actors.ContactList) == actors.ContactList()


# ---- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["", "nobody", "0OIl", "ä", PEER[:-1]])
async def test_a_peer_that_is_none_is_refused_and_no_crash(rig: Rig, peer: str) -> None:
    commands: list[Message] = [
        actors.UpdateOutbox(updates=[actors.OutboxUpdate(peer=peer)]),
        actors.ReadOutboxEntries(peer=peer),
        actors.ReadDirectHistory(peer=peer),
        actors.ReadConversation(peer=peer),
        actors.SettleReceipts(receipts=actors.PeerReceipts(peer=peer)),
        actors.MarkRead(peer=peer),
        actors.DeleteContact(peer=peer),
    ]
    for command in commands:
        with pytest.raises(RequestRejectedError, match="is not a peer id") as caught:
            await rig.ask(command, actors.Done)
        assert caught.value.reason == actors.INVALID
    assert rig.cell.restarts == 0


async def test_an_update_with_a_wrong_peer_costs_the_others_nothing(rig: Rig) -> None:
    await rig.save(outgoing(1), outgoing(2), outgoing(3, peer=1))
    wrong = actors.OutboxUpdate(peer="nobody", id=message_id(2), finished=True)

    async def refused() -> None:
        with pytest.raises(RequestRejectedError):
            await rig.update(update(2, finished=True), wrong)

    last = update(3, peer=1, finished=True)
    await rig.together(
        [lambda: rig.update(update(1, finished=True)), refused, lambda: rig.update(last)]
    )
    page = await rig.ask(actors.ReadOutbox(limit=9), actors.OutboxPage)
    assert [record.id for record in page.records] == [message_id(2)]


async def test_a_full_disk_is_a_rejection_and_no_crash(rig: Rig) -> None:
    rig.store.failure = StoreError("The disk is full.")
    commands: list[Message] = [
        actors.SaveDirect(saves=[incoming(1)]),
        actors.UpdateOutbox(updates=[update(1)]),
        actors.Spool(envelopes=[envelope(1)]),
        actors.DropSpooled(ids=[b"id"]),
        actors.SettleReceipts(receipts=actors.PeerReceipts(peer=PEER)),
        actors.MarkRead(peer=PEER, ids=[message_id(1)]),
        actors.SaveContact(),
        actors.SaveOwnMailboxes(),
        actors.DeleteContact(peer=peer_text(1)),
    ]
    for command in commands:
        with pytest.raises(RequestRejectedError, match="The disk is full") as caught:
            await rig.ask(command, actors.Done)
        assert caught.value.reason == actors.STORE_FAILED
    assert await rig.history() == []
    rig.store.failure = None
    assert await rig.save(incoming(1)) == [True]
    assert rig.cell.restarts == 0


async def test_everybody_in_a_failed_write_is_told(rig: Rig) -> None:
    rig.store.failure = StoreError("The disk is full.")
    refused: list[int] = []

    def saving(number: int) -> Callable[[], Awaitable[None]]:
        async def save() -> None:
            with pytest.raises(RequestRejectedError):
                await rig.save(incoming(number))
            refused.append(number)

        return save

    await rig.together([saving(number) for number in range(10)])
    assert sorted(refused) == [*range(10)]
