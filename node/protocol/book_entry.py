"""What the address book knows of one peer: where it may be, who says so, and what came of the attempts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from p2pchat.node.protocol.multiaddrs import MAX_LENGTH
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ADDRESSES_EACH = 8  # kept of what each source says of a peer, the newest
PROVEN = 8  # addresses kept that have led to a peer, those of the last successes
MAX_CONFIGURED = (
    32  # addresses kept that the owner wrote down, or that his names stand for, the newest
)
MAX_ADDRESSES = 16  # dialled at once, besides those that the user wrote down
KEPT_ADDRESSES = 8  # for the next start
MAX_PROBLEM = 200  # characters kept of why a dial failed

# Chosen by the owner, mailboxes and relays of his among them: never given up.
LASTING = frozenset({actors.BOOTSTRAP, actors.USER})
# Strangers say so: what they say is easily made up.
HEARSAY = frozenset({actors.ROOM, actors.DHT})
# Where else to look for an address, the most likely one to be right first.
_HEARD_ORDER = (
    actors.MDNS,
    actors.INBOUND,
    actors.CONTACT,
    actors.REMEMBERED,
    actors.ROOM,
    actors.DHT,
)


@dataclass(slots=True)
class Entry:
    """Addresses are multiaddrs without a final `/p2p/<peer id>`, but for those that the user wrote down."""

    peer: str
    due: float  # seconds of the book's clock: when to dial
    configured: dict[str, str] = field(default_factory=dict)  # as above -> as it was written
    heard: dict[int, list[str]] = field(default_factory=dict)  # source -> the newest first
    proven: dict[str, int] = field(default_factory=dict)  # -> Unix milliseconds; the newest last
    sources: set[int] = field(default_factory=set)
    connected: bool = False
    dialing: bool = False
    is_chat_peer: bool = False  # it has greeted us
    ever_connected: bool = False
    was_connected: bool = False  # since `connected_at_ms` was last brought up to date
    connected_at_ms: int = 0  # Unix milliseconds; 0: never, as far as is known
    given_up: bool = False  # until something new is heard of it
    failures: int = 0  # in a row
    short_lived: int = 0  # connections in a row that ended at once
    problem: str = ""  # of the last failure
    dialled_at: float = float("-inf")
    chance_at: float = float("-inf")  # when hearsay may shorten the wait again

    @property
    def is_lasting(self) -> bool:
        return not LASTING.isdisjoint(self.sources)

    @property
    def is_hearsay(self) -> bool:
        """Only strangers say that it exists."""
        return not self.ever_connected and self.sources <= HEARSAY

    @property
    def is_waiting(self) -> bool:
        """Whether a dial is due sooner or later."""
        if self.connected or self.dialing or self.given_up:
            return False
        return bool(self.configured or self.proven or any(self.heard.values()))

    def hear(self, addresses: Iterable[str], source: int) -> bool:
        """Whether any of them is news."""
        self.sources.add(source)
        ending = f"/p2p/{self.peer}"
        bare = [(a.removesuffix(ending), a) for a in addresses if 0 < len(a) <= MAX_LENGTH]
        known = {*self.configured, *self.proven, *itertools.chain(*self.heard.values())}
        if source in LASTING:
            for address, written in bare:
                self.configured.setdefault(address, written)
            while len(self.configured) > MAX_CONFIGURED:
                del self.configured[next(iter(self.configured))]
        else:
            # Each source has room of its own: nobody pushes out what others say.
            told = list(dict.fromkeys(address for address, _ in bare))
            new = [address for address in told if address not in self.heard.get(source, ())]
            self.heard[source] = (new + self.heard.get(source, []))[:ADDRESSES_EACH]
        return any(address not in known for address, _ in bare)

    def unchoose(self) -> None:
        """The owner wants it no longer. Where it is, is known all the same."""
        self.sources.discard(actors.USER)
        if self.is_lasting:
            return
        told = self.heard.get(actors.INBOUND, [])
        self.heard[actors.INBOUND] = [*dict.fromkeys([*self.configured, *told])][:ADDRESSES_EACH]
        self.configured.clear()
        self.sources.add(actors.INBOUND)

    def worked(self, address: str, now_ms: int) -> bool:
        """It has led there. Whether that is news."""
        address = address.removesuffix(f"/p2p/{self.peer}")
        if not address or len(address) > MAX_LENGTH:
            return False
        was_first = next(reversed(self.proven), "") == address
        self.proven.pop(address, None)
        self.proven[address] = now_ms
        if len(self.proven) > PROVEN:
            del self.proven[next(iter(self.proven))]
        return not was_first

    def addresses(self) -> list[str]:
        """Where it may be, the most promising first."""
        proven = list(reversed(self.proven))
        heard = self._heard_in_turn([*proven, *self.configured], MAX_ADDRESSES - len(proven))
        known = [*proven, *(a for a in self.configured if a not in self.proven), *heard]
        return [self.configured.get(address, address) for address in known]

    def _heard_in_turn(self, without: Sequence[str], limit: int) -> list[str]:
        """One of each source before the second of any."""
        lists = [self.heard.get(source, []) for source in _HEARD_ORDER]
        turns = itertools.chain(*itertools.zip_longest(*lists))
        found = dict.fromkeys(a for a in turns if a is not None and a not in without)
        return list(found)[:limit]

    # ---- for the next start ---------------------------------------------------------------------------

    def known(self) -> records.KnownPeer:
        """Loopback addresses only when there are no others: the next start may be in another place, and they are
        somebody else's there."""
        found = [address.removesuffix(f"/p2p/{self.peer}") for address in self.addresses()]
        abroad = [address for address in found if scope_of(address) is not Scope.LOOPBACK]
        kept = [
            records.KnownAddress(address=address, success_at_ms=self.proven.get(address, 0))
            for address in (abroad or found)[:KEPT_ADDRESSES]
        ]
        return records.KnownPeer(
            peer=self.peer, addresses=kept, connected_at_ms=self.connected_at_ms
        )

    def remember(self, known: records.KnownPeer, now_ms: int) -> None:
        """Times ahead of the clock are taken for now: somebody has set it back."""
        addresses = [known for known in known.addresses if known.address][:KEPT_ADDRESSES]
        self.hear([a.address for a in addresses if not a.success_at_ms], actors.REMEMBERED)
        proven = sorted((min(a.success_at_ms, now_ms), a.address) for a in addresses)
        for at, address in proven:
            if at and address not in self.proven:
                self.worked(address, at)
        self.connected_at_ms = max(self.connected_at_ms, min(known.connected_at_ms, now_ms))
        self.ever_connected = True
