import asyncio
from pathlib import Path

import pytest
from google.protobuf.message import Message

from p2pchat.cli.tui import commands
from p2pchat.cli.tui.conversation import Conversation
from p2pchat.cli.tui.errands import Errands
from p2pchat.cli.tui.outcome import Outcome
from p2pchat.cli.tui.rows import plain
from p2pchat.cli.tui.state import ChatState
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, ME

BOB_KEY = f"@{BOB}"


def carried_out(typed: str, current: str = BOB_KEY) -> tuple[Outcome, list[Message], ChatState]:
    link, state = scene.link(), ChatState(scene.opening())
    state.people.be(ME, "ada")
    state.set_transfer(scene.transfer())
    state.current = current
    errands = Errands(link, state, lambda: 60)
    outcome = asyncio.run(errands.carry_out(commands.parse(typed)))
    return outcome, link.asked, state


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ("/leave lobby", control.LeaveRoomRequest(room="lobby")),
        ("/keep 30 lobby", control.KeepRoomRequest(room="lobby", keep_days=30)),
        ("/keep default lobby", control.KeepRoomRequest(room="lobby")),
        ("/forget lobby", control.ForgetRoomRequest(room="lobby")),
        ("/contact rename Bob Robert", control.RenameContactRequest(who="Bob", name="Robert")),
        ("/contact remove Bob", control.RemoveContactRequest(who="Bob")),
        ("/verify", control.GetSafetyNumberRequest(who=BOB)),
        ("/verify Bob yes", control.SetVerifiedRequest(who="Bob", verified=True)),
        ("/block", control.BlockPeerRequest(who=BOB)),
        ("/unblock Bob", control.UnblockPeerRequest(who="Bob")),
        ("/mute", control.MuteRequest(conversation=scene.person(BOB), muted=True)),
        ("/unmute #noise", control.MuteRequest(conversation=scene.room("noise"), muted=False)),
        (
            "/edit better",
            control.EditMessageRequest(
                conversation=scene.person(BOB), id=f"{8:032x}", text="better"
            ),
        ),
        (
            "/retract 2",
            control.RetractMessageRequest(conversation=scene.person(BOB), id=f"{7:032x}"),
        ),
        (
            "/delete 6",
            control.DeleteMessageRequest(
                conversation=scene.person(BOB), sender=BOB, id=f"{3:032x}"
            ),
        ),
        ("/accept", control.AcceptFileRequest(transfer=scene.transfer().id)),
        ("/decline a1b2c3", control.DeclineFileRequest(transfer="a1b2c3")),
        ("/cancel", control.CancelTransferRequest(transfer=scene.transfer().id)),
        ("/mailbox remove 1", control.RemoveMailboxRequest(which="1")),
        ("/name Ada", control.SetNameRequest(name="Ada")),
    ],
)
def test_a_line_asks_the_node_for_just_that(typed: str, request_: Message) -> None:
    _, asked, _ = carried_out(typed)
    assert asked == [request_]


@pytest.mark.parametrize("typed", ["/send plan.pdf", "/block", "/verify", "/edit"])
def test_what_needs_a_person_or_an_own_message_says_so_elsewhere(typed: str) -> None:
    outcome, asked, _ = carried_out(typed, "#harbour")
    assert asked == []
    assert outcome.rows


def test_a_file_goes_to_the_person_of_the_conversation(tmp_path: Path) -> None:
    path = tmp_path / "two words.txt"
    path.write_text("x", "utf-8")
    _, asked, _ = carried_out(f"/send {path}")
    assert asked == [control.SendFileRequest(who=BOB, path=str(path))]


def test_the_last_own_message_is_put_where_one_types() -> None:
    outcome, _, _ = carried_out("/edit")
    assert outcome.input == "/edit Nobody wants it."


def test_a_conversation_is_opened_by_name_and_by_room() -> None:
    assert carried_out("/room harbour")[0].open == "#harbour"
    outcome, asked, _ = carried_out("/dm Bob", "#lobby")
    assert asked == [control.ResolvePeerRequest(who="Bob")]
    assert outcome.open.startswith("@")


def test_what_was_deleted_here_is_gone_at_once() -> None:
    _, _, state = carried_out("/delete 1")
    assert all(each.lamport != 8 for each in state.conversations[BOB_KEY].messages())


def shown(typed: str, current: str = BOB_KEY) -> str:
    return "\n".join(map(plain, carried_out(typed, current)[0].rows))


def test_whoever_can_be_taken_for_somebody_else_is_marked_among_the_members() -> None:
    rows = shown("/who lobby").split("\n")
    marked = [each for each in rows if "the same name as somebody else here" in each]
    assert len(marked) == 2
    assert "Bob" in marked[0]
    assert "B\u043eb" in marked[1]


def test_what_is_missing_is_added_with_a_command_of_this_screen() -> None:
    assert "/mailbox add <link>" in shown("/mailbox list")
    assert "/contact add <link>" in shown("/contacts")
    assert "/join lobby" in shown("/rooms")
    assert "p2pchat mailboxes" not in shown("/mailbox list")


def test_one_message_is_not_called_messages() -> None:
    found = control.ForgetRoomResponse(messages=1)
    text = shown_with("/forget lobby", control.ForgetRoomRequest, found)
    assert "1 message of #lobby" in text


def test_the_node_and_its_parts_are_described_as_in_the_line_mode() -> None:
    details = actors.NodeDescription(
        peer=ME,
        name="ada",
        actors=[actors.ActorStatus(name="storage", restarts=2)],
        store=actors.StoreDescription(size_bytes=3 << 20, messages=7, path="store"),
    )
    details.transport.counters["dials"] = 5
    link = scene.link()
    info = scene.info()
    info.details.CopyFrom(details)
    link.answers[control.GetInfoRequest] = info
    link.answers[control.ListRoomsRequest] = control.ListRoomsResponse(
        rooms=[control.Room(name="den", messages=4, bytes=2048)]
    )
    errands = Errands(link, ChatState(scene.opening()), lambda: 60)
    outcome = asyncio.run(errands.carry_out(commands.parse("/info")))
    text = "\n".join(map(plain, outcome.rows))
    for words in ("0.1.0", "Reachable:", "Relays:", "DHT:", "3.0 MiB", "2 restarts", "dials: 5"):
        assert words in text
    assert "#den  4 messages stored, 2.0 KiB" in text
    assert outcome.title


def shown_with(typed: str, request: type[Message], answer: Message) -> str:
    link, state = scene.link(), ChatState(scene.opening())
    link.answers[request] = answer
    outcome = asyncio.run(Errands(link, state, lambda: 60).carry_out(commands.parse(typed)))
    return "\n".join(map(plain, outcome.rows))


@pytest.mark.parametrize("typed", ["/retract", "/retract 1", "/delete 1"])
def test_what_was_not_sent_is_taken_away_without_asking_the_node(typed: str) -> None:
    outcome, asked, failed, bob = with_unsent(typed, "That person is blocked.")
    assert asked == []
    assert outcome.rows
    assert bob.find(failed) is None


@pytest.mark.parametrize("typed", ["/retract", "/delete 1", "/edit better"])
def test_what_still_waits_for_the_node_is_left_and_that_is_said(typed: str) -> None:
    outcome, asked, waiting, bob = with_unsent(typed, "")
    assert asked == []
    assert "waits for the node" in plain(outcome.rows[0])
    assert bob.find(waiting) is not None


def with_unsent(typed: str, reason: str) -> tuple[Outcome, list[Message], str, Conversation]:
    """A text that waits, or with a reason one that was refused, is the last one in the conversation."""
    link, state = scene.link(), ChatState(scene.opening())
    state.people.be(ME, "ada")
    state.current = BOB_KEY
    bob = state.conversations[BOB_KEY]
    item = bob.pend(control.Message(conversation=scene.person(BOB), own=True, text="mine"))
    if reason:
        bob.fail(item, reason)
    errands = Errands(link, state, lambda: 60)
    outcome = asyncio.run(errands.carry_out(commands.parse(typed)))
    return outcome, link.asked, item.key, bob
