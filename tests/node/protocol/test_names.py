import pytest

from p2pchat.node.protocol.names import (
    NAME_LIMIT,
    ROOM_LIMIT,
    TEXT_LIMIT,
    default_name,
    name_problem,
    room_problem,
    text_problem,
)


@pytest.mark.parametrize("name", ["Ada", "Ada Lovelace", "Адá", "阿达", "a" * NAME_LIMIT])
def test_good_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        " Ada",
        "a" * (NAME_LIMIT + 1),
        "A\x1b[31m",
        "A\nB",
        "A\u202eB",
        "A\u200bB",
        "A\udc80",
    ],
)
def test_bad_names_get_a_sentence(name: str) -> None:
    assert (name_problem(name) or "").endswith(".")


@pytest.mark.parametrize(
    "room", ["lobby", "p2pchat-default", "#lobby", "гостиная", "r" * ROOM_LIMIT]
)
def test_good_rooms(room: str) -> None:
    assert room_problem(room) is None


@pytest.mark.parametrize(
    "room", ["", "two words", "r" * (ROOM_LIMIT + 1), "a\tb", "a\x00", "a\u2028"]
)
def test_bad_rooms_get_a_sentence(room: str) -> None:
    assert (room_problem(room) or "").endswith(".")


def test_the_limit_of_a_text_is_in_bytes() -> None:
    assert text_problem("x" * TEXT_LIMIT) is None
    assert text_problem("é" * (TEXT_LIMIT // 2)) is None
    assert "65,537" in (text_problem("x" * (TEXT_LIMIT + 1)) or "")
    assert text_problem("é" * (TEXT_LIMIT // 2 + 1)) is not None
    assert text_problem("") is not None


def test_a_default_name_can_be_chosen_by_anybody() -> None:
    name = default_name("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB")
    assert name == "user-dbfesb"
    assert name_problem(name) is None
