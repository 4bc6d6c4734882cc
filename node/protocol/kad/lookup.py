"""One iterative look-up: whom to ask next, and when it is over."""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from p2pchat.node.protocol.kad.keys import distance, position
from p2pchat.node.protocol.kad.limits import ALPHA, K
from p2pchat.node.protocol.kad.peers import KadPeer, merged

MAX_ASKED = 60  # peers in one look-up, whatever is answered
MAX_CANDIDATES = 200  # known in one look-up; of more the farthest are forgotten
MAX_ADDRESSES = 16  # of one candidate: the first ones that are told may be wrong
MAX_DUDS = 3  # peers that somebody named and that do not answer, until his word is worth nothing


class _State(enum.Enum):
    NEW = "not asked"
    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "did not answer"


@dataclass(slots=True)
class _Candidate:
    peer: KadPeer
    distance: int
    named_by: set[bytes] = field(default_factory=set)  # empty: from the own table
    state: _State = _State.NEW


@dataclass(slots=True)
class _Word:
    """What became of the peers that somebody named."""

    good: int = 0
    duds: int = 0

    @property
    def is_worthless(self) -> bool:
        return self.duds >= MAX_DUDS and self.duds > self.good


class Lookup:
    """Ask whom `next` returns, and say for each what came of it, until `done`.

    Over when the `enough` nearest peers that answer at all have answered, or when there is nobody left to ask.
    Who names peers that do not answer loses his word: those that only he named are not asked any more.
    """

    def __init__(
        self,
        key: bytes,
        seeds: Iterable[KadPeer],
        *,
        besides: Container[bytes] = (),
        enough: int = K,
        alpha: int = ALPHA,
    ) -> None:
        """`besides` are never asked: ourselves, and who is looked for."""
        self._target = position(key)
        self._besides = besides
        self._enough = enough
        self._alpha = alpha
        self._candidates: dict[bytes, _Candidate] = {}
        self._ranked: list[_Candidate] = []  # the nearest first
        self._words: dict[bytes, _Word] = {}
        self._under_way = 0
        self.asked = 0  # peers so far
        self._add(seeds, named_by=None)

    @property
    def done(self) -> bool:
        return not self._under_way and next(self._to_ask(), None) is None

    @property
    def closest(self) -> list[KadPeer]:
        """Up to `K` peers that have answered, the nearest first."""
        answered = (c.peer for c in self._ranked if c.state is _State.ANSWERED)
        return list(islice(answered, K))

    def next(self) -> list[KadPeer]:
        """Whom to ask now; empty while enough is under way."""
        room = min(self._alpha - self._under_way, MAX_ASKED - self.asked)
        chosen = list(islice(self._to_ask(), max(room, 0)))
        for candidate in chosen:
            candidate.state = _State.ASKED
        self._under_way += len(chosen)
        self.asked += len(chosen)
        return [candidate.peer for candidate in chosen]

    def heard(self, peer: bytes, closer: Iterable[KadPeer]) -> None:
        """An answer, with at most `K` peers in it."""
        self._settle(peer, _State.ANSWERED)
        self._add(closer, named_by=peer)

    def failed(self, peer: bytes) -> None:
        self._settle(peer, _State.FAILED)

    def _settle(self, peer: bytes, state: _State) -> None:
        candidate = self._candidates[peer]
        candidate.state = state
        self._under_way -= 1
        for name in candidate.named_by:
            word = self._words.setdefault(name, _Word())
            if state is _State.ANSWERED:
                word.good += 1
            else:
                word.duds += 1

    def _to_ask(self) -> Iterator[_Candidate]:
        """Those not asked yet among the nearest `enough` that may answer."""
        if self.asked >= MAX_ASKED:
            return
        hopeful = (c for c in self._ranked if c.state is not _State.FAILED)
        near = (c for c in hopeful if c.state is not _State.NEW or self._is_credible(c))
        yield from (c for c in islice(near, self._enough) if c.state is _State.NEW)

    def _is_credible(self, candidate: _Candidate) -> bool:
        words = [self._words.get(name) for name in candidate.named_by]
        return not words or any(word is None or not word.is_worthless for word in words)

    def _add(self, peers: Iterable[KadPeer], named_by: bytes | None) -> None:
        for peer in islice(peers, K):
            if peer.peer in self._besides or (named_by and not peer.addresses):
                continue
            candidate = self._candidates.get(peer.peer)
            if candidate is None:
                candidate = _Candidate(peer, distance(position(peer.peer), self._target))
                self._candidates[peer.peer] = candidate
                self._ranked.append(candidate)
                candidate.named_by.update([named_by] if named_by else [])
            elif candidate.state is _State.NEW:
                self._name_again(candidate, peer, named_by)
        self._ranked.sort(key=lambda candidate: candidate.distance)
        self._forget_far_ones()

    def _name_again(self, candidate: _Candidate, peer: KadPeer, named_by: bytes | None) -> None:
        addresses = merged(candidate.peer.addresses, peer.addresses, MAX_ADDRESSES)
        candidate.peer = KadPeer(peer.peer, addresses)
        if candidate.named_by and named_by:
            candidate.named_by.add(named_by)

    def _forget_far_ones(self) -> None:
        while len(self._ranked) > MAX_CANDIDATES:
            farthest = next((c for c in reversed(self._ranked) if c.state is _State.NEW), None)
            if farthest is None:
                return
            self._ranked.remove(farthest)
            del self._candidates[farthest.peer.peer]
