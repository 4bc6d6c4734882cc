"""What we say of ourselves in the DHT."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p2pchat.node.protocol.kad import keys
from p2pchat.node.protocol.kad.peers import KadPeer, tidied
from p2pchat.proto import wire_pb2 as wire

MAX_TOPICS = 256  # that we are said to be in; further ones are left out


class Ourselves:
    """The own id and addresses, the topics that we are in, and the own mailbox record."""

    def __init__(self, peer: bytes, addresses: Callable[[], Sequence[str]]) -> None:
        self.peer = peer
        self.record: wire.MailboxRecord | None = None
        self.record_key = keys.record_key(peer)
        self._addresses = addresses
        self._topics: dict[bytes, str] = {}  # by key

    @property
    def here(self) -> KadPeer:
        """As others may hear of us, at this moment."""
        return KadPeer(self.peer, tidied(self._addresses()))

    @property
    def topics(self) -> list[str]:
        return list(self._topics.values())

    def be_in(self, topics: Sequence[str]) -> None:
        """In these and no others."""
        chosen = list(dict.fromkeys(topics))[:MAX_TOPICS]
        self._topics = {keys.topic_key(topic): topic for topic in chosen}

    def provides(self, key: bytes) -> bool:
        return key in self._topics

    def value(self, key: bytes) -> bytes | None:
        """Of our own record, if the key is that."""
        if self.record is None or key != self.record_key:
            return None
        return self.record.SerializeToString(deterministic=True)
