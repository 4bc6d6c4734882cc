"""Who is in a room: what presences and neighbours tell, and what of it is worth a line."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import presence, room_presence
from p2pchat.node.protocol.room_message import Flaw
from p2pchat.node.protocol.room_presence import MembersReport, RoomPresence
from p2pchat.proto import wire_pb2 as wire


def person(number: int) -> Identity:
    return Identity(number.to_bytes(32, "big"))


OWN, ANN, BOB, EVE = (person(number) for number in range(1, 5))
NOW_MS = 1_700_000_000_000
AFTER_FIRST = 10.0


def here(
    who: Identity, sequence: int, nick: str = "", valid: int = 180, room: str = "den"
) -> wire.Presence:
    made = wire.Presence(
        room=room, peer=who.peer_bytes, nick=nick, sequence=sequence, valid_seconds=valid
    )
    presence.sign(made, who.private_key)
    return made


def room_at(now: float = 0.0, *, announced: bool = True) -> RoomPresence:
    rng = random.Random(3)
    return RoomPresence("den", OWN.peer_bytes, OWN.private_key, "Own", rng, now, announced)


def room_after_first(*, announced: bool = True) -> RoomPresence:
    room = room_at(announced=announced)
    assert room.changes(AFTER_FIRST) == MembersReport([], [], first=True)
    return room


def names_in(room: RoomPresence, now: float) -> list[str]:
    return [member.name for member in room.members(now)]


def told(report: MembersReport | None) -> tuple[list[str], list[str]]:
    assert report is not None
    return [m.name for m in report.joined], [m.name for m in report.left]


# ---- who is there --------------------------------------------------------------------------------------


def test_a_presence_makes_a_member_until_it_runs_out() -> None:
    room = room_at()
    assert room.receive(here(ANN, 1, "Ann"), 0.0, NOW_MS) is None
    (ann,) = room.members(179.0)
    assert (ann.peer, ann.name, ann.connected, ann.seen_ms) == (ANN.peer, "Ann", False, NOW_MS)
    assert room.members(180.0) == []


def test_the_higher_sequence_counts() -> None:
    room = room_at()
    room.receive(here(ANN, 5, "Ann"), 0.0, NOW_MS)
    room.receive(here(ANN, 4, "Old"), 10.0, NOW_MS)
    room.receive(here(ANN, 5, "Other"), 20.0, NOW_MS)
    assert names_in(room, 20.0) == ["Ann"]
    assert room.skipped == 2
    room.receive(here(ANN, 6, "New"), 30.0, NOW_MS)
    assert names_in(room, 200.0) == ["New"]


def test_who_says_goodbye_is_gone_and_an_old_presence_does_not_bring_it_back() -> None:
    room = room_at()
    room.receive(here(ANN, 5), 0.0, NOW_MS)
    room.receive(here(ANN, 7, valid=0), 0.1, NOW_MS)
    assert room.members(0.1) == []
    room.receive(here(ANN, 6), 10.0, NOW_MS)
    assert room.members(10.0) == []
    room.receive(here(ANN, 8), 10.1, NOW_MS)
    assert len(room.members(10.1)) == 1


def test_a_neighbour_is_a_member_before_it_says_so() -> None:
    room = room_at()
    room.subscribed({ANN.peer, OWN.peer}, 0.0, NOW_MS)
    room.named(ANN.peer, "Ann")
    (ann,) = room.members(5000.0)
    assert (ann.name, ann.connected) == ("Ann", True)


def test_a_neighbour_that_is_gone_has_left_after_a_while() -> None:
    room = room_at()
    room.receive(here(ANN, 1, "Ann"), 0.0, NOW_MS)
    room.subscribed({ANN.peer}, 1.0, NOW_MS)
    room.subscribed(set(), 10.0, NOW_MS)
    assert names_in(room, 24.9) == ["Ann"]
    room.changes(20.0)
    assert room.due(20.0) == 25.0
    assert names_in(room, 25.0) == []


def test_a_newer_presence_says_that_it_is_still_there() -> None:
    room = room_at()
    room.subscribed({ANN.peer}, 1.0, NOW_MS)
    room.subscribed(set(), 10.0, NOW_MS)
    room.receive(here(ANN, 1, "Ann"), 12.0, NOW_MS)
    assert names_in(room, 100.0) == ["Ann"]


def test_a_neighbour_that_says_goodbye_is_gone_before_gossip_knows() -> None:
    room = room_at()
    room.subscribed({ANN.peer}, 0.0, NOW_MS)
    room.receive(here(ANN, 1, valid=0), 1.0, NOW_MS)
    room.subscribed({ANN.peer}, 1.5, NOW_MS)
    assert room.members(1.5) == []
    room.subscribed(set(), 2.0, NOW_MS)
    assert room.members(2.0) == []
    room.subscribed({ANN.peer}, 3.0, NOW_MS)
    assert len(room.members(3.0)) == 1


def test_members_are_sorted_by_name() -> None:
    room = room_at()
    for who, name in ((ANN, "bea"), (BOB, "Ann"), (EVE, "Zoe")):
        room.receive(here(who, 1, name), 0.0, NOW_MS)
    assert names_in(room, 0.0) == ["Ann", "bea", "Zoe"]


def test_a_greeting_alone_makes_no_member() -> None:
    room = room_at()
    room.named(ANN.peer, "Ann")
    assert room.members(0.0) == []


# ---- limits --------------------------------------------------------------------------------------------


def test_forged_ones_are_refused_and_do_not_count_against_their_victim() -> None:
    room = room_at()
    forged = here(ANN, 9, valid=0)
    forged.sequence = 10
    room.receive(here(ANN, 1), 0.0, NOW_MS)
    assert room.receive(forged, 5.0, NOW_MS) is Flaw.BAD_SIGNATURE
    assert room.receive(here(ANN, 2, room="cellar"), 5.0, NOW_MS) is Flaw.WRONG_ROOM
    assert room.receive(wire.Presence(room="den", peer=b"x"), 5.0, NOW_MS) is Flaw.MALFORMED
    room.receive(here(ANN, 2, "Ann"), 5.0, NOW_MS)
    assert names_in(room, 5.0) == ["Ann"]


def test_one_peer_is_not_looked_at_all_the_time() -> None:
    room = room_at()
    for number in range(1, 101):
        room.receive(here(ANN, number, str(number)), number / 100, NOW_MS)
    assert room.skipped == 99


def test_invented_peers_are_taken_in_slowly_and_the_table_is_bounded() -> None:
    room = room_at()
    room.subscribed({BOB.peer}, 0.0, NOW_MS)
    for number in range(1000):
        made = wire.Presence(room="den", peer=person(number + 100).peer_bytes, sequence=1)
        room.receive(made, 1.0, NOW_MS)
    assert room.skipped >= 1000 - 203
    for number in range(room_presence.MAX_PEERS + 10):
        made = wire.Presence(
            room="den", peer=person(number + 100).peer_bytes, sequence=1, valid_seconds=180
        )
        room.heard(made, 2.0 + number / 1000, NOW_MS)
    listed = {member.peer for member in room.members(3.0)}
    assert len(listed) == room_presence.MAX_PEERS
    assert BOB.peer in listed
    assert person(100).peer not in listed


# ---- lines ---------------------------------------------------------------------------------------------


def test_the_first_report_says_who_is_there_and_nothing_before_it() -> None:
    room = room_at()
    room.receive(here(ANN, 1, "Ann"), 0.5, NOW_MS)
    room.receive(here(BOB, 1, "Bob"), 3.0, NOW_MS)
    assert room.changes(4.9) is None
    assert room.due(4.9) == 5.0
    report = room.changes(5.0)
    assert told(report) == (["Ann", "Bob"], [])
    assert report is not None
    assert report.first
    assert room.changes(8.0) is None


def test_a_burst_is_one_report() -> None:
    room = room_after_first()
    room.receive(here(ANN, 1, "Ann"), 20.0, NOW_MS)
    assert room.changes(20.0) is None
    assert room.due(20.0) == 22.0
    room.receive(here(BOB, 1, "Bob"), 21.0, NOW_MS)
    assert room.changes(21.0) is None
    report = room.changes(22.0)
    assert told(report) == (["Ann", "Bob"], [])
    assert report is not None
    assert not report.first
    assert room.changes(30.0) is None


def test_who_came_and_went_or_went_and_came_back_within_a_moment_is_not_named() -> None:
    room = room_after_first()
    room.receive(here(ANN, 1, "Ann"), 20.0, NOW_MS)
    assert room.changes(20.0) is None
    room.receive(here(ANN, 2, valid=0), 21.0, NOW_MS)
    assert room.changes(22.0) is None
    room.receive(here(ANN, 3, "Ann"), 30.0, NOW_MS)
    room.changes(30.0)
    assert told(room.changes(32.0)) == (["Ann"], [])
    room.receive(here(ANN, 4, valid=0), 40.0, NOW_MS)
    assert room.changes(40.0) is None
    room.receive(here(ANN, 5, "Ann"), 41.0, NOW_MS)
    assert room.changes(42.0) is None
    assert room.changes(50.0) is None


def test_who_leaves_is_named() -> None:
    room = room_after_first()
    room.receive(here(ANN, 1, "Ann"), 20.0, NOW_MS)
    room.changes(20.0)
    room.changes(22.0)
    room.receive(here(ANN, 2, valid=0), 30.0, NOW_MS)
    room.changes(30.0)
    assert told(room.changes(32.0)) == ([], ["Ann"])


def test_who_comes_and_goes_all_the_time_is_heard_a_few_times_a_minute() -> None:
    room = room_after_first()
    reports = 0
    for number in range(200):  # ten minutes, with a change every three seconds
        now = 20.0 + 3 * number
        valid = 180 if number % 2 == 0 else 0
        room.receive(here(ANN, number + 1, "Ann", valid=valid), now, NOW_MS)
        reports += sum(room.changes(now + later) is not None for later in (0.0, 1.0, 2.0, 2.9))
    assert reports <= 4 + 40 + 1


def test_in_a_large_room_who_is_first_heard_early_was_there_before() -> None:
    """Members of a room of 500 repeat themselves every 1,000 seconds."""
    room = room_after_first()
    room.receive(here(ANN, 1, "Ann", valid=3000), 500.0, NOW_MS)
    assert room.changes(500.0) is None
    assert room.changes(510.0) is None
    room.receive(here(BOB, 1, "Bob", valid=180), 520.0, NOW_MS)  # has just come: knows nobody yet
    room.changes(520.0)
    assert told(room.changes(523.0)) == (["Bob"], [])
    room.receive(here(EVE, 1, "Eve", valid=3000), 1200.0, NOW_MS)
    room.changes(1200.0)
    assert told(room.changes(1203.0)) == (["Eve"], ["Bob"])


# ---- the own one ---------------------------------------------------------------------------------------


def test_two_find_each_other_by_what_they_announce() -> None:
    room = room_at()
    assert room.announcement(3.0, NOW_MS) is None
    room.subscribed({ANN.peer}, 4.0, NOW_MS)
    assert 5.0 <= room.due(4.0) <= 6.0
    made = room.announcement(6.0, NOW_MS)
    assert made is not None
    other = RoomPresence("den", ANN.peer_bytes, ANN.private_key, "Ann", random.Random(5), 0.0)
    assert other.receive(made, 6.1, NOW_MS) is None
    assert names_in(other, 6.1) == ["Own"]
    bye = room.farewell(NOW_MS + 1)
    assert bye is not None
    other.receive(bye, 7.0, NOW_MS)
    assert names_in(other, 7.0) == []


def test_a_newcomer_brings_the_next_one_forward() -> None:
    room = room_at()
    room.subscribed({ANN.peer}, 0.0, NOW_MS)
    assert room.announcement(2.0, NOW_MS)
    room.receive(here(BOB, 1), 30.0, NOW_MS)
    assert room.announcement(32.5, NOW_MS)


def test_the_own_presence_is_not_a_member() -> None:
    room = room_at()
    room.subscribed({ANN.peer}, 0.0, NOW_MS)
    assert room.announcement(2.0, NOW_MS)
    room.receive(here(OWN, NOW_MS + 10), 3.0, NOW_MS)
    assert [member.peer for member in room.members(3.0)] == [ANN.peer]
    bye = room.farewell(NOW_MS)
    assert bye is not None
    assert bye.sequence == NOW_MS + 11


def test_a_silent_neighbour_is_listed_and_its_coming_and_going_are_not_told() -> None:
    room = room_after_first()
    room.subscribed({ANN.peer}, AFTER_FIRST, NOW_MS)
    assert [member.peer for member in room.members(AFTER_FIRST)] == [ANN.peer]
    room.subscribed(set(), AFTER_FIRST + 10, NOW_MS)
    assert all(room.changes(AFTER_FIRST + seconds) is None for seconds in range(60))


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["hear", "leave", "neighbours", "look"]),
        st.integers(0, 3),
        st.floats(0, 30),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_what_was_said_agrees_with_who_is_there_in_the_end(
    actions: list[tuple[str, int, float]],
) -> None:
    room = room_after_first(announced=False)
    people = [person(number + 10) for number in range(4)]
    believed: set[str] = set()
    now = AFTER_FIRST

    def look() -> None:
        if report := room.changes(now):
            joined = {member.peer for member in report.joined}
            left = {member.peer for member in report.left}
            assert not joined & believed
            assert left <= believed
            believed.symmetric_difference_update(joined | left)

    for sequence, (action, number, pause) in enumerate(actions, start=1):
        now += pause
        who = people[number]
        if action == "neighbours":
            room.subscribed({each.peer for each in people[:number]}, now, NOW_MS)
        elif action != "look":
            made = wire.Presence(room="den", peer=who.peer_bytes, sequence=sequence)
            made.valid_seconds = 60 if action == "hear" else 0
            room.heard(made, now, NOW_MS)
        look()
    for _ in range(40):  # until there is a token again, and what ran out was said
        now += 10.0
        look()
    assert believed == {member.peer for member in room.members(now)}
