"""What each method asks the ui actor, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from p2pchat.node.adapters.grpc_server import snake_case
from p2pchat.node.control import SERVICE, NodeControl
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.node.control.stage import BOB, EVE, ME, played

ID = b"\x0a" * 16
HEX = ID.hex()
LOBBY = control.Conversation(room="lobby")
WITH_BOB = control.Conversation(peer=BOB.peer)

Answers = dict[type[Message], Any]

RESOLVED: Answers = {actors.ResolvePeer: actors.PeerResolved(peer=BOB.peer, name="Bob")}
STATUS = actors.ContactStatus(contact=records.Contact(peer=BOB.peer_bytes), name="Bob")
TRANSFER = actors.TransferStatus(record=records.TransferRecord(peer=BOB.peer_bytes, done=5))
JOINED: Answers = {actors.ListRooms: actors.RoomList(rooms=[actors.Room(name="lobby")])}


def said(text: str) -> records.RoomRecord:
    message = wire.RoomMessage(id=ID, room="lobby", sender=BOB.peer_bytes, text=text)
    return records.RoomRecord(message=message)


def written(text: str, **fields: Any) -> records.DirectRecord:
    return records.DirectRecord(peer=BOB.peer_bytes, id=ID, text=text, **fields)


async def ask(
    folder: Path, request: Message, answers: Answers | None = None
) -> tuple[Any, list[Message]]:
    """What a method answers, and the questions that it has asked."""
    node = played(folder, dict(answers or {}))
    async with node.running() as servant:
        return await method(servant, request)(request), node.asked


def method(servant: NodeControl, request: Message) -> Callable[[Message], Awaitable[Any]]:
    name = snake_case(request.DESCRIPTOR.name.removesuffix("Request"))
    return getattr(servant, name)  # type: ignore[no-any-return]


# Requests that become one command, which is answered with Done.
COMMANDS = [
    (control.SetNameRequest(name="ada"), actors.SetName(name="ada")),
    (control.MarkReadRequest(conversation=LOBBY), actors.MarkRoomSeen(room="lobby")),
    (
        control.MarkReadRequest(conversation=WITH_BOB, ids=[HEX]),
        actors.MarkShown(peer=BOB.peer, ids=[ID]),
    ),
    (
        control.MuteRequest(conversation=LOBBY, muted=True),
        actors.Mute(room="lobby", muted=True),
    ),
    (control.MuteRequest(conversation=WITH_BOB), actors.Mute(peer=BOB.peer)),
    (
        control.EditMessageRequest(conversation=LOBBY, id=HEX, text="Ho"),
        actors.AlterMessage(room="lobby", id=ID, text="Ho"),
    ),
    (
        control.RetractMessageRequest(conversation=WITH_BOB, id=HEX),
        actors.AlterMessage(peer=BOB.peer, id=ID, retract=True),
    ),
    (
        control.DeleteMessageRequest(conversation=LOBBY, sender=EVE.peer, id=HEX),
        actors.DeleteMessage(room="lobby", sender=EVE.peer_bytes, id=ID),
    ),
    (
        control.DeleteMessageRequest(conversation=LOBBY, id=HEX),
        actors.DeleteMessage(room="lobby", id=ID),
    ),
    (control.FlushRequest(), actors.FlushRooms()),
    (
        control.SetVerifiedRequest(who="bob", verified=True),
        actors.SetVerified(text="bob", verified=True),
    ),
    (control.DeclineFileRequest(transfer="ab"), actors.DeclineFile(transfer="ab")),
    (control.CancelTransferRequest(transfer="ab"), actors.CancelTransfer(transfer="ab")),
    (control.RemoveMailboxRequest(which="1"), actors.RemoveMailbox(text="1")),
]


@pytest.mark.parametrize(("request_", "command"), COMMANDS)
async def test_commands(tmp_path: Path, request_: Message, command: Message) -> None:
    answer, asked = await ask(tmp_path, request_)
    assert asked == [command]
    assert answer == type(answer)()


# Requests that become one question; its answer, and what is made of that.
QUESTIONS = [
    (
        control.GetLinkRequest(),
        actors.DescribeSelf(),
        actors.Link(text="p2pchat:x"),
        control.GetLinkResponse(link="p2pchat:x"),
    ),
    (
        control.MakeCheckpointRequest(),
        actors.MakeCheckpoint(),
        actors.CheckpointMade(path="/x", stores={"store": "/x", "mail": "/y"}),
        control.MakeCheckpointResponse(path="/x", stores={"store": "/x", "mail": "/y"}),
    ),
    (
        control.ListConversationsRequest(),
        actors.ListConversations(),
        actors.ConversationList(conversations=[actors.ConversationStatus(room="lobby", unread=2)]),
        control.ListConversationsResponse(
            conversations=[control.ConversationStatus(conversation=LOBBY, unread=2)]
        ),
    ),
    (
        control.SendMessageRequest(room="lobby", text="Hi"),
        actors.PostText(room="lobby", text="Hi"),
        actors.Posted(record=said("Hi"), listeners=2),
        control.SendMessageResponse(
            message=control.Message(
                conversation=LOBBY, id=HEX, sender=BOB.peer, name=f"…{BOB.peer[-6:]}", text="Hi"
            ),
            listeners=2,
        ),
    ),
    (
        control.JoinRoomRequest(room="lobby", plain=True),
        actors.JoinRoom(room="lobby", plain=True),
        actors.RoomJoined(room="lobby", already=True, plain=True),
        control.JoinRoomResponse(room="lobby", already=True),
    ),
    (
        control.LeaveRoomRequest(room="lobby"),
        actors.LeaveRoom(room="lobby"),
        actors.RoomLeft(room="lobby"),
        control.LeaveRoomResponse(),
    ),
    (
        control.KeepRoomRequest(room="lobby", keep_days=0),
        actors.KeepRoom(room="lobby", keep_days=0),
        records.RoomSettings(keep_days=0),
        control.KeepRoomResponse(keep_days=0),
    ),
    (
        control.KeepRoomRequest(room="lobby"),
        actors.KeepRoom(room="lobby"),
        records.RoomSettings(),
        control.KeepRoomResponse(),
    ),
    (
        control.ForgetRoomRequest(room="lobby"),
        actors.ForgetRoom(room="lobby"),
        actors.RoomTrimmed(messages=5),
        control.ForgetRoomResponse(messages=5),
    ),
    (
        control.ArchiveRoomRequest(room="lobby", mailbox="1", stop=True),
        actors.ArchiveRoom(room="lobby", mailbox="1", stop=True),
        actors.ArchiveStatus(room="lobby"),
        control.ArchiveRoomResponse(status=actors.ArchiveStatus(room="lobby")),
    ),
    (
        control.ListPeersRequest(),
        actors.ListConnections(),
        actors.ConnectionList(connections=[actors.Connection(peer=BOB.peer, name="bob")]),
        control.ListPeersResponse(peers=[control.Peer(peer=BOB.peer, name="bob")]),
    ),
    (
        control.ResolvePeerRequest(who="bob"),
        actors.ResolvePeer(text="bob"),
        actors.PeerResolved(peer=BOB.peer, name="Bob"),
        control.ResolvePeerResponse(peer=BOB.peer, name="Bob"),
    ),
    (
        control.ListContactsRequest(),
        actors.ListContacts(),
        actors.ContactStatusList(contacts=[STATUS]),
        control.ListContactsResponse(contacts=[control.Contact(peer=BOB.peer, name="Bob")]),
    ),
    (
        control.BlockPeerRequest(who="bob"),
        actors.BlockPeer(text="bob"),
        actors.PeerResolved(peer=BOB.peer, name="Bob"),
        control.BlockPeerResponse(peer=BOB.peer, name="Bob"),
    ),
    (
        control.UnblockPeerRequest(who="bob"),
        actors.UnblockPeer(text="bob"),
        actors.PeerResolved(peer=BOB.peer, name="Bob"),
        control.UnblockPeerResponse(),
    ),
    (
        control.ListBlockedPeersRequest(),
        actors.ListBlocked(),
        actors.BlockedList(peers=[actors.BlockedPeer(peer=BOB.peer, blocked_at_ms=5)]),
        control.ListBlockedPeersResponse(peers=[control.BlockedPeer(peer=BOB.peer, since_ms=5)]),
    ),
    (
        control.GetSafetyNumberRequest(who="bob"),
        actors.DescribeSafety(text="bob"),
        actors.SafetyNumber(peer=BOB.peer, name="Bob", digits="12", verified=True),
        control.GetSafetyNumberResponse(peer=BOB.peer, name="Bob", digits="12", verified=True),
    ),
    (
        control.SendFileRequest(who="bob", path="/a"),
        actors.OfferFile(text="bob", path="/a"),
        TRANSFER,
        control.SendFileResponse(transfer=control.Transfer(peer=BOB.peer, done=5)),
    ),
    (
        control.AcceptFileRequest(transfer="ab"),
        actors.AcceptFile(transfer="ab"),
        TRANSFER,
        control.AcceptFileResponse(transfer=control.Transfer(peer=BOB.peer, done=5)),
    ),
    (
        control.ListTransfersRequest(),
        actors.ListTransfers(),
        actors.TransferList(transfers=[TRANSFER]),
        control.ListTransfersResponse(transfers=[control.Transfer(peer=BOB.peer, done=5)]),
    ),
    (
        control.ListMailboxesRequest(),
        actors.ListMailboxes(),
        actors.MailboxStatusList(mailboxes=[actors.MailboxStatus(peer=BOB.peer)]),
        control.ListMailboxesResponse(mailboxes=[control.OwnMailbox(peer=BOB.peer)]),
    ),
    (
        control.AddMailboxRequest(link="p2pchat:x"),
        actors.AddMailbox(link="p2pchat:x"),
        actors.MailboxStatus(peer=BOB.peer),
        control.AddMailboxResponse(mailbox=control.OwnMailbox(peer=BOB.peer)),
    ),
]


@pytest.mark.parametrize(("request_", "question", "answer", "response"), QUESTIONS)
async def test_questions(
    tmp_path: Path, request_: Message, question: Message, answer: Message, response: Message
) -> None:
    given, asked = await ask(tmp_path, request_, {type(question): answer})
    for each in _transfers(given):
        each.ClearField("file_name")  # of a file without one
    assert asked == [question]
    assert given == response


def _transfers(given: Any) -> list[control.Transfer]:
    if isinstance(given, control.ListTransfersResponse):
        return list(given.transfers)
    return [given.transfer] if hasattr(given, "transfer") else []


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (
            control.AddContactRequest(who="bob", name="Bob", last_message_ms=7),
            actors.AddContact(text="bob", name="Bob", last_message_ms=7),
        ),
        (
            control.RenameContactRequest(who="bob", name="Bob"),
            actors.RenameContact(text="bob", name="Bob"),
        ),
    ],
)
async def test_a_changed_contact_is_called_so_from_then_on(
    tmp_path: Path, request_: Message, command: Message
) -> None:
    answers: Answers = {
        type(command): STATUS,
        actors.ListContacts: actors.ContactStatusList(contacts=[STATUS]),
    }
    response, asked = await ask(tmp_path, request_, answers)
    assert response.contact == control.Contact(peer=BOB.peer, name="Bob")
    assert asked == [command, actors.ListContacts()]


async def test_a_removed_contact(tmp_path: Path) -> None:
    _, asked = await ask(tmp_path, control.RemoveContactRequest(who="bob"))
    assert asked == [actors.RemoveContact(text="bob"), actors.ListContacts()]


async def test_how_the_node_stands(tmp_path: Path) -> None:
    answers: Answers = {
        actors.DescribeNode: actors.NodeDescription(peer=ME.peer, name="ada"),
        actors.ListConnections: actors.ConnectionList(connections=[actors.Connection()] * 3),
    }
    info, _ = await ask(tmp_path, control.GetInfoRequest(), answers)
    assert (info.peer, info.name, info.connections) == (ME.peer, "ada", 3)
    assert info.version


async def test_members_and_this_node(tmp_path: Path) -> None:
    answers: Answers = {
        actors.DescribeNode: actors.NodeDescription(peer=ME.peer, name="ada"),
        actors.ListMembers: actors.MemberList(members=[actors.Member(peer=BOB.peer)]),
    }
    listed, _ = await ask(tmp_path, control.ListMembersRequest(room="lobby"), answers)
    assert [(each.peer, each.self) for each in listed.members] == [
        (ME.peer, True),
        (BOB.peer, False),
    ]


async def test_rooms(tmp_path: Path) -> None:
    """Joined ones in the order of last use."""
    joined = [actors.Room(name=name) for name in ("new", "lobby", "garden")]
    used = [actors.ConversationStatus(room=name) for name in ("garden", "lobby")]
    answers: Answers = {
        actors.ListRooms: actors.RoomList(rooms=joined),
        actors.ListStoredRooms: actors.RoomUsageList(
            rooms=[actors.RoomUsage(room="attic", messages=1)]
        ),
        actors.ListConversations: actors.ConversationList(conversations=used),
    }
    listed, _ = await ask(tmp_path, control.ListRoomsRequest(), answers)
    assert [(each.name, each.joined) for each in listed.rooms] == [
        ("garden", True),
        ("lobby", True),
        ("new", True),
        ("attic", False),
    ]


async def test_a_direct_message(tmp_path: Path) -> None:
    answers: Answers = {
        **RESOLVED,
        actors.SendDirect: actors.DirectSent(record=written("Hi", outgoing=True)),
    }
    request = control.SendMessageRequest(who="bob", text="Hi")
    sent, asked = await ask(tmp_path, request, answers)
    assert asked == [
        actors.ResolvePeer(text="bob"),
        actors.SendDirect(peer=BOB.peer, text="Hi"),
    ]
    assert (sent.message.conversation, sent.message.own) == (WITH_BOB, True)


async def test_everything_of_somebody_is_marked_read(tmp_path: Path) -> None:
    pages = [
        actors.DirectHistoryPage(
            records=[written("1"), written("2", outgoing=True), written("3", read=True)],
            first=b"x",
        ),
        actors.DirectHistoryPage(records=[written("0", read=True)], first=b"y"),
    ]
    answers: Answers = {actors.ReadDirectHistory: lambda asked: pages[asked.before == b"x"]}
    _, asked = await ask(tmp_path, control.MarkReadRequest(conversation=WITH_BOB), answers)
    assert [each for each in asked if isinstance(each, actors.MarkShown)] == [
        actors.MarkShown(peer=BOB.peer, ids=[ID])
    ]
    assert asked[-1] == actors.ReadDirectHistory(peer=BOB.peer, limit=1000, before=b"x")


# ---- what is asked wrongly ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        control.SendMessageRequest(text="Hi"),
        control.ReadHistoryRequest(),
        control.ReadHistoryRequest(room="lobby", limit=1001),
        control.ReadHistoryRequest(room="lobby", before="!"),
        control.SearchRequest(words="hi", limit=101),
        control.SearchRequest(words="hi", before="!"),
        control.MarkReadRequest(),
        control.MarkReadRequest(conversation=WITH_BOB, ids=["1"]),
        control.MuteRequest(conversation=control.Conversation(room="lobby", peer=BOB.peer)),
        control.EditMessageRequest(conversation=LOBBY, id="1", text="Ho"),
        control.EditMessageRequest(id=HEX, text="Ho"),
        control.DeleteMessageRequest(conversation=LOBBY, sender="bob", id=HEX),
        control.SendFileRequest(who="bob", path="a"),
        control.SendFileRequest(who="bob"),
    ],
)
async def test_what_is_asked_wrongly_is_refused_with_a_sentence(
    tmp_path: Path, request_: Message
) -> None:
    async with played(tmp_path, {**JOINED, **RESOLVED}).running() as servant:
        with pytest.raises(RequestRejectedError) as caught:
            await method(servant, request_)(request_)
    assert caught.value.reason == actors.INVALID
    assert caught.value.detail.endswith((".", "..."))


def test_every_method_of_the_service_is_there() -> None:
    missing = [m.name for m in SERVICE.methods if not hasattr(NodeControl, snake_case(m.name))]
    assert not missing
