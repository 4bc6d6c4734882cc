"""Who is where, and when to try again: decides every dial, performs none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from p2pchat.node.backoff import Backoff
from p2pchat.proto import actors_pb2 as actors

MAX_PEERS = 1000  # known at a time; a further one replaces one that is not connected, those that never were first
MAX_ADDRESSES = 16  # kept of what others say about one peer, the newest
GIVE_UP_AFTER = 12  # failures in a row until a peer that nobody configured is forgotten

RETRY = Backoff(first=1.0, most=120.0)  # seconds
RECONNECT = Backoff(first=0.2, most=0.2)  # seconds; the first try after a connection that worked

_LASTING = frozenset({actors.BOOTSTRAP, actors.USER})


@dataclass(slots=True)
class _Entry:
    configured: list[str] = field(default_factory=list)  # by the user; never replaced
    heard: list[str] = field(default_factory=list)  # the newest first
    sources: set[int] = field(default_factory=set)
    connected: bool = False
    dialing: bool = False
    failures: int = 0
    ever_connected: bool = False
    due: float = 0.0

    @property
    def addresses(self) -> list[str]:
        return self.configured + self.heard


@dataclass(frozen=True, slots=True)
class Dial:
    """An attempt to make now."""

    peer: str
    addresses: Sequence[str]


class AddressBook:
    """Times are seconds of any monotonic clock."""

    def __init__(self, own: str, rng: random.Random) -> None:
        self._own = own
        self._rng = rng
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def found(self, peer: str, addresses: Sequence[str], source: int, now: float) -> None:
        """Somebody says that `peer` is there."""
        if peer == self._own or not peer:
            return
        entry = self._entries.get(peer)
        if entry is None:
            if not self._make_room(source in _LASTING):
                return
            entry = self._entries[peer] = _Entry(due=now)
        entry.sources.add(source)
        new = [address for address in addresses if address not in entry.addresses]
        if source in _LASTING:
            entry.configured += [a for a in addresses if a not in entry.configured]
            entry.heard = [a for a in entry.heard if a not in entry.configured]
        else:
            entry.heard = (new + entry.heard)[:MAX_ADDRESSES]
        if new:
            # A new address is a new chance: do not sit out the backoff of the old ones.
            entry.failures = 0
            entry.due = min(entry.due, now)

    def addresses(self, peer: str) -> list[str]:
        """Where somebody may be, as far as is known."""
        entry = self._entries.get(peer)
        return entry.addresses if entry is not None else []

    def due(self, now: float) -> list[Dial]:
        """The dials to make now; each is under way until `connected` or `failed`."""
        dials = []
        for peer, entry in self._entries.items():
            if entry.addresses and not entry.connected and not entry.dialing and entry.due <= now:
                entry.dialing = True
                dials.append(Dial(peer, tuple(entry.addresses)))
        return dials

    def next_due(self) -> float | None:
        """When `due` has something to say again; None: not before something happens."""
        waiting = (
            entry.due
            for entry in self._entries.values()
            if entry.addresses and not entry.connected and not entry.dialing
        )
        return min(waiting, default=None)

    def connected(self, peer: str) -> None:
        """Dialled or dialling in: either way there is nothing to do until it is gone."""
        if entry := self._entries.get(peer):
            entry.connected, entry.dialing, entry.ever_connected = True, False, True
            entry.failures = 0

    def disconnected(self, peer: str, now: float) -> None:
        if entry := self._entries.get(peer):
            entry.connected = False
            entry.due = now + RECONNECT.delay(1, self._rng)

    def all_gone(self, now: float) -> None:
        """The host starts anew: nobody is connected and no dial is under way."""
        for peer, entry in self._entries.items():
            entry.dialing = False
            if entry.connected:
                self.disconnected(peer, now)

    def failed(self, peer: str, now: float) -> bool:
        """Whether the user would want to hear of it: the first failure of a peer that he asked for."""
        entry = self._entries.get(peer)
        if entry is None:
            return False
        entry.dialing = False
        if entry.connected:
            return False  # it dialled us meanwhile
        entry.failures += 1
        if entry.failures >= GIVE_UP_AFTER and not entry.sources & _LASTING:
            del self._entries[peer]
        else:
            entry.due = now + RETRY.delay(entry.failures, self._rng)
        return entry.failures == 1 and actors.USER in entry.sources

    def _make_room(self, for_lasting: bool) -> bool:
        if for_lasting or len(self._entries) < MAX_PEERS:
            return True
        replaceable = [
            (entry.ever_connected, entry.due, peer)
            for peer, entry in self._entries.items()
            if not (entry.connected or entry.dialing or entry.sources & _LASTING)
        ]
        if not replaceable:
            return False
        del self._entries[min(replaceable)[2]]
        return True
