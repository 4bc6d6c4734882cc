from __future__ import annotations

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.room_tally import RoomTally
from p2pchat.node.protocol.rooms import Room
from p2pchat.proto import actors_pb2 as actors

NOW_MS = 1_800_000_000_000


def room(name: str) -> Room:
    me = Identity(bytes(range(32)))
    return Room(name, False, me.peer_bytes, me.private_key, bytes)


def test_what_was_counted_in_a_room_goes_on_counting_after_it() -> None:
    tally, one, two = RoomTally(), room("one"), room("two")
    one.compose("a", "me", NOW_MS)
    two.compose("b", "me", NOW_MS)
    two.counts.update(received=5, duplicates=2)
    two.receive("nobody", b"\xff" * 10, NOW_MS)
    before = tally.describe([one, two], neighbours=7)
    assert before == actors.PubsubDescription(
        rooms=2, neighbours=7, said=2, received=5, duplicates=2, refused=1
    )
    tally.left(two)
    after = tally.describe([one], neighbours=3)
    assert (after.rooms, after.neighbours) == (1, 3)
    assert (after.said, after.received, after.duplicates, after.refused) == (2, 5, 2, 1)


def test_what_could_not_be_saved_was_not_said() -> None:
    one = room("one")
    record = one.compose("a", "me", NOW_MS)
    one.take_back(record.message.id)
    assert RoomTally().describe([one], 0).said == 0
