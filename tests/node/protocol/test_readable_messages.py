from __future__ import annotations

from p2pchat.node.protocol import readable_messages as translate
from p2pchat.node.protocol.owner_names import Names
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.node.control.stage import BOB, EVE, ME

ID, OTHER_ID = bytes(range(16)), b"\xff" * 16


def called(peer: bytes, given: str = "", nick: str = "") -> actors.ContactStatus:
    contact = records.Contact(peer=peer, name=given, nick=nick)
    return actors.ContactStatus(contact=contact, name=given or nick or "…abc")


def names() -> Names:
    """Bob has been given a name; Eve has not."""
    known = Names(ME.peer)
    known.learn([called(BOB.peer_bytes, "Robert", "bob")])
    return known


def in_lobby(sender: bytes, **fields: object) -> records.RoomRecord:
    said = wire.RoomMessage(
        id=ID,
        room="lobby",
        sender=sender,
        nick="nick",
        sent_at_ms=5,
        lamport=7,
        text="Hi",
    )
    return records.RoomRecord(message=said, received_at_ms=6, **fields)  # type: ignore[arg-type]


def direct(**fields: object) -> records.DirectRecord:
    record = records.DirectRecord(
        peer=BOB.peer_bytes, id=ID, sent_at_ms=5, lamport=7, nick="bob", text="Hi"
    )
    record.MergeFrom(records.DirectRecord(**fields))  # type: ignore[arg-type]
    return record


# ---- rooms ----------------------------------------------------------------------------------------------


def test_a_message_of_a_room() -> None:
    assert translate.room_message(in_lobby(EVE.peer_bytes), names()) == control.Message(
        conversation=control.Conversation(room="lobby"),
        id="000102030405060708090a0b0c0d0e0f",
        sender=EVE.peer,
        name="nick",
        text="Hi",
        sent_at_ms=5,
        received_at_ms=6,
        lamport=7,
    )


def test_the_owner_s_name_for_a_sender_counts() -> None:
    assert translate.room_message(in_lobby(BOB.peer_bytes), names()).name == "Robert"


def test_an_own_message() -> None:
    own = translate.room_message(in_lobby(ME.peer_bytes), names())
    assert (own.own, own.name, own.HasField("delivery")) == (True, "nick", False)


def test_nobody_knows_who_wrote_in_a_plain_room() -> None:
    record = in_lobby(b"", plain=True)
    record.message.nick = ""
    message = translate.room_message(record, names())
    assert (message.sender, message.name, message.own, message.unsigned) == ("", "", False, True)


def test_somebody_without_a_name_is_the_end_of_a_peer_id() -> None:
    record = in_lobby(EVE.peer_bytes)
    record.message.nick = ""
    assert translate.room_message(record, names()).name == f"…{EVE.peer[-6:]}"


def test_an_edited_message_reads_as_it_was_edited() -> None:
    edited = records.Alteration(text="Ho", edited_at_ms=9)
    message = translate.room_message(in_lobby(EVE.peer_bytes, alteration=edited), names())
    assert (message.text, message.edited_at_ms, message.retracted) == ("Ho", 9, False)


def test_a_retracted_message_has_no_text() -> None:
    for edited_at_ms in (0, 9):
        gone = records.Alteration(retracted=True, text="", edited_at_ms=edited_at_ms)
        message = translate.room_message(in_lobby(EVE.peer_bytes, alteration=gone), names())
        assert (message.text, message.retracted) == ("", True)


def test_edits_and_deleted_messages_are_not_listed() -> None:
    edit = in_lobby(EVE.peer_bytes)
    edit.message.target = OTHER_ID
    deleted = in_lobby(EVE.peer_bytes, alteration=records.Alteration(deleted=True))
    shown = in_lobby(EVE.peer_bytes)
    assert len(list(translate.room_messages([edit, deleted, shown], names()))) == 1
    (gone,) = translate.deleted_room_messages([edit, deleted, shown])
    assert gone == control.DeletedMessage(sender=EVE.peer, id=ID.hex())


# ---- people ---------------------------------------------------------------------------------------------


def test_a_direct_message_of_somebody() -> None:
    message = translate.direct_message(direct(read=True, received_at_ms=6), names())
    assert message == control.Message(
        conversation=control.Conversation(peer=BOB.peer),
        id=ID.hex(),
        sender=BOB.peer,
        name="Robert",
        text="Hi",
        sent_at_ms=5,
        received_at_ms=6,
        lamport=7,
        read=True,
    )


def test_an_own_direct_message_says_how_far_it_is() -> None:
    delivery = records.Delivery(
        stage=records.STORED,
        stored_at=[b"a", b"b"],
        mailboxes=3,
        reason="Later.",
        changed_at_ms=8,
        stored_until_ms=[1, 2],
    )
    record = direct(outgoing=True, nick="ada", delivery=delivery, expires_at_ms=99)
    message = translate.direct_message(record, names())
    assert (message.sender, message.name, message.own) == (ME.peer, "ada", True)
    assert message.expires_at_ms == 99
    assert message.delivery == control.Delivery(
        stage=control.STORED, stored=2, mailboxes=3, reason="Later.", changed_at_ms=8
    )


def test_stages_have_the_same_numbers_here_and_there() -> None:
    assert dict(records.Stage.items()) == dict(control.Stage.items())


def test_an_offered_file_is_a_message_without_text() -> None:
    offer = wire.FileOffer(name="../a\x1b/b.txt", size=12, transfer=ID)
    message = translate.direct_message(direct(file=offer), names())
    assert (message.text, message.file.size, message.file.transfer) == ("", 12, ID.hex())
    assert message.file.name == "b.txt"
    retracted = direct(file=offer, alteration=records.Alteration(retracted=True))
    assert not translate.direct_message(retracted, names()).HasField("file")


def test_what_a_search_finds() -> None:
    hits = [
        actors.SearchHit(room_message=in_lobby(EVE.peer_bytes)),
        actors.SearchHit(direct=direct()),
        actors.SearchHit(direct=direct(alteration=records.Alteration(deleted=True))),
    ]
    found = list(translate.found_messages(hits, names()))
    assert [each.sender for each in found] == [EVE.peer, BOB.peer]


def test_deleted_direct_messages_are_named_with_their_sender() -> None:
    deleted = records.Alteration(deleted=True)
    theirs, ours = direct(alteration=deleted), direct(alteration=deleted, outgoing=True)
    gone = translate.deleted_direct_messages([theirs, ours, direct()], names())
    assert [each.sender for each in gone] == [BOB.peer, ME.peer]
