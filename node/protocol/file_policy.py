"""Which files the owner takes, and how; nothing that is slow to import, because configuration rests on it."""

from __future__ import annotations

from dataclasses import dataclass

MAX_SIZE = 1 << 50  # bytes of a file that can be offered at all
ACCEPTANCES = ("ask", "contacts", "never")  # what FilePolicy.accept may be


@dataclass(frozen=True, slots=True)
class FilePolicy:
    accept: str = "ask"  # "ask"; "contacts": theirs at once; "never"
    max_size: int = 1 << 30  # bytes of a file that is taken
    by_mailbox: int = 1 << 20  # bytes of a file that is sent and taken in envelopes; 0: none is
