"""Whether others can dial this node: whom to ask and when, and what follows from the answers."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterable
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff
from p2pchat.node.protocol.own_addresses import Scope
from p2pchat.proto import actors_pb2 as actors

MAX_VERDICTS = 32  # remembered; of more the oldest is forgotten
VERDICT_LIFE = (
    2700.0  # seconds that a verdict counts when its giver is not asked again: three rounds
)
DOUBT_PATIENCE = 30.0  # seconds after a change of network until what was known is unknown

ROUND = 4  # peers asked in one round
SOON = (
    1.0,
    2.0,
)  # seconds until a round that shall begin at once: others are just being identified
SOONEST = 10.0  # seconds from the beginning of one round to that of the next, whatever happens
AGAIN = 30.0  # seconds to the next round as long as nothing is known, or until news are confirmed
REST = 900.0  # seconds to the next round when it is known
JITTER = 0.1  # share of these by which they vary

UNHELPFUL = Backoff(first=AGAIN, most=REST)  # seconds that a peer is not asked that gave no verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one peer found out. `scope`: from where it looked; `address`: at which it reached us, if it told."""

    reached: bool
    scope: Scope
    at: float
    address: str = ""


class Verdicts:
    """The newest of each peer. Times are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._newest: dict[str, Verdict] = {}

    def add(self, peer: str, verdict: Verdict) -> None:
        self._newest.pop(peer, None)
        self._newest[peer] = verdict
        if len(self._newest) > MAX_VERDICTS:
            del self._newest[next(iter(self._newest))]

    def forget(self) -> None:
        self._newest.clear()

    def counting(self, now: float) -> list[Verdict]:
        """From afar when there are any: who is near says nothing about those who are far away."""
        fresh = [v for v in self._newest.values() if v.at + VERDICT_LIFE > now]
        return [v for v in fresh if v.scope is Scope.WIDE] or fresh


def decide(verdicts: Iterable[Verdict]) -> actors.Reachability:
    """A tie is private: to hold a reservation without need does no harm."""
    reached = [verdict.reached for verdict in verdicts]
    if not reached:
        return actors.UNKNOWN
    yes = sum(reached)
    return actors.PUBLIC if yes > len(reached) - yes else actors.PRIVATE


class Judgement:
    """What the node takes itself for. A known state is left only when a second round agrees."""

    def __init__(self) -> None:
        self.state: actors.Reachability = actors.UNKNOWN
        self.verdicts = Verdicts()
        self._from_afar = False  # what `state` rests on
        self._doubt_until: float | None = None
        self._contradicted = False

    @property
    def is_settled(self) -> bool:
        """Known, and neither contradicted by the last round nor in doubt."""
        is_certain = not self._contradicted and self._doubt_until is None
        return self.state != actors.UNKNOWN and is_certain

    def conclude(self, now: float) -> None:
        """A round is over."""
        counting = self.verdicts.counting(now)
        found = decide(counting)
        from_afar = any(verdict.scope is Scope.WIDE for verdict in counting)
        if found == actors.UNKNOWN and self._doubt_until is not None:
            return  # `give_up` comes
        if found == self.state:
            self._contradicted = False
        elif self._may_change(from_afar):
            self.state, self._contradicted = found, False
        else:
            self._contradicted = True
            return
        self._from_afar = from_afar
        self._doubt_until = None

    def _may_change(self, from_afar: bool) -> bool:
        is_doubtful = self.state == actors.UNKNOWN or self._doubt_until is not None
        return is_doubtful or self._contradicted or (from_afar and not self._from_afar)

    def doubt(self, now: float) -> None:
        """The network has changed: verdicts about the old one do not count."""
        self.verdicts.forget()
        self._contradicted = False
        if self.state != actors.UNKNOWN:
            self._doubt_until = now + DOUBT_PATIENCE

    def doubts_end(self) -> float | None:
        """When `give_up` is due; None: nothing is in doubt."""
        return self._doubt_until

    def give_up(self, now: float) -> None:
        """Nobody has said anything about the new network."""
        if self._doubt_until is not None and now >= self._doubt_until:
            self._doubt_until = None
            self.state = actors.UNKNOWN

    def confirmed(self, now: float) -> list[str]:
        """Addresses at which others have reached us."""
        found = (v.address for v in self.verdicts.counting(now) if v.reached and v.address)
        return list(dict.fromkeys(found))


class Rank(enum.IntEnum):
    """Who is asked first."""

    MAILBOX = 0  # the owner's
    CONFIGURED = 1
    OTHER = 2
    GUESS = 3  # speaks our other protocols; asked only when nobody says that he answers


@dataclass(slots=True)
class _Server:
    rank: Rank
    asked: float = float("-inf")
    not_before: float = float("-inf")
    failures: int = 0


class Rounds:
    """Whom to ask, and when. Times are seconds of any monotonic clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._servers: dict[str, _Server] = {}  # connected ones: as bounded as connections are
        self._due = float("inf")  # of the next round, also while one goes on
        self._began = float("-inf")  # the last one

    def offer(self, peer: str, rank: Rank, now: float, *, is_known: bool) -> None:
        """`peer` is connected directly and can be asked; `is_known`: what would be asked is known already."""
        server = self._servers.get(peer)
        if server is not None and (server.rank is not Rank.GUESS or rank is Rank.GUESS):
            server.rank = rank
            return
        self._servers[peer] = _Server(rank)
        if not is_known:
            self.hurry(now)
        elif self._due == -self._began == float("inf"):  # nobody was ever asked
            self._due = now + self._vary(AGAIN)

    def withdraw(self, peer: str) -> None:
        self._servers.pop(peer, None)

    def hurry(self, now: float, *, anew: bool = False) -> None:
        """There is reason to ask soon. `anew`: in another network, where everybody may answer again."""
        if anew:
            self._began = float("-inf")
            for server in self._servers.values():
                server.failures, server.not_before = 0, float("-inf")
        self._due = min(self._due, max(now + self._rng.uniform(*SOON), self._began + SOONEST))

    def next_due(self) -> float | None:
        """None: there is nobody to ask."""
        willing = min((server.not_before for _, server in self._askable()), default=None)
        return None if willing is None else max(willing, self._due)

    def begin(self, now: float) -> list[str]:
        """The peers of this round, to be asked one after the other. Call `ended` behind it."""
        self._began, self._due = now, float("inf")
        ready = [(peer, server) for peer, server in self._askable() if server.not_before <= now]
        ready.sort(key=lambda each: (each[1].rank, each[1].asked))
        chosen = ready[:ROUND]
        for _, server in chosen:
            server.asked = now
        return [peer for peer, _ in chosen]

    def _askable(self) -> list[tuple[str, _Server]]:
        certain = [each for each in self._servers.items() if each[1].rank is not Rank.GUESS]
        return certain or list(self._servers.items())

    def answered(self, peer: str) -> None:
        """With a verdict."""
        if server := self._servers.get(peer):
            server.failures, server.not_before = 0, float("-inf")

    def failed(self, peer: str, now: float) -> None:
        """Refused, busy, or no answer at all."""
        if server := self._servers.get(peer):
            server.failures += 1
            server.not_before = now + UNHELPFUL.delay(server.failures, self._rng)

    def ended(self, now: float, *, is_settled: bool) -> None:
        """Whatever has called for another round meanwhile still does."""
        self._due = min(self._due, now + self._vary(REST if is_settled else AGAIN))

    def _vary(self, seconds: float) -> float:
        return seconds * self._rng.uniform(1 - JITTER, 1 + JITTER)
