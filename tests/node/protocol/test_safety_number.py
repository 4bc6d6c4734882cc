from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.safety_number import in_groups, safety_number
from tests.builders import sender_bytes

VECTORS = json.loads(
    (Path(__file__).parent / "vectors" / "safety_number_v1.json").read_text("utf-8")
)


@pytest.mark.parametrize("pair", VECTORS["pairs"])
def test_the_numbers_are_those_of_the_committed_vectors(pair: dict[str, str]) -> None:
    one, other = peer_id.from_text(pair["one"]), peer_id.from_text(pair["other"])
    assert safety_number(one, other) == pair["digits"]


def test_both_sides_see_the_same() -> None:
    assert safety_number(sender_bytes(1), sender_bytes(2)) == safety_number(
        sender_bytes(2), sender_bytes(1)
    )


def test_it_is_sixty_digits_and_another_one_for_every_pair() -> None:
    numbers = {safety_number(sender_bytes(0), sender_bytes(n)) for n in range(1, 20)}
    assert len(numbers) == 19
    assert all(len(number) == 60 and number.isascii() and number.isdigit() for number in numbers)


def test_it_is_read_out_in_twelve_groups_of_five() -> None:
    digits = safety_number(sender_bytes(1), sender_bytes(2))
    groups = in_groups(digits)
    assert [len(group) for group in groups] == [5] * 12
    assert "".join(groups) == digits


def test_there_is_none_with_a_peer_whose_key_is_of_another_kind() -> None:
    with pytest.raises(ValueError, match="Ed25519"):
        safety_number(sender_bytes(1), bytes.fromhex("1220") + bytes(32))
