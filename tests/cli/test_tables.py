from __future__ import annotations

import pytest

from p2pchat.cli.tables import cut, table
from p2pchat.cli.terminal.lines import columns, plain


def shown(*rows: tuple[str, ...], width: int = 0) -> list[str]:
    return [plain(line) for line in table(("Name", "What"), rows, width)]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert shown(("a", "x"), ("abcdef", "")) == ["Name    What", "a       x", "abcdef"]


def test_wide_characters_take_two_columns() -> None:
    _, wide, narrow = shown(("宇宙", "x"), ("ab", "x"))
    assert columns(wide[: wide.index("x")]) == columns(narrow[: narrow.index("x")])


def test_the_last_column_is_cut_to_the_terminal() -> None:
    rows = shown(("a", "x" * 50), ("b", "宇" * 25), width=20)
    assert [columns(row) for row in rows] == [10, 20, 19]
    assert rows[1].endswith("x…")


def test_something_of_it_is_left_however_narrow_the_terminal() -> None:
    assert shown(("a" * 30, "x" * 50), width=20)[1].endswith("x" * 7 + "…")


def test_hostile_cells_are_harmless() -> None:
    _, row = shown(("a\x1b[2J", "b\nc\u202e"))
    assert row == "a␛[2J  b␊c�"


@pytest.mark.parametrize(
    ("text", "width", "left"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("宇宙船", 4, "宇…"), ("", 3, "")],
)
def test_cut(text: str, width: int, left: str) -> None:
    assert cut(text, width) == left
