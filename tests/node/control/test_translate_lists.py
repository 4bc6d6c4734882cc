from __future__ import annotations

from p2pchat.node.control import translate_lists as translate
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.owner_names import Names
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.node.control.stage import BOB, EVE, ME

TRANSFER = b"\xab" * 16


def names() -> Names:
    known = Names(ME.peer)
    contact = records.Contact(peer=BOB.peer_bytes, name="Robert")
    known.learn([actors.ContactStatus(contact=contact, name="Robert")])
    return known


def test_the_node_in_short() -> None:
    mailboxes = [actors.MailboxStatus(connected=True), actors.MailboxStatus()]
    node = actors.NodeDescription(
        peer=ME.peer,
        name="ada",
        addresses=["/memory/1"],
        uptime_ms=5,
        data_dir="/data",
        delivery=actors.DeliveryDescription(outbox=3, mailboxes=mailboxes),
        reachability=actors.ReachabilityDescription(reachability=actors.PUBLIC),
    )
    assert translate.info(node, 7, "1.2") == control.GetInfoResponse(
        peer=ME.peer,
        name="ada",
        version="1.2",
        data_dir="/data",
        uptime_ms=5,
        addresses=["/memory/1"],
        reachability="public",
        connections=7,
        outbox=3,
        mailboxes=2,
        mailboxes_connected=1,
        details=node,
    )


def test_reachability_in_a_word() -> None:
    words = map(translate.reachability, (actors.UNKNOWN, actors.PUBLIC, actors.PRIVATE))
    assert list(words) == ["unknown", "public", "private"]


def test_joined_rooms_come_first_and_then_those_of_which_something_is_kept() -> None:
    joined = [
        actors.Room(name="lobby", subscribers=["a", "b"]),
        actors.Room(name="raw", plain=True),
        actors.Room(name="new"),
    ]
    settings = records.RoomSettings(keep_days=0, muted=True)
    kept = [
        actors.RoomUsage(room="attic", messages=1, bytes=10),
        actors.RoomUsage(room="emptied"),
        actors.RoomUsage(room="lobby", messages=5, bytes=50, settings=settings),
        actors.RoomUsage(room=stored_room("lobby", True), messages=2, bytes=20),
        actors.RoomUsage(room=stored_room("raw", True), messages=3, bytes=30),
    ]
    assert list(translate.rooms(joined, kept)) == [
        control.Room(
            name="lobby",
            joined=True,
            listeners=2,
            messages=5,
            bytes=50,
            keep_days=0,
            muted=True,
        ),
        control.Room(name="raw", plain=True, joined=True, messages=3, bytes=30),
        control.Room(name="new", joined=True),
        control.Room(name="attic", messages=1, bytes=10),
        control.Room(name="lobby", plain=True, messages=2, bytes=20),
    ]


def test_members_with_this_node_first() -> None:
    me = control.Member(peer=ME.peer, name="ada", self=True)
    others = [
        actors.Member(peer=BOB.peer, name="bob", connected=True, seen_ms=5),
        actors.Member(peer=EVE.peer),
    ]
    assert list(translate.members(others, me, names())) == [
        me,
        control.Member(peer=BOB.peer, name="Robert", connected=True, seen_ms=5),
        control.Member(peer=EVE.peer, name=""),
    ]


def test_a_connected_peer() -> None:
    connection = actors.Connection(
        peer=EVE.peer,
        name="eve",
        address="/memory/3",
        transport="tcp",
        outbound=True,
        rtt_ms=1.5,
        agent="p2pchat/1",
        relayed=True,
        relay=BOB.peer,
        punched=True,
    )
    assert translate.peer(connection, names()) == control.Peer(
        peer=EVE.peer,
        name="eve",
        address="/memory/3",
        transport="tcp",
        outbound=True,
        rtt_ms=1.5,
        relayed=True,
        relay=BOB.peer,
        punched=True,
        agent="p2pchat/1",
    )


CONTACT = records.Contact(
    peer=BOB.peer_bytes,
    name="Robert",
    nick="bob",
    record=wire.MailboxRecord(mailboxes=[wire.MailboxAddress()] * 2),
    added=True,
    last_message_ms=9,
    muted=True,
    blocked_at_ms=1,
    verified_at_ms=2,
)
STATUS = actors.ContactStatus(contact=CONTACT, name="Robert", connected=True, waiting=3, missed=4)


def test_a_contact() -> None:
    assert translate.contact(STATUS) == control.Contact(
        peer=BOB.peer,
        name="Robert",
        given_name="Robert",
        nick="bob",
        added=True,
        connected=True,
        waiting=3,
        missed=4,
        last_message_ms=9,
        mailboxes=2,
        blocked=True,
        verified=True,
        muted=True,
    )


def test_conversations() -> None:
    room = actors.ConversationStatus(
        room="lobby", name="lobby", unread=2, muted=True, joined=True, plain=True, last_message_ms=5
    )
    assert translate.conversation(room) == control.ConversationStatus(
        conversation=control.Conversation(room="lobby"),
        name="lobby",
        unread=2,
        muted=True,
        joined=True,
        plain=True,
        last_message_ms=5,
    )
    person = actors.ConversationStatus(peer=BOB.peer, name="Robert", contact=STATUS)
    assert translate.conversation(person) == control.ConversationStatus(
        conversation=control.Conversation(peer=BOB.peer),
        name="Robert",
        connected=True,
        waiting=3,
        blocked=True,
        verified=True,
        added=True,
    )


def test_somebody_blocked() -> None:
    known = actors.BlockedPeer(peer=EVE.peer, name="eve", blocked_at_ms=5)
    shown = control.BlockedPeer(peer=EVE.peer, name="eve", since_ms=5)
    assert translate.blocked(known) == shown


def test_an_own_mailbox() -> None:
    status = actors.MailboxStatus(
        peer=BOB.peer,
        addresses=["/memory/2"],
        connected=True,
        registered=True,
        collecting=True,
        problem="Full.",
        quota_bytes=1,
        quota_count=2,
        retention_ms=3,
    )
    shown = control.OwnMailbox.FromString(status.SerializeToString())  # the same fields
    assert translate.own_mailbox(status) == shown


def test_a_transfer() -> None:
    record = records.TransferRecord(
        peer=BOB.peer_bytes,
        outgoing=True,
        offer=wire.FileOffer(name="a\u202eb.txt", size=10, transfer=TRANSFER),
        state=records.RUNNING,
        done=5,
        path="/home/ada/a.txt",
        problem="Slow.",
        offered_at_ms=7,
        by_mailbox=True,
    )
    status = actors.TransferStatus(record=record, name="Robert", bytes_per_second=2.5)
    shown = translate.transfer(status)
    assert "\u202e" not in shown.file_name
    shown.file_name = "a"
    assert shown == control.Transfer(
        id="ab" * 16,
        peer=BOB.peer,
        name="Robert",
        outgoing=True,
        file_name="a",
        size=10,
        done=5,
        state=control.RUNNING,
        problem="Slow.",
        path="/home/ada/a.txt",
        bytes_per_second=2.5,
        by_mailbox=True,
        offered_at_ms=7,
    )


def test_an_incoming_file_has_a_place_once_it_is_there() -> None:
    record = records.TransferRecord(peer=BOB.peer_bytes, state=records.RUNNING, path="/here")
    assert translate.transfer(actors.TransferStatus(record=record)).path == ""
    record.state = records.FINISHED
    assert translate.transfer(actors.TransferStatus(record=record)).path == "/here"


def test_states_of_transfers_have_the_same_numbers_here_and_there() -> None:
    ours, theirs = dict(records.TransferState.items()), dict(control.TransferState.items())
    assert theirs.pop("DONE") == ours.pop("FINISHED")
    assert ours == theirs
