"""Pings over real libp2p: what their answers say about a connection."""

from __future__ import annotations

import trio
from libp2p import new_host
from libp2p.host.ping import ID as PING
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from multiaddr import Multiaddr

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.identity import Identity

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
PATIENCE = 20.0  # seconds


async def test_a_peer_that_does_not_serve_pings_is_alive(nursery: trio.Nursery) -> None:
    with trio.fail_after(PATIENCE):
        network = Libp2pNetwork(Identity.generate(), [LOOPBACK])
        await nursery.start(network.run)
        host = new_host(listen_addrs=[Multiaddr(LOOPBACK)])
        async with host.run(listen_addrs=[Multiaddr(LOOPBACK)]):
            host.get_mux().handlers.pop(PING)
            own = [Multiaddr(address) for address in network.listen_addresses()]
            await host.connect(PeerInfo(ID.from_string(network.peer), own))
            assert await network.ping(str(host.get_id())) > 0
            assert len(network.connections()) == 1
            await host.close()
