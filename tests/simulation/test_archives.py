"""Rooms that a mailbox keeps for members who are away, and mailboxes that do not do that, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from p2pchat.node.actors.delivery import archive_requests
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.errors import RequestRejectedError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.limits import DAY_MS, FRAME_LIMIT, MAILBOX_PROTOCOL
from p2pchat.node.protocol.links import MailboxLink, format_link
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_actors_pb2 as mailbox_actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.archives import GRACE_MS
from tests.simulation.mailboxes import SimulatedMailbox, make_mailbox
from tests.simulation.nodes import (
    ROOM,
    SimulatedNode,
    address_of,
    make_node,
    running,
    virtual_clock,
)

Clock = trio.testing.MockClock
Answer = actors.ArchiveStatus.Answer
Behaviour = Callable[[Stream, mailbox.Archive], Awaitable[None]]
ALICE, BOB, MAILBOX, PLAYED = 1, 2, 9, 8
PATIENCE = 3_600.0  # seconds of virtual time for a whole test


async def archive(
    node: SimulatedNode, room: str, mailbox: str = "", *, stop: bool = False
) -> list[Answer]:
    command = actors.ArchiveRoom(room=room, mailbox=mailbox, stop=stop)
    return list((await node.ui.ask(command, actors.ArchiveStatus)).answers)


async def problem(node: SimulatedNode) -> str:
    """That the only mailbox has with a room."""
    (answer,) = await archive(node, "garden")
    assert not answer.archiving
    return answer.problem


async def until_archived(box: SimulatedMailbox, room: str, messages: int) -> None:
    while True:
        usages = {one.usage.room: one.usage for one in (await box.describe()).archives}
        if room in usages and usages[room].messages == messages:
            return
        await trio.sleep(0.5)


async def usage(box: SimulatedMailbox) -> actors.RoomUsage:
    """Of its only room."""
    (described,) = (await box.describe()).archives
    return described.usage


# ---- a mailbox that archives ------------------------------------------------------------------------


async def test_who_was_away_gets_what_was_said_though_nobody_else_is_there(
    autojump_clock: Clock,
) -> None:
    hub = MemoryHub()
    box = make_mailbox(hub, MAILBOX, archive_rooms=(ROOM,))
    texts = [f"line {number}" for number in range(20)]
    with trio.fail_after(PATIENCE):
        async with running(box):
            alice = make_node(hub, ALICE, [address_of(MAILBOX)])
            async with running(alice):
                await alice.until_listening(1)
                for text in texts:
                    await alice.say(text)
                await until_archived(box, ROOM, len(texts))
            bob = make_node(hub, BOB, [address_of(MAILBOX)])
            async with running(bob):
                while await bob.history() != texts:
                    await trio.sleep(0.5)


async def test_the_archive_is_a_silent_member(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    box = make_mailbox(hub, MAILBOX, archive_rooms=(ROOM,))
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE, [address_of(MAILBOX)])
        async with running(box, alice):
            await alice.until_listening(1)
            await trio.sleep(300)
            listed = await alice.ui.ask(actors.ListMembers(room=ROOM), actors.MemberList)
            assert [member.peer for member in listed.members] == [box.identity.peer]
            assert not any(isinstance(e, actors.MembersChanged) and e.joined for e in alice.events)
            (described,) = (await box.describe()).archives
            assert (described.members, described.joined, described.by_operator) == (1, True, True)


async def test_a_member_has_a_room_archived_and_takes_it_back(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    box = make_mailbox(hub, MAILBOX, archive_days=10, archive_bytes=1 << 20)
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE)
        async with running(box, alice):
            await alice.add_mailbox(await box.link())
            expected = Answer(
                mailbox=box.identity.peer,
                archiving=True,
                retention_ms=10 * DAY_MS,
                quota_bytes=1 << 20,
            )
            assert await archive(alice, ROOM) == [expected]
            await alice.until_listening(1)
            await alice.say("for those who are away")
            await until_archived(box, ROOM, 1)
            (answer,) = await archive(alice, ROOM, "1", stop=True)
            assert (answer.archiving, answer.problem) == (False, "")
            await trio.sleep(5)
            (described,) = (await box.describe()).archives
            assert not described.joined
            assert described.usage.messages == 1
            assert described.deleted_at_ms


async def test_a_room_stays_within_its_quota_and_what_is_gone_is_not_fetched_again(
    autojump_clock: Clock,
) -> None:
    hub = MemoryHub()
    box = make_mailbox(hub, MAILBOX, archive_rooms=(ROOM,), archive_bytes=1 << 20)
    with trio.fail_after(PATIENCE):
        async with running(box):
            alice = make_node(hub, ALICE, [address_of(MAILBOX)])
            async with running(alice):
                await alice.until_listening(1)
                for number in range(40):
                    await alice.say(f"{number}".ljust(60_000, "x"))
                    await trio.sleep(2)  # what is said within a second stays or goes together
                await trio.sleep(1_500)
                kept = await usage(box)
                assert (1 << 20) - 61_000 < kept.bytes <= 1 << 20
                deleted = (await box.describe()).counters["archived_messages_deleted"]
                assert deleted + kept.messages == 40
                await trio.sleep(1_500)
                assert await usage(box) == kept
                assert (await box.describe()).counters["archived_messages_deleted"] == deleted
            bob = make_node(hub, BOB, [address_of(MAILBOX)])
            async with running(bob):
                while len(await bob.history()) < kept.messages:
                    await trio.sleep(0.5)
                numbers = [int(text.rstrip("x")) for text in await bob.history()]
                assert numbers == list(range(40 - kept.messages, 40))


async def test_a_room_that_was_deleted_and_is_wanted_again_begins_anew(
    autojump_clock: Clock,
) -> None:
    hub, later = MemoryHub(), 0
    box = make_mailbox(hub, MAILBOX, now_ms=lambda: virtual_clock() + later)
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE, now_ms=lambda: virtual_clock() + later)
        async with running(box, alice):
            await alice.add_mailbox(await box.link())
            await archive(alice, ROOM)
            await alice.until_listening(1)
            for text in ("one", "two", "three"):
                await alice.say(text)
            await until_archived(box, ROOM, 3)
            await archive(alice, ROOM, stop=True)
            later = GRACE_MS
            await trio.sleep(1)
            await box.operator.ask(mailbox_actors.TrimArchives(), actors.Done)
            while (await box.describe()).archives:
                await trio.sleep(0.5)
            await archive(alice, ROOM)
            await alice.until_listening(1)
            await alice.say("four")
            await until_archived(box, ROOM, 1)


async def test_each_mailbox_answers_for_itself(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    boxes = [
        make_mailbox(hub, MAILBOX),
        make_mailbox(hub, MAILBOX + 1, archive_by_clients=False),
        make_mailbox(hub, MAILBOX + 2),
    ]
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE)
        async with running(*boxes[:2], alice):
            async with running(boxes[2]):
                for box in boxes:
                    await alice.add_mailbox(await box.link())
            answers = await archive(alice, "garden")
            assert [answer.mailbox for answer in answers] == [box.identity.peer for box in boxes]
            assert [answer.archiving for answer in answers] == [True, False, False]
            assert answers[1].problem == "It archives no rooms for its clients."
            assert answers[2].problem == archive_requests.NOT_CONNECTED
            end = boxes[0].identity.peer[-8:]
            assert [one.mailbox for one in await archive(alice, "shed", end)] == [
                boxes[0].identity.peer
            ]


@pytest.mark.parametrize(
    ("room", "mailbox", "part"),
    [
        ("two words", "", "A room's name cannot"),
        ("garden", "", "You have no mailbox that could archive a room"),
        ("garden", "7", "You have no mailbox '7'"),
    ],
)
async def test_what_cannot_be_asked(
    autojump_clock: Clock, room: str, mailbox: str, part: str
) -> None:
    with trio.fail_after(PATIENCE):
        alice = make_node(MemoryHub(), ALICE)
        async with running(alice):
            with pytest.raises(RequestRejectedError, match=part):
                await archive(alice, room, mailbox)


# ---- mailboxes that are played ----------------------------------------------------------------------


class PlayedMailbox:
    """Registers everybody and holds nothing. What it does about rooms is up to the test."""

    def __init__(self, hub: MemoryHub, behave: Behaviour) -> None:
        self.identity = Identity(PLAYED.to_bytes(32, "big"))
        self.network = MemoryNetwork(hub, self.identity.peer, [f"/memory/{PLAYED}"])
        self.network.handle(MAILBOX_PROTOCOL, self._serve)
        self.asked: list[mailbox.Archive] = []
        self.sessions = 0
        self._behave = behave

    @property
    def link(self) -> str:
        return format_link(MailboxLink(self.identity.peer, (f"/memory/{PLAYED}",), ""))

    async def _serve(self, stream: Stream) -> None:
        self.sessions += 1
        while True:
            request = mailbox.MailboxRequest.FromString(await stream.read_frame(FRAME_LIMIT))
            match request.WhichOneof("request"):
                case "register":
                    await reply(stream, registered=mailbox.Registered())
                case "archive":
                    self.asked.append(request.archive)
                    await self._behave(stream, request.archive)


async def reply(stream: Stream, **what: object) -> None:
    message = mailbox.MailboxReply(**what)  # type: ignore[arg-type]
    await stream.write(frame(message.SerializeToString()))


async def ignore(_: Stream, __: mailbox.Archive) -> None: ...


async def reset(_: Stream, __: mailbox.Archive) -> None:
    raise StreamError("what is that?")


async def refuse(stream: Stream, _: mailbox.Archive) -> None:
    refused = mailbox.Refused(
        request=mailbox.Refused.ARCHIVE, reason=mailbox.FULL, detail="No more rooms. " * 100
    )
    await reply(stream, refused=refused)


async def refuse_newly(stream: Stream, _: mailbox.Archive) -> None:
    refused = mailbox.Refused(request=mailbox.Refused.ARCHIVE)
    await reply(stream, refused=refused)


async def archive_twice(stream: Stream, wish: mailbox.Archive) -> None:
    for _ in range(2):
        await reply(stream, archived=mailbox.Archived(room=wish.room, archiving=True))


async def settled(node: SimulatedNode) -> actors.MailboxStatus:
    listed = await node.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
    return listed.mailboxes[0]


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (ignore, archive_requests.SILENT),
        (reset, archive_requests.BROKEN_OFF),
        (refuse, f"It says: {('No more rooms. ' * 100)[:200]}"),
        (refuse_newly, "It refuses, and does not say why."),
    ],
)
async def test_a_mailbox_that_does_not_archive(
    autojump_clock: Clock, behave: Behaviour, said: str
) -> None:
    hub = MemoryHub()
    played = PlayedMailbox(hub, behave)
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE)
        async with running(alice) as nursery:
            await nursery.start(played.network.run)
            await alice.add_mailbox(played.link)
            assert await problem(alice) == said
            while not (await settled(alice)).connected:
                await trio.sleep(0.5)
            status = await settled(alice)
            assert (status.registered, status.problem) == (True, "")


async def test_an_answer_that_comes_late_is_not_taken_for_that_to_the_next_question(
    autojump_clock: Clock,
) -> None:
    async def answer_late(stream: Stream, wish: mailbox.Archive) -> None:
        if wish.room == "slow":
            await trio.sleep(archive_requests.PATIENCE + 1)
            await reply(stream, refused=mailbox.Refused(request=mailbox.Refused.ARCHIVE))
        else:
            await reply(stream, archived=mailbox.Archived(room=wish.room, archiving=True))

    hub = MemoryHub()
    played = PlayedMailbox(hub, answer_late)
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE)
        async with running(alice) as nursery:
            await nursery.start(played.network.run)
            await alice.add_mailbox(played.link)
            (slow,) = await archive(alice, "slow")
            assert slow.problem == archive_requests.SILENT
            (quick,) = await archive(alice, "quick")
            assert (quick.archiving, quick.problem) == (True, "")


async def test_an_answer_that_nobody_asked_for_ends_the_session(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    played = PlayedMailbox(hub, archive_twice)
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE)
        async with running(alice) as nursery:
            await nursery.start(played.network.run)
            await alice.add_mailbox(played.link)
            (answer,) = await archive(alice, "garden")
            assert answer.archiving
            while played.sessions < 2:
                await trio.sleep(0.5)


async def test_a_mailbox_that_owes_many_answers_is_not_asked_for_more(
    autojump_clock: Clock,
) -> None:
    hub = MemoryHub()
    played = PlayedMailbox(hub, ignore)
    said = []
    with trio.fail_after(PATIENCE):
        alice = make_node(hub, ALICE)
        async with running(alice) as nursery:
            await nursery.start(played.network.run)
            await alice.add_mailbox(played.link)
            for _ in range(archive_requests.MAX_WAITING + 1):
                said.append(await problem(alice))
    assert said == [archive_requests.SILENT] * archive_requests.MAX_WAITING + [
        archive_requests.BUSY
    ]
    assert len(played.asked) == archive_requests.MAX_WAITING
