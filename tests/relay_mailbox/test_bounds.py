"""What is in memory: bytes in flight, frames on their way out."""

from __future__ import annotations

import trio
import trio.testing

from p2pchat.node.protocol import limits
from p2pchat.node.protocol.framing import FrameDecoder
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.in_flight import InFlight
from p2pchat.relay_mailbox.outgoing import MAX_FRAMES, WRITE_BYTES, Outgoing, hand_overs
from p2pchat.relay_mailbox.queue import Mail
from tests.relay_mailbox.builders import envelope


def mail(number: int, size: int = 100) -> Mail:
    return Mail(number, b"", size, envelope(number, size=size))


async def test_bytes_in_flight_are_bounded_for_each_peer_and_in_all() -> None:
    in_flight = InFlight(per_peer=100, total=150)
    assert await in_flight.reserve("a", 100) == ""
    limits_met: list[str] = []

    async def reserve(peer: str, size: int) -> None:
        limits_met.append(await in_flight.reserve(peer, size))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reserve, "a", 1)
        nursery.start_soon(reserve, "b", 60)
        await trio.testing.wait_all_tasks_blocked()
        assert limits_met == []
        in_flight.release("a", 100)
    assert sorted(limits_met) == ["max_bytes_in_flight", "max_bytes_in_flight_per_peer"]


async def test_frames_are_put_together_into_few_writes() -> None:
    outgoing = Outgoing()
    for number in range(10):
        outgoing.put(mailbox.MailboxReply(found=mailbox.Found(peer=bytes([number]))), number)
    data, mail_bytes = await outgoing.take()
    assert mail_bytes == sum(range(10))
    assert len(list(FrameDecoder(1000).feed(data))) == 10


async def test_a_write_has_a_bound_unless_one_frame_is_larger() -> None:
    outgoing = Outgoing()
    for size in (WRITE_BYTES, 10, 10):
        outgoing.put(mailbox.MailboxReply(found=mailbox.Found(peer=bytes(size))))
    assert len((await outgoing.take())[0]) > WRITE_BYTES
    assert len((await outgoing.take())[0]) < 100


async def test_too_many_frames_hold_up_the_reading() -> None:
    outgoing = Outgoing()
    reply = mailbox.MailboxReply(caught_up=mailbox.CaughtUp())
    for _ in range(MAX_FRAMES):
        outgoing.put(reply)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outgoing.room)
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        await outgoing.take()


def test_hand_overs_fit_into_frames() -> None:
    sizes = [100] * 300 + [200_000] * 3 + [limits.ENVELOPE_LIMIT] * 2 + [100]
    made = list(hand_overs([mail(number, size) for number, size in enumerate(sizes)]))
    envelopes = [one for reply, _ in made for one in reply.hand_over.envelopes]
    assert envelopes == [envelope(number, size=size) for number, size in enumerate(sizes)]
    assert sum(size for _, size in made) == sum(sizes)
    for reply, size in made:
        assert 1 <= len(reply.hand_over.envelopes) <= limits.MAX_BATCH
        assert size <= limits.BATCH_BYTES
        assert reply.ByteSize() <= limits.FRAME_LIMIT
