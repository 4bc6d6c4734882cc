"""Look-ups on behalf of other parts of the node: peers, providers, mailbox records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import trio

from p2pchat.node.actors.dht.state import DhtState
from p2pchat.node.actors.dht.walks import Walk, Walks
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.kad import keys
from p2pchat.node.protocol.kad.limits import BETA
from p2pchat.node.protocol.kad.lookup import MAX_ADDRESSES
from p2pchat.node.protocol.kad.peers import KadPeer, merged
from p2pchat.node.protocol.kad.records import record_from
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import kad_pb2 as kad
from p2pchat.proto import wire_pb2 as wire

Type = kad.Message.Type
Later = Callable[[Callable[["_RecordSearch"], Awaitable[None]], "_RecordSearch"], None]

GRACE = 2.0  # seconds that a look-up goes on after somebody has said where a peer is: he may lie
RECORD_QUORUM = 5  # peers with a valid record, until no newer one is waited for
PROVIDERS_IN_ANSWER = 100  # that are read; go-libp2p sends all it knows
MAX_PROVIDERS = 500  # different ones heard of in one look-up


@dataclass(slots=True)
class _Sightings:
    """Who was named in the answers of a look-up, and by how many."""

    limit: int
    addresses: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    named: dict[bytes, int] = field(default_factory=dict)

    def add(self, peers: Sequence[KadPeer]) -> None:
        for peer in peers:
            known = self.addresses.get(peer.peer)
            if not peer.addresses or (known is None and len(self.addresses) >= MAX_PROVIDERS):
                continue
            self.addresses[peer.peer] = merged(known or (), peer.addresses, MAX_ADDRESSES)
            self.named[peer.peer] = self.named.get(peer.peer, 0) + 1

    def best(self) -> list[KadPeer]:
        """Those named by most first: one liar does not crowd out the others."""
        ranked = sorted(self.addresses, key=lambda peer: -self.named[peer])
        return [KadPeer(peer, self.addresses[peer]) for peer in ranked[: self.limit]]

    @property
    def is_enough(self) -> bool:
        return sum(count >= BETA for count in self.named.values()) >= self.limit


class Finder:
    """Raises `RequestRejectedError` for what cannot be found."""

    def __init__(
        self, state: DhtState, walks: Walks, later: Later, now_ms: Callable[[], int]
    ) -> None:
        """`later` does something in the background."""
        self._state = state
        self._walks = walks
        self._later = later
        self._now_ms = now_ms

    async def peer(self, name: str) -> actors.PeerAddresses:
        target = _from_text(name)
        seen = _Sightings(limit=1)

        def hear(via: KadPeer, answer: kad.Message) -> None:
            named = self._walks.peers_in(answer.closer_peers, via)
            seen.add([peer for peer in named if peer.peer == target])
            if seen.is_enough:
                walk.hurry(0.0)
            elif seen.named:
                walk.hurry(GRACE)

        request = kad.Message(type=Type.FIND_NODE, key=target)
        walk = self._walks.begin(request, hear, besides=frozenset({target}))
        await walk.run()
        seen.add(self._known(target))
        if not seen.addresses:
            raise self._unknown("Nobody in the DHT knows where that peer is.")
        return _to_message(seen.best()[0])

    def _known(self, target: bytes) -> list[KadPeer]:
        heard = self._state.whereabouts.get(target, trio.current_time())
        return [peer for peer in (heard, self._state.table.get(target)) if peer is not None]

    async def providers(self, topic: str, limit: int) -> actors.Providers:
        key = keys.topic_key(topic)
        seen = _Sightings(max(1, min(limit, MAX_PROVIDERS)))
        seen.add(self._others(self._state.providers.get(key, trio.current_time())))

        def hear(via: KadPeer, answer: kad.Message) -> None:
            named = self._walks.peers_in(answer.provider_peers, via, PROVIDERS_IN_ANSWER)
            seen.add(self._others(named))
            if seen.is_enough:
                walk.hurry(0.0)

        walk = self._walks.begin(kad.Message(type=Type.GET_PROVIDERS, key=key), hear)
        await walk.run()
        return actors.Providers(peers=map(_to_message, seen.best()))

    def _others(self, peers: Sequence[KadPeer]) -> list[KadPeer]:
        return [peer for peer in peers if peer.peer != self._state.own]

    async def record(self, name: str) -> wire.MailboxRecord:
        search = _RecordSearch(self._state, keys.record_key(_from_text(name)), self._now_ms)
        search.best = self._kept(search.key)
        request = kad.Message(type=Type.GET_VALUE, key=search.key)
        search.walk = self._walks.begin(request, search.hear)
        await search.walk.run()
        record = record_from(search.best) if search.best is not None else None
        if record is None:
            raise self._unknown("Nobody in the DHT has a mailbox record of that peer.")
        self._later(self._correct, search)
        return record

    def _kept(self, key: bytes) -> bytes | None:
        if own := self._state.ourselves.value(key):
            return own
        kept = self._state.records.get(key, trio.current_time())
        return kept.value if kept is not None else None

    async def _correct(self, search: _RecordSearch) -> None:
        """Whoever had an older record gets the newest, as the specification asks."""
        value = search.best or b""
        outdated = [peer for peer, held in search.held if held != value]
        await self._walks.put(outdated, put_request(search.key, value))

    def _unknown(self, detail: str) -> RequestRejectedError:
        if not len(self._state.table):
            detail = "No peer of the DHT is known yet."
        return RequestRejectedError(actors.UNKNOWN_PEER, detail)


class _RecordSearch:
    """The best record of a key so far, and who had which."""

    walk: Walk

    def __init__(self, state: DhtState, key: bytes, now_ms: Callable[[], int]) -> None:
        self.key = key
        self.best: bytes | None = None
        self.held: list[tuple[KadPeer, bytes]] = []  # valid ones only
        self._rules = state.rules
        self._now_ms = now_ms
        self._counters = state.counters

    def hear(self, via: KadPeer, answer: kad.Message) -> None:
        value = answer.record.value
        if not value:
            return
        is_valid = answer.record.key == self.key and self._rules.accepts(
            self.key, value, self._now_ms()
        )
        if not is_valid:
            self._counters["bad_records"] += 1
            return
        self.held.append((via, value))
        if self._rules.better(self.key, value, self.best):
            self.best = value
        if len(self.held) >= RECORD_QUORUM:
            self.walk.hurry(0.0)


def put_request(key: bytes, value: bytes) -> kad.Message:
    record = kad.Record(key=key, value=value)
    return kad.Message(type=Type.PUT_VALUE, key=key, record=record)


def _from_text(name: str) -> bytes:
    try:
        return peer_id.from_text(name)
    except ValueError as error:
        raise RequestRejectedError(actors.INVALID, f"{name} is no peer id.") from error


def _to_message(peer: KadPeer) -> actors.PeerAddresses:
    return actors.PeerAddresses(peer=peer.name, addresses=peer.addresses)
