"""Texts that show whether they were altered."""

import pytest

from p2pchat.cli.testnet import marks
from p2pchat.cli.testnet.marks import Mark


@pytest.mark.parametrize("size", [0, 1, 7, 44, 45, 3000])
def test_what_was_written_is_read(size: int) -> None:
    text = marks.write(42, "node-3", size)
    assert marks.read(text) == Mark(42, "node-3", whole=True)
    assert size <= len(text) - len("testnet 01234567 42 node-3 ") <= size


@pytest.mark.parametrize(
    "alter", [lambda t: t[:-1], lambda t: f"{t}!", lambda t: t.replace("o", "0", 1)]
)
def test_what_was_altered_is_not_whole(alter: object) -> None:
    assert callable(alter)
    found = marks.read(alter(marks.write(42, "node-3", 100)))
    assert found is not None
    assert not found.whole


@pytest.mark.parametrize(
    "text", ["", "hello", "testnet", "testnet 1 x node-1 a", "other 1 2 node-1 a"]
)
def test_other_texts_have_no_mark(text: str) -> None:
    assert marks.read(text) is None
