"""What is kept of a room: /keep, /forget, /mailbox archive, and /info about it."""

from __future__ import annotations

import trio

from p2pchat.cli.terminal.lines import plain
from p2pchat.cli.terminal.room_keeping import NO_ANSWER_YET, NO_MAILBOX, archived
from p2pchat.proto import actors_pb2 as actors
from tests.cli.played_delivery import MAILBOX
from tests.cli.terminal.world import World, settle

DAY_MS = 24 * 3600 * 1000


async def test_how_long_messages_are_kept(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("/keep 30", "/keep 1 garden", "/keep forever", "/keep default")
        await settle()
    assert world.keeping.asked == [
        actors.KeepRoom(room="lobby", keep_days=30),
        actors.KeepRoom(room="garden", keep_days=1),
        actors.KeepRoom(room="lobby", keep_days=0),
        actors.KeepRoom(room="lobby"),
    ]
    assert console.lines[2:] == [
        "* Messages of #lobby are deleted here after 30 days; others keep theirs",
        "* Messages of #garden are deleted here after 1 day; others keep theirs",
        "* Messages of #lobby are kept here for ever",
        "* Messages of #lobby are kept here as long as this node is set to",
    ]


async def test_keeping_in_no_room(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.rooms = []
    async with world.running() as console:
        console.type("/keep 30")
    assert "/keep 30 lobby" in console.lines[-1]
    assert world.keeping.asked == []


async def test_a_room_is_forgotten_by_its_name(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.keeping.deleted = actors.RoomTrimmed(messages=1234)
    async with world.running() as console:
        console.type("/forget", "/forget #lobby")
        await settle()
        world.keeping.deleted = actors.RoomTrimmed(messages=1, more=True)
        console.type("/forget garden")
    assert world.keeping.asked == [
        actors.ForgetRoom(room="lobby"),
        actors.ForgetRoom(room="garden"),
    ]
    assert "Which room?" in console.lines[2]
    assert console.lines[3:] == [
        "* 1,234 messages of #lobby were deleted here; others keep theirs",
        "* 1 message of #garden was deleted here, and more are being deleted; others keep theirs",
    ]


async def test_forgetting_a_lot_takes_its_time(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.keeping.is_slow = True
    async with world.running() as console:
        console.type("/forget lobby")
        await trio.sleep(60)
        assert f"* {NO_ANSWER_YET}" in console.lines


def answer(**fields: object) -> actors.ArchiveStatus.Answer:
    return actors.ArchiveStatus.Answer(mailbox=MAILBOX, **fields)  # type: ignore[arg-type]


def shown(*answers: actors.ArchiveStatus.Answer, stop: bool = False) -> list[str]:
    status = actors.ArchiveStatus(room="den", answers=answers)
    lines = [plain(line) for line in archived(status, stop=stop)]
    return [line.replace(f"(…{MAILBOX[-6:]})", "BOX") for line in lines]


def test_what_mailboxes_answer() -> None:
    keeps = answer(archiving=True, retention_ms=30 * DAY_MS, quota_bytes=64 * 2**20)
    assert shown(keeps, answer(problem="It archives no rooms.")) == [
        "* BOX keeps #den for its members for 30 d, up to 64.0 MiB",
        "* BOX - It archives no rooms.",
    ]
    assert shown(answer(archiving=True)) == ["* BOX keeps #den for its members"]
    assert shown(answer()) == ["* BOX does not keep #den"]
    assert shown(answer(), stop=True) == ["* BOX does not keep #den for you any more"]
    assert shown(keeps, stop=True) == [
        "* BOX goes on keeping #den: somebody else wants it kept, too"
    ]


async def test_archiving_a_room(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("/mailbox archive lobby")
        await settle()
        assert console.lines[-1] == f"* {NO_MAILBOX}"
        world.keeping.archives = [answer(archiving=True)]
        console.type("/mailbox archive #lobby")
        await settle()
        assert console.lines[-1].endswith(" keeps #lobby for its members")
        world.keeping.archives = [answer()]
        console.type("/mailbox archive lobby stop")
    assert console.lines[-1].endswith(" does not keep #lobby for you any more")
    assert world.keeping.asked[-1] == actors.ArchiveRoom(room="lobby", stop=True)


async def test_info_says_what_is_stored(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("/info")
    assert "Rooms:      #lobby  7 messages stored, 0 bytes" in console.lines
