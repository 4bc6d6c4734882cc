"""Nobody is named in a log, unless somebody who looks for a fault has asked for that."""

from __future__ import annotations

import logging
import os
import re

from p2pchat.relay_mailbox.pseudonyms import Pseudonyms

# As libp2p writes them: of Ed25519 keys, as ours, and of the other kinds.
PEER_ID = re.compile(
    r"12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|\b(?:Qm|16Uiu2HA)[1-9A-HJ-NP-Za-km-z]{44,45}\b"
)


def discreet(formatter: logging.Formatter, level: str) -> logging.Formatter:
    """At "debug" as it is; above that it names no peers."""
    return formatter if level == "debug" else _Discreet(formatter)


class _Discreet(logging.Formatter):
    """Calls every peer by a name that changes each day and that nobody can turn back.

    Whoever says the id: also what libraries log, and tracebacks.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner
        self._pseudonyms = Pseudonyms(os.urandom)

    def format(self, record: logging.LogRecord) -> str:
        now_ms = round(record.created * 1000)
        text = self._inner.format(record)
        return PEER_ID.sub(lambda found: self._pseudonyms.of(found[0].encode(), now_ms), text)
