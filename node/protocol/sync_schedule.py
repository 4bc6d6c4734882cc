"""When to compare one room with whom. No I/O: times are seconds of any monotonic clock.

With everybody who comes, soon; after a gap at once, best with whom it came from; and now and then with one neighbour by
chance, oftener while there is something to be found. Who lies is left alone, longer each time.
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from p2pchat.node.protocol.token_bucket import TokenBucket

FIRST_LOOK = 0.5  # seconds after somebody came; both sides begin, so it is spread
PERIOD = 60.0  # seconds between comparisons while something is found ...
LONGEST_PERIOD = 300.0  # seconds ... and when nothing ever is
SLOWING = 1.5  # the period grows by this when nothing was found
STIRRED = 10.0  # seconds after something was said until somebody is asked whether that was all
BELIEVED = 10.0  # seconds between two comparisons with somebody because it says that we lack much
NEWS = 3.0  # seconds after something was found until other neighbours are asked ...
TOLD = 3  # neighbours, ... so many of them
GAP_PAUSE = 1.0  # seconds until somebody else is asked about a gap
# Comparisons a second because of gaps, and at once: parents that do not exist cost nothing to name.
GAP_RATE, GAP_BURST = 0.1, 4.0
UNREACHED = 30.0  # seconds to leave somebody alone with whom it did not work
FRUITLESS_STRIKES = (
    3  # comparisons in a row that differ and find nothing, until that counts as a lie
)
PENALTY = 600.0  # seconds for the first lie, doubled with each further one
LONGEST_PENALTY = 24 * 3600.0  # seconds
MAX_PENALTIES = 1_000  # peers remembered

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Result:
    """How a comparison ended."""

    fetched: int = 0  # fresh messages that came
    given: int = 0  # messages that the other side did not have
    fruitless: bool = False  # the sets differ, and nothing was found that does


@dataclass(slots=True)
class _Penalty:
    until: float = 0.0
    lies: int = 0
    fruitless: int = 0


class Penalties:
    """Who is left alone until when; for all rooms together."""

    def __init__(self) -> None:
        self._peers: dict[str, _Penalty] = {}

    def free_at(self, peer: str) -> float:
        known = self._peers.get(peer)
        return known.until if known else 0.0

    def lied_until(self, peer: str) -> float:
        """Until when it is treated as a liar."""
        known = self._peers.get(peer)
        return known.until if known and known.lies else 0.0

    def lied(self, peer: str, now: float) -> None:
        penalty = self._of(peer)
        if now > penalty.until + LONGEST_PENALTY:
            penalty.lies = 0
        penalty.lies += 1
        penalty.until = now + min(PENALTY * 2.0 ** (penalty.lies - 1), LONGEST_PENALTY)

    def put_off(self, peer: str, seconds: float, now: float) -> None:
        penalty = self._of(peer)
        penalty.until = max(penalty.until, now + min(seconds, LONGEST_PENALTY))

    def finished(self, peer: str, result: Result, now: float) -> bool:
        """Whether that made it a lie."""
        if not result.fruitless:
            if peer in self._peers:
                self._peers[peer].fruitless = 0
            return False
        penalty = self._of(peer)
        penalty.fruitless += 1
        if penalty.fruitless < FRUITLESS_STRIKES:
            return False
        penalty.fruitless = 0
        self.lied(peer, now)
        return True

    def _of(self, peer: str) -> _Penalty:
        if peer not in self._peers and len(self._peers) >= MAX_PENALTIES:
            del self._peers[min(self._peers, key=lambda each: self._peers[each].until)]
        return self._peers.setdefault(peer, _Penalty())


@dataclass(slots=True)
class _Neighbour:
    due: float  # when it is to be compared with; infinity: not by itself
    compared_at: float = -INFINITY  # or tried
    avoided_until: float = -INFINITY  # in this room


@dataclass(slots=True)
class RoomSchedule:
    """For one room. `neighbours` says who is there, `next` with whom to compare now."""

    rng: random.Random
    penalties: Penalties
    _neighbours: dict[str, _Neighbour] = field(default_factory=dict)
    _period: float = PERIOD
    _periodic_at: float = INFINITY
    _gap_at: float = INFINITY
    _gap_peer: str = ""
    _gap_budget: TokenBucket = field(default_factory=lambda: TokenBucket(GAP_RATE, GAP_BURST, 0.0))
    _for_gap: bool = False  # the comparison that runs was begun because of a gap

    def neighbours(self, peers: Iterable[str], now: float) -> None:
        """Connected members of the room; whoever is new is compared with soon."""
        present = set(peers)
        for gone in self._neighbours.keys() - present:
            del self._neighbours[gone]
        for peer in sorted(present - self._neighbours.keys()):
            self._neighbours[peer] = _Neighbour(now + self.rng.uniform(0.0, FIRST_LOOK))
        if self._neighbours and self._periodic_at == INFINITY:
            self._plan_period(now)

    def gap(self, peer: str, now: float) -> None:
        """Something is missing; `peer` had what came after it. Empty: somebody had not, and another one is asked."""
        self._gap_peer = peer
        soon = now if peer else now + GAP_PAUSE
        if self._gap_at == INFINITY:
            self._gap_at = soon + self._gap_budget.spend(1, now)

    def stirred(self, now: float) -> None:
        """Something was said: the last words may be lost without a gap that shows it."""
        if self._neighbours:
            soon = now + self.rng.uniform(0.5, 1.5) * STIRRED
            self._periodic_at = min(self._periodic_at, soon)

    def compared_by(self, peer: str, now: float) -> None:
        """The other side has compared with us, and given us what we lacked."""
        if known := self._neighbours.get(peer):
            known.compared_at = now
            known.due = INFINITY

    def behind(self, peer: str, now: float) -> None:
        """It compares with us, and says it has so much more that it is for us to fetch it: believed now and then."""
        known = self._neighbours.get(peer)
        if known is not None and now >= known.compared_at + BELIEVED:
            known.due = min(known.due, now)

    def avoid(self, peer: str, seconds: float, now: float) -> None:
        """It cannot be compared with in this room for so long."""
        if known := self._neighbours.get(peer):
            known.avoided_until = now + min(seconds, LONGEST_PENALTY)

    def next(self, now: float, busy: Container[str] = ()) -> str | None:
        """Whom to compare with now; `busy` ones are being compared with in another room."""
        free = {
            peer: known
            for peer, known in self._neighbours.items()
            if self._free_at(peer) <= now and peer not in busy
        }
        if not free:
            return None
        first = min(free, key=lambda peer: free[peer].due)
        if free[first].due <= now:
            return first
        if self._gap_at <= now:
            return self._gap_peer if self._gap_peer in free else self._chance(free)
        return self._chance(free) if self._periodic_at <= now else None

    def _free_at(self, peer: str) -> float:
        return max(self.penalties.free_at(peer), self._neighbours[peer].avoided_until)

    def next_at(self) -> float:
        """When `next` should be asked again; infinity: when something happens."""
        times = [max(known.due, self._free_at(peer)) for peer, known in self._neighbours.items()]
        free = min(map(self._free_at, self._neighbours), default=INFINITY)
        return min([*times, max(min(self._gap_at, self._periodic_at), free)])

    def began(self, peer: str, now: float) -> None:
        if known := self._neighbours.get(peer):
            known.due = INFINITY
        self._for_gap = self._gap_at <= now
        if self._for_gap:
            self._gap_at = INFINITY

    def finished(self, peer: str, result: Result, now: float) -> None:
        """What it brought decides how soon the next one comes."""
        if known := self._neighbours.get(peer):
            known.compared_at = now
        if self._for_gap and not result.fetched:
            return  # a gap that was made up is no reason to compare seldomer with others
        if result.fetched or result.given:
            self._period = PERIOD
        else:
            self._period = min(self._period * SLOWING, LONGEST_PERIOD)
        self._plan_period(now)
        if result.fetched:
            self._pass_on(peer, now)

    def _pass_on(self, source: str, now: float) -> None:
        """What one neighbour had, others may lack, also those with whom we have compared before it came."""
        others = sorted(self._neighbours.keys() - {source})
        for other in self.rng.sample(others, min(TOLD, len(others))):
            known = self._neighbours[other]
            known.due = min(known.due, now + self.rng.uniform(0.5, 1.5) * NEWS)

    def failed(self, peer: str, now: float) -> None:
        """The neighbour is left alone by its penalty; the others are asked soon."""
        if known := self._neighbours.get(peer):
            known.compared_at = now
        self._periodic_at = now + self.rng.uniform(0.5, 1.5) * NEWS

    def _plan_period(self, now: float) -> None:
        self._periodic_at = now + self.rng.uniform(0.5, 1.5) * self._period

    def _chance(self, free: Mapping[str, _Neighbour]) -> str:
        """One of those with whom it is the longest ago, so that everybody has a turn."""
        longest = sorted(free, key=lambda peer: (free[peer].compared_at, peer))
        return self.rng.choice(longest[: max(1, len(longest) // 2)])
