from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import mailbox_record, multiaddrs, seal
from p2pchat.node.protocol.kad import keys
from p2pchat.node.protocol.kad.keys import distance, position, topic_key
from p2pchat.node.protocol.kad.limits import ADDRESSES, ANSWER_LIMIT, KEY_BYTES, K
from p2pchat.node.protocol.kad.ourselves import Ourselves
from p2pchat.node.protocol.kad.peers import KadPeer, from_wire
from p2pchat.node.protocol.kad.providers import ProviderStore
from p2pchat.node.protocol.kad.records import RecordRules, RecordStore
from p2pchat.node.protocol.kad.server import KadServer, RefusedError
from p2pchat.node.protocol.kad.table import RoutingTable
from p2pchat.node.protocol.kad.whereabouts import Whereabouts
from p2pchat.proto import kad_pb2 as kad
from p2pchat.proto import wire_pb2 as wire
from tests.node.protocol.kad.kad_builders import OWN, on_wire, peer, peer_bytes

Type = kad.Message.Type
ALICE = Identity(b"a" * 32)
ASKER = peer_bytes(4711)
TOPIC = topic_key("talk")
HERE = "/ip4/203.0.113.1/tcp/4001"
NOW_MS = 1_790_000_000_000


class Scene:
    """A server that knows nobody yet."""

    def __init__(self) -> None:
        self.ourselves = Ourselves(OWN, lambda: [HERE])
        self.table = RoutingTable(OWN)
        self.records = RecordStore(OWN, RecordRules())
        self.providers = ProviderStore(OWN, random.Random(1))
        self.whereabouts = Whereabouts()
        self.server = KadServer(
            self.ourselves, self.table, self.records, self.providers, self.whereabouts
        )

    def ask(self, request: kad.Message, sender: bytes = ASKER) -> kad.Message:
        reply = self.server.answer(sender, request, 1.0, NOW_MS)
        assert reply is not None
        assert reply.type == request.type
        return reply

    def find(self, key: bytes, sender: bytes = ASKER) -> list[KadPeer]:
        reply = self.ask(kad.Message(type=Type.FIND_NODE, key=key), sender)
        return from_wire(reply.closer_peers, 1000)

    def get(self, key: bytes) -> kad.Message:
        return self.ask(kad.Message(type=Type.GET_VALUE, key=key))

    def provide(self, key: bytes, *said: KadPeer, sender: bytes = ASKER) -> None:
        message = kad.Message(type=Type.ADD_PROVIDER, key=key, provider_peers=map(on_wire, said))
        assert self.server.answer(sender, message, 1.0, NOW_MS) is None

    def providers_of(self, key: bytes) -> list[KadPeer]:
        reply = self.ask(kad.Message(type=Type.GET_PROVIDERS, key=key))
        return from_wire(reply.provider_peers, 1000)

    def knows(self, count: int) -> list[KadPeer]:
        everybody = [peer(number) for number in range(1, count + 1)]
        for each in everybody:
            self.table.heard(each, "", 0.0)
        return [each for each in everybody if each.peer in self.table]


def put(key: bytes, value: bytes) -> kad.Message:
    return kad.Message(type=Type.PUT_VALUE, key=key, record=kad.Record(key=key, value=value))


def record(sequence: int = 1) -> bytes:
    made = wire.MailboxRecord(
        peer=ALICE.peer_bytes, seal_key=bytes(seal.PUBLIC_KEY_BYTES), sequence=sequence
    )
    mailbox_record.sign(made, ALICE.private_key)
    return made.SerializeToString()


KEY = keys.record_key(ALICE.peer_bytes)

# ---- who is where ----------------------------------------------------------------------------------------


def test_the_nearest_to_any_key_are_named() -> None:
    scene = Scene()
    everybody = scene.knows(60)
    nearest = sorted(everybody, key=lambda p: distance(position(p.peer), position(TOPIC)))[:K]
    assert scene.find(TOPIC) == nearest
    assert from_wire(scene.get(TOPIC).closer_peers, 100) == nearest


def test_who_asks_is_not_told_of_himself() -> None:
    scene = Scene()
    someone = scene.knows(5)[0]
    assert someone not in scene.find(TOPIC, sender=someone.peer)
    assert someone not in scene.find(someone.peer, sender=someone.peer)


def test_we_say_where_we_are() -> None:
    scene = Scene()
    scene.knows(3)
    assert scene.find(OWN)[0] == KadPeer(OWN, (HERE,))
    assert all(each.peer != OWN for each in scene.find(TOPIC))


def test_a_peer_that_is_in_no_table_is_named_when_it_is_looked_for() -> None:
    scene = Scene()
    scene.knows(40)
    client = peer(999)
    scene.whereabouts.identified(client, 0.0)
    found = scene.find(client.peer)
    assert found[0] == client
    assert len(found) == K
    assert client not in scene.find(TOPIC)


def test_a_peer_in_the_table_is_named_once() -> None:
    scene = Scene()
    someone = scene.knows(5)[0]
    assert [each.peer for each in scene.find(someone.peer)].count(someone.peer) == 1


def test_those_that_do_not_answer_are_not_named() -> None:
    scene = Scene()
    someone = scene.knows(5)[0]
    scene.table.failed(someone.peer, 1.0, connected=False)
    assert someone not in scene.find(TOPIC)


def test_of_a_provider_only_its_own_addresses_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, read = Scene(), list[bytes]()

    def from_bytes(data: bytes) -> str:
        read.append(data)
        return HERE

    monkeypatch.setattr(multiaddrs, "from_bytes", from_bytes)
    crowd = [peer(number) for number in range(1, K)]
    scene.provide(TOPIC, *crowd, peer(4711))
    assert read == multiaddrs.all_to_bytes(peer(4711).addresses)


# ---- records ---------------------------------------------------------------------------------------------


def test_a_record_is_kept_and_given() -> None:
    scene = Scene()
    scene.knows(3)
    reply = scene.ask(put(KEY, record()))
    assert reply.record.value == record()  # others take that for yes
    given = scene.get(KEY)
    assert given.record.key == KEY
    assert given.record.value == record()
    assert given.record.time_received == "2026-09-21T14:13:20Z"
    assert len(given.closer_peers) == 3


def test_no_record_is_no_error() -> None:
    assert not Scene().get(KEY).HasField("record")


def test_our_own_record_is_given_although_nobody_has_put_it() -> None:
    scene = Scene()
    scene.ourselves.record = wire.MailboxRecord(peer=OWN, sequence=5)
    given = scene.get(keys.record_key(OWN)).record
    assert wire.MailboxRecord.FromString(given.value).sequence == 5
    assert given.time_received


def test_older_and_wrong_records_are_refused() -> None:
    scene = Scene()
    scene.ask(put(KEY, record(2)))
    other = kad.Message(type=Type.PUT_VALUE, key=KEY, record=kad.Record(key=b"k", value=record(9)))
    for request in (
        put(KEY, record(1)),
        put(KEY, b"garbage"),
        put(KEY, b""),
        put(b"/pk/abc", record(9)),
        other,
        kad.Message(type=Type.PUT_VALUE, key=KEY),
    ):
        with pytest.raises(RefusedError):
            scene.server.answer(ASKER, request, 1.0, NOW_MS)
    assert scene.get(KEY).record.value == record(2)


# ---- providers -------------------------------------------------------------------------------------------


def test_who_provides_is_found() -> None:
    scene = Scene()
    me = KadPeer(ASKER, ("/ip4/10.0.0.5/tcp/5",))
    scene.provide(TOPIC, me)
    assert scene.providers_of(TOPIC) == [me]
    assert scene.find(ASKER, sender=peer_bytes(1)) == [me]


def test_nobody_speaks_for_others() -> None:
    scene = Scene()
    with pytest.raises(RefusedError):
        scene.provide(TOPIC, peer(1), peer(2))
    me = KadPeer(ASKER, ("/ip4/10.0.0.5/tcp/5",))
    scene.provide(TOPIC, peer(1), me)
    assert scene.providers_of(TOPIC) == [me]
    assert scene.find(peer_bytes(1)) == []


def test_who_is_nowhere_provides_nothing() -> None:
    scene = Scene()
    for request in (
        kad.Message(type=Type.ADD_PROVIDER, key=TOPIC),
        kad.Message(type=Type.ADD_PROVIDER, key=TOPIC, provider_peers=[on_wire(KadPeer(ASKER))]),
        kad.Message(
            type=Type.ADD_PROVIDER, key=b"k" * 81, provider_peers=[on_wire(KadPeer(ASKER, (HERE,)))]
        ),
    ):
        with pytest.raises(RefusedError):
            scene.server.answer(ASKER, request, 1.0, NOW_MS)
    assert len(scene.providers) == 0


def test_addresses_of_a_provider_are_bounded() -> None:
    scene = Scene()
    many = tuple(f"/ip4/10.0.0.5/tcp/{port}" for port in range(1, 2000))
    scene.provide(TOPIC, KadPeer(ASKER, many))
    assert len(scene.providers_of(TOPIC)[0].addresses) == ADDRESSES


def test_who_provides_himself_only_wants_to_be_found() -> None:
    scene = Scene()
    me = KadPeer(ASKER, ("/ip4/10.0.0.5/tcp/5",))
    scene.provide(ASKER, me)
    assert scene.find(ASKER, sender=peer_bytes(1)) == [me]
    assert len(scene.providers) == 0


def test_we_are_among_the_providers_of_our_topics() -> None:
    scene = Scene()
    scene.ourselves.be_in(["talk"])
    assert scene.providers_of(TOPIC) == [KadPeer(OWN, (HERE,))]


# ---- bounds ----------------------------------------------------------------------------------------------


def test_a_ping_is_answered() -> None:
    assert Scene().ask(kad.Message(type=Type.PING)) == kad.Message(type=Type.PING)


@pytest.mark.parametrize("kind", [t for t in Type.values() if t != Type.PING])
@pytest.mark.parametrize("key", [b"", b"k" * (KEY_BYTES + 1)])
def test_keys_have_a_length(kind: kad.Message.Type, key: bytes) -> None:
    with pytest.raises(RefusedError):
        Scene().server.answer(ASKER, kad.Message(type=kind, key=key), 1.0, NOW_MS)


def test_unknown_requests_are_refused() -> None:
    request = kad.Message.FromString(kad.Message(key=b"k").SerializeToString() + b"\x08\x63")
    with pytest.raises(RefusedError):
        Scene().server.answer(ASKER, request, 1.0, NOW_MS)


def test_the_longest_answer_is_short_enough() -> None:
    scene = Scene()
    circuit = f"/ip6/2001:db8:1111:2222:3333:4444:5555:6666/udp/4001/quic-v1/p2p/{ALICE.peer}"
    addresses = [f"{circuit}/p2p-circuit/ip4/10.0.0.1/tcp/{port}" for port in range(30)]
    assert multiaddrs.to_bytes(addresses[0])
    for number in range(1, 200):
        scene.table.heard(peer(number, *addresses), "", 0.0)
        scene.providers.add(TOPIC, peer(number, *addresses[:ADDRESSES]), 0.0)
    reply = scene.ask(kad.Message(type=Type.GET_PROVIDERS, key=TOPIC))
    assert len(reply.provider_peers) == len(reply.closer_peers) == K
    assert reply.ByteSize() < ANSWER_LIMIT


@given(st.binary(max_size=300))
def test_whatever_arrives_is_answered_or_refused(data: bytes) -> None:
    scene = Scene()
    try:
        request = kad.Message.FromString(data)
    except Exception:
        return
    try:
        scene.server.answer(ASKER, request, 1.0, NOW_MS)
    except RefusedError:
        assert len(scene.records) == len(scene.providers) == 0
