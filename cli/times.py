"""Times of messages, which are their senders' word."""

from __future__ import annotations

from datetime import datetime, tzinfo


def when(unix_ms: int, zone: tzinfo | None) -> datetime | None:
    """None for a time that no calendar holds."""
    try:
        return datetime.fromtimestamp(unix_ms / 1000, zone)
    except (OverflowError, OSError, ValueError):
        return None
