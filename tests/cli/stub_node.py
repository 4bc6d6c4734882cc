"""The real line mode before a node that is played: `python -m tests.cli.stub_node FOLDER`.

See test_line_mode_tmux.py.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from p2pchat.cli import main
from p2pchat.cli.terminal.program import run_line_mode
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ListenError, P2pchatError, UserError
from p2pchat.node.identity import Identity

ME = Identity(bytes(range(32)))
BOB = Identity(bytes(32))
EVE = Identity(bytes([1] * 32))

FrontEnd = Callable[[object], Awaitable[None]]


def load() -> Callable[..., Awaitable[None]]:
    """Imported late, as the real node is."""
    import trio

    from p2pchat.node.events import EventHub
    from p2pchat.node.runtime import ActorCell, Supervisor, handles
    from p2pchat.proto import actors_pb2 as actors
    from p2pchat.proto import records_pb2 as records
    from tests.cli.played_altering import PlayedAltering
    from tests.cli.played_delivery import Mail, PlayedDelivery

    hub = EventHub()
    mail = Mail(hub, {"Bob": BOB.peer, "Eve": EVE.peer})
    mail.befriend(BOB.peer, "Bob")

    def record(author: Identity, nick: str, text: str, room: str = "lobby") -> records.RoomRecord:
        found = records.RoomRecord()
        found.message.sender = author.peer_bytes
        found.message.nick = nick
        found.message.text = text
        found.message.room = room
        found.message.sent_at_ms = time.time_ns() // 1_000_000
        return found

    def arrived(*fresh: records.RoomRecord) -> None:
        hub.emit(actors.RoomMessagesArrived(room=fresh[0].message.room, records=fresh))

    class PlayedUi(PlayedDelivery, PlayedAltering):
        """Says back what Bob would, and does what `play ...` asks for."""

        def __init__(self) -> None:
            self.mail = mail
            self.name = "ada"
            self.rooms = {"lobby": False}
            self.said: list[records.RoomRecord] = []

        async def started(self) -> None:
            hub.emit(
                actors.Listening(peer=ME.peer, addresses=[f"/ip4/127.0.0.1/tcp/4001/p2p/{ME.peer}"])
            )
            hub.emit(actors.PeerNamed(peer=BOB.peer, name="Bob"))

        @handles(actors.PostText)
        async def _post(self, post: actors.PostText) -> actors.Posted:
            own = record(ME, self.name, post.text, post.room)
            self.said.append(own)
            arrived(own)
            if post.text.startswith("play "):
                self.spawn(self._play, post.text.removeprefix("play "))
            return actors.Posted(record=own, listeners=1)

        @handles(actors.FlushRooms)
        async def _flush(self, _: actors.FlushRooms) -> actors.Done:
            return actors.Done()

        async def _play(self, piece: str) -> None:
            if piece == "talk":
                for number in range(5):
                    await trio.sleep(0.1)
                    arrived(record(BOB, "Bob", f"line {number}"))
            elif piece == "flood":
                for number in range(200):
                    arrived(*(record(BOB, "Bob", f"flood {number}.{part}") for part in range(10)))
                    await trio.lowlevel.checkpoint()
            elif piece == "attack":
                evil = "\x1b[2J\x1b]0;owned\x07\x9b31mred\r[00:00:00] ada: fake\u202eedoc\n[00:00:00] ada: fake"
                arrived(record(BOB, "B\x1b[31mob\u202e", evil))
            elif piece == "elsewhere":
                arrived(record(BOB, "Bob", "over here", "garden"))
            elif piece == "whispers":
                mail.arrive(EVE.peer, "E\x1b[31mve", "psst\n\x1b[2J[00:00:00] Bob to you: fake")
                mail.arrive(BOB.peer, "Bob", "good morning")
            elif piece == "print":
                print("PRINTED", file=sys.stderr)

        @handles(actors.SendDirect)
        async def _send(self, post: actors.SendDirect) -> actors.DirectSent | actors.Rejected:
            sent = await self.take(post)
            if isinstance(sent, actors.DirectSent):
                self.spawn(self._bring_along, post, sent.record.id)
            return sent

        async def _bring_along(self, post: actors.SendDirect, message: bytes) -> None:
            """A text says itself how far it gets."""
            name = self._called(post.peer)
            if post.text.startswith("slow"):
                mail.change(post.peer, name, [message], records.SENDING)
                await trio.sleep(1)
                mail.change(post.peer, name, [message], records.STORED, stored=1, mailboxes=1)
                await trio.sleep(1)
            if not post.text.startswith("never"):
                mail.change(post.peer, name, [message], records.DELIVERED)

        @handles(actors.ListRooms)
        async def _list(self, _: actors.ListRooms) -> actors.RoomList:
            return actors.RoomList(
                rooms=[
                    actors.Room(name=name, plain=plain, subscribers=[BOB.peer])
                    for name, plain in self.rooms.items()
                ]
            )

        @handles(actors.JoinRoom)
        async def _join(self, join: actors.JoinRoom) -> actors.RoomJoined:
            plain = self.rooms.setdefault(join.room, join.plain)
            return actors.RoomJoined(room=join.room, plain=plain)

        @handles(actors.LeaveRoom)
        async def _leave(self, leave: actors.LeaveRoom) -> actors.RoomLeft:
            self.rooms.pop(leave.room)
            return actors.RoomLeft(room=leave.room)

        @handles(actors.SetName)
        async def _set_name(self, change: actors.SetName) -> actors.Done:
            self.name = change.name
            return actors.Done()

        @handles(actors.ReadHistory)
        async def _history(self, question: actors.ReadHistory) -> actors.HistoryPage:
            return actors.HistoryPage(records=self.said[-question.limit :])

        @handles(actors.ListConnections)
        async def _connections(self, _: actors.ListConnections) -> actors.ConnectionList:
            bob = actors.Connection(
                peer=BOB.peer, name="Bob", address="/ip4/1.2.3.4/tcp/4001", transport="tcp"
            )
            bob.rtt_ms = 12.3
            return actors.ConnectionList(connections=[bob, actors.Connection(peer="QmOther")])

        @handles(actors.DescribeNode)
        async def _describe(self, _: actors.DescribeNode) -> actors.NodeDescription:
            node = actors.NodeDescription(peer=ME.peer, name=self.name, uptime_ms=61_000)
            node.store.size_bytes = 2_000_000
            node.actors.add(name="storage", state="running", handled=3)
            node.transport.counters["streams reset"] = 2
            node.delivery.outbox = 1
            return node

    class LateUi(PlayedUi):
        async def started(self) -> None:
            await trio.sleep(float(os.environ.get("STUB_DELAY", "0")))
            if "STUB_FAILS" in os.environ:
                raise ListenError("Port 4001 is in use.")
            await super().started()

    async def run_node(
        config: NodeConfig, identity: Identity, front_end: Callable[[Any], Awaitable[None]]
    ) -> None:
        cell = ActorCell.of("ui", LateUi, LateUi)
        tree = Supervisor("root", [cell], root=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tree.run)  # a failure cancels the front end
            await front_end(SimpleNamespace(config=config, identity=identity, ui=cell.ref, hub=hub))
            tree.request_stop()

    return run_node


if __name__ == "__main__":
    try:
        run_line_mode(
            NodeConfig(data_dir=Path(sys.argv[1]), name="ada"),
            ME,
            color="NO_COLOR" not in os.environ,
            simple=os.environ.get("TERM") == "dumb",
            load=load,
        )
    except UserError as error:
        sys.exit(main.fail(str(error), main.EXIT_BAD_USE))
    except P2pchatError as error:
        sys.exit(main.fail(str(error), main.EXIT_FAILED))
