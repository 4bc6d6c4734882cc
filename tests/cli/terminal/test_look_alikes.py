"""Names that look alike, and names that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli.terminal.look_alikes import ambiguous, skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "ANN"),
        ("Ann", " ann. "),
        ("Ann", "Änn"),
        ("Ann", "\u0410nn"),  # Cyrillic
        ("Bob", "B0b"),
        ("Bill", "BiII"),
        ("Ann Lee", "AnnLee"),
        ("Ann", "\uff21\uff4e\uff4e"),  # full width
        ("Ann", "An\u200bn"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Ann", "Anna"), ("Bob", "Rob"), ("…", "-"), ("山田", "山本")]
)
def test_names_that_do_not(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


def test_who_has_a_double() -> None:
    assert ambiguous(["Ann", "Bob", "ann", "", "", "Eve"]) == {"ann"}


@given(st.text(max_size=32))
def test_every_name_has_a_skeleton(name: str) -> None:
    assert skeleton(name) or not name.strip()
