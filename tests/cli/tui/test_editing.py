from p2pchat.cli.tui.editing import LONGEST, Editor


def editor(text: str) -> Editor:
    made = Editor()
    made.insert(text)
    return made


def test_backspace_takes_a_letter_with_its_marks() -> None:
    made = editor("ae\u0301")
    made.backspace()
    assert made.text == "a"


def test_lines_that_are_pasted_stay_one_text() -> None:
    made = editor("one\r\ntwo\rthree")
    assert made.text == "one\ntwo\nthree"
    assert made.take() == "one\ntwo\nthree"


def test_up_and_down_call_back_what_was_sent_and_keep_what_is_being_written() -> None:
    made = Editor()
    for text in ("first", "second"):
        made.insert(text)
        made.take()
    made.insert("dra")
    made.up(40)
    assert made.text == "second"
    made.up(40)
    assert made.text == "first"
    made.up(40)
    assert made.text == "first"
    made.down(40)
    made.down(40)
    assert made.text == "dra"


def test_up_goes_to_the_row_above_before_it_calls_anything_back() -> None:
    made = editor("old")
    made.take()
    made.insert("one\ntwo")
    made.up(40)
    assert (made.text, made.cursor) == ("one\ntwo", 3)


def test_long_lines_go_on_in_the_next_row_and_the_cursor_with_them() -> None:
    view = editor("abcdefg").view(5)
    assert view.rows == ["abcde", "fg"]
    assert (view.row, view.column) == (1, 2)


def test_a_full_row_has_its_cursor_on_the_next_one() -> None:
    view = editor("abcde").view(5)
    assert (view.row, view.column) == (1, 0)


def test_a_click_beside_wide_letters_finds_its_place() -> None:
    made = editor("김민아")
    made.place(0, 4, 40)
    assert made.cursor == 2


def test_words_and_lines_are_deleted_and_put_back() -> None:
    made = editor("one two")
    made.delete_word()
    assert made.text == "one "
    made.put_back()
    assert made.text == "one two"
    made.home()
    made.delete_to_end()
    assert made.text == ""


def test_more_than_a_message_may_have_is_not_taken() -> None:
    assert not editor("a").insert("b" * LONGEST)


def test_control_characters_that_are_pasted_are_shown_harmlessly() -> None:
    view = editor("a\x1b[2Jb").view(40)
    assert view.rows == ["a␛[2Jb"]
