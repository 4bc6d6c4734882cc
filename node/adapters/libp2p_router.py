"""GossipSub's router with the options that make it work, less what strangers could abuse."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from functools import partial

from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.utils import safe_bytes_from_hex

# Not 1.2.0: its IDONTWANT halves the throughput of a full mesh (measured with 0.8.1).
PROTOCOLS = (TProtocol("/meshsub/1.1.0"), TProtocol("/meshsub/1.0.0"))
HEARTBEAT = 1  # seconds; py-libp2p's default of 120 leaves the mesh empty for two minutes
BACK_OFF = (
    1  # seconds until a neighbour may graft again; py-libp2p's 10 and 60 leave who comes back deaf
)


class Router(GossipSub):
    """GossipSub with the options that make it work, and flood publishing."""

    def __init__(self) -> None:
        super().__init__(
            protocols=PROTOCOLS,
            degree=6,
            degree_low=4,
            degree_high=12,
            heartbeat_interval=HEARTBEAT,
            prune_back_off=BACK_OFF,
            unsubscribe_back_off=BACK_OFF,
            # Keyed by the forwarding peer and 10 a second, it would drop a busy room's messages silently.
            spam_protection_enabled=False,
            # Grafts by different IP addresses only: everybody behind one router would be left out.
            eclipse_protection_enabled=False,
            adaptive_gossip_enabled=False,
        )
        # Grafting sooner after a prune than this is punished by another minute outside the mesh.
        self.graft_flood_threshold = 0.0
        # Only the adaptive mode, which is off, would ever shorten these lists.
        self.recent_message_deliveries = defaultdict(partial(deque, maxlen=100))  # type: ignore[arg-type]

    def cached_bytes(self, message_id: bytes | str) -> int:
        """The size of a message that could be sent again; 0 when it is not kept."""
        as_bytes = safe_bytes_from_hex(message_id)
        message = None if as_bytes is None else self.mcache.get(as_bytes)
        return message.ByteSize() if message else 0

    def _check_equivocation(self, msg: rpc_pb2.Message) -> bool:
        """Keeps whole messages, up to a thousand of any size. Ours carry their author's signature."""
        return True

    async def _do_px(self, px_peers: list[rpc_pb2.PeerInfo]) -> None:
        """Peer exchange dials whatever a stranger names; transport alone decides whom to dial."""

    def _get_peers_to_send(
        self,
        topic_ids: Iterable[str],
        msg_forwarder: ID,
        origin: ID,
        msg_id: bytes | None = None,
    ) -> Iterable[ID]:
        """Own messages go to everybody who listens, as GossipSub 1.1 says ("flood publishing").

        py-libp2p sends them to the mesh alone, which is empty for seconds after joining or coming back.
        """
        topics = list(topic_ids)
        peers = set(super()._get_peers_to_send(topics, msg_forwarder, origin, msg_id))
        pubsub = self.pubsub
        if pubsub is not None and origin == pubsub.my_id:
            for topic in topics:
                peers.update(pubsub.peer_topics.get(topic, ()))
            peers -= {origin, msg_forwarder}
        return peers
