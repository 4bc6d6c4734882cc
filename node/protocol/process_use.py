"""What a process takes of its machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """As the operating system says it; None where it says nothing."""

    resident_bytes: int
    cpu_seconds: float
    threads: int
    started_at: float  # Unix time, seconds
    open_fds: int | None = None
    max_fds: int | None = None
