"""Strangers who send wild frames to a mailbox or a node, and honest clients who go on meanwhile.

Everything a vandal sends is settled by the books: each frame ends in answers or in the reset of its stream, and the
counters of the other side must say the same. A stream that ends in the middle of a frame is no fault that could be
told from a lost connection, and is not counted.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import trio

from p2pchat.node.actors.delivery.assembly import wall_clock
from p2pchat.node.actors.storage import inline
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.app import Adapters, build_tree
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import StreamError
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import custody, limits
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.runtime import Supervisor
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.app import MailboxAdapters, build_mailbox_tree
from tests.relay_mailbox.builders import envelope, record_of
from tests.relay_mailbox.rig import open_mailbox
from tests.simulation.nodes import SimulatedNode
from tests.soak.wild_frames import Dialect, Frame, Wild, deliver_dialect, mailbox_dialect

VANDALS = 4  # at a time
PLENTY = 1e9  # of a rate that is not what is tried here
NOBODY = Identity(b"n" * 32).peer_bytes
WARM_UP = 0.2  # of all frames come before memory is measured
FRIENDS_PAUSE = 0.2  # seconds
LATER_MS = 2_000_000_000_000  # Unix milliseconds; 2033
# Cancel scopes. Trio itself keeps up to 1,000 of those that had a deadline, until it tidies up.
MAY_STAY = 1_500
MAY_GROW = (
    48 << 20
)  # bytes of resident memory from then on; what is sent meanwhile is many times that


class Place(Protocol):
    """Where it happens."""

    def network(self, identity: Identity, *, listens: bool = False) -> Network: ...


class MemoryPlace:
    """On virtual time."""

    def __init__(self) -> None:
        self._hub = MemoryHub()

    def network(self, identity: Identity, *, listens: bool = False) -> Network:
        addresses = [f"/memory/{int.from_bytes(identity.seed[:4], 'big')}"] if listens else []
        return MemoryNetwork(self._hub, identity.peer, addresses)


class LoopbackPlace:
    """Real libp2p."""

    def network(self, identity: Identity, *, listens: bool = False) -> Network:
        return Libp2pNetwork(identity, ["/ip4/127.0.0.1/tcp/0"])


@dataclass
class Books:
    """What became of everything that was sent."""

    frames: Counter[str] = field(default_factory=Counter)  # by kind
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: int = 0  # frames
    sent_bytes: int = 0

    def enter(self, thrown: Frame) -> None:
        self.frames[thrown.kind] += 1
        self.broken += thrown.broken
        self.sent_bytes += len(thrown.data)

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.frames.items()))
        outcomes = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.outcomes.items()))
        total = sum(self.frames.values())
        return f"{total:,} frames, {self.sent_bytes >> 20:,} MiB ({kinds}); answered: {outcomes}"


def who(number: int) -> Identity:
    return Identity(number.to_bytes(4, "big") * 8)


MAILBOX, NODE, ALICE, BOB, CAROL = map(who, (1, 2, 3, 4, 5))
MALLORIES = [who(100 + number) for number in range(VANDALS)]


class Line:
    """A stream to one peer, opened again when it is gone."""

    def __init__(self, network: Network, target: Network, protocol: str) -> None:
        self._network = network
        self._target = target
        self._protocol = protocol
        self.stream: Stream

    async def open(self) -> None:
        while True:
            try:
                await self._network.dial(self._target.peer, self._target.listen_addresses())
                self.stream = await self._network.open_stream(self._target.peer, self._protocol)
                return
            except StreamError:
                await trio.sleep(0.01)

    async def send(self, **request: object) -> None:
        message = mailbox.MailboxRequest(**request)  # type: ignore[arg-type]
        await self.stream.write(frame(message.SerializeToString()))

    async def receive(self) -> mailbox.MailboxReply:
        return mailbox.MailboxReply.FromString(await self.stream.read_frame(limits.FRAME_LIMIT))


class Vandal:
    """Throws frames, and writes down what becomes of each."""

    def __init__(self, line: Line, wild: Wild, books: Books) -> None:
        self._line = line
        self._wild = wild
        self._books = books

    async def throw(self, frames: int, pause: float) -> None:
        """One after the other, `pause` seconds between them."""
        await self._line.open()
        for _ in range(frames):
            await self._throw(self._wild.frame())
            await trio.sleep(pause)
        await self._line.stream.close()

    async def _throw(self, thrown: Frame) -> None:
        try:
            await self._line.stream.write(thrown.data)
            if thrown.cut:
                await self._line.stream.reset()
                raise StreamError("cut off")
            await self._settle(thrown)
        except StreamError:
            self._books.outcomes["cut off" if thrown.cut else "reset"] += 1
            await self._line.open()
        self._books.enter(thrown)

    async def _settle(self, thrown: Frame) -> None:
        """Wait for everything that comes of a frame. Raises `StreamError` when that is a reset."""
        raise NotImplementedError


@dataclass
class Footprint:
    """What is in memory, without garbage."""

    resident: int  # bytes
    scopes: int  # cancel scopes: of tasks, streams and everything that waits

    @classmethod
    def now(cls) -> Footprint:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        scopes = sum(isinstance(each, trio.CancelScope) for each in gc.get_objects())
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), scopes)

    def check_growth(self, books: Books) -> None:
        """Since this one."""
        after = Footprint.now()
        books.outcomes["KiB grown"] = (after.resident - self.resident) >> 10
        assert after.resident - self.resident < MAY_GROW
        assert after.scopes - self.scopes < MAY_STAY


async def _flood(vandals: Sequence[Vandal], frames: int, pause: float, books: Books) -> None:
    """Memory is measured from the point on where everything has been seen."""
    for part in (WARM_UP, 1 - WARM_UP):
        async with trio.open_nursery() as nursery:
            for vandal in vandals:
                nursery.start_soon(vandal.throw, round(frames * part) // len(vandals), pause)
        if part == WARM_UP:
            before = Footprint.now()
    before.check_growth(books)


# ---- a mailbox ------------------------------------------------------------------------------------------


class MailVandal(Vandal):
    """A frame is worked off when a deposit behind it is answered, and all that is in it."""

    def __init__(self, line: Line, wild: Wild, books: Books) -> None:
        super().__init__(line, wild, books)
        self._probe = mailbox.Deposit(envelopes=[envelope(0, NOBODY)])

    async def _settle(self, thrown: Frame) -> None:
        await self._line.send(deposit=self._probe)
        request = _request_in(thrown)
        missing = 1 + len(request.deposit.envelopes)
        while missing:
            missing -= self._enter(await self._line.receive())
        self._books.outcomes["ids acknowledged"] += len(request.ack.ids)

    def _enter(self, reply: mailbox.MailboxReply) -> int:
        """How many envelopes it answers."""
        outcomes = self._books.outcomes
        match kind := str(reply.WhichOneof("reply")):
            case "custody":
                assert custody.verify(reply.custody, MAILBOX.peer_bytes)
                outcomes["custody"] += len(reply.custody.ids)
                return len(reply.custody.ids)
            case "refused":
                reason = mailbox.Refusal.Name(reply.refused.reason).lower()
                outcomes[f"refused_{reason}"] += max(1, len(reply.refused.ids))
                return len(reply.refused.ids)
            case _:
                outcomes[kind] += 1
        return 0


def _request_in(thrown: Frame) -> mailbox.MailboxRequest:
    """As an honest reader finds it; an empty one when there is none to be found."""
    try:
        return mailbox.MailboxRequest.FromString(thrown.body)
    except Exception:
        return mailbox.MailboxRequest()


class Friends:
    """Alice leaves mail for Bob, who is there and gets it, for as long as this runs."""

    def __init__(self, alice: Line, bob: Line) -> None:
        self.delivered = 0
        self.acknowledged = 0  # vandals' mail for Bob, too
        self._alice = alice
        self._bob = bob

    async def run(self, pause: float) -> None:
        """Until cancelled. Raises `StreamError` when one of them is troubled."""
        while True:
            mail = envelope(self.delivered, BOB.peer_bytes, expires_at_ms=LATER_MS)
            await self._alice.send(deposit=mailbox.Deposit(envelopes=[mail]))
            reply = await self._alice.receive()
            assert list(reply.custody.ids) == [envelope_id(mail)], reply
            while not await self._bob_gets(mail):
                pass
            self.delivered += 1
            await trio.sleep(pause)

    async def _bob_gets(self, mail: wire.Envelope) -> bool:
        """Whether it was in the next that he is handed; vandals write to him, too."""
        handed = (await self._bob.receive()).hand_over.envelopes
        if handed:
            self.acknowledged += len(handed)
            await self._bob.send(ack=mailbox.Ack(ids=map(envelope_id, handed)))
        return mail in handed


async def _registered(line: Line, identity: Identity) -> Line:
    await line.open()
    await line.send(register=mailbox.Register(record=record_of(identity)))
    assert (await line.receive()).WhichOneof("reply") == "registered"
    return line


async def flood_a_mailbox(place: Place, frames: int, seed: int, pause: float) -> Books:
    books = Books()
    config = open_mailbox(
        deposit_rate=PLENTY, request_rate=PLENTY, request_burst=1_000_000, max_streams_per_peer=64
    )
    target = place.network(MAILBOX, listens=True)
    adapters = Adapters(target, MemoryStore(), None, inline)
    tree = build_mailbox_tree(
        config, MAILBOX, MailboxAdapters(adapters, MemoryMail(), inline), EventHub()
    )
    operator = next(cell.ref for cell in tree.cells() if cell.name == "operator")

    async def describe() -> actors.MailboxDescription:
        return await operator.request(actors.DescribeMailbox(), actors.MailboxDescription)

    async with _running(tree) as nursery:
        await describe()

        async def line(identity: Identity) -> Line:
            network = place.network(identity)
            await nursery.start(network.run)
            return Line(network, target, limits.MAILBOX_PROTOCOL)

        alice, bob = [await _registered(await line(who), who) for who in (ALICE, BOB)]
        await bob.send(collect=mailbox.Collect(window=limits.MAX_WINDOW))
        await (await _registered(await line(CAROL), CAROL)).stream.close()
        vandals = [
            MailVandal(await line(mallory), Wild(_mailbox_words(mallory), seed + number), books)
            for number, mallory in enumerate(MALLORIES)
        ]
        friends = Friends(alice, bob)
        async with trio.open_nursery() as company:
            company.start_soon(friends.run, FRIENDS_PAUSE)
            await _flood(vandals, frames, pause, books)
            company.cancel_scope.cancel()
        while (status := await describe()).streams > 2:  # those of the friends
            await trio.sleep(0.01)
        assert all(cell.restarts == 0 for cell in tree.cells())
        _check_mailbox(status.counters, books, friends)
    return books


def _check_mailbox(counters: Mapping[str, int], books: Books, friends: Friends) -> None:
    """The other side's counters say what the books say."""
    outcomes = books.outcomes
    _check_resets(counters["frames_malformed"], counters["frames_refused"], books)
    for name in (f"refused_{reason.lower()}" for reason in mailbox.Refusal.keys()):  # noqa: SIM118
        assert counters[name] == outcomes[name], name
    kept = counters["deposits_kept"] + counters["deposits_repeated"]
    assert kept - outcomes["custody"] - friends.delivered in (0, 1)  # one may have been under way
    assert counters["acknowledged"] <= outcomes["ids acknowledged"] + friends.acknowledged
    assert friends.delivered


def _check_resets(malformed: int, refused: int, books: Books) -> None:
    assert malformed == books.outcomes["reset"] - books.broken, str(books)
    assert refused == books.broken


def _mailbox_words(mallory: Identity) -> Dialect:
    recipients = [NOBODY, mallory.peer_bytes, BOB.peer_bytes, CAROL.peer_bytes]
    return mailbox_dialect(mallory, recipients, LATER_MS)


@asynccontextmanager
async def _running(*trees: Supervisor) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        for tree in trees:
            await nursery.start(tree.run)
        yield nursery
        for tree in trees:
            tree.request_stop()
        for tree in trees:
            while any(cell.state != "stopped" for cell in tree.cells()):
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


# ---- a node ---------------------------------------------------------------------------------------------


class DeliverVandal(Vandal):
    """Every frame has one answer, with a verdict on each envelope."""

    async def _settle(self, thrown: Frame) -> None:
        body = await self._line.stream.read_frame(limits.FRAME_LIMIT)
        verdicts = wire.DeliverAnswer.FromString(body).verdicts
        assert len(verdicts) == len(wire.Deliver.FromString(thrown.body).envelopes)
        self._books.outcomes.update(wire.Verdict.Name(verdict).lower() for verdict in verdicts)


def _node(place: Place, identity: Identity, name: str) -> SimulatedNode:
    network, events, store = place.network(identity, listens=True), EventHub(), MemoryStore()
    config = NodeConfig(Path("/nowhere"), name=name, bootstrap=(), mdns=False)
    tree = build_tree(config, identity, Adapters(network, store, None, inline), events)
    return SimulatedNode(identity, network, store, tree, events, events.open())  # type: ignore[arg-type]


async def _write_on(alice: SimulatedNode, bob: SimulatedNode) -> None:
    """Alice writes to Bob, and he sees it, for as long as this runs."""
    number = 0
    while True:
        number += 1
        await alice.write(bob.identity.peer, f"friend {number}")
        while not any(letter.text == f"friend {number}" for letter in bob.letters[-100:]):
            await trio.sleep(0.01)
        await trio.sleep(FRIENDS_PAUSE)


async def flood_a_node(place: Place, frames: int, seed: int, pause: float) -> Books:
    books = Books()
    bob, alice = _node(place, NODE, "Bob"), _node(place, ALICE, "Alice")
    async with _running(bob.tree, alice.tree) as nursery:
        for node in (bob, alice):
            nursery.start_soon(node.watch)
        await alice.add_contact(await bob.link())
        await bob.add_contact(ALICE.peer)
        words = deliver_dialect(MALLORIES, NODE, wall_clock(), seed)
        vandals = []
        for number, mallory in enumerate(MALLORIES):
            network = place.network(mallory)
            await nursery.start(network.run)
            line = Line(network, bob.network, limits.DELIVER_PROTOCOL)
            vandals.append(DeliverVandal(line, Wild(words, seed + number), books))
        async with trio.open_nursery() as company:
            company.start_soon(_write_on, alice, bob)
            await _flood(vandals, frames, pause, books)
            company.cancel_scope.cancel()
        described = await bob.ui.request(actors_pb2.DescribeNode(), actors_pb2.NodeDescription)
        assert all(cell.restarts == 0 for cell in bob.tree.cells())
        _check_node(described, books)
        assert any(letter.text.startswith("friend") for letter in bob.letters)
    return books


def _check_node(described: actors_pb2.NodeDescription, books: Books) -> None:
    counters, outcomes = described.delivery.counters, books.outcomes
    refused = described.transport.counters["frames_refused"]
    _check_resets(counters["malformed_frames"], refused, books)
    limited = counters["rate_limited"] + counters["strangers_limited"]
    assert limited == outcomes["try_later"]
    for verdict in map(str.lower, wire.Verdict.keys()):
        if verdict not in ("accepted", "try_later"):
            assert counters[f"envelopes_{verdict}"] == outcomes[verdict], verdict
