"""When to try to reach a recipient itself, and when its mailboxes take over. Decides every dial, performs none."""

from __future__ import annotations

import random
from collections.abc import Set
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff

PATIENCE = (
    2.0  # seconds that a recipient may take to be reached before its mailboxes are asked as well
)
REDIAL = Backoff(first=5.0, most=300.0)  # seconds


@dataclass(slots=True)
class _Recipient:
    due: float  # when to dial next
    opens_at: float  # when mailboxes may be used
    dialing: bool = False
    failures: int = 0


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
            del self._recipients[peer]
        self._stuck &= waiting

    def connected(self, peer: str) -> None:
        self._connected.add(peer)
        self._stuck.discard(peer)
        if recipient := self._recipients.get(peer):
            recipient.dialing, recipient.failures = False, 0

    def disconnected(self, peer: str, now: float) -> None:
        self._connected.discard(peer)
        self._stuck.discard(peer)
        if recipient := self._recipients.get(peer):
            recipient.due, recipient.opens_at = now, now + PATIENCE

    def all_gone(self, now: float) -> None:
        """The network starts anew."""
        for peer in list(self._connected):
            self.disconnected(peer, now)
        for recipient in self._recipients.values():
            recipient.dialing = False

    def failed(self, peer: str, now: float) -> None:
        """A dial led nowhere: the mailboxes are asked at once."""
        if recipient := self._recipients.get(peer):
            recipient.dialing = False
            recipient.failures += 1
            recipient.due = now + REDIAL.delay(recipient.failures, self._rng)
            recipient.opens_at = min(recipient.opens_at, now)

    def stuck(self, peer: str) -> None:
        """It is connected, and does not answer or does not know the protocol."""
        self._stuck.add(peer)

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
                recipient.dialing = True
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
