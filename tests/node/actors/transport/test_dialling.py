"""What the dialling half of transport does with the DHT and with connections for one question."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.transport.dialling import LOOK_UP_EVERY, Dialling
from p2pchat.node.actors.transport.passing import LINGER, Passing
from p2pchat.node.errors import DialError, RequestRejectedError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Network
from p2pchat.node.protocol.address_book import AddressBook
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors

OWN, PEER = (Identity(bytes([n]) * 32).peer for n in (1, 2))
GOOD, BAD = "/memory/1", "/memory/666"


@dataclass
class FakeNetwork:
    """Only `GOOD` leads anywhere."""

    dialled: list[list[str]] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        self.dialled.append(list(addresses))
        if GOOD not in addresses:
            raise DialError("nobody answers there")

    async def disconnect(self, peer: str) -> None:
        await trio.lowlevel.checkpoint()
        self.hung_up.append(peer)


class FakeDht(Actor):
    def __init__(self, knows: Sequence[str], asked: list[float]) -> None:
        self._knows = knows
        self._asked = asked

    @handles(actors.FindPeer)
    async def _find(self, query: actors.FindPeer) -> actors.PeerAddresses | actors.Rejected:
        self._asked.append(trio.current_time())
        if not self._knows:
            return actors.Rejected(reason=actors.UNKNOWN_PEER, detail="nobody knows")
        return actors.PeerAddresses(peer=query.peer, addresses=self._knows)


@dataclass
class Scene:
    network: FakeNetwork
    book: AddressBook
    dialling: Dialling
    asked: list[float]
    warnings: list[str]
    connected: set[str]


@asynccontextmanager
async def scene(knows: Sequence[str] = ()) -> AsyncIterator[Scene]:
    asked: list[float] = []
    warnings: list[str] = []
    connected: set[str] = set()
    network = FakeNetwork()
    book = AddressBook(OWN, random.Random(1))
    cell = ActorCell.of("dht", FakeDht, lambda: FakeDht(knows, asked))
    passing = Passing(cast(Network, network), lambda _: False)
    tree = Supervisor("root", [cell], rng=random.Random(1), root=True)
    async with trio.open_nursery() as nursery:
        dialling = Dialling(
            cast(Network, network),
            book,
            passing,
            dht=cell.ref,
            is_connected=connected.__contains__,
            spawn=nursery.start_soon,
            warn=warnings.append,
        )
        nursery.start_soon(tree.run)
        nursery.start_soon(dialling.run)
        nursery.start_soon(passing.run)
        yield Scene(network, book, dialling, asked, warnings, connected)
        nursery.cancel_scope.cancel()


async def test_who_is_not_where_he_was_is_looked_up(autojump_clock: MockClock) -> None:
    async with scene([BAD, GOOD]) as it:
        connect = actors.Connect(peer=PEER, addresses=[BAD], look_up=True)
        assert await it.dialling.connect(connect) == actors.Done()
    assert it.network.dialled == [[BAD], [GOOD]]


async def test_who_can_be_dialled_is_not_looked_up(autojump_clock: MockClock) -> None:
    async with scene([GOOD]) as it:
        await it.dialling.connect(actors.Connect(peer=PEER, addresses=[GOOD], look_up=True))
    assert it.asked == []


async def test_without_being_asked_nobody_is_looked_up(autojump_clock: MockClock) -> None:
    async with scene([GOOD]) as it:
        with pytest.raises(RequestRejectedError, match="nobody answers"):
            await it.dialling.connect(actors.Connect(peer=PEER, addresses=[BAD]))
    assert it.asked == []


async def test_somebody_who_is_away_is_not_looked_up_all_the_time(
    autojump_clock: MockClock,
) -> None:
    async with scene([]) as it:
        connect = actors.Connect(peer=PEER, addresses=[BAD], look_up=True)
        for _ in range(4):
            with pytest.raises(RequestRejectedError):
                await it.dialling.connect(connect)
            await trio.sleep(LOOK_UP_EVERY / 2)
    assert it.asked == [0.0, LOOK_UP_EVERY]


async def test_what_the_dht_knows_is_not_tried_twice(autojump_clock: MockClock) -> None:
    async with scene([BAD]) as it:
        with pytest.raises(RequestRejectedError):
            await it.dialling.connect(actors.Connect(peer=PEER, addresses=[BAD], look_up=True))
    assert it.network.dialled == [[BAD]]


async def test_a_connection_for_a_question_is_closed_again(autojump_clock: MockClock) -> None:
    async with scene() as it:
        await it.dialling.connect(actors.Connect(peer=PEER, addresses=[GOOD], passing=True))
        await trio.sleep(2 * LINGER)
    assert it.network.hung_up == [PEER]


async def test_a_connection_for_more_than_a_question_stays(autojump_clock: MockClock) -> None:
    async with scene() as it:
        await it.dialling.connect(actors.Connect(peer=PEER, addresses=[GOOD], passing=True))
        it.connected.add(PEER)
        await it.dialling.connect(actors.Connect(peer=PEER, addresses=[GOOD]))
        await trio.sleep(2 * LINGER)
    assert it.network.hung_up == []


async def test_the_first_failure_of_a_chosen_peer_is_told_and_it_is_tried_again(
    autojump_clock: MockClock,
) -> None:
    async with scene() as it:
        it.book.found(PEER, [BAD], actors.USER, trio.current_time())
        it.dialling.look()
        await trio.sleep(20)
    assert len(it.network.dialled) > 2
    assert it.warnings == [f"Cannot reach {BAD} yet: nobody answers there. It is tried again."]
