"""When to try to reach a recipient itself, and when its mailboxes take over. Decides every dial, performs none."""

from __future__ import annotations

import math
import random
from collections.abc import Set
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff

PATIENCE = (
    2.0  # seconds that a recipient may take to be reached before its mailboxes are asked as well
)
REDIAL = Backoff(first=3.0, most=120.0)  # seconds
# Seconds from a dial within which a lost connection counts as a failed dial: else somebody who hangs up at once
# would be dialled without a pause.
STEADY = 10.0


@dataclass(slots=True)
class _Recipient:
    due: float  # when to dial next
    opens_at: float  # when mailboxes may be used
    dialing: bool = False
    dialed_at: float = -math.inf
    failures: int = 0  # dials in a row

    def back_off(self, now: float, rng: random.Random) -> None:
        """The mailboxes are asked at once, the recipient later."""
        self.failures += 1
        self.due = now + REDIAL.delay(self.failures, rng)
        self.opens_at = min(self.opens_at, now)


class Courier:
    """The recipients for whom something waits. Times are seconds of any monotonic clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._recipients: dict[str, _Recipient] = {}
        self._connected: set[str] = set()
        self._stuck: set[str] = set()  # connected, and yet nothing gets through

    def wants(self, peer: str, now: float) -> None:
        """Something waits for `peer`."""
        if peer not in self._recipients:
            self._recipients[peer] = _Recipient(due=now, opens_at=now + PATIENCE)

    def keep_only(self, waiting: Set[str]) -> None:
        """Nothing waits for anybody else any more."""
        for peer in self._recipients.keys() - waiting:
            # A dial goes on: should something wait again meanwhile, a second one would not help.
            if not self._recipients[peer].dialing:
                del self._recipients[peer]
        self._stuck &= waiting

    def connected(self, peer: str) -> None:
        self._connected.add(peer)
        self._stuck.discard(peer)
        if recipient := self._recipients.get(peer):
            recipient.dialing = False

    def disconnected(self, peer: str, now: float) -> None:
        if peer not in self._connected:
            return
        self._connected.discard(peer)
        self._stuck.discard(peer)
        recipient = self._recipients.get(peer)
        if recipient is None:
            return
        if now - recipient.dialed_at < STEADY:
            recipient.back_off(now, self._rng)
        else:
            recipient.due, recipient.opens_at, recipient.failures = now, now + PATIENCE, 0

    def all_gone(self, now: float) -> None:
        """The network starts anew."""
        for recipient in self._recipients.values():
            recipient.dialing, recipient.dialed_at = False, -math.inf  # no fault of theirs
        for peer in list(self._connected):
            self.disconnected(peer, now)

    def failed(self, peer: str, now: float) -> None:
        """A dial led nowhere: the mailboxes are asked at once."""
        recipient = self._recipients.get(peer)
        if recipient is None:
            return
        recipient.dialing = False
        if peer not in self._connected:  # it may have come by itself meanwhile
            recipient.back_off(now, self._rng)

    def stuck(self, peer: str) -> None:
        """It is connected, and does not answer or does not know the protocol."""
        if peer in self._connected:
            self._stuck.add(peer)

    def believed_connected(self) -> list[str]:
        return list(self._connected)

    def is_connected(self, peer: str) -> bool:
        return peer in self._connected

    def may_use_mailboxes(self, peer: str, now: float) -> bool:
        recipient = self._recipients.get(peer)
        if recipient is None:
            return False
        return peer in self._stuck or (peer not in self._connected and recipient.opens_at <= now)

    def due(self, now: float) -> list[str]:
        """Whom to dial now; each is being dialled until `connected` or `failed`."""
        found = []
        for peer, recipient in self._recipients.items():
            if peer not in self._connected and not recipient.dialing and recipient.due <= now:
                recipient.dialing, recipient.dialed_at = True, now
                found.append(peer)
        return found

    def next_due(self, now: float) -> float | None:
        """When there is a dial to make or a mailbox to open; None: not before something happens."""
        times = []
        for peer, recipient in self._recipients.items():
            if peer in self._connected:
                continue
            if not recipient.dialing:
                times.append(recipient.due)
            if recipient.opens_at > now:
                times.append(recipient.opens_at)
        return min(times, default=None)
