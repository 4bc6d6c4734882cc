from __future__ import annotations

from p2pchat.node.protocol.kad.keys import record_key, topic_key
from p2pchat.node.protocol.kad.ourselves import MAX_TOPICS, Ourselves
from p2pchat.proto import wire_pb2 as wire
from tests.node.protocol.kad.kad_builders import OWN, peer_bytes


def test_we_are_where_we_listen_now() -> None:
    addresses = ["/ip4/127.0.0.1/tcp/1"]
    own = Ourselves(OWN, lambda: addresses)
    assert own.here.peer == OWN
    assert own.here.addresses == ("/ip4/127.0.0.1/tcp/1",)
    addresses.append("/ip4/10.0.0.1/tcp/1")
    assert own.here.addresses == ("/ip4/10.0.0.1/tcp/1",)


def test_we_provide_the_topics_that_we_are_in() -> None:
    own = Ourselves(OWN, list)
    own.be_in(["a", "b", "a"])
    assert own.topics == ["a", "b"]
    assert own.provides(topic_key("a"))
    own.be_in(["b"])
    assert not own.provides(topic_key("a"))
    own.be_in([str(number) for number in range(2 * MAX_TOPICS)])
    assert len(own.topics) == MAX_TOPICS


def test_our_record_has_our_key() -> None:
    own = Ourselves(OWN, list)
    assert own.value(record_key(OWN)) is None
    own.record = wire.MailboxRecord(peer=OWN, sequence=7)
    assert wire.MailboxRecord.FromString(own.value(record_key(OWN)) or b"") == own.record
    assert own.value(record_key(peer_bytes(1))) is None
