from __future__ import annotations

from p2pchat.node.protocol import strangers
from p2pchat.node.protocol.strangers import Strangers


def test_one_stranger_is_heard_up_to_a_number_of_messages() -> None:
    limit = Strangers(0.0)
    taken = sum(limit.allows("eve", float(second)) for second in range(2 * strangers.MESSAGES))
    assert taken == strangers.MESSAGES


def test_who_was_chosen_begins_anew() -> None:
    limit = Strangers(0.0)
    for second in range(strangers.MESSAGES):
        limit.allows("eve", float(second))
    assert not limit.allows("eve", 1e6)
    limit.forget("eve")
    assert limit.allows("eve", 1e6)


def test_all_of_them_together_are_slowed_down() -> None:
    limit = Strangers(0.0)
    at_once = sum(limit.allows(f"eve {number % 50}", 0.0) for number in range(5000))
    assert at_once == strangers.BURST
    assert sum(limit.allows("mallory", 10.0) for _ in range(1000)) == 10 * strangers.RATE


def test_inventing_names_does_not_fill_memory() -> None:
    limit = Strangers(0.0)
    for number in range(3 * strangers.MAX_STRANGERS):
        limit.allows(f"eve {number}", float(number))
    assert len(limit._messages) <= strangers.MAX_STRANGERS + 1
    assert limit.allows("eve 1", 1e6)
