import pytest

from p2pchat.cli.tui import cells


def test_text_takes_as_many_columns_as_are_counted() -> None:
    assert cells.width("abc") == 3
    assert cells.width("김민아") == 6
    assert cells.width("e\u0301") == 1


def test_control_characters_and_turned_directions_are_made_visible() -> None:
    shown = cells.steady_line("\x1b[31mred\x07 \u202egnp.exe\u2066")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\u2066" not in shown
    assert "␛[31mred" in shown


def test_joined_emoji_are_shown_one_by_one_because_terminals_disagree_on_their_width() -> None:
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert cells.steady_line(family) == "\U0001f469\U0001f469\U0001f467"
    assert cells.width(cells.steady_line(family)) == 6
    assert cells.width(cells.steady_line("\u2764\ufe0f")) == 1


def test_flags_and_letters_with_marks_are_not_torn_apart() -> None:
    flags = "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7"
    parts = [part for part, _ in cells.clusters(f"e\u0301{flags}x")]
    assert parts == ["e\u0301", flags[:2], flags[2:], "x"]


@pytest.mark.parametrize(
    "text",
    ["hello there you", "안녕하세요 여러분 회의는", "x" * 50, "e\u0301" * 30, "שלום עולם טוב"],
)
@pytest.mark.parametrize("columns", [2, 5, 9])
def test_no_row_is_wider_than_asked_and_nothing_but_blanks_is_lost(text: str, columns: int) -> None:
    rows = cells.wrapped(text, columns)
    assert all(cells.width(row) <= columns for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


def test_rows_break_at_blanks() -> None:
    assert cells.wrapped("one two three", 8) == ["one two", "three"]


def test_what_is_cut_says_so() -> None:
    assert cells.cut("harbour", 4) == "har…"
    assert cells.cut("김민아", 4) == "김…"
    assert cells.cut("abc", 3) == "abc"


def test_right_to_left_text_is_isolated_from_what_stands_beside_it() -> None:
    hebrew = "שלום"
    assert cells.isolated(hebrew) == f"\u2068{hebrew}\u2069"
    assert cells.isolated("김민아") == "김민아"
    assert cells.width(cells.isolated("שלום")) == 4


def test_what_is_cut_inside_keeps_its_beginning_and_its_end() -> None:
    assert cells.cut_inside("short", 10) == "short"
    assert cells.cut_inside("a-rather-long-name-17", 12) == "a-rathe…e-17"
    assert cells.width(cells.cut_inside("김민아" * 9, 13)) <= 13
