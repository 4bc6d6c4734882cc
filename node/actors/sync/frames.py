"""What both ends of a sync stream agree on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import trio

from p2pchat.node.protocol import items as item_rules
from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import sync_pb2 as sync
from p2pchat.proto import wire_pb2 as wire

SYNC_PROTOCOL = "/p2pchat/sync/1.0.0"
FRAME_LIMIT = 512 * 1024  # bytes
PAGE_MESSAGES = rules.MAX_BATCH_MESSAGES  # in one Messages or Push
PAGE_BYTES = rules.MAX_BATCH_BYTES  # of messages in one Messages or Push, or one message
FETCH_ITEMS = 256  # items in one request
RESET_TIMEOUT = 0.2  # seconds to give a stream up
BREATH = 32  # messages that are checked (75 us each) until others have a turn


def framed(message: sync.SyncRequest | sync.SyncReply) -> bytes:
    return frame(message.SerializeToString())


def pages(found: Iterable[records.RoomRecord]) -> Iterator[list[wire.RoomMessage]]:
    """Cut into what one frame takes."""
    for batch in rules.batches(record.message for record in found):
        yield list(batch.messages)


async def flaws(
    messages: Sequence[wire.RoomMessage], room: str, now_ms: int
) -> list[rules.Flaw | None]:
    """What is wrong with each of them, letting others work meanwhile."""
    found = []
    for index, message in enumerate(messages):
        if index % BREATH == BREATH - 1:
            await trio.lowlevel.checkpoint()
        found.append(rules.flaw_of(message, room, now_ms))
    return found


def items_in(packed: sync.Items) -> int:
    return len(packed.steps)


def cut_items(packed: sync.Items, length: int = FETCH_ITEMS) -> Iterator[list[bytes]]:
    """The items, in portions for one request. Raises `ValueError`."""
    listed = item_rules.unpack_items(packed)
    for start in range(0, len(listed), length):
        yield listed[start : start + length]
