"""What people whom the owner did not choose may send. It costs nothing to be somebody new."""

from __future__ import annotations

from collections import Counter

from p2pchat.node.protocol.token_bucket import TokenBucket

MAX_STRANGERS = (
    1000  # different ones that are remembered; messages of more are not shown as contacts
)
MESSAGES = 1000  # of one stranger, in one run of the program, until the owner answers or adds it
RATE, BURST = 20.0, 1000.0  # messages a second of all strangers together


class Strangers:
    """Peers are named in base58; times are seconds of any monotonic clock."""

    def __init__(self, now: float) -> None:
        self._together = TokenBucket(RATE, BURST, now)
        self._messages: Counter[str] = Counter()

    def allows(self, sender: str, now: float) -> bool:
        """Whether one more message of a stranger is taken now."""
        is_new = sender not in self._messages
        if self._messages[sender] >= MESSAGES or (is_new and len(self._messages) > MAX_STRANGERS):
            allowed = False
        else:
            allowed = self._together.allows(now)
        if allowed:
            self._messages[sender] += 1
        elif is_new:
            del self._messages[sender]
        return allowed

    def forget(self, sender: str) -> None:
        """It is none any more, or begins anew."""
        self._messages.pop(sender, None)
