"""Peers and tables of the DHT for its tests."""

from __future__ import annotations

import hashlib

from p2pchat.node.protocol import multiaddrs
from p2pchat.node.protocol.kad.keys import position, shared_bits
from p2pchat.node.protocol.kad.peers import KadPeer
from p2pchat.proto import kad_pb2 as kad


def peer_bytes(number: int) -> bytes:
    """The binary id of nobody in particular."""
    return bytes.fromhex("1220") + hashlib.sha256(f"peer {number}".encode()).digest()


OWN = peer_bytes(0)


def peer(number: int, *addresses: str) -> KadPeer:
    return KadPeer(peer_bytes(number), addresses or (f"/ip4/10.0.0.1/tcp/{number}",))


def on_wire(who: KadPeer) -> kad.Message.Peer:
    return kad.Message.Peer(id=who.peer, addrs=multiaddrs.all_to_bytes(who.addresses))


def in_bucket(index: int, count: int, own: bytes = OWN) -> list[KadPeer]:
    """`count` peers that share exactly `index` bits of their position with `own`."""
    found: list[KadPeer] = []
    number = 1
    while len(found) < count:
        if shared_bits(position(peer_bytes(number)), position(own)) == index:
            found.append(peer(number))
        number += 1
    return found
