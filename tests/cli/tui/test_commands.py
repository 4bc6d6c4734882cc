import pytest

from p2pchat.cli.terminal import commands as line
from p2pchat.cli.terminal.completion import Names
from p2pchat.cli.tui import commands, completing

KNOWN = Names(("lobby", "harbour"), ("Bob", "Ann Lee"))


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("hello", line.Say("hello")),
        ("//slash", line.Say("/slash")),
        ("/join lobby", line.Join("lobby")),
        ("/block Bob", line.Block("Bob")),
        ("/block", commands.BlockHere()),
        ("/unblock", commands.BlockHere(undo=True)),
        ("/verify", commands.VerifyHere()),
        ("/mute", line.Mute()),
        ("/unmute #lobby", line.Mute(room="lobby", undo=True)),
        ("/edit better\nnow", line.EditMessage("better\nnow")),
        ("/edit", commands.EditLast()),
        ("/retract 2", line.RetractMessage(2)),
        ("/delete 3", line.DeleteMessage(3)),
        ("/accept a1b2c3", line.AcceptFile("a1b2c3")),
        ("/files", line.ShowFiles()),
        ("/notify bell", commands.SetNotify("bell")),
        ("/notify", commands.SetNotify(None)),
        ("/theme light", commands.SetTheme("light")),
    ],
)
def test_what_is_typed_is_understood(typed: str, command: commands.Command) -> None:
    assert commands.parse(typed) == command


@pytest.mark.parametrize(
    "typed",
    [
        "/notify loud",
        "/theme pink",
        "/delete 0",
        "/mute a\nb",
        "/blocked x",
        "/nonsense",
    ],
)
def test_what_means_nothing_is_a_mistake_with_a_sentence(typed: str) -> None:
    assert isinstance(commands.parse(typed), line.Mistake)


def offered(before: str) -> list[str]:
    return [choice for choice, _ in completing.offered(before, KNOWN, ["a1b2c3"])]


def test_every_command_is_offered() -> None:
    assert offered("/mu") == ["/mute"]
    assert offered("/joi") == ["/join"]
    assert {"/block", "/blocked"} <= set(offered("/bl"))


def test_names_and_rooms_are_offered_where_they_belong() -> None:
    assert offered("/block a") == ['"Ann Lee"']
    assert offered("/mute lo") == ["#lobby"]
    assert offered("/join h") == ["harbour"]
    assert offered("/accept ") == ["a1b2c3"]
    assert offered("/notify d") == ["desktop"]


def test_names_are_offered_inside_a_text() -> None:
    assert offered("ask bo") == ["Bob"]
    assert offered("ask @bo") == ["@Bob"]
    assert offered("in #lo") == ["#lobby"]
    assert offered("ask ") == []


def test_tab_goes_round_the_choices() -> None:
    round_ = completing.begin("/m", KNOWN)
    assert round_ is not None
    steps = [round_.step() for _ in range(len(round_.choices) + 1)]
    assert steps[0] == (round_.choices[0], 2)
    assert steps[-1][0] == round_.choices[0]
    assert steps[1][1] == len(round_.choices[0])


def test_a_single_choice_gets_its_blank() -> None:
    round_ = completing.begin("/unm", KNOWN)
    assert round_ is not None
    assert round_.step() == ("/unmute ", 4)


def test_every_command_has_its_help() -> None:
    text = str(commands.HELP)
    for word in ("/block", "/edit", "/notify", "/theme"):
        assert word in text
