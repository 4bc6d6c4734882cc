"""A mailbox on the memory network and virtual time, and clients that speak its protocol word for word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from p2pchat.node.actors.storage import Runner, inline
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.app import Adapters
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import StreamError
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import custody, limits
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.runtime import ActorCell, ActorRef, Supervisor
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.app import MailboxAdapters, build_mailbox_tree
from p2pchat.relay_mailbox.config import MailboxConfig, RegistrationPolicy
from p2pchat.relay_mailbox.ports import Invites, MailStore
from tests.relay_mailbox.builders import START_MS, envelope, record_of

MAILBOX = Identity((9_000).to_bytes(32, "big"))
ADDRESS = "/memory/9000"
PATIENCE = 600.0  # seconds of virtual time until a test gives up waiting


@dataclass
class Clock:
    """The mailbox's wall clock: virtual time, and how far it is off."""

    off_ms: int = 0

    def __call__(self) -> int:
        return START_MS + round(trio.current_time() * 1000) + self.off_ms


def open_mailbox(**options: object) -> MailboxConfig:
    """A configuration under which everybody may register."""
    node = NodeConfig(Path("/nowhere"), bootstrap=(), mdns=False)
    config = MailboxConfig(node, registration=RegistrationPolicy.OPEN)
    return replace(config, **options)  # type: ignore[arg-type]


@dataclass
class Scene:
    """One mailbox on a hub. `start` and `stop` it as often as you like: its store stays."""

    config: MailboxConfig = field(default_factory=open_mailbox)
    mail: MailStore = field(default_factory=MemoryMail)
    run_mail: Runner = inline
    hub: MemoryHub = field(default_factory=MemoryHub)
    clock: Clock = field(default_factory=Clock)
    clients: list[MailClient] = field(default_factory=list)
    invites: Invites | None = None  # where they are kept; None: here

    def __post_init__(self) -> None:
        self.network = MemoryNetwork(
            self.hub, MAILBOX.peer, [ADDRESS], self.config.node.limits, relay=self.config.node.relay
        )
        self.tree: Supervisor | None = None

    @property
    def memory(self) -> MemoryMail:
        assert isinstance(self.mail, MemoryMail)
        return self.mail

    def cell(self, name: str) -> ActorCell:
        assert self.tree is not None
        return next(cell for cell in self.tree.cells() if cell.name == name)

    @property
    def operator(self) -> ActorRef:
        return self.cell("operator").ref

    async def describe(self) -> actors.MailboxDescription:
        return await self.operator.ask(actors.DescribeMailbox(), actors.MailboxDescription)

    async def counter(self, name: str) -> int:
        return (await self.describe()).counters[name]

    async def start(self, nursery: trio.Nursery) -> None:
        node = Adapters(self.network, MemoryStore(), None, inline, now_ms=self.clock)
        adapters = MailboxAdapters(node, self.mail, self.run_mail, self.invites)
        self.tree = build_mailbox_tree(self.config, MAILBOX, adapters, EventHub())
        await nursery.start(self.tree.run)

    async def stop(self) -> None:
        assert self.tree is not None
        self.tree.request_stop()
        while any(cell.state != "stopped" for cell in self.tree.cells()):
            await trio.sleep(0.05)

    async def client(self, nursery: trio.Nursery, number: int, register: bool = True) -> MailClient:
        """A connected peer with one stream to the mailbox."""
        identity = Identity(number.to_bytes(32, "big"))
        network = MemoryNetwork(self.hub, identity.peer)
        await nursery.start(network.run)
        client = MailClient(identity, network)
        self.clients.append(client)
        await client.connect()
        if register:
            assert (await client.register()).WhichOneof("reply") == "registered"
        return client


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        await scene.start(nursery)
        with trio.fail_after(PATIENCE):
            yield nursery
        await scene.stop()
        nursery.cancel_scope.cancel()


@dataclass
class MailClient:
    """One peer, and the stream that it uses at the moment."""

    identity: Identity
    network: MemoryNetwork
    line: Stream = field(init=False)

    @property
    def peer(self) -> bytes:
        return self.identity.peer_bytes

    async def connect(self) -> None:
        await self.network.dial(MAILBOX.peer, [ADDRESS])
        await self.open()

    async def open(self) -> Stream:
        """One more stream, used from now on."""
        self.line = await self.network.open_stream(MAILBOX.peer, limits.MAILBOX_PROTOCOL)
        return self.line

    async def send(self, **request: object) -> None:
        message = mailbox.MailboxRequest(**request)  # type: ignore[arg-type]
        await self.line.write(frame(message.SerializeToString()))

    async def receive(self) -> mailbox.MailboxReply:
        return mailbox.MailboxReply.FromString(await self.line.read_frame(limits.FRAME_LIMIT))

    async def register(self, token: str = "", sequence: int = 1) -> mailbox.MailboxReply:
        record = record_of(self.identity, sequence)
        await self.send(register=mailbox.Register(token=token, record=record))
        return await self.receive()

    async def unregister(self, record: wire.MailboxRecord | None = None) -> None:
        await self.send(unregister=mailbox.Unregister(record=record))
        assert (await self.receive()).WhichOneof("reply") == "unregistered"

    async def look_up(self, peer: bytes) -> wire.MailboxRecord | None:
        await self.send(lookup=mailbox.Lookup(peer=peer))
        found = (await self.receive()).found
        assert found.peer == peer
        return found.record if found.HasField("record") else None

    async def deposit(self, *envelopes: wire.Envelope) -> mailbox.MailboxReply:
        """The first answer: custody of what is kept, else a refusal."""
        await self.send(deposit=mailbox.Deposit(envelopes=envelopes))
        return await self.receive()

    async def custody(self, *envelopes: wire.Envelope) -> mailbox.Custody:
        """For all of them; the mailbox's signature is checked."""
        reply = await self.deposit(*envelopes)
        assert reply.WhichOneof("reply") == "custody", reply
        assert custody.verify(reply.custody, MAILBOX.peer_bytes)
        assert list(reply.custody.ids) == [envelope_id(one) for one in envelopes]
        return reply.custody

    async def refusal(self, *envelopes: wire.Envelope) -> mailbox.Refused:
        """Of all of them, for one reason."""
        reply = await self.deposit(*envelopes)
        assert reply.WhichOneof("reply") == "refused", reply
        assert sorted(reply.refused.ids) == sorted(envelope_id(one) for one in envelopes)
        return reply.refused

    async def collect(self, window: int = 256) -> None:
        await self.send(collect=mailbox.Collect(window=window))

    async def ack(self, *ids: bytes) -> None:
        await self.send(ack=mailbox.Ack(ids=ids))

    async def hand_over(self) -> list[wire.Envelope]:
        reply = await self.receive()
        assert reply.WhichOneof("reply") == "hand_over", reply
        return list(reply.hand_over.envelopes)

    async def until_caught_up(self) -> list[wire.Envelope]:
        """Acknowledge everything as it comes."""
        got: list[wire.Envelope] = []
        while True:
            reply = await self.receive()
            if reply.WhichOneof("reply") == "caught_up":
                return got
            assert reply.WhichOneof("reply") == "hand_over", reply
            got += reply.hand_over.envelopes
            await self.ack(*map(envelope_id, reply.hand_over.envelopes))

    async def collect_all(self, window: int = 256) -> list[int]:
        """The numbers of what was there."""
        await self.collect(window)
        return numbers(await self.until_caught_up())

    async def until_reset(self) -> None:
        """Read until the stream fails."""
        try:
            while True:
                await self.receive()
        except StreamError:
            return


def numbers(envelopes: Sequence[wire.Envelope]) -> list[int]:
    return [int.from_bytes(one.ciphertext[-8:], "big") for one in envelopes]


def to(client: MailClient, *wanted: int, size: int = 100) -> list[wire.Envelope]:
    """Envelopes with these numbers for that client."""
    return [envelope(number, client.peer, size=size) for number in wanted]
