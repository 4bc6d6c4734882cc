"""What the DHT knows, and what is asked of it: kept over a restart of the actor."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from p2pchat.node.ports import Network
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.kad.chores import Chores
from p2pchat.node.protocol.kad.ourselves import Ourselves
from p2pchat.node.protocol.kad.providers import ProviderStore
from p2pchat.node.protocol.kad.records import RecordRules, RecordStore
from p2pchat.node.protocol.kad.table import RoutingTable
from p2pchat.node.protocol.kad.whereabouts import Whereabouts


@dataclass(slots=True)
class DhtState:
    """Made once for a node by the composition root."""

    ourselves: Ourselves
    table: RoutingTable
    rules: RecordRules
    records: RecordStore
    providers: ProviderStore
    whereabouts: Whereabouts
    chores: Chores
    counters: Counter[str] = field(default_factory=Counter)
    record_taken: bool = False  # our mailbox record, by anybody
    refreshed_ms: int = 0  # Unix milliseconds; last look-up of the own id that found anybody

    @property
    def own(self) -> bytes:
        """The own binary peer id."""
        return self.ourselves.peer


def fresh_state(network: Network, rng: random.Random) -> DhtState:
    """Of a node that knows nobody yet."""
    own, rules = peer_id.from_text(network.peer), RecordRules()
    return DhtState(
        Ourselves(own, network.listen_addresses),
        RoutingTable(own),
        rules,
        RecordStore(own, rules),
        ProviderStore(own, rng),
        Whereabouts(),
        Chores(rng),
    )
