"""A small world for the screens: rooms, people, and what they have said, with fixed times."""

from __future__ import annotations

from datetime import UTC

from p2pchat.cli.tui.link import NodeState
from p2pchat.cli.tui.opening import OpeningScreen, conversation_key
from p2pchat.cli.tui.settings import UiSettings
from p2pchat.proto import control_pb2 as control
from tests.cli.tui.scripted_link import ScriptedLink

START_MS = 1_772_409_600_000  # 2 March 2026, 00:00 UTC
HOUR, MINUTE = 3_600_000, 60_000

ME = "12D3KooWMeMeMeMeMeMeMeMeMeMeMeMeMeMeMeMeMeMeMeAda001"
BOB = "12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobBob002"
EVE = "12D3KooWEveEveEveEveEveEveEveEveEveEveEveEveEveEve003"
MIA = "12D3KooWMiaMiaMiaMiaMiaMiaMiaMiaMiaMiaMiaMiaMiaMia004"
DAN = "12D3KooWDanDanDanDanDanDanDanDanDanDanDanDanDanDan005"
NAMES = {ME: "ada", BOB: "Bob", EVE: "B\u043eb", MIA: "Mia 김민아", DAN: "דנה"}

SETTINGS = UiSettings(zone=UTC)


def room(name: str) -> control.Conversation:
    return control.Conversation(room=name)


def person(peer: str) -> control.Conversation:
    return control.Conversation(peer=peer)


def said(
    where: control.Conversation, number: int, sender: str, text: str, at_ms: int, **more: object
) -> control.Message:
    """The `number`th message of a conversation."""
    message = control.Message(
        conversation=where,
        id=f"{number:032x}",
        sender=sender,
        name=NAMES[sender],
        own=sender == ME,
        text=text,
        sent_at_ms=START_MS + at_ms,
        received_at_ms=START_MS + at_ms,
        lamport=number,
    )
    for name, value in more.items():
        field = getattr(message, name)
        if hasattr(field, "CopyFrom"):
            field.CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def delivery(stage: int, stored: int = 0, mailboxes: int = 0, reason: str = "") -> control.Delivery:
    return control.Delivery(stage=stage, stored=stored, mailboxes=mailboxes, reason=reason)  # type: ignore[arg-type]


def lobby_page() -> list[control.Message]:
    lobby = room("lobby")
    return [
        said(lobby, 1, BOB, "Good morning! Did the harbour plan arrive?", 9 * HOUR),
        said(lobby, 2, BOB, "I have put it into the room's files.", 9 * HOUR + MINUTE),
        said(lobby, 3, ME, "It did, thank you. I read it on the train.", 9 * HOUR + 5 * MINUTE),
        said(lobby, 4, MIA, "안녕하세요 여러분 — 회의는 내일 열 시입니다 🙂", 20 * HOUR),
        said(lobby, 5, DAN, "שלום, מחר בעשר בנמל (pier 4).", 33 * HOUR),
        said(
            lobby,
            6,
            EVE,
            "[b]free coins[/b] \x1b[31mclick\x1b[0m \u202egnp.exe",
            33 * HOUR + MINUTE,
        ),
        said(lobby, 7, ME, "Moved to eleven.", 34 * HOUR, edited_at_ms=START_MS + 35 * HOUR),
        said(lobby, 8, BOB, "", 34 * HOUR + MINUTE, retracted=True),
        said(
            lobby,
            9,
            MIA,
            "A long thought that needs more than one row, because it says where we meet, what we "
            "bring, and who calls the ferry: 👩‍👩‍👧 and e\u0301tude.\nAnd a second line.",
            34 * HOUR + 20 * MINUTE,
        ),
    ]


def bob_page() -> list[control.Message]:
    bob = person(BOB)
    file = control.File(transfer="f" * 26 + "a1b2c3", name="plan.pdf", size=2_100_000)
    return [
        said(bob, 1, BOB, "Can you look at this?", 8 * HOUR, read=True),
        said(bob, 2, ME, "Of course.", 8 * HOUR + MINUTE, delivery=delivery(control.READ)),
        said(bob, 3, BOB, "", 9 * HOUR, file=file),
        said(bob, 4, ME, "Got it?", 10 * HOUR, delivery=delivery(control.DELIVERED)),
        said(bob, 5, ME, "One more.", 10 * HOUR, delivery=delivery(control.STORED, 1, 2)),
        said(bob, 6, ME, "And this.", 10 * HOUR, delivery=delivery(control.SENDING)),
        said(bob, 7, ME, "Later.", 10 * HOUR, delivery=delivery(control.QUEUED)),
        said(
            bob,
            8,
            ME,
            "Nobody wants it.",
            10 * HOUR,
            delivery=delivery(control.REFUSED, reason="their mailbox is full"),
        ),
    ]


def transfer(done: int = 0, state: int = control.OFFERED) -> control.Transfer:
    return control.Transfer(
        id="f" * 26 + "a1b2c3",
        peer=BOB,
        name="Bob",
        file_name="plan.pdf",
        size=2_100_000,
        done=done,
        state=state,  # type: ignore[arg-type]
        bytes_per_second=350_000.0 if state == control.RUNNING else 0.0,
    )


def statuses() -> list[control.ConversationStatus]:
    make = control.ConversationStatus
    return [
        make(conversation=room("lobby"), name="lobby", joined=True),
        make(conversation=room("harbour"), name="harbour", joined=True, unread=3),
        make(conversation=room("noise"), name="noise", joined=True, unread=120, muted=True),
        make(
            conversation=person(BOB),
            name="Bob",
            connected=True,
            verified=True,
            added=True,
            unread=1,
        ),
        make(conversation=person(MIA), name="Mia 김민아", added=True, waiting=2),
        make(conversation=person(DAN), name="דנה", connected=True),
        make(conversation=person(EVE), name="B\u043eb", blocked=True),
    ]


def members() -> list[control.Member]:
    return [
        control.Member(peer=ME, name="ada", connected=True, self=True),
        *(
            control.Member(peer=peer, name=NAMES[peer], connected=peer != MIA, seen_ms=START_MS)
            for peer in (BOB, EVE, MIA, DAN)
        ),
    ]


def info() -> control.GetInfoResponse:
    return control.GetInfoResponse(
        peer=ME,
        name="ada",
        version="0.1.0",
        reachability="public",
        connections=12,
        outbox=3,
        mailboxes=2,
        mailboxes_connected=1,
    )


def opening() -> OpeningScreen:
    messages = {
        conversation_key(room("lobby")): lobby_page(),
        conversation_key(person(BOB)): bob_page(),
    }
    return OpeningScreen(statuses(), messages, ME, "ada")


def link() -> ScriptedLink:
    """A node that is up, and knows what the first screen shows."""
    made = ScriptedLink()
    pages = {"lobby": lobby_page(), BOB: bob_page()}
    made.answers = {
        control.GetInfoRequest: info(),
        control.ListConversationsRequest: lambda _: control.ListConversationsResponse(
            conversations=statuses()
        ),
        control.ListMembersRequest: control.ListMembersResponse(members=members()),
        control.ListTransfersRequest: control.ListTransfersResponse(transfers=[transfer()]),
        control.ReadHistoryRequest: lambda asked: control.ReadHistoryResponse(
            messages=pages.get(asked.room or asked.who, [])
        ),
        control.SearchRequest: control.SearchResponse(
            messages=[lobby_page()[0], bob_page()[0]], waiting=0
        ),
    }
    return made


def up(made: ScriptedLink) -> None:
    """The node has started."""
    made.tell(NodeState("running"))
    made.tell(control.Subscribed())
