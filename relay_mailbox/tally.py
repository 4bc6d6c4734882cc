"""Counts what the mailbox does, refuses and limits. Outlives restarts of the actors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from p2pchat.node.protocol.histogram import PATIENT, Histogram
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.refusal import Refusal

# What is timed.
DEPOSIT = "deposit"  # from the arrival of an envelope to its signed receipt
WAITED = "waited"  # from its receipt until it is handed over
# From a client's asking until it has acknowledged everything that was there.
HAND_OVER = "hand_over"


class Tally:
    """Counters by name: "deposits_kept", "refused_<reason>", "limit_<name in the configuration>" and more."""

    def __init__(self) -> None:
        self._counters: Counter[str] = Counter()
        self._latencies = {DEPOSIT: Histogram(), WAITED: Histogram(PATIENT), HAND_OVER: Histogram()}

    def count(self, name: str, by: int = 1) -> None:
        self._counters[name] += by

    def took(self, what: str, seconds: float, times: int = 1) -> None:
        """`what` is one of those above; `times` as often as that."""
        self._latencies[what].observe(seconds, times)

    def latencies(self) -> Mapping[str, actors_pb2.Histogram]:
        return {what: histogram.describe() for what, histogram in self._latencies.items()}

    def refused(self, why: Refusal, times: int = 1) -> None:
        self.count(f"refused_{mailbox.Refusal.Name(why.reason).lower()}", times)
        if why.limit:
            self.bite(why.limit, times)

    def bite(self, limit: str, times: int = 1) -> None:
        """A limit of the configuration has refused something, or made it wait."""
        self.count(f"limit_{limit}", times)

    def counters(self) -> Mapping[str, int]:
        """Those that are not zero."""
        return {name: number for name, number in self._counters.items() if number}
