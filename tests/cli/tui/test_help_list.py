from p2pchat.cli.terminal import parsing
from p2pchat.cli.terminal.commands import Mistake
from p2pchat.cli.tui import commands, help_list
from p2pchat.cli.tui.rows import plain


def test_keys_come_first_and_then_the_commands() -> None:
    titles = [title for title, _ in help_list.groups()]
    assert titles[:2] == ["Keys", "Rooms"]


def test_the_help_fits_a_narrow_screen() -> None:
    text = [plain(each) for each in help_list.rows(60)]
    assert any("/notify" in each for each in text)
    assert any("alt+enter" in each for each in text)


def test_every_command_is_listed() -> None:
    listed = {each.typed.split()[0] for each in help_list.commands()}
    assert set(commands.WORDS) <= listed
    assert set(parsing.WORDS) <= listed


def test_what_needs_something_behind_it_ends_with_a_blank_and_the_rest_can_be_done_at_once() -> (
    None
):
    typed = [each.typed for each in help_list.commands()]
    assert {"/join ", "/verify ", "/block ", "/contact add ", "/mailbox list", "/files"} <= {*typed}
    assert len(typed) == len(set(typed))
    for each in typed:
        assert each.endswith(" ") or not isinstance(commands.parse(each), Mistake)


def test_what_differs_from_the_line_mode_is_said_of_commands_that_there_are() -> None:
    usages = {usage for _, group in help_list.groups() for usage, _ in group}
    assert set(help_list._HERE) <= usages
