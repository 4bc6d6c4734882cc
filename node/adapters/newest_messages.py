"""How many of a range's newest messages go into one page."""

from __future__ import annotations

from collections.abc import Iterator

from p2pchat.proto import records_pb2 as records


def newest_that_fit(
    newest_first: Iterator[records.RoomRecord], limit: int, max_bytes: int
) -> tuple[list[records.RoomRecord], bool]:
    """Up to `limit` with at most `max_bytes` of messages together, or one; and whether there are more.

    Reads one more than it gives.
    """
    page: list[records.RoomRecord] = []
    left = max_bytes
    for record in newest_first:
        left -= record.message.ByteSize()
        if len(page) >= limit or (page and left < 0):
            return page, True
        page.append(record)
    return page, False
