from __future__ import annotations

import re

import pytest
import segno

from p2pchat.cli.qr import QUIET_ZONE, qr_text

SHORT = "p2pchat:peer/12D3KooWQXRL37LdcJFwV2ueaDNN7H2FUAPJh9aJRij89VSxZBa1?n=Bob"
LONG = SHORT + "&a=/ip4/192.168.1.7/tcp/42809" * 20
WIDE = 400  # columns

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
UPPER_DARK, LOWER_DARK = "▀█", "▄█"


def read(text: str, *, light_text: bool) -> list[list[bool]]:
    """The modules that a picture of half blocks shows, true for dark."""
    rows = []
    for line in text.split("\n"):
        rows.append([(mark in UPPER_DARK) is not light_text for mark in line])
        rows.append([(mark in LOWER_DARK) is not light_text for mark in line])
    return rows


def matrix(link: str, level: str) -> list[list[bool]]:
    code = segno.make_qr(link, error=level, boost_error=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET_ZONE)]


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("link", [SHORT, LONG])
def test_every_module_is_where_the_code_has_it(link: str, color: bool) -> None:
    text = qr_text(link, color=color, width=WIDE)
    wanted = matrix(link, "m")
    shown = read(ESCAPES.sub("", text), light_text=not color)
    assert shown[: len(wanted)] == wanted
    assert len(shown) - len(wanted) in (0, 1)
    assert not color or not any(any(row) for row in shown[len(wanted) :])


def test_it_says_its_colours_itself_on_every_line() -> None:
    lines = qr_text(SHORT, color=True, width=WIDE).split("\n")
    assert all(line.startswith("\x1b[38;5;16;48;5;231m") for line in lines)
    assert all(line.endswith("\x1b[0m") for line in lines)
    assert "\x1b" not in qr_text(SHORT, color=False, width=WIDE)


def test_where_it_is_narrow_less_is_corrected() -> None:
    medium, low = len(matrix(LONG, "m")), len(matrix(LONG, "l"))
    assert low < medium
    text = qr_text(LONG, color=False, width=medium - 1)
    assert {len(line) for line in text.split("\n")} == {low}


def test_where_it_is_too_narrow_it_says_so_instead() -> None:
    needed = len(matrix(LONG, "l"))
    said = qr_text(LONG, width=needed - 1)
    assert said == (
        f"A QR code of the link needs {needed} columns, and the terminal has {needed - 1}."
    )


def test_a_short_link_fits_an_ordinary_terminal() -> None:
    assert len(qr_text(SHORT, color=False, width=80).split("\n")[0]) <= 80


def test_what_no_code_can_hold_is_said() -> None:
    assert qr_text("p2pchat:" + "x" * 5000, width=WIDE) == "The link is too long for a QR code."
