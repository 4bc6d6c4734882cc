"""The archive actor between a real mail store and rooms that are played."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from p2pchat.node.actors.storage import inline
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.runtime import ActorCell, ActorRef, Supervisor
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.archive import GROWTH, RETRY, TIDY_EVERY, ArchiveActor
from p2pchat.relay_mailbox.archives import GRACE_MS
from p2pchat.relay_mailbox.mail_storage import MailStorageActor
from p2pchat.relay_mailbox.tally import Tally
from tests.builders import sender_bytes
from tests.relay_mailbox.builders import START_MS
from tests.relay_mailbox.played_rooms import PlayedPubsub, PlayedRooms, PlayedStorage
from tests.relay_mailbox.rig import Clock, open_mailbox

ALICE, BOB = sender_bytes(1), sender_bytes(2)
MB = 1 << 20


class Scene:
    """`start` and `stop` it as often as you like: what is stored stays, and so do the joined rooms."""

    def __init__(self, **options: Any) -> None:
        self.config = open_mailbox(**options)
        self.rooms = PlayedRooms()
        self.mail = MemoryMail()
        self.mail.open()
        for peer in (ALICE, BOB):
            registration = records.Registration(peer=peer)
            self.mail.change_registry(actors.ChangeRegistry(registration=registration))
        self.clock = Clock()
        self.tally = Tally()

    @property
    def archive(self) -> ActorRef:
        return self._archive.ref

    async def start(self, nursery: trio.Nursery) -> None:
        pubsub = ActorCell.of("pubsub", PlayedPubsub, lambda: PlayedPubsub(self.rooms))
        storage = ActorCell.of("storage", PlayedStorage, lambda: PlayedStorage(self.rooms))
        quota = self.config.quota
        mail = ActorCell.of(
            "mail_storage", MailStorageActor, lambda: MailStorageActor(self.mail, quota, inline)
        )
        self._archive = ActorCell.of(
            "archive",
            ArchiveActor,
            lambda: ArchiveActor(
                self.config,
                pubsub=pubsub.ref,
                storage=storage.ref,
                mail_storage=mail.ref,
                now_ms=self.clock,
                tally=self.tally,
                rng=random.Random(5),
            ),
        )
        self.tree = Supervisor("root", [pubsub, storage, mail, self._archive], root=True)
        await nursery.start(self.tree.run)
        await trio.sleep(1)

    async def stop(self) -> None:
        self.tree.request_stop()
        while any(cell.state != "stopped" for cell in self.tree.cells()):
            await trio.sleep(0.05)

    async def ask(
        self, peer: bytes, room: str, *, stop: bool = False
    ) -> mailbox.Archived | mailbox.Refused:
        wish = mailbox.Archive(room=room, stop=stop)
        question = actors.AskForArchive(peer=peer, archive=wish)
        reply = await self.archive.ask(question, mailbox.MailboxReply)
        await trio.sleep(1)
        if reply.WhichOneof("reply") == "archived":
            return reply.archived
        assert reply.refused.request == mailbox.Refused.ARCHIVE
        return reply.refused

    async def tidy(self) -> None:
        await self.archive.ask(actors.TrimArchives(), actors_pb2.Done)
        await trio.sleep(1)

    async def describe(self) -> dict[str, actors.ArchiveDescription]:
        report = await self.archive.ask(actors.DescribeArchives(), actors.ArchiveReport)
        return {described.usage.room: described for described in report.archives}


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        with trio.fail_after(1e6):
            yield nursery
        await scene.stop()
        nursery.cancel_scope.cancel()


# ---- being in the rooms -----------------------------------------------------------------------------


async def test_the_operators_rooms_are_joined_at_the_start(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby", "garden"))
    async with running(scene):
        assert list(scene.rooms.joined) == ["lobby", "garden"]


async def test_a_client_has_a_room_kept_and_takes_it_back(autojump_clock: object) -> None:
    scene = Scene(archive_days=3, archive_bytes=5 * MB)
    async with running(scene):
        archived = await scene.ask(ALICE, "garden")
        expected = mailbox.Archived(
            room="garden", archiving=True, retention_ms=3 * DAY_MS, quota_bytes=5 * MB
        )
        assert archived == expected
        await scene.ask(BOB, "garden")
        await scene.ask(ALICE, "garden", stop=True)
        assert list(scene.rooms.joined) == ["garden"]
        archived = await scene.ask(BOB, "garden", stop=True)
        assert isinstance(archived, mailbox.Archived)
        assert not archived.archiving
        assert scene.rooms.done == ["join garden", "leave garden"]


async def test_a_refusal_is_counted_where_its_limit_stands(autojump_clock: object) -> None:
    scene = Scene(max_archived_rooms_per_client=1)
    async with running(scene):
        await scene.ask(ALICE, "a")
        refused = await scene.ask(ALICE, "b")
        assert isinstance(refused, mailbox.Refused)
        assert refused.reason == mailbox.FULL
        assert scene.tally.counters() == {
            "refused_full": 1,
            "limit_max_archived_rooms_per_client": 1,
        }


async def test_who_is_no_client_any_more_keeps_no_room(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene):
        await scene.ask(ALICE, "garden")
        await scene.archive.tell(actors.EndWishes(peer=ALICE))
        await trio.sleep(1)
        assert not scene.rooms.joined


async def test_after_a_restart_it_is_where_it_was_and_nowhere_else(autojump_clock: object) -> None:
    scene = Scene()
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        await scene.ask(ALICE, "garden")
        await scene.ask(BOB, "shed")
        await scene.stop()
        registration = records.Registration(peer=BOB, left=True)
        scene.mail.open()
        scene.mail.change_registry(actors.ChangeRegistry(registration=registration))
        scene.rooms.joined = {"shed": []}  # the network has not been restarted, say
        await scene.start(nursery)
        assert list(scene.rooms.joined) == ["garden"]
        await scene.stop()


async def test_rooms_are_joined_when_the_network_is_there(
    autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(archive_rooms=("lobby",))
    scene.rooms.network_is_down = True
    with caplog.at_level(logging.WARNING):
        async with running(scene):
            await trio.sleep(5 * RETRY)
            assert not (await scene.describe())["lobby"].joined
            scene.rooms.network_is_down = False
            await trio.sleep(RETRY + 1)
            assert (await scene.describe())["lobby"].joined
    assert caplog.text.count("The network is down.") == 1


async def test_a_room_that_pubsub_has_lost_is_joined_again(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",))
    async with running(scene):
        scene.rooms.joined.clear()
        await trio.sleep(120)
        assert list(scene.rooms.joined) == ["lobby"]


async def test_what_cannot_be_stored_is_not_promised(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene):
        scene.mail.failure = StoreError("The disk is full.")
        with pytest.raises(RequestRejectedError, match="full"):
            await scene.ask(ALICE, "garden")
        assert not scene.rooms.joined
        scene.mail.failure = None
        await scene.ask(ALICE, "garden")
        scene.mail.failure = StoreError("The disk is full.")
        await scene.archive.tell(actors.EndWishes(peer=ALICE))
        await trio.sleep(1)
        assert not scene.rooms.joined


# ---- retention and quota ----------------------------------------------------------------------------


def days_ago(*days: float) -> list[int]:
    return [START_MS - round(day * DAY_MS) for day in days]


async def test_what_is_too_old_is_deleted_and_not_fetched(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby", "garden"), archive_days=10)
    scene.rooms.say("lobby", *days_ago(30, 11, 9, 1))
    async with running(scene):
        assert scene.rooms.kept("lobby") == days_ago(9, 1)
        assert scene.rooms.floors_at_joining["garden"] == days_ago(10)[0]
        scene.clock.off_ms += 5 * DAY_MS
        await trio.sleep(TIDY_EVERY[1] + 1)
        assert scene.rooms.kept("lobby") == days_ago(1)
        assert scene.tally.counters()["limit_archive_days"] == 3
        assert scene.tally.counters()["archived_messages_deleted"] == 3


async def test_for_ever(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",), archive_days=0)
    scene.rooms.say("lobby", 1, 2, 3)
    async with running(scene):
        await scene.tidy()
        assert scene.rooms.kept("lobby") == [1, 2, 3]
        assert scene.rooms.floors_at_joining["lobby"] == 0


async def test_a_room_keeps_its_newest_within_its_quota(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",), archive_days=0, archive_bytes=MB)
    scene.rooms.say("lobby", *range(2_500), size=MB // 100)
    async with running(scene):
        assert scene.rooms.kept("lobby") == list(range(2_400, 2_500))
        assert scene.rooms.trims == [1_000, 1_000, 400]
        assert scene.tally.counters()["limit_archive_bytes"] == 2_400
        assert scene.rooms.floor("lobby") == 2_400


async def test_the_largest_rooms_give_first(autojump_clock: object) -> None:
    scene = Scene(
        archive_rooms=("large", "small"),
        archive_days=0,
        archive_bytes=10 * MB,
        max_archive_bytes=12 * MB,
    )
    scene.rooms.say("large", *range(10), size=MB)
    scene.rooms.say("small", *range(4), size=MB)
    async with running(scene):
        assert (len(scene.rooms.kept("large")), len(scene.rooms.kept("small"))) == (8, 4)
        assert scene.tally.counters()["limit_max_archive_bytes"] == 2


async def test_a_floor_never_falls(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",), archive_days=10)
    settings = records.RoomSettings(room="lobby", floor=START_MS, keep_days=7)
    scene.rooms.settings["lobby"] = settings
    scene.rooms.say("lobby", START_MS + 1)
    async with running(scene):
        await scene.tidy()
        assert scene.rooms.settings["lobby"] == settings


async def test_what_was_begun_is_finished(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",), archive_days=0, archive_bytes=MB)
    scene.rooms.settings["lobby"] = records.RoomSettings(room="lobby", floor=3)
    scene.rooms.say("lobby", 1, 2, 3, size=MB)
    async with running(scene):
        assert scene.rooms.kept("lobby") == [3]


async def test_a_room_that_grows_fast_is_looked_at_early(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",), archive_days=0, archive_bytes=MB)
    text = "x" * 10_000
    batch = actors_pb2.RoomMessagesArrived(room="lobby")
    batch.records.add().message.text = text
    async with running(scene):
        scene.rooms.say("lobby", 1, 2, size=MB)
        for _ in range(round(GROWTH * MB / len(text)) - 1):
            await scene.archive.tell(batch)
        await trio.sleep(1)
        assert scene.rooms.kept("lobby") == [1, 2]
        await scene.archive.tell(batch)
        await trio.sleep(1)
        assert scene.rooms.kept("lobby") == [2]


async def test_a_full_disk_is_said_once_and_lived_through(
    autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(archive_rooms=("lobby",), archive_days=10)
    scene.rooms.say("lobby", *days_ago(11, 1))
    scene.rooms.disk_is_full = True
    with caplog.at_level(logging.WARNING):
        async with running(scene):
            await trio.sleep(5 * TIDY_EVERY[1])
            assert caplog.text.count("kept within their limits") == 1
            scene.rooms.disk_is_full = False
            await trio.sleep(TIDY_EVERY[1])
            assert scene.rooms.kept("lobby") == days_ago(1)
            assert list(scene.rooms.joined) == ["lobby"]
            scene.rooms.disk_is_full = True
            scene.clock.off_ms += DAY_MS
            await trio.sleep(5 * TIDY_EVERY[1])
            assert caplog.text.count("kept within their limits") == 2


# ---- what nobody wants any more ---------------------------------------------------------------------


async def test_what_nobody_wants_is_deleted_after_a_week(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene):
        await scene.ask(ALICE, "garden")
        scene.rooms.say("garden", START_MS, START_MS + 1)
        await scene.ask(ALICE, "garden", stop=True)
        scene.clock.off_ms += GRACE_MS - DAY_MS
        await scene.tidy()
        assert len(scene.rooms.kept("garden")) == 2
        scene.clock.off_ms += 2 * DAY_MS
        await scene.tidy()
        assert scene.rooms.kept("garden") == []
        assert await scene.describe() == {}
        assert not scene.mail.registry().archived
        # Should it be wanted again, it begins anew.
        await scene.ask(ALICE, "garden")
        assert scene.rooms.floors_at_joining["garden"] == START_MS + 2


async def test_a_room_of_an_earlier_configuration_is_deleted_after_a_week(
    autojump_clock: object,
) -> None:
    scene = Scene()
    scene.rooms.say("lobby", START_MS)
    async with running(scene):
        scene.clock.off_ms += GRACE_MS - DAY_MS
        await scene.tidy()
        assert scene.rooms.kept("lobby") == [START_MS]
        scene.clock.off_ms += 2 * DAY_MS
        await scene.tidy()
        assert scene.rooms.kept("lobby") == []


async def test_when_it_gets_tight_what_nobody_wants_goes_first(autojump_clock: object) -> None:
    scene = Scene(
        archive_rooms=("lobby",), archive_days=0, archive_bytes=2 * MB, max_archive_bytes=3 * MB
    )
    scene.rooms.say("lobby", 1, 2, size=MB)
    scene.rooms.say("left over", 1, 2, size=MB)
    async with running(scene):
        assert scene.rooms.kept("left over") == []
        assert scene.rooms.kept("lobby") == [1, 2]


# ---- the operator -----------------------------------------------------------------------------------


async def test_the_operator_sees_every_room(autojump_clock: object) -> None:
    scene = Scene(archive_rooms=("lobby",))
    async with running(scene):
        await scene.ask(ALICE, "lobby")
        await scene.ask(BOB, "garden")
        await scene.ask(BOB, "shed")
        scene.rooms.say("lobby", START_MS, START_MS + 5)
        scene.rooms.say("shed", START_MS)
        scene.rooms.joined["lobby"] = ["one", "another"]
        await scene.ask(BOB, "shed", stop=True)
        seen = await scene.describe()
        assert list(seen) == ["garden", "lobby", "shed"]
        lobby, garden, shed = seen["lobby"], seen["garden"], seen["shed"]
        assert (lobby.usage.messages, lobby.usage.bytes) == (2, 200)
        assert lobby.usage.newest_lamport == START_MS + 5
        assert (lobby.by_operator, lobby.clients, lobby.members, lobby.joined) == (True, 1, 2, True)
        assert (garden.by_operator, garden.clients, garden.deleted_at_ms) == (False, 1, 0)
        assert not shed.joined
        assert shed.deleted_at_ms > START_MS


async def test_the_operator_is_told_what_is_known_while_pubsub_is_busy(
    autojump_clock: object,
) -> None:
    scene = Scene(archive_rooms=("lobby",))
    async with running(scene):
        scene.rooms.say("lobby", START_MS)
        scene.rooms.busy = 5
        described = (await scene.describe())["lobby"]
        assert (described.usage.messages, described.joined) == (1, False)
