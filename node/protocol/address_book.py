"""Who is where, and when to try again: decides every dial, performs none, and remembers who was there."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff
from p2pchat.node.protocol.book_entry import HEARSAY, LASTING, MAX_PROBLEM, Entry
from p2pchat.node.protocol.dial_policy import Census, Pace, urgency
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

MAX_PEERS = 1000  # known at a time; see `_make_room` for who makes way
# Of them, such as only strangers know of, or that came by themselves: a further one replaces one of the same kind.
QUOTAS: dict[int, int] = {actors.ROOM: 400, actors.DHT: 200, actors.INBOUND: 300}
GIVE_UP_AFTER = (
    12  # failures in a row, until something new is heard of a peer that nobody configured
)
MAX_KNOWN = 256  # peers kept for the next start ...
MAX_KNOWN_INBOUND = (
    128  # ... of them such as only came by themselves, or it would be easy to push out the others
)
KEPT_FOR_MS = 90 * 24 * 3600 * 1000  # since a peer was last connected

# Seconds. What the owner has chosen is tried every 5 to 15 s at last: a relay that was restarted is to be found soon.
RETRY_LASTING = Backoff(first=1.0, most=10.0)
RETRY = Backoff(first=1.0, most=120.0)
RETRY_REMEMBERED = Backoff(first=2.0, most=600.0)
RECONNECT = Backoff(first=0.4, most=0.4)  # seconds; the first try after a connection that worked
SHORT_LIVED = 15.0  # seconds from the dial; a connection that ended earlier counts as a failure
SOON_LASTING = (
    1.0  # seconds over which dials are spread when many are due at once: chosen peers ...
)
SOON = 5.0  # ... and the others
START_STEP = 0.25  # seconds from one remembered peer to the next after a start
CHANCE_EVERY = 60.0  # seconds from one time that hearsay makes a peer due to the next


@dataclass(frozen=True, slots=True)
class Dial:
    """An attempt to make now."""

    peer: str
    addresses: Sequence[str]


class AddressBook:
    """`now` is seconds of any monotonic clock, `now_ms` Unix milliseconds."""

    def __init__(self, own: str, rng: random.Random) -> None:
        self._own = own
        self._rng = rng
        self._entries: dict[str, Entry] = {}
        self._pace = Pace()
        self._loaded = False
        self._changes = 0  # of what `known` says
        self._told = 0  # of them when `known` was last called ...
        self._saved = 0  # ... and what of that is on the disk

    def __len__(self) -> int:
        return len(self._entries)

    # ---- where somebody is ----------------------------------------------------------------------------

    def found(self, peer: str, addresses: Sequence[str], source: int, now: float) -> None:
        """Somebody says that `peer` is there. `INBOUND`: it says so itself, being connected."""
        entry = self._entry(peer, source, now)
        if entry is None or not entry.hear(addresses, source):
            return
        if entry.ever_connected:
            self._has_changed(entry)
        if source in HEARSAY:
            if now < entry.chance_at:
                return  # addresses are easily made up
            entry.chance_at = now + CHANCE_EVERY
        # A new address is a new chance: do not sit out the backoff of the old ones.
        entry.failures, entry.given_up = 0, False
        entry.due = min(entry.due, now)

    def addresses(self, peer: str) -> list[str]:
        """Where somebody may be, as far as is known, the most promising address first."""
        entry = self._entries.get(peer)
        return entry.addresses() if entry is not None else []

    def is_lasting(self, peer: str) -> bool:
        """Whether the owner has chosen it: it is kept connected."""
        entry = self._entries.get(peer)
        return entry is not None and entry.is_lasting

    def unchoose(self, peer: str) -> None:
        """The owner wants it no longer: it is known as any other."""
        if entry := self._entries.get(peer):
            entry.unchoose()

    def greeted(self, peer: str) -> None:
        """It has greeted us: it counts as somebody to be connected with, and is remembered."""
        if (entry := self._entries.get(peer)) and not entry.is_chat_peer:
            entry.is_chat_peer = True
            self._has_changed(entry)

    # ---- dials ----------------------------------------------------------------------------------------

    def due(self, now: float) -> list[Dial]:
        """The dials to make now; each is under way until `connected` or `failed`."""
        census = Census(self._entries.values())
        waiting = [e for e in self._entries.values() if e.is_waiting and e.due <= now]
        dials = []
        for entry in sorted(waiting, key=urgency):
            if not entry.is_lasting:
                if not (census.has_slot and self._pace.next_at <= now and census.wants(entry)):
                    continue
                self._pace.spend(now)
            entry.dialing, entry.dialled_at = True, now
            census.count(entry)
            dials.append(Dial(entry.peer, tuple(entry.addresses())))
        return dials

    def next_due(self) -> float | None:
        """When `due` has something to say again; None: not before something happens."""
        census = Census(self._entries.values())
        return min(self._due_times(census), default=None)

    def _due_times(self, census: Census) -> Iterator[float]:
        for entry in self._entries.values():
            if not entry.is_waiting:
                continue
            if entry.is_lasting:
                yield entry.due
            elif census.has_slot and census.wants(entry):
                yield max(entry.due, self._pace.next_at)

    @property
    def dialing(self) -> int:
        """Dials under way."""
        return sum(entry.dialing for entry in self._entries.values())

    # ---- what came of them ----------------------------------------------------------------------------

    def reached(self, peer: str, now: float) -> None:
        """The dial has ended well: `connected` was called, or is going to be, unless the peer is gone again."""
        if entry := self._entries.get(peer):
            entry.dialing = False
            if not entry.connected:
                entry.due = now + RECONNECT.delay(1, self._rng)

    def connected(self, peer: str, address: str = "", now_ms: int = 0) -> None:
        """Dialled or dialling in: either way there is nothing to do until it is gone.

        `address`, if this node has dialled: what has led there, and goes first from now on.
        """
        entry = self._entry(peer, actors.INBOUND, 0.0)
        if entry is None:
            return
        if not entry.connected:
            self._has_changed(entry)
        entry.connected, entry.dialing = True, False
        entry.ever_connected = entry.was_connected = True
        entry.failures, entry.given_up, entry.problem = 0, False, ""
        entry.connected_at_ms = max(entry.connected_at_ms, now_ms)
        if address and now_ms and entry.worked(address, now_ms):
            self._has_changed(entry)

    def disconnected(self, peer: str, now: float) -> None:
        entry = self._entries.get(peer)
        if entry is None or not entry.connected:
            return
        self._has_changed(entry)
        entry.connected = False
        if now - entry.dialled_at < SHORT_LIVED:
            # It takes us and hangs up, because it is full for example: the next time has to wait as well.
            entry.short_lived += 1
            entry.due = now + self._retry(entry).delay(entry.short_lived, self._rng)
        else:
            entry.short_lived = 0
            entry.due = now + RECONNECT.delay(1, self._rng)
        if not entry.is_waiting or _is_passer_by(entry):
            del self._entries[peer]

    def failed(self, peer: str, now: float, problem: str = "") -> bool:
        """Whether the user would want to hear of it: the first failure of a peer that he asked for."""
        entry = self._entries.get(peer)
        if entry is None:
            return False
        entry.dialing = False
        if entry.connected:
            return False  # it dialled us meanwhile
        entry.failures += 1
        entry.problem = problem[:MAX_PROBLEM]
        entry.due = now + self._retry(entry).delay(entry.failures, self._rng)
        if entry.failures >= GIVE_UP_AFTER and not entry.is_lasting:
            self._give_up(entry)
        return entry.failures == 1 and actors.USER in entry.sources

    def all_gone(self, now: float) -> None:
        """The host starts anew: nobody is connected and no dial is under way."""
        for entry in list(self._entries.values()):
            entry.dialing = False
            if entry.connected:
                self.disconnected(entry.peer, now)
                entry.due = now + self._soon(entry)

    def wake(self, now: float) -> None:
        """The network is another one, or the computer was asleep: failures from before say nothing any more."""
        for entry in self._entries.values():
            entry.failures, entry.short_lived, entry.given_up = 0, 0, False
            if not (entry.connected or entry.dialing):
                entry.due = now + self._soon(entry)

    def unreached(self) -> list[actors.RememberedPeer]:
        """Peers that the owner has chosen and that are not connected."""
        return [
            actors.RememberedPeer(
                peer=entry.peer,
                addresses=entry.addresses(),
                source=actors.USER if actors.USER in entry.sources else actors.BOOTSTRAP,
                failures=entry.failures,
                problem=entry.problem,
            )
            for entry in self._entries.values()
            if entry.is_lasting and not entry.connected
        ]

    def _retry(self, entry: Entry) -> Backoff:
        if actors.USER in entry.sources:
            return RETRY_LASTING
        is_past = entry.sources <= {actors.REMEMBERED, actors.INBOUND}
        return RETRY_REMEMBERED if is_past else RETRY

    def _soon(self, entry: Entry) -> float:
        return self._rng.uniform(0.0, SOON_LASTING if entry.is_lasting else SOON)

    def _give_up(self, entry: Entry) -> None:
        """Who was connected once stays known, for the next start."""
        if entry.ever_connected:
            entry.given_up = True
        else:
            del self._entries[entry.peer]

    # ---- from one run to the next ---------------------------------------------------------------------

    @property
    def loaded(self) -> bool:
        """Whether `load` was called."""
        return self._loaded

    def load(self, known: records.KnownPeers, now: float, now_ms: int) -> None:
        """Take in what an earlier run has left. Its peers are dialled too, one after the other."""
        self._loaded = True
        due = now
        for peer in known.peers[:MAX_KNOWN]:
            if peer.connected_at_ms + KEPT_FOR_MS < now_ms:
                continue
            if entry := self._entry(peer.peer, actors.REMEMBERED, due):
                entry.remember(peer, now_ms)
            due += START_STEP * self._rng.uniform(0.5, 1.5)

    def known(self, now_ms: int) -> records.KnownPeers:
        """What to load at the next start: whom this or an earlier run was connected with."""
        for entry in self._entries.values():
            if entry.was_connected:
                entry.was_connected = entry.connected
                entry.connected_at_ms = max(entry.connected_at_ms, now_ms)
        worth = [entry for entry in self._entries.values() if _is_worth_keeping(entry, now_ms)]
        worth.sort(key=lambda entry: entry.connected_at_ms, reverse=True)
        came = [entry for entry in worth if entry.sources == {actors.INBOUND}]
        too_many = {entry.peer for entry in came[MAX_KNOWN_INBOUND:]}
        kept = [entry.known() for entry in worth if entry.peer not in too_many]
        self._told = self._changes
        return records.KnownPeers(peers=kept[:MAX_KNOWN])

    @property
    def worth_saving(self) -> bool:
        """Whether `known` would say something that was not saved yet."""
        return self._changes != self._saved

    def saved(self) -> None:
        """What `known` said last is on the disk."""
        self._saved = self._told

    def _has_changed(self, entry: Entry) -> None:
        self._changes += _is_one_of_ours(entry)

    # ---- room -----------------------------------------------------------------------------------------

    def _entry(self, peer: str, source: int, now: float) -> Entry | None:
        """The one of `peer`, made if need be; None when there is no room for it, or nobody to dial."""
        entry = self._entries.get(peer)
        if entry is None and peer and peer != self._own and self._make_room(source):
            entry = self._entries[peer] = Entry(peer, due=now, sources={source})
        return entry

    def _make_room(self, source: int) -> bool:
        """Whether one more fits. Who is chosen, connected or being dialled never makes way; hearsay only for
        what is better than hearsay, or for other hearsay of its source."""
        if source in LASTING:
            return True
        if source in QUOTAS:
            same = [e for e in self._entries.values() if e.sources == {source}]
            if source in HEARSAY:
                same = [e for e in same if e.is_hearsay]
            if len(same) >= QUOTAS[source]:
                return self._drop_one(same)
        if len(self._entries) < MAX_PEERS:
            return True
        everybody = self._entries.values()
        return self._drop_one([e for e in everybody if e.is_hearsay or source not in HEARSAY])

    def _drop_one(self, candidates: Sequence[Entry]) -> bool:
        """The least valuable one: hearsay first, then who was never connected, then who was so long ago."""
        free = [e for e in candidates if not (e.connected or e.dialing or e.is_lasting)]
        if free:
            del self._entries[min(free, key=_value).peer]
        return bool(free)


def _value(entry: Entry) -> tuple[bool, bool, int, float, str]:
    when = entry.connected_at_ms
    return not entry.is_hearsay, entry.ever_connected, when, entry.due, entry.peer


def _is_passer_by(entry: Entry) -> bool:
    """It came by itself, or for one question, and is no chat peer: nothing to go back to."""
    return not entry.is_chat_peer and entry.sources <= {actors.INBOUND}


def _is_one_of_ours(entry: Entry) -> bool:
    """Not one that was here only for a question of the DHT: the next start looks for people."""
    return entry.is_chat_peer or not entry.sources <= {actors.INBOUND, actors.DHT}


def _is_worth_keeping(entry: Entry, now_ms: int) -> bool:
    recent = entry.connected_at_ms and entry.connected_at_ms + KEPT_FOR_MS >= now_ms
    return bool(recent and _is_one_of_ours(entry) and entry.addresses())
