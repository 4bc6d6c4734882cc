from p2pchat.node.protocol import profiles
from p2pchat.proto import records_pb2 as records


def test_changes_leave_the_rest_and_the_original_alone() -> None:
    before = records.Profile(name="ada", rooms=[records.RoomEntry(name="lobby")])

    after = profiles.with_room(profiles.with_name(before, "bob"), "garden", plain=True)

    assert after == records.Profile(
        name="bob",
        rooms=[records.RoomEntry(name="lobby"), records.RoomEntry(name="garden", plain=True)],
    )
    assert before.name == "ada"
    assert len(before.rooms) == 1


def test_a_room_stands_there_once() -> None:
    profile = profiles.with_room(records.Profile(), "lobby", plain=False)
    profile = profiles.with_room(profile, "lobby", plain=True)

    assert list(profile.rooms) == [records.RoomEntry(name="lobby", plain=True)]
    assert not profiles.without_room(profile, "lobby").rooms
