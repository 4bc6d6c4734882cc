"""Servers of the DHT that lie, flood or fall silent: what they can do is bounded, and the honest ones are found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.dht import finding
from p2pchat.node.actors.dht.questions import DIAL_TIMEOUT, QUERY_TIMEOUT
from p2pchat.node.actors.dht.walks import LOOKUP_TIMEOUT
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol import limits, mailbox_record
from p2pchat.node.protocol.framing import encode_uvarint, frame
from p2pchat.node.protocol.kad import keys
from p2pchat.node.protocol.kad.limits import ANSWER_LIMIT, K
from p2pchat.node.protocol.kad.lookup import MAX_ASKED
from p2pchat.proto import kad_pb2 as kad
from tests.node.actors.dht.dht_stage import (
    EPOCH_MS,
    DhtHost,
    identity,
    record_of,
    running,
    settled,
)
from tests.node.actors.dht.liars import Liar, Lie, Reply, entry

Type = kad.Message.Type
SOON = 15.0  # seconds
NOWHERE = "/memory/999999"


@asynccontextmanager
async def among(
    *lies: Lie, honest: int = 1
) -> AsyncIterator[tuple[DhtHost, list[DhtHost], list[Liar]]]:
    """A node that has met servers of which some lie; the honest ones know each other."""
    hub = MemoryHub()
    node = DhtHost(hub, 1)
    servers = [DhtHost(hub, 10 + number, server=True) for number in range(honest)]
    liars = [Liar(hub, 50 + number, lie) for number, lie in enumerate(lies)]
    async with running(node, *servers), trio.open_nursery() as nursery:
        for liar in liars:
            await nursery.start(liar.run)
            await node.network.dial(liar.peer, [f"/memory/{liar.number}"])
        for server in servers:
            await node.meet(server)
            await server.meet(servers[0]) if server is not servers[0] else None
        await trio.sleep(SOON)
        node.dialled.clear()
        yield node, servers, liars
        nursery.cancel_scope.cancel()


def empty(request: kad.Message) -> kad.Message:
    """As a server that knows nobody."""
    return kad.Message(type=request.type, key=request.key)


def of_itself(request: kad.Message) -> Reply:
    reply = empty(request)
    reply.closer_peers.append(entry(50))
    return reply


def of_thousands(request: kad.Message) -> Reply:
    reply = empty(request)
    for number in range(1000, 3000):
        reply.closer_peers.append(entry(number, NOWHERE))
        reply.provider_peers.append(entry(number, NOWHERE))
    return reply


def of_too_much(request: kad.Message) -> Reply:
    return frame(b"\x2a" * (ANSWER_LIMIT + 1))


def of_garbage(request: kad.Message) -> Reply:
    return frame(b"\xff" * 100)


def half_a_frame(request: kad.Message) -> Reply:
    return encode_uvarint(1000) + b"half"


def of_another_question(request: kad.Message) -> Reply:
    return kad.Message(type=Type.PING, key=request.key)


def silence(request: kad.Message) -> Reply:
    return None


def addresses_without_end(request: kad.Message) -> Reply:
    reply = empty(request)
    reply.closer_peers.append(entry(777, *(f"/memory/{n}" for n in range(5000, 7000))))
    return reply


BAD = [
    of_itself,
    of_thousands,
    of_too_much,
    of_garbage,
    half_a_frame,
    of_another_question,
    silence,
    addresses_without_end,
]


@pytest.mark.parametrize("lie", BAD)
async def test_one_liar_keeps_nothing_from_being_found(autojump_clock: MockClock, lie: Lie) -> None:
    async with among(lie, honest=3) as (node, servers, _):
        member = DhtHost(node.hub, 2)
        async with running(member):
            await member.meet(servers[0])
            await member.provide("talk")
            await member.publish(record_of(2))
            await trio.sleep(SOON)
            assert (await node.find_providers("talk", 1000))[member.peer] == ["/memory/2"]
            assert await node.find_record(2) == record_of(2)
            assert await node.find_peer(member) == ["/memory/2"]


@pytest.mark.parametrize("lie", BAD)
async def test_a_liar_alone_is_got_over_in_time(autojump_clock: MockClock, lie: Lie) -> None:
    async with among(lie, honest=0) as (node, _, liars):
        began, asked = trio.current_time(), len(liars[0].asked)
        with pytest.raises(RequestRejectedError):
            await node.find_record(2)
        assert trio.current_time() - began <= LOOKUP_TIMEOUT
        assert len(liars[0].asked) <= asked + 2  # with what was going on anyway
        assert len(node.dialled) <= MAX_ASKED


async def test_thousands_of_peers_are_not_dialled(autojump_clock: MockClock) -> None:
    async with among(of_thousands) as (node, _, _):
        found = await node.find_providers("talk", limit=10**6)
        assert len(found) <= finding.PROVIDERS_IN_ANSWER
        assert len(node.dialled) <= K
        about = await node.describe()
        assert about.table == 2  # nobody is taken in on hearsay


async def test_providers_that_many_name_come_first(autojump_clock: MockClock) -> None:
    async with among(of_thousands, honest=4) as (node, servers, _):
        member = DhtHost(node.hub, 2)
        async with running(member):
            await member.meet(servers[0])
            await member.provide("talk")
            await trio.sleep(SOON)
            assert list(await node.find_providers("talk", limit=1)) == [member.peer]


async def test_providers_without_end_are_bounded(autojump_clock: MockClock) -> None:
    """Every one of many liars names others."""
    made = iter(range(10_000, 10**6))

    def of_new_ones(request: kad.Message) -> Reply:
        reply = empty(request)
        for _ in range(finding.PROVIDERS_IN_ANSWER):
            reply.provider_peers.append(entry(next(made), NOWHERE))
        return reply

    async with among(*[of_new_ones] * 8, honest=0) as (node, _, _):
        assert len(await node.find_providers("talk", 10**6)) == finding.MAX_PROVIDERS


async def test_wrong_records_are_counted_and_not_returned(autojump_clock: MockClock) -> None:
    def somebody_elses(request: kad.Message) -> Reply:
        reply = empty(request)
        value = record_of(3, sequence=99).SerializeToString()
        reply.record.CopyFrom(kad.Record(key=request.key, value=value))
        return reply

    def forged(request: kad.Message) -> Reply:
        reply = empty(request)
        record = record_of(2)
        record.sequence = 99
        reply.record.CopyFrom(kad.Record(key=request.key, value=record.SerializeToString()))
        return reply

    def under_another_key(request: kad.Message) -> Reply:
        reply = empty(request)
        value = record_of(2, sequence=99).SerializeToString()
        reply.record.CopyFrom(kad.Record(key=b"/p2pchat/x", value=value))
        return reply

    async with among(somebody_elses, forged, under_another_key) as (node, servers, _):
        with pytest.raises(RequestRejectedError):
            await node.find_record(2)
        member = DhtHost(node.hub, 2)
        async with running(member):
            await member.meet(servers[0])
            await member.publish(record_of(2))
            await trio.sleep(SOON)
        assert await node.find_record(2) == record_of(2)
        assert (await node.describe()).counters["bad_records"] >= 6


async def test_a_record_that_has_ended_is_not_believed(autojump_clock: MockClock) -> None:
    ended = record_of(2)
    ended.expires_at_ms = EPOCH_MS - 2 * limits.CLOCK_GRACE_MS
    mailbox_record.sign(ended, identity(2).private_key)

    def ended_one(request: kad.Message) -> Reply:
        reply = empty(request)
        value = ended.SerializeToString()
        reply.record.CopyFrom(kad.Record(key=request.key, value=value))
        return reply

    async with among(ended_one) as (node, _, _):
        with pytest.raises(RequestRejectedError):
            await node.find_record(2)


async def test_an_older_record_does_not_win(autojump_clock: MockClock) -> None:
    def outdated(request: kad.Message) -> Reply:
        reply = empty(request)
        if request.key == keys.record_key(identity(2).peer_bytes):
            value = record_of(2, sequence=1).SerializeToString()
            reply.record.CopyFrom(kad.Record(key=request.key, value=value))
        return reply

    async with among(outdated, outdated) as (node, servers, liars):
        member = DhtHost(node.hub, 2)
        async with running(member):
            await member.meet(servers[0])
            await member.publish(record_of(2, sequence=2))
            await trio.sleep(SOON)
        assert await node.find_record(2) == record_of(2, sequence=2)
        await settled()
        last = liars[0].asked[-1]  # it is told what is newer
        assert last.type == Type.PUT_VALUE
        assert last.record.value == record_of(2, sequence=2).SerializeToString()


async def test_a_false_address_does_not_hide_the_true_one(autojump_clock: MockClock) -> None:
    def elsewhere(request: kad.Message) -> Reply:
        reply = empty(request)
        reply.closer_peers.append(entry(2, NOWHERE))
        return reply

    async with among(elsewhere) as (node, servers, _):
        member = DhtHost(node.hub, 2)
        async with running(member):
            await member.meet(servers[0])
            await trio.sleep(SOON)
            assert set(await node.find_peer(member)) == {NOWHERE, "/memory/2"}


async def test_who_is_looked_for_is_not_asked(autojump_clock: MockClock) -> None:
    async with among() as (node, servers, _):
        member = DhtHost(node.hub, 2)
        async with running(member):
            await member.meet(servers[0])
            await trio.sleep(SOON)
            await node.find_peer(member)
            assert node.dialled == []


async def test_nobody_makes_us_knock_at_our_own_machine(autojump_clock: MockClock) -> None:
    def at_home(request: kad.Message) -> Reply:
        reply = empty(request)
        reply.closer_peers.append(entry(2, "/ip4/127.0.0.1/tcp/22"))
        return reply

    async with among(at_home) as (node, _, _):
        with pytest.raises(RequestRejectedError):
            await node.find_peer(DhtHost(node.hub, 2))
        assert await node.find_providers("talk") == {}
        assert node.dialled == []


async def test_one_that_never_answers_is_left(autojump_clock: MockClock) -> None:
    async with among(silence, honest=0) as (node, _, _):
        began = trio.current_time()
        assert await node.find_providers("talk") == {}
        assert trio.current_time() - began <= DIAL_TIMEOUT + QUERY_TIMEOUT
        assert (await node.describe()).counters["unanswered"]


async def test_a_liar_leaves_no_streams_behind(autojump_clock: MockClock) -> None:
    async with among(silence, of_garbage, half_a_frame, of_too_much) as (node, _, liars):
        for _ in range(20):
            await node.find_providers("talk")
        await node.stop()  # in the midst of whatever it does
        await settled()
        for liar in liars:
            for end in [*liar.network._ends.values(), *node.network._ends.values()]:
                assert len(end.streams) == 0
