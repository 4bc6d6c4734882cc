"""Peers as the messages of the DHT carry them: binary id and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from p2pchat.node.protocol import multiaddrs, peer_id
from p2pchat.node.protocol.kad.keys import is_peer_id
from p2pchat.node.protocol.kad.limits import ADDRESSES
from p2pchat.node.protocol.own_addresses import Scope, scope_of, worth_telling
from p2pchat.proto import kad_pb2 as kad

_REMEMBERED = 4096  # addresses in binary, 100 bytes each: the same ones are told again and again


@dataclass(frozen=True, slots=True)
class KadPeer:
    """A peer and where it may be. Nothing of it is proven."""

    peer: bytes  # binary peer id
    addresses: tuple[str, ...] = ()  # multiaddrs without /p2p/<peer id>

    @property
    def name(self) -> str:
        """The id in base58."""
        return peer_id.to_text(self.peer)


def tidied(addresses: Iterable[str]) -> tuple[str, ...]:
    """Up to `ADDRESSES` that are worth telling others: none of loopback where a wider one is direct as well."""
    known = list(addresses)
    is_elsewhere = any(scope_of(address) in (Scope.WIDE, Scope.LOCAL) for address in known)
    return tuple(worth_telling(known, to_loopback=not is_elsewhere, limit=ADDRESSES))


def merged(one: Sequence[str], other: Sequence[str], most: int = ADDRESSES) -> tuple[str, ...]:
    """Each once, those of `one` first."""
    return tuple(dict.fromkeys([*one, *other]))[:most]


def to_wire(peer: KadPeer, connection: kad.Message.Connection) -> kad.Message.Peer:
    addrs = [data for address in peer.addresses[:ADDRESSES] if (data := _to_bytes(address))]
    return kad.Message.Peer(id=peer.peer, addrs=addrs, connection=connection)


def from_wire(peers: Sequence[kad.Message.Peer], limit: int) -> list[KadPeer]:
    """The peers among the first `limit`, each once; what is no peer id is left out."""
    found: dict[bytes, KadPeer] = {}
    for peer in peers[:limit]:
        if is_peer_id(peer.id) and peer.id not in found:
            addresses = multiaddrs.all_from_bytes(peer.addrs, ADDRESSES, peer.id)
            found[peer.id] = KadPeer(peer.id, tuple(addresses))
    return list(found.values())


@lru_cache(maxsize=_REMEMBERED)
def _to_bytes(address: str) -> bytes:
    """Empty for what is no multiaddr."""
    return next(iter(multiaddrs.all_to_bytes([address])), b"")
