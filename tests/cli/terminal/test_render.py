from __future__ import annotations

import unicodedata
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli import times
from p2pchat.cli.terminal import greeting, render, render_info
from p2pchat.cli.terminal.lines import Line, plain
from p2pchat.cli.terminal.render import MessageView
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ME = Identity(bytes(range(32)))
BOB = Identity(bytes(32))
NOON = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
VIEW = MessageView(ME.peer, UTC)


def record(text: str, nick: str = "Bob", at: int = NOON, who: Identity = BOB) -> records.RoomRecord:
    found = records.RoomRecord()
    found.message.sender = who.peer_bytes
    found.message.nick = nick
    found.message.text = text
    found.message.sent_at_ms = at
    found.message.room = "lobby"
    return found


def texts(lines: list[Line]) -> list[str]:
    return [plain(line) for line in lines]


def test_a_message() -> None:
    assert texts(VIEW.message(record("Hi"))) == ["[22:13:20] Bob (…x6nXTN): Hi"]


def test_a_message_from_another_room_names_it() -> None:
    (shown,) = texts(VIEW.message(record("Hi"), elsewhere=True))
    assert shown == "#lobby [22:13:20] Bob (…x6nXTN): Hi"


def test_a_second_line_cannot_look_like_a_message() -> None:
    first, second = texts(VIEW.message(record("Hi\n[22:13:21] Ada (…dBfeSB): me too")))
    assert first.endswith(": Hi")
    assert second == "    [22:13:21] Ada (…dBfeSB): me too"


def test_a_nameless_message_of_a_plain_room() -> None:
    assert texts(VIEW.message(record("Hi", nick=""))) == ["[22:13:20] (…x6nXTN): Hi"]
    knowing = MessageView(ME.peer, UTC, {BOB.peer: "Bob"})
    assert texts(knowing.message(record("Hi", nick=""))) == ["[22:13:20] Bob (…x6nXTN): Hi"]


def test_a_time_that_no_clock_shows() -> None:
    assert texts(VIEW.message(record("Hi", at=2**64 - 1)))[0].startswith("[--:--:--] Bob")


def test_history_has_a_line_for_each_day() -> None:
    day = 24 * 3600 * 1000
    page = [record("one"), record("two", at=NOON + 1000), record("three", at=NOON + day)]
    assert texts(list(VIEW.history(page))) == [
        "--- Tuesday, 14 November 2023 ---",
        "[22:13:20] Bob (…x6nXTN): one",
        "[22:13:21] Bob (…x6nXTN): two",
        "--- Wednesday, 15 November 2023 ---",
        "[22:13:20] Bob (…x6nXTN): three",
    ]


def test_a_late_message_has_its_day_unless_it_came_on_it() -> None:
    late = record("Hi")
    assert texts(VIEW.message(late, late=True)) == ["[22:13:20] Bob (…x6nXTN): Hi"]
    late.received_at_ms = NOON + 60_000
    assert texts(VIEW.message(late, late=True)) == ["[22:13:20] Bob (…x6nXTN): Hi"]
    late.received_at_ms = NOON + 24 * 3600 * 1000
    assert texts(VIEW.message(late, late=True)) == ["[Tue 14 Nov 2023 22:13:20] Bob (…x6nXTN): Hi"]


def test_info_about_rooms() -> None:
    node = actors.NodeDescription(peer=ME.peer)
    node.sync.counters["sessions"] = 4
    node.sync.rooms.add(room="den", last_ms=NOON, fetched=12)
    node.sync.rooms.add(room="attic", running=True)
    node.sync.rooms.add(room="new")
    usage = [actors.RoomUsage(room="den", messages=1234, bytes=2**20), actors.RoomUsage(room="old")]
    shown = texts(list(render_info.info(node, usage)))
    time = render.clock(times.when(NOON, None))
    assert "Rooms:      #attic  being compared with another member" in shown
    assert (
        f"            #den  1,234 messages stored, 1.0 MiB; compared at {time}, 12 fetched" in shown
    )
    assert "            #new  not compared with anybody yet" in shown
    assert not any("#old" in line for line in shown)  # only a setting is left of it
    assert "  sessions: 4" in shown


def test_peers_with_a_hint_when_there_are_none() -> None:
    shown = texts(list(render.peers([], actors.Room(name="lobby"), {})))
    assert "Nobody is connected" in shown[0]
    assert "same room name" in shown[1]


def test_peers_that_chat_come_with_everything_that_is_known() -> None:
    bob = actors.Connection(
        peer=BOB.peer, name="Bob", address="/ip4/1.2.3.4/tcp/1", transport="tcp", rtt_ms=1.26
    )
    room = actors.Room(name="lobby", subscribers=[BOB.peer, ME.peer])
    stranger = actors.Connection(peer="QmStranger")
    assert texts(list(render.peers([stranger, bob], room, {BOB.peer: "Bob"}))) == [
        "* 1 chat peer connected, and 1 peer that does not chat:",
        "  Bob (…x6nXTN)  /ip4/1.2.3.4/tcp/1  direct, tcp, in, round trip 1.3 ms",
        "* 2 other peers in #lobby:",
        "  Bob (…x6nXTN)",
        "  (…dBfeSB)",
    ]


def heading(*connections: actors.Connection) -> str:
    return texts(list(render.peers(connections, None, {})))[0]


def test_the_heading_of_peers_leaves_out_who_is_not_there() -> None:
    bob = actors.Connection(peer=BOB.peer, name="Bob")
    strangers = [actors.Connection(peer=f"Qm{number}") for number in range(2)]
    assert heading(bob) == "* 1 chat peer connected:"
    assert heading(bob, *strangers) == "* 1 chat peer connected, and 2 peers that do not chat:"
    assert heading(*strangers) == "* Connected to 2 peers that do not chat."


def test_addresses_that_most_can_use_come_first() -> None:
    best_first = [
        "/ip4/192.168.1.4/tcp/4711",
        "/ip6/2001:db8::4/tcp/4711",
        "/ip4/192.168.1.4/udp/4711/quic-v1",
        "/ip4/127.0.0.1/tcp/4711",
        "/ip6/::1/tcp/4711",
        "/ip4/127.0.0.1/udp/4711/quic-v1",
    ]
    assert render.most_useful(reversed(best_first)) == best_first
    shown = texts(render.listening(reversed(best_first)))
    assert shown == [f"* Listening on {address}" for address in best_first]


def test_a_command_is_echoed_on_one_line() -> None:
    assert plain(render.echo("ada>", "/rooms")) == "ada> /rooms"
    assert plain(render.echo("ada>", "/a\nb")) == "ada> /a…"
    assert len(plain(render.echo("ada>", "/" + "x" * 60_000))) < 300


def test_info_of_a_node_that_is_half_down() -> None:
    node = actors.NodeDescription(peer=ME.peer, name="ada", uptime_ms=3_725_000)
    node.actors.add(name="storage", state="restarting", restarts=2, drops=1, queue=7, handled=9)
    shown = "\n".join(texts(list(render_info.info(node))))
    assert "Up for:     1 h 2 min" in shown
    assert "not listening yet" in shown
    assert "Store:      no answer" in shown
    assert "Reachable:  not known\n" in shown
    assert "Relays:     none\n" in shown
    assert "DHT:        switched off, or no answer\n" in shown
    assert "restarting, 9 messages handled, 2 restarts, 1 drop, 0 stalls, 7 waiting" in shown
    assert "Counters" not in shown


def test_info_about_the_way_in() -> None:
    node = actors.NodeDescription(peer=ME.peer)
    found = node.reachability
    found.reachability, found.yes, found.no = actors.PRIVATE, 1, 4
    found.observed.append("9.9.9.9")
    found.punches, found.punched, found.relays = 3, 2, True
    found.counters["holes given up"] = 1
    found.reservations.add(relay=BOB.peer, mailbox=True, held=True, seconds_left=3540)
    found.reservations.add(relay=ME.peer, connected=True, problem="It is full.")
    found.reservations.add(relay=ME.peer)
    node.dht.table, node.dht.server, node.dht.records, node.dht.provided = 12, True, 2, 1
    node.dht.topics, node.dht.record, node.dht.counters["refused"] = 1, True, 3
    shown = texts(list(render_info.info(node)))
    assert (
        "Reachable:  not directly: behind a router or firewall (1 could connect, 4 could not), seen as 9.9.9.9, "
        "holes punched 2 of 3 times"
    ) in shown
    assert (
        "Relays:     …x6nXTN (mailbox) for 59 min; …dBfeSB: It is full; …dBfeSB: not connected; "
        "carries connections for others"
    ) in shown
    assert (
        "DHT:        12 peers known, answers others, keeps 3 records for others, "
        "1 own room to be found there, own mailboxes told"
    ) in shown
    assert "  holes given up: 1" in shown
    assert "  dht_refused: 3" in shown


def test_info_about_what_is_not_known_yet() -> None:
    node = actors.NodeDescription(peer=ME.peer)
    node.reachability.upnp = node.reachability.wants_relays = True
    node.dht.SetInParent()
    shown = texts(list(render_info.info(node)))
    assert "Reachable:  not known yet, UPnP: no answer yet" in shown
    assert "Relays:     none yet" in shown
    assert "DHT:        0 peers known, asks only" in shown
    node.reachability.upnp_problem = "No router answers."
    node.reachability.reachability = actors.PUBLIC
    node.reachability.reservations.add(relay=BOB.peer, connected=True)
    shown = texts(list(render_info.info(node)))
    nearby = "directly from the same network; from outside: not known"
    assert f"Reachable:  {nearby}, UPnP: No router answers." in shown
    assert "Relays:     …x6nXTN: nothing reserved yet" in shown
    node.reachability.mapped.append("/ip4/9.9.9.9/tcp/1")
    assert "Reachable:  directly, the router lets in /ip4/9.9.9.9/tcp/1" in texts(
        list(render_info.info(node))
    )


def test_info_leaves_counters_out_that_are_zero() -> None:
    node = actors.NodeDescription(peer=ME.peer)
    node.transport.counters.update({"streams reset": 3, "frames refused": 0})
    shown = texts(list(render_info.info(node)))
    assert "  streams reset: 3" in shown
    assert not any("frames refused" in line for line in shown)


def test_sizes_and_durations() -> None:
    assert [render.size(n) for n in (0, 1023, 2048, 5 * 2**20, 3 * 2**40)] == [
        "0 bytes",
        "1,023 bytes",
        "2.0 KiB",
        "5.0 MiB",
        "3,072.0 GiB",
    ]
    assert [render.duration(n) for n in (0, 59, 61, 90_061)] == [
        "0 s",
        "59 s",
        "1 min 1 s",
        "1 d 1 h",
    ]


def _has_controls(lines: list[Line]) -> bool:
    return any(
        unicodedata.category(character) in ("Cc", "Zl", "Zp")
        for line in lines
        for character in plain(line)
    )


anything = st.text(st.characters(exclude_categories=["Cs"]))


@given(anything, anything, anything)
def test_nothing_that_strangers_choose_moves_the_cursor(text: str, nick: str, room: str) -> None:
    hostile = record(text, nick)
    hostile.message.room = room
    connection = actors.Connection(peer=nick, name=nick, address=text, transport=room)
    assert not _has_controls(VIEW.message(hostile, elsewhere=True))
    assert not _has_controls(list(VIEW.history([hostile])))
    assert not _has_controls(list(render.peers([connection], actors.Room(name=room), {})))
    assert not _has_controls(list(render.rooms([actors.Room(name=room)], room)))
    assert not _has_controls(render.notice(actors.Notice(text=text)))
    assert not _has_controls(render.listening([text]))
    assert not _has_controls([render.echo(greeting.prompt(nick, room), text)])
    assert not _has_controls(
        [
            render.connected(nick, text),
            render.disconnected(nick, text),
            render.renamed(nick, text, room),
            render.joined(room, plain=True),
            render.also_in(room, plain=True),
        ]
    )
    assert not _has_controls(greeting.banner(nick, text, room, [text]))


def test_relays_are_named_and_their_addresses_left_out() -> None:
    relay = "12D3KooWQXRL37LdcJFwV2ueaDNN7H2FUAPJh9aJRij89VSxZBa1"
    circuits = [f"/ip4/198.51.100.{n}/tcp/4001/p2p/{relay}/p2p-circuit/p2p/me" for n in (1, 2)]
    lines = [plain(each) for each in render.listening([*circuits, "/ip4/192.168.1.7/tcp/1"])]
    assert lines == [
        "* Listening on /ip4/192.168.1.7/tcp/1",
        "* Others can come in through the relay …SxZBa1",
    ]
