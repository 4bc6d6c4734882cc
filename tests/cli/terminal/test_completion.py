import pytest

from p2pchat.cli.terminal.completion import Names, completions

KNOWN = Names(rooms=("lobby", "library"), people=("Bob", "Ann Lee", "anna"))


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("hello /m", []),
        ("/ms", ["/msg"]),
        ("/con", ["/contacts", "/contact"]),
        ("/join li", ["library"]),
        ("/room ", ["lobby", "library"]),
        ("/msg ", ["Bob", '"Ann Lee"', "anna"]),
        ("/msg a", ['"Ann Lee"', "anna"]),
        ('/msg "An', ['"Ann Lee"', "anna"]),
        ("/msg Bob hel", []),
        ("/dm b", ["Bob"]),
        ("/history b", ["Bob"]),
        ("/contact re", ["rename", "remove"]),
        ("/contact rename b", ["Bob"]),
        ("/contact remove ann", ['"Ann Lee"', "anna"]),
        ("/contact add b", []),
        ("/history mo", ["more"]),
        ("/who l", ["lobby", "library"]),
        ("/forget li", ["library"]),
        ("/keep ", ["forever", "default"]),
        ("/mailbox ", ["add", "list", "remove", "archive"]),
        ("/mailbox archive li", ["library"]),
        ("/mailbox remove b", []),
        ("/info ", []),
    ],
)
def test_what_tab_offers(before: str, offered: list[str]) -> None:
    assert [choice for choice, _ in completions(before, KNOWN)] == offered


def test_what_is_typed_is_replaced() -> None:
    assert list(completions('/msg "an', KNOWN)) == [('"Ann Lee"', 3), ("anna", 3)]
