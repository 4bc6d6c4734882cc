import pytest

from p2pchat.node.protocol.self_image import DEFAULT_ROOM, SelfImage


@pytest.mark.parametrize(
    ("configured", "remembered", "settled"),
    [
        ([], [], [DEFAULT_ROOM]),
        ([], ["attic", "garden"], ["attic", "garden"]),
        (["garden"], [], ["garden"]),
        (
            ["garden", "lobby"],
            ["attic", "garden", "cellar"],
            ["attic", "cellar", "lobby", "garden"],
        ),
    ],
)
def test_the_room_to_speak_in_stands_last(
    configured: list[str], remembered: list[str], settled: list[str]
) -> None:
    image = SelfImage(rooms=dict.fromkeys(configured, False))
    image.settle_rooms(dict.fromkeys(remembered, False))
    assert list(image.rooms) == settled
    assert image.settled


def test_a_room_of_the_command_line_is_of_the_kind_given_there() -> None:
    image = SelfImage(rooms={"garden": True})
    image.settle_rooms({"garden": False, "lobby": True})
    assert image.rooms == {"lobby": True, "garden": True}
