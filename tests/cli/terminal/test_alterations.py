"""Edits, retractions, deletes, blocks and mutes in a session: a console in memory, a played node."""

from __future__ import annotations

import trio

from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.cli.terminal.world import BOB, ME, World, arrived, record, settle, shown, world_with_bob

ESCAPE = "\x1b[2J\u202enine"
Clock = trio.testing.MockClock


def said(
    number: int, *, own: bool = False, text: str = "", room: str = "lobby"
) -> records.RoomRecord:
    found = record(text or f"message {number}", "ada" if own else "Bob", ME if own else BOB, room)
    found.message.id = number.to_bytes(16, "big")
    return found


def altered(message: records.RoomRecord, text: str = "") -> records.RoomRecord:
    changed = records.RoomRecord()
    changed.CopyFrom(message)
    changed.alteration.text, changed.alteration.retracted = text, not text
    if not text:
        changed.message.text = ""
    return changed


async def test_own_messages_are_counted_from_the_last_one(autojump_clock: Clock) -> None:
    world = World()
    mine = [said(n, own=True) for n in (1, 3, 5)]
    world.history["lobby"] = [mine[0], said(2), mine[1], altered(mine[2]), said(6)]
    async with world.running() as console:
        console.type("/edit nine", "/edit 2 ten", "/retract", "/retract 3")
        await settle()
    ids = [mine[1].message.id, mine[0].message.id, mine[1].message.id]
    assert world.asked == [
        actors.AlterMessage(room="lobby", id=ids[0], text="nine"),
        actors.AlterMessage(room="lobby", id=ids[1], text="ten"),
        actors.AlterMessage(room="lobby", id=ids[2], retract=True),
    ]
    assert shown(world) == ["* There is no such message of yours among the last ones here."]


async def test_any_message_is_deleted_here(autojump_clock: Clock) -> None:
    world = World()
    world.history["lobby"] = [said(1), said(2, own=True)]
    async with world.running() as console:
        console.type("/delete 1", "/delete 2", "/delete 3")
        await settle()
    senders = [ME.peer_bytes, BOB.peer_bytes]
    assert world.asked == [
        actors.DeleteMessage(room="lobby", sender=senders[0], id=said(2).message.id),
        actors.DeleteMessage(room="lobby", sender=senders[1], id=said(1).message.id),
    ]
    assert shown(world)[-1] == "* There is no such message here."


async def test_in_a_conversation_its_messages_are_meant(autojump_clock: Clock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/msg Bob one")
        await settle()
        [theirs] = world.mail.arrive(BOB.peer, "Bob", "two")
        console.type("/dm Bob", "/edit ONE", "/delete 1", "/delete 2", "/mute", "/unmute #lobby")
        await settle()
    own = world.mail.kept[0].id
    assert world.asked == [
        actors.AlterMessage(peer=BOB.peer, id=own, text="ONE"),
        actors.DeleteMessage(peer=BOB.peer, sender=BOB.peer_bytes, id=theirs.id),
        actors.DeleteMessage(peer=BOB.peer, sender=ME.peer_bytes, id=own),
        actors.Mute(peer=BOB.peer, muted=True),
        actors.Mute(room="lobby"),
    ]
    assert "* Bob is muted: no notifications" in shown(world)
    assert "* #lobby is not muted any more" in shown(world)


async def test_a_refusal_is_a_sentence(autojump_clock: Clock) -> None:
    world = World()
    world.answer = actors.Rejected(reason=actors.INVALID, detail="It was taken back.")
    world.history["lobby"] = [said(1, own=True)]
    async with world.running() as console:
        console.type("/edit nine")
        await settle()
        assert shown(world) == ["* It was taken back."]


async def test_what_others_change_is_told(autojump_clock: Clock) -> None:
    world = world_with_bob()
    async with world.running():
        world.emit(arrived(said(1)))
        changes = [
            altered(said(1), "at " + ESCAPE),
            altered(said(1)),
            altered(said(2, own=True), "x"),
        ]
        gone = said(3)
        gone.alteration.deleted = True
        world.emit(actors.MessagesAltered(room="lobby", room_records=[*changes, gone]))
        elsewhere = altered(said(1, room="den"), "news")
        world.emit(actors.MessagesAltered(room="den", room_records=[elsewhere]))
        await settle()
        bob = f"Bob (…{BOB.peer[-6:]})"
        lines = shown(world)
        assert lines[0] == f"{bob}: message 1"
        assert lines[1].startswith(f"* {bob} changed: at ")
        assert not set(ESCAPE[:1] + "\u202e") & set(lines[1])
        assert lines[2].startswith(f"* {bob} took back the message of ")
        assert lines[3] == f"* ada (…{ME.peer[-6:]}) changed: x"
        assert lines[4:] == [f"* {bob} changed in #den: news"]


async def test_direct_changes_say_in_which_conversation(autojump_clock: Clock) -> None:
    world = world_with_bob()
    async with world.running():
        theirs = records.DirectRecord(peer=BOB.peer_bytes, id=b"1" * 16, text="one")
        theirs.alteration.text = "two"
        own = records.DirectRecord(peer=BOB.peer_bytes, id=b"2" * 16, outgoing=True)
        own.alteration.retracted = True
        world.emit(actors.MessagesAltered(peer=BOB.peer, direct_records=[theirs, own]))
        await settle()
        first, second = shown(world)
        assert first == "* Bob changed (to you): two"
        assert second.startswith("* You took back the message of ")
        assert second.endswith(" (to Bob)")


async def test_many_changes_at_once_are_counted(autojump_clock: Clock) -> None:
    world = World()
    async with world.running():
        changes = [altered(said(n), f"new {n}") for n in range(50)]
        world.emit(actors.MessagesAltered(room="lobby", room_records=changes))
        await settle()
        assert len(shown(world)) == 21
        assert shown(world)[0] == "* 30 more messages in #lobby were changed; /history shows them"


async def test_history_shows_what_is_said_now(autojump_clock: Clock) -> None:
    world = world_with_bob()
    world.history["lobby"] = [said(1), altered(said(2), "nine\nten"), altered(said(3))]
    async with world.running() as console:
        console.type("/history")
        await settle()
        bob = f"Bob (…{BOB.peer[-6:]})"
        page = shown(world)[2:]
        assert page[0] == f"{bob}: message 1"
        assert page[1] == f"{bob}: nine"
        assert page[2].strip() == "ten (edited)"
        assert page[3] == f"{bob}:  (taken back)"


async def test_blocking(autojump_clock: Clock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/blocked", "/block Bob", "/blocked", "/unblock Bob", "/block Nobody")
        await settle()
        lines = shown(world)
        assert lines[0] == "* You have blocked nobody."
        assert lines[1].startswith("* Bob is blocked: you see and hear nothing of Bob")
        assert "\x1b" not in lines[2]
        assert lines[2].endswith("since 2026-09-21")
        assert lines[3] == "* Bob is not blocked any more"
        assert "Nobody called" in lines[4]
    assert world.asked == [actors.BlockPeer(text=BOB.peer), actors.UnblockPeer(text=BOB.peer)]


async def test_enter_says_that_the_room_was_seen(autojump_clock: Clock) -> None:
    world = world_with_bob(is_watched=True)
    async with world.running() as console:
        world.emit(arrived(said(1)), arrived(said(2, room="den")))
        await settle()
        assert world.asked == []
        console.type("")
        await settle()
        console.type("")
        await settle()
        seen = {each.room for each in world.asked if isinstance(each, actors.MarkRoomSeen)}
        assert seen == {"lobby", "den"}
        assert len(world.asked) == 2
