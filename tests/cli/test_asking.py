"""The commands that ask a running node, and show what it answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import main, running_node
from p2pchat.proto import control_pb2 as control
from tests.cli.commands import EVIL, Commands, commands
from tests.cli.played_control import BOB, ME, SENT_AT, Refuse, in_room, to_bob

__all__ = ["commands"]

COMMANDS = [
    ["send", "--room", "a", "hello"],
    ["history", "--room", "a"],
    ["search", "word"],
    ["edit", "--room", "a", "b", "c"],
    ["retract", "--room", "a", "b"],
    ["delete", "--room", "a", "b"],
    ["tail", "--follow"],
    ["tail", "--json"],
    ["peers"],
    ["rooms"],
    ["rooms", "join", "a"],
    ["rooms", "leave", "a"],
    ["rooms", "members", "a"],
    ["rooms", "mute", "a"],
    ["rooms", "unmute", "a"],
    ["contacts"],
    ["contacts", "add", "a"],
    ["contacts", "rename", "a", "b"],
    ["contacts", "remove", "a"],
    ["contacts", "block", "a"],
    ["contacts", "unblock", "a"],
    ["contacts", "blocked"],
    ["contacts", "mute", "a"],
    ["contacts", "unmute", "a"],
    ["contacts", "verify", "a"],
    ["files"],
    ["files", "accept", "a"],
    ["files", "decline", "a"],
    ["files", "cancel", "a"],
    ["mailboxes"],
    ["mailboxes", "add", "a"],
    ["mailboxes", "remove", "1"],
    ["info"],
    ["name"],
    ["link"],
    ["export"],
    ["shutdown"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_a_node_each_says_so(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([*words, "--data-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"p2pchat: No node is running on {tmp_path}.\n"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = [word for word in words[:2] if word.isalpha() and len(word) > 1 and word != "word"]
    assert main.run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: p2pchat {' '.join(path)}" in shown
    assert "For example: p2pchat" in shown


SIMPLE: list[tuple[list[str], control.Message | Any]] = [
    (["rooms", "join", "a", "--plain"], control.JoinRoomRequest(room="a", plain=True)),
    (["rooms", "leave", "a"], control.LeaveRoomRequest(room="a")),
    (["rooms", "leave", "#a"], control.LeaveRoomRequest(room="a")),
    (["rooms", "leave", "##a"], control.LeaveRoomRequest(room="#a")),
    (["contacts", "add", "x", "--name", "B"], control.AddContactRequest(who="x", name="B")),
    (["contacts", "rename", "x", "B"], control.RenameContactRequest(who="x", name="B")),
    (["contacts", "remove", "x"], control.RemoveContactRequest(who="x")),
    (["contacts", "block", "x"], control.BlockPeerRequest(who="x")),
    (["contacts", "unblock", "x"], control.UnblockPeerRequest(who="x")),
    (["files", "accept", "x"], control.AcceptFileRequest(transfer="x")),
    (["files", "decline", "x"], control.DeclineFileRequest(transfer="x")),
    (["files", "cancel", "x"], control.CancelTransferRequest(transfer="x")),
    (["mailboxes", "remove", "1"], control.RemoveMailboxRequest(which="1")),
    (["shutdown"], control.ShutdownRequest()),
]


@pytest.mark.parametrize(
    ("words", "request_"), SIMPLE, ids=lambda each: " ".join(each) if isinstance(each, list) else ""
)
def test_a_command_asks_for_what_it_says(
    commands: Commands, words: list[str], request_: Any
) -> None:
    done = commands.run(*words)
    assert done.code == 0
    assert done.out
    assert commands.node.asked == [request_]
    assert isinstance(commands.run(*words, "--json").json, dict)
    first, *rest = words
    assert isinstance(commands.run(first, "--json", *rest).json, dict)


def test_the_folder_behind_the_command_counts(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PCHAT_DATA_DIR", "/nowhere")
    there = str(commands.folder)
    assert main.run(["rooms", "--data-dir", there, "leave", "a"]) == 0
    assert main.run(["rooms", "--data-dir", "/x", "leave", "a", "--data-dir", there]) == 0
    assert main.run(["rooms", "leave", "a"]) == 2
    monkeypatch.setenv("P2PCHAT_DATA_DIR", there)
    assert main.run(["rooms", "leave", "a"]) == 0


def test_refused(commands: Commands) -> None:
    def refuse(_: Any) -> control.LeaveRoomResponse:
        raise Refuse("You are not in #a.")

    commands.node.answers["LeaveRoom"] = refuse
    assert commands.run("rooms", "leave", "a").code == running_node.NOT_REACHED
    assert commands.run("rooms", "leave", "a").err == "p2pchat: You are not in #a.\n"


def test_advice_is_in_the_words_of_the_command_line(commands: Commands) -> None:
    def refuse(_: Any) -> control.LeaveRoomResponse:
        raise Refuse(
            "Nobody called '/peers' is known. /contacts lists whom you know (/peers: now)."
        )

    commands.node.answers["LeaveRoom"] = refuse
    assert commands.run("rooms", "leave", "a").err == (
        "p2pchat: Nobody called '/peers' is known. p2pchat contacts lists whom you know "
        "(p2pchat peers: now).\n"
    )


def test_a_room_may_be_written_as_it_is_shown(commands: Commands) -> None:
    for words in (
        ["history", "--room", "#a"],
        ["search", "x", "--room", "#a"],
        ["send", "--room", "#a", "x"],
        ["retract", "--room", "#a", "1"],
        ["rooms", "members", "#a"],
        ["rooms", "mute", "#a"],
    ):
        commands.node.asked.clear()
        commands.run(*words)
        asked: Any = commands.node.asked[0]
        has_place = "conversation" in asked.DESCRIPTOR.fields_by_name
        assert (asked.conversation.room if has_place else asked.room) == "a", words


# ---- history ------------------------------------------------------------------------------------------


def test_history(commands: Commands) -> None:
    said = [
        in_room("hello\nworld"),
        in_room("changed", 2, edited_at_ms=1),
        in_room("", 3, retracted=True),
        in_room("", 4, file=control.File(name="../a\x1b", size=2_048, transfer="ff")),
        in_room("raw", 5, sender="", name="x", unsigned=True),
    ]
    page = control.ReadHistoryResponse(
        conversation=said[0].conversation, messages=said, cursor="abc"
    )
    commands.node.answers["ReadHistory"] = page
    done = commands.run("history", "--room", "lobby", "--limit", "5", "--before", "xyz")
    assert commands.node.asked == [control.ReadHistoryRequest(room="lobby", limit=5, before="xyz")]
    day, first, second, *others = done.out.splitlines()
    assert day.startswith("--- ")
    assert first.endswith(": hello")
    assert second == "    world"
    assert [line.partition(": ")[2] for line in others] == [
        "changed (edited)",
        "taken back",
        "file ../a␛, 2.0 KiB, transfer ff",
        "raw",
    ]
    assert others[3].endswith("x (unsigned): raw")
    assert done.err == "p2pchat: There are older ones: --before abc\n"
    found = commands.run("history", "--room", "lobby", "--json").json
    assert found["cursor"] == "abc"
    assert found["messages"][2]["retracted"] is True
    assert found["messages"][0]["delivery"] is None


def test_history_with_somebody_shows_how_far_messages_are(commands: Commands) -> None:
    stored = to_bob("hello", control.STORED)
    stored.delivery.stored, stored.delivery.mailboxes = 1, 1
    refused = to_bob("again", control.REFUSED)
    refused.delivery.reason = f"{EVIL} says no"
    commands.node.answers["ReadHistory"] = control.ReadHistoryResponse(messages=[stored, refused])
    shown = commands.run("history", "--with", "Bob").out
    assert "hello [stored by 1 of 1 mailbox]" in shown
    assert "again [refused: E␛[2Jve�␇ says no]" in shown


def test_a_long_text_is_cut_for_people_only(commands: Commands) -> None:
    message = in_room("z" * 65_536)
    commands.node.answers["ReadHistory"] = control.ReadHistoryResponse(messages=[message])
    shown = commands.run("history", "--room", "lobby").out
    assert shown.count("z") == 2_000
    assert "... (63,536 more characters; --json shows all)" in shown
    [whole] = commands.run("history", "--room", "lobby", "--json").json["messages"]
    assert whole["text"] == message.text


def test_to_search_for_signs_is_wrong_use(commands: Commands) -> None:
    done = commands.run("search", "!!!")
    assert (done.code, commands.node.asked) == (2, [])
    assert "p2pchat search harbour" in done.err


def test_search(commands: Commands) -> None:
    found = control.SearchResponse(messages=[in_room("newer", 2), in_room("older")], waiting=3)
    commands.node.answers["Search"] = found
    done = commands.run("search", "two", "words", "--with", "Bob")
    assert commands.node.asked == [control.SearchRequest(words="two words", limit=20, who="Bob")]
    assert [line.partition(": ")[2] for line in done.out.splitlines()[1:]] == ["older", "newer"]
    assert "#lobby" in done.out
    assert "3 stored messages are not in the index yet" in done.err
    assert commands.run("search", "x", "--json").json["messages"][0]["text"] == "newer"


@pytest.mark.parametrize(
    "words",
    [
        ["history"],
        ["history", "--room", "a", "--with", "b"],
        ["history", "--room", "a", "--limit", "0"],
        ["search"],
        ["search", "x", "--limit", "101"],
        ["contacts", "rename", "x"],
        ["rooms", "joni", "x"],
    ],
)
def test_bad_use(commands: Commands, words: list[str]) -> None:
    done = commands.run(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


# ---- lists --------------------------------------------------------------------------------------------


def test_peers(commands: Commands) -> None:
    peers = [
        control.Peer(peer=ME, address="/ip4/1.2.3.4/tcp/1", transport="tcp"),
        control.Peer(peer=BOB, name=EVIL, relayed=True, relay=ME, rtt_ms=12.34, outbound=True),
    ]
    commands.node.answers["ListPeers"] = control.ListPeersResponse(peers=peers)
    head, bob, other = commands.run("peers").out.splitlines()
    assert head.split() == ["Peer", "Way", "Transport", "Round", "trip", "Address"]
    assert bob.startswith("E␛[2Jve�␇ (")
    assert "relay …" in bob
    assert "12.3 ms" in bob
    assert "direct" in other
    assert bob.index("relay") == other.index("direct") == head.index("Way")
    assert commands.run("peers", "--json").json["peers"][1]["rtt_ms"] == 12.34


def test_rooms(commands: Commands) -> None:
    rooms = [
        control.Room(name="lobby", joined=True, listeners=2, messages=1_234, bytes=2_048),
        control.Room(name="宇宙", plain=True, keep_days=0, muted=True),
        control.Room(name="old", keep_days=1),
    ]
    commands.node.answers["ListRooms"] = control.ListRoomsResponse(rooms=rooms)
    head, lobby, space, old = commands.run("rooms").out.splitlines()
    assert lobby.split() == ["#lobby", "2", "1,234", "2.0", "KiB", "as", "the", "node", "is", "set"]
    # Two characters that take four columns.
    assert space.index("not joined") + 2 == head.index("Listeners")
    assert space.endswith("plain: unsigned, muted")
    assert "1 day" in old
    found = commands.run("rooms", "--json").json["rooms"]
    assert [each["keep_days"] for each in found] == [None, 0, 1]


def test_members(commands: Commands) -> None:
    members = [control.Member(peer=ME, name="ada", self=True), control.Member(peer=BOB)]
    commands.node.answers["ListMembers"] = control.ListMembersResponse(members=members)
    done = commands.run("rooms", "members", "lobby")
    assert done.out.splitlines()[1].endswith("you")
    assert "by way of others" in done.out


def test_contacts(commands: Commands) -> None:
    bob = control.Contact(
        peer=BOB, name="Bob", given_name="Bob", nick=EVIL, verified=True, missed=2, waiting=1
    )
    commands.node.answers["ListContacts"] = control.ListContactsResponse(contacts=[bob])
    shown = commands.run("contacts").out
    assert "verified, not added by you, no mailbox, 1 not delivered yet, 2 not seen" in shown
    assert "calls itself E␛[2Jve�␇" in shown
    assert commands.run("contacts", "--json").json["contacts"][0]["nick"] == EVIL


def test_blocked(commands: Commands) -> None:
    peers = [control.BlockedPeer(peer=BOB, name="Bob", since_ms=SENT_AT)]
    commands.node.answers["ListBlockedPeers"] = control.ListBlockedPeersResponse(peers=peers)
    assert commands.run("contacts", "blocked").out == f"{BOB}  Bob\n"
    found = commands.run("contacts", "blocked", "--json").json["peers"]
    assert found == [{"peer": BOB, "name": "Bob", "since_ms": SENT_AT}]


def test_files(commands: Commands) -> None:
    transfer = control.Transfer(
        id="ab" * 16,
        peer=BOB,
        name="Bob",
        file_name=f"../{EVIL}.txt",
        size=1_000,
        done=450,
        state=control.RUNNING,
    )
    commands.node.answers["ListTransfers"] = control.ListTransfersResponse(transfers=[transfer])
    shown = commands.run("files").out
    assert "running, 45 %" in shown
    assert "\x1b" not in shown
    assert commands.run("files", "--json").json["transfers"][0]["state"] == "running"


def test_mailboxes(commands: Commands) -> None:
    mailbox = control.OwnMailbox(peer=BOB, connected=True, problem="It is full.")
    commands.node.answers["ListMailboxes"] = control.ListMailboxesResponse(mailboxes=[mailbox])
    commands.node.answers["AddMailbox"] = control.AddMailboxResponse(mailbox=mailbox)
    assert commands.run("mailboxes").out.splitlines()[1].endswith("It is full.")
    done = commands.run("mailboxes", "add", "link")
    assert (done.code, done.out) == (1, "")
    assert "not registered yet: It is full." in done.err
    mailbox.registered = True
    commands.node.answers["AddMailbox"] = control.AddMailboxResponse(mailbox=mailbox)
    assert commands.run("mailboxes", "add", "link").code == 0


@pytest.mark.parametrize("command", [["peers"], ["rooms"], ["contacts"], ["files"], ["mailboxes"]])
def test_empty_lists_say_so(commands: Commands, command: list[str]) -> None:
    done = commands.run(*command)
    assert done.code == 0
    assert done.out.startswith("* ")


# ---- the node itself ----------------------------------------------------------------------------------


def test_info(commands: Commands) -> None:
    commands.node.answers["GetInfo"] = control.GetInfoResponse(
        peer=ME, name="ada", uptime_ms=61_000, addresses=["/ip4/1.2.3.4/tcp/1"], outbox=1
    )
    shown = commands.run("info").out
    assert "Up for         1 min 1 s" in shown
    assert "Not delivered  1 message\n" in shown
    found = commands.run("info", "--json").json
    assert found["uptime_ms"] == 61_000
    assert found["details"] is None


def test_name(commands: Commands) -> None:
    commands.node.answers["GetInfo"] = control.GetInfoResponse(name="ada")
    assert commands.run("name").out == "ada\n"
    assert commands.run("name", " Ada L. ", "--json").json == {"name": "Ada L."}
    assert commands.node.questions(control.SetNameRequest) == [
        control.SetNameRequest(name=" Ada L. ")
    ]


def test_link(commands: Commands) -> None:
    commands.node.answers["GetLink"] = control.GetLinkResponse(link=f"p2pchat:{ME}")
    assert commands.run("link", "--no-qr").out == f"p2pchat:{ME}\n"
    assert commands.run("link", "--json").json == {"link": f"p2pchat:{ME}"}
    shown = commands.run("link")
    drawn = shown.out.splitlines()
    assert drawn[0] == f"p2pchat:{ME}"
    assert len(drawn) > 10
    assert not shown.err


@pytest.mark.parametrize(("lines", "is_told"), [(15, True), (80, False)])
def test_a_code_higher_than_the_terminal_says_how_to_do_without(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, lines: int, is_told: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    commands.node.answers["GetLink"] = control.GetLinkResponse(link=f"p2pchat:{ME}")
    assert ("p2pchat link --no-qr" in commands.run("link").err) == is_told


# ---- characters, and what is loaded -------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["send", "--room", "a", "\udcff"],
        ["history", "--room", "\udcff"],
        ["rooms", "join", "\udcff"],
        ["contacts", "add", "\udcff"],
    ],
)
def test_what_is_no_text_is_wrong_use(commands: Commands, words: list[str]) -> None:
    done = commands.run(*words)
    assert (done.code, done.out) == (2, "")
    assert "no text in UTF-8" in done.err
    assert commands.node.asked == []


def test_json_is_whole_where_the_terminal_knows_few_characters(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_node, "speaks_utf_8", lambda: False)
    commands.node.answers["GetInfo"] = control.GetInfoResponse(name="Zoë 🌊")
    done = commands.run("name", "--json")
    assert done.out.isascii()
    assert done.json == {"name": "Zoë 🌊"}


def test_nothing_slow_is_loaded_before_there_is_a_node_to_ask(tmp_path: Path) -> None:
    look = (
        "import sys; from p2pchat.cli import main;"
        f"main.run(['send', '--room', 'a', 'hello', '--data-dir', {str(tmp_path)!r}]);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    slow = {"trio", "libp2p", "multiaddr", "rocksdict", "google", "grpc", "rich", "zeroconf"}
    assert not slow & set(done.stdout.split())
