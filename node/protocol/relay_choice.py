"""At which relays this node holds reservations: the owner's mailboxes first, then whoever relays."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff
from p2pchat.proto import actors_pb2 as actors

WANTED = 2  # reservations held at a time
RENEW = 0.5  # of a reservation's time after which it is renewed
SHORTEST = 1.0  # second between two reservations, whatever a relay says
RETRY = Backoff(first=5.0, most=600.0)  # seconds, after a relay refused
GRACE = 10.0  # seconds that the place of a relay which has vanished is kept for it
# Seconds that a node which knows nothing of itself waits for AutoNAT before it asks strangers: a public one needs
# no reservation.
PATIENCE = 2.5
MAX_REMEMBERED = 32  # relays that were good and are not connected; of more the oldest is forgotten

LOST = "the connection to it was lost"


@dataclass(slots=True)
class _Relay:
    own: bool = False  # one of the owner's mailboxes
    offers: bool = False  # says that it relays
    connected: bool = False  # directly
    asking: bool = False  # a request is under way
    reconnected: bool = False  # while it was
    until: float = 0.0  # end of the reservation
    due: float = 0.0  # when to ask (again)
    kept_until: float = 0.0  # it has vanished: until when its place is kept
    failures: int = 0
    was_good: bool = False
    problem: str = ""

    def is_held(self, now: float) -> bool:
        return self.connected and now < self.until

    def has_place(self, now: float) -> bool:
        return self.is_held(now) or self.asking or now < self.kept_until


class RelayChoice:
    """Decides every reservation, makes none. Times are seconds of any monotonic clock."""

    def __init__(self, rng: random.Random, now: float, *, strangers: bool = True) -> None:
        """`strangers`: others than the owner's mailboxes may be asked as well."""
        self._rng = rng
        self._strangers = strangers
        self._relays: dict[str, _Relay] = {}
        self._state: actors.Reachability = actors.UNKNOWN
        self._patience_until = now + PATIENCE

    # ---- what is the case -----------------------------------------------------------------------------

    def use(self, own: Collection[str]) -> None:
        """These are the owner's mailboxes, and no others."""
        for peer in own:
            self._relays.setdefault(peer, _Relay())
        for peer, relay in list(self._relays.items()):
            relay.own = peer in own
            self._forget_useless(peer)

    def reachability(self, state: actors.Reachability, now: float) -> None:
        if state == actors.UNKNOWN and self._state != state:
            self._patience_until = now + PATIENCE
        self._state = state

    def offers(self, peer: str, offers: bool) -> None:
        """Whether a connected peer says that it relays."""
        if offers:
            self._relays.setdefault(peer, _Relay())
        if relay := self._relays.get(peer):
            relay.offers = offers

    def connected(self, peer: str, now: float) -> None:
        """Directly. A relay that was gone has forgotten us."""
        relay = self._relays.setdefault(peer, _Relay())
        if relay.connected:
            return
        relay.connected = True
        relay.reconnected = relay.asking
        if relay.own or relay.was_good:
            relay.due, relay.failures = now, 0

    def disconnected(self, peer: str, now: float) -> None:
        """Or no longer directly."""
        relay = self._relays.get(peer)
        if relay is None or not relay.connected:
            return
        if relay.is_held(now):
            relay.kept_until = now + GRACE
            relay.problem = LOST
        relay.connected, relay.until = False, 0.0
        self._forget_useless(peer)

    def doubt(self, now: float) -> None:
        """The network has changed: ask every relay again."""
        for relay in self._relays.values():
            relay.due, relay.failures = now, 0

    def lost(self, peer: str, now: float) -> None:
        """A reservation has ended before its time, on a connection that is there."""
        if relay := self._relays.get(peer):
            relay.until, relay.due, relay.problem = 0.0, now, LOST

    def _forget_useless(self, peer: str) -> None:
        relay = self._relays[peer]
        if relay.own or relay.connected or relay.asking:
            return
        if not relay.was_good:
            del self._relays[peer]
            return
        gone = [p for p, r in self._relays.items() if not (r.own or r.connected)]
        if len(gone) > MAX_REMEMBERED:
            del self._relays[gone[0]]

    # ---- what is to be done ---------------------------------------------------------------------------

    def due(self, now: float) -> list[str]:
        """Whom to ask now; each is under way until `reserved` or `refused`."""
        asked = []
        for peer in self._chosen(now):
            relay = self._relays[peer]
            if relay.connected and not relay.asking and relay.due <= now:
                relay.asking, relay.reconnected = True, False
                asked.append(peer)
        return asked

    def next_due(self, now: float) -> float | None:
        """When `due` may have something to say after `now`; None: not before something happens."""
        times = [relay.due for relay in self._relays.values() if relay.connected]
        times += [relay.kept_until for relay in self._relays.values()]
        times += [relay.until for relay in self._relays.values()]  # others are told that it is over
        if self._state == actors.UNKNOWN:
            times.append(self._patience_until)
        return min((time for time in times if time > now), default=None)

    def _chosen(self, now: float) -> list[str]:
        usable = [peer for peer, relay in self._relays.items() if self._is_usable(relay, now)]
        return sorted(usable, key=lambda peer: _order(self._relays[peer], now))[:WANTED]

    def _is_usable(self, relay: _Relay, now: float) -> bool:
        if not (relay.own or (relay.offers and self._needs_strangers(now))):
            return False
        return relay.has_place(now) or (relay.connected and relay.due <= now)

    def _needs_strangers(self, now: float) -> bool:
        if not self._strangers:
            return False
        if self._state == actors.UNKNOWN:
            return now >= self._patience_until
        return self._state == actors.PRIVATE

    def reserved(self, peer: str, lasts: float, now: float) -> None:
        """For `lasts` seconds from now."""
        relay = self._relays.get(peer)
        if relay is None:
            return
        relay.asking, relay.failures, relay.problem = False, 0, ""
        relay.was_good = True
        if relay.connected:
            relay.until, relay.kept_until = now + lasts, 0.0
            relay.due = now + max(lasts * RENEW, SHORTEST)
        self._forget_useless(peer)

    def refused(self, peer: str, problem: str, now: float) -> None:
        relay = self._relays.get(peer)
        if relay is None:
            return
        relay.asking, relay.until, relay.problem = False, 0.0, problem
        if relay.reconnected:  # it was asked over the connection before
            relay.due = now
            return
        relay.kept_until = 0.0
        relay.failures += 1
        relay.due = now + RETRY.delay(relay.failures, self._rng)
        self._forget_useless(peer)

    # ---- what to say ----------------------------------------------------------------------------------

    def held(self, now: float) -> list[str]:
        return [peer for peer, relay in self._relays.items() if relay.is_held(now)]

    def wants_relays(self, now: float) -> bool:
        return self._needs_strangers(now) or any(relay.own for relay in self._relays.values())

    def describe(self, now: float) -> Sequence[actors.Reservation]:
        """The owner's mailboxes, and whoever else is or was asked."""
        return [
            actors.Reservation(
                relay=peer,
                mailbox=relay.own,
                connected=relay.connected,
                held=relay.is_held(now),
                seconds_left=max(0, round(relay.until - now)) if relay.is_held(now) else 0,
                problem=relay.problem,
            )
            for peer, relay in self._relays.items()
            if relay.own or relay.has_place(now) or (relay.offers and relay.problem)
        ]


def _order(relay: _Relay, now: float) -> tuple[bool, bool, bool, int]:
    """The owner's first; who has a place keeps it; then who was good before, and who has refused least."""
    return not relay.own, not relay.has_place(now), not relay.was_good, relay.failures
