"""Frames on their way to one client, put together into few large writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import trio

from p2pchat.node.protocol import limits
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.queue import Mail

WRITE_BYTES = 256 << 10  # bytes that are put into one write; a longer frame is written alone
MAX_FRAMES = 64  # frames that wait; no further request is read before they are fewer


class Outgoing:
    """A queue of frames with one reader. What may be put is bounded by whoever reads requests."""

    def __init__(self) -> None:
        self._frames: deque[tuple[bytes, int]] = deque()  # with the bytes of mail inside
        self._arrivals = trio.lowlevel.ParkingLot()
        self._space = trio.lowlevel.ParkingLot()

    def put(self, reply: mailbox.MailboxReply, mail_bytes: int = 0) -> None:
        self._frames.append((frame(reply.SerializeToString()), mail_bytes))
        self._arrivals.unpark_all()

    async def take(self) -> tuple[bytes, int]:
        """The next write, and how many bytes of mail are in it."""
        while not self._frames:
            await self._arrivals.park()
        data, mail_bytes = self._frames.popleft()
        parts = [data]
        size = len(data)
        while self._frames and size + len(self._frames[0][0]) <= WRITE_BYTES:
            data, mail = self._frames.popleft()
            parts.append(data)
            size += len(data)
            mail_bytes += mail
        self._space.unpark_all()
        return b"".join(parts), mail_bytes

    async def room(self) -> None:
        """Wait until few enough frames wait: a client that does not read its replies is not read either."""
        while len(self._frames) >= MAX_FRAMES:
            await self._space.park()


def hand_overs(mail: Sequence[Mail]) -> Iterator[tuple[mailbox.MailboxReply, int]]:
    """Replies of up to `limits.MAX_BATCH` envelopes and `BATCH_BYTES`, with the bytes of mail in each."""
    reply, size = mailbox.MailboxReply(), 0
    envelopes = reply.hand_over.envelopes
    for one in mail:
        if envelopes and (
            len(envelopes) == limits.MAX_BATCH or size + one.size > limits.BATCH_BYTES
        ):
            yield reply, size
            reply, size = mailbox.MailboxReply(), 0
            envelopes = reply.hand_over.envelopes
        envelopes.append(one.envelope)
        size += one.size
    if envelopes:
        yield reply, size
