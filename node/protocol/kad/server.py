"""What we answer in the DHT: a request in, a reply out."""

from __future__ import annotations

from datetime import UTC, datetime

from p2pchat.node.protocol.kad.keys import position
from p2pchat.node.protocol.kad.limits import KEY_BYTES, PROVIDER_KEY_BYTES, K
from p2pchat.node.protocol.kad.ourselves import Ourselves
from p2pchat.node.protocol.kad.peers import KadPeer, from_wire, tidied, to_wire
from p2pchat.node.protocol.kad.providers import ProviderStore
from p2pchat.node.protocol.kad.records import RecordStore
from p2pchat.node.protocol.kad.table import RoutingTable
from p2pchat.node.protocol.kad.whereabouts import Whereabouts
from p2pchat.proto import kad_pb2 as kad

Type = kad.Message.Type


class RefusedError(ValueError):
    """There is no reply, and the stream is to be reset; the message says why."""


class KadServer:
    """Answers from the stores that it is given, and files what others bring into them."""

    def __init__(
        self,
        ourselves: Ourselves,
        table: RoutingTable,
        records: RecordStore,
        providers: ProviderStore,
        whereabouts: Whereabouts,
    ) -> None:
        self._ourselves = ourselves
        self._table = table
        self._records = records
        self._providers = providers
        self._whereabouts = whereabouts

    def answer(
        self, sender: bytes, request: kad.Message, now: float, now_ms: int
    ) -> kad.Message | None:
        """The reply; None when none is sent, as to ADD_PROVIDER (a reply would be taken for one to the next request
        on that stream, by go-libp2p and js-libp2p alike).

        `now` are seconds of a monotonic clock, `now_ms` Unix milliseconds. Raises `RefusedError`.
        """
        if request.type != Type.PING and not 0 < len(request.key) <= KEY_BYTES:
            raise RefusedError("no key, or too long a one")
        match request.type:
            case Type.FIND_NODE:
                return self._find_node(sender, request.key, now)
            case Type.GET_VALUE:
                return self._get_value(sender, request.key, now, now_ms)
            case Type.GET_PROVIDERS:
                return self._get_providers(sender, request.key, now)
            case Type.PUT_VALUE:
                return self._put_value(sender, request, now, now_ms)
            case Type.ADD_PROVIDER:
                self._add_provider(sender, request, now)
                return None
            case Type.PING:
                return kad.Message(type=Type.PING)
        raise RefusedError("an unknown request")

    def _find_node(self, sender: bytes, key: bytes, now: float) -> kad.Message:
        reply = kad.Message(type=Type.FIND_NODE, key=key)
        if key == self._ourselves.peer:
            reply.closer_peers.append(self._own_entry())
        elif key != sender and (target := self._known(key, now)):
            reply.closer_peers.append(self._to_wire(target))
        self._add_closer(reply, sender)
        return reply

    def _known(self, peer: bytes, now: float) -> KadPeer | None:
        return self._whereabouts.get(peer, now) or self._table.get(peer)

    def _get_value(self, sender: bytes, key: bytes, now: float, now_ms: int) -> kad.Message:
        reply = kad.Message(type=Type.GET_VALUE, key=key)
        if own := self._ourselves.value(key):
            reply.record.CopyFrom(_record(key, own, now_ms))
        elif kept := self._records.get(key, now):
            reply.record.CopyFrom(_record(key, kept.value, kept.received_ms))
        self._add_closer(reply, sender)
        return reply

    def _get_providers(self, sender: bytes, key: bytes, now: float) -> kad.Message:
        reply = kad.Message(type=Type.GET_PROVIDERS, key=key)
        if self._ourselves.provides(key):
            reply.provider_peers.append(self._own_entry())
        for provider in self._providers.get(key, now):
            reply.provider_peers.append(self._to_wire(provider))
        self._add_closer(reply, sender)
        return reply

    def _put_value(
        self, sender: bytes, request: kad.Message, now: float, now_ms: int
    ) -> kad.Message:
        record = request.record
        if record.key != request.key:
            raise RefusedError("a record with another key")
        if not self._records.put(record.key, record.value, sender, now, now_ms):
            raise RefusedError("a record that is not taken")
        taken = kad.Record(key=record.key, value=record.value)
        return kad.Message(type=Type.PUT_VALUE, key=request.key, record=taken)

    def _add_provider(self, sender: bytes, request: kad.Message, now: float) -> None:
        if len(request.key) > PROVIDER_KEY_BYTES:
            raise RefusedError("too long a key")
        # Only its own entry is read: the others would cost much and count for nothing.
        own = [entry for entry in request.provider_peers[:K] if entry.id == sender]
        said = next(iter(from_wire(own, 1)), None)
        if said is None or not said.addresses:
            raise RefusedError("nobody provides anything for others, or without an address")
        provider = KadPeer(sender, tidied(said.addresses))
        self._whereabouts.told(provider, now)
        if request.key == sender:
            return  # it only wants to be found
        if not self._providers.add(request.key, provider, now):
            raise RefusedError("a provider for whom there is no room")

    def _add_closer(self, reply: kad.Message, sender: bytes) -> None:
        there = {peer.id for peer in reply.closer_peers} | {sender, self._ourselves.peer}
        place, count = position(reply.key), K - len(reply.closer_peers)
        for peer in self._table.nearest(place, count, working=True, besides=there):
            reply.closer_peers.append(self._to_wire(peer))

    def _own_entry(self) -> kad.Message.Peer:
        return to_wire(self._ourselves.here, kad.Message.CONNECTED)

    def _to_wire(self, peer: KadPeer) -> kad.Message.Peer:
        connected = self._whereabouts.is_connected(peer.peer)
        return to_wire(peer, kad.Message.CONNECTED if connected else kad.Message.CAN_CONNECT)


def _record(key: bytes, value: bytes, received_ms: int) -> kad.Record:
    received = datetime.fromtimestamp(received_ms / 1000, UTC).isoformat()  # RFC 3339
    return kad.Record(key=key, value=value, time_received=received.replace("+00:00", "Z"))
