from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli.terminal.lines import Painter, Span, columns, line, plain, wrap


def test_no_colour_means_no_escape_sequence() -> None:
    assert Painter().paint([line(Span("a", "time"), "b")]) == "ab\n"


def test_colour_begins_and_ends_with_each_span() -> None:
    painted = Painter(color=True).paint([line(Span("a", "warning"), "b")])
    assert painted == "\x1b[31ma\x1b[0mb\n"


def test_long_lines_break_at_spaces_and_hang() -> None:
    rows = [plain(row) for row in wrap(line("one two three four five six"), 20)]
    assert rows == ["one two three four ", "    five six"]


def test_a_padded_message_cannot_fake_the_beginning_of_a_line() -> None:
    fake = "x" + " " * 98 + "[00:00:00] ada: I never said this"
    rows = [plain(row) for row in wrap(line("[14:00:00] Bob: ", fake), 100)]
    assert len(rows) > 1
    assert all(row.startswith("    ") for row in rows[1:])


def test_styles_survive_the_break() -> None:
    rows = list(wrap(line(Span("a" * 30, "time"), Span("b" * 10, "me")), 25))
    assert rows[0] == (Span("a" * 25, "time"),)
    assert rows[1] == (Span("    "), Span("a" * 5, "time"), Span("b" * 10, "me"))


def test_a_narrow_terminal_is_left_alone() -> None:
    assert len(list(wrap(line("word " * 100), 10))) == 1
    assert len(list(wrap(line("word " * 100), 0))) == 1


@given(st.text(st.characters(exclude_categories=["C", "M"])), st.integers(20, 60))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int) -> None:
    rows = [plain(row) for row in wrap(line(text), width)]
    assert "".join([rows[0], *(row[4:] for row in rows[1:])]) == text
    assert all(columns(row) <= width for row in rows)
