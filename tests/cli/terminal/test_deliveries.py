"""How the states of own messages come to the screen, on a clock that is a number."""

from __future__ import annotations

import math
from datetime import UTC

import pytest

from p2pchat.cli.terminal.deliveries import FOLLOWED, PATIENCE, TOGETHER, Deliveries, is_news
from p2pchat.cli.terminal.lines import Line, plain
from p2pchat.cli.terminal.render_direct import DirectView, Partner
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

BOB = Partner(Identity(bytes(32)).peer, "Bob", named=True)
CAROL = Partner(Identity(bytes([1] * 32)).peer, "Carol", named=True)


def delivery(
    stage: records.Stage, *, stored: int = 0, of: int = 0, reason: str = ""
) -> records.Delivery:
    places = [bytes([number]) for number in range(stored)]
    return records.Delivery(stage=stage, stored_at=places, mailboxes=of, reason=reason)


class Scene:
    def __init__(self) -> None:
        self.deliveries = Deliveries(DirectView(UTC))
        self.ids: dict[str, bytes] = {}

    def write(self, text: str, now: float, partner: Partner = BOB) -> None:
        record = records.DirectRecord(id=text.encode(), text=text, outgoing=True)
        record.delivery.stage = records.QUEUED
        self.deliveries.written(partner, record, now)

    def change(
        self, now: float, new: records.Delivery, *texts: str, partner: Partner = BOB
    ) -> None:
        for text in texts:
            change = actors.DeliveryChange(id=text.encode(), delivery=new)
            self.deliveries.changed(partner, change, now)

    def due(self, now: float) -> list[str]:
        return shown(self.deliveries.due(now))


def shown(lines: list[Line]) -> list[str]:
    return [plain(line).removeprefix("[00:00:00] ") for line in lines]


DELIVERED = delivery(records.DELIVERED)
READ = delivery(records.READ)
SENDING = delivery(records.SENDING)


def test_what_is_delivered_at_once_says_so_on_its_line() -> None:
    scene = Scene()
    scene.write("Hi", 5)
    assert scene.due(5) == []
    assert scene.deliveries.due_at == 5 + PATIENCE
    scene.change(5.1, DELIVERED, "Hi")
    assert scene.due(5.1) == ["you to Bob: Hi  - delivered"]
    assert scene.deliveries.due_at == math.inf


def test_patience_ends_and_later_news_come_as_a_line() -> None:
    scene = Scene()
    scene.write("Hi", 0)
    scene.change(0.1, SENDING, "Hi")
    assert scene.due(PATIENCE) == ["you to Bob: Hi  - sending"]
    scene.change(3, delivery(records.STORED, stored=1, of=1), "Hi")
    assert scene.due(3) == []
    assert scene.due(3 + TOGETHER) == ["* Bob: 'Hi' is in 1 of 1 mailboxes - stored 1/1"]
    scene.change(9, DELIVERED, "Hi")
    assert scene.due(9 + TOGETHER) == ["* Bob has 'Hi' - delivered"]
    scene.change(10, READ, "Hi")
    assert scene.due(10 + TOGETHER) == ["* Bob has read 'Hi'"]


def test_what_comes_equally_far_is_put_together() -> None:
    scene = Scene()
    for text in ("one", "two", "three"):
        scene.write(text, 0)
    assert len(scene.due(1)) == 3
    scene.change(2, DELIVERED, "one")
    scene.change(2.2, DELIVERED, "two", "three")
    scene.change(2.3, READ, "three")
    assert scene.due(2 + TOGETHER) == ["* Bob has 2 messages - delivered", "* Bob has read 'three'"]
    assert scene.due(99) == []


def test_lines_keep_their_order() -> None:
    scene = Scene()
    scene.write("one", 0)
    scene.write("two", 0.1)
    scene.change(0.2, DELIVERED, "two")
    assert scene.due(0.2) == []
    assert scene.due(PATIENCE) == ["you to Bob: one  - waiting", "you to Bob: two  - delivered"]


def test_news_do_not_overtake_a_line_that_waits() -> None:
    scene = Scene()
    scene.write("one", 0)
    scene.due(1)
    scene.change(1, DELIVERED, "one")
    scene.write("two", 1.4)
    assert scene.due(1 + TOGETHER) == []
    assert scene.due(1.4 + PATIENCE) == [
        "you to Bob: two  - waiting",
        "* Bob has 'one' - delivered",
    ]


def test_flushing_one_conversation_leaves_the_others() -> None:
    scene = Scene()
    scene.write("to Bob", 0)
    scene.write("to Carol", 0, CAROL)
    assert shown(scene.deliveries.flush(BOB.peer)) == ["you to Bob: to Bob  - waiting"]
    assert scene.deliveries.flush(BOB.peer) == []
    assert shown(scene.deliveries.flush_all()) == ["you to Carol: to Carol  - waiting"]


def test_a_message_stored_at_some_mailboxes_waits_for_the_others() -> None:
    scene = Scene()
    scene.write("Hi", 0)
    scene.change(0.1, delivery(records.STORED, stored=1, of=2), "Hi")
    assert scene.due(0.1) == []
    scene.change(0.2, delivery(records.STORED, stored=2, of=2), "Hi")
    assert scene.due(0.2) == ["you to Bob: Hi  - stored 2/2"]


def test_messages_of_an_earlier_run_are_counted() -> None:
    scene = Scene()
    scene.change(0, SENDING, "old 1", "old 2")
    assert scene.due(9) == []
    scene.change(10, DELIVERED, "old 1", "old 2")
    assert scene.due(11) == ["* Bob has 2 messages - delivered"]
    assert (scene.deliveries.unsent, scene.deliveries.failed) == (0, 0)


def test_a_refusal_comes_with_its_reason() -> None:
    scene = Scene()
    scene.write("Hi", 0)
    scene.change(0, delivery(records.REFUSED, reason="The mailbox is full."), "Hi")
    assert scene.due(0) == ["you to Bob: Hi  - refused: The mailbox is full."]
    scene.write("Ho", 1)
    scene.due(2)
    scene.change(2, delivery(records.EXPIRED), "Ho")
    assert scene.due(3) == ["* Bob: 'Ho' - expired: nobody took it in time"]
    assert (scene.deliveries.unsent, scene.deliveries.failed) == (0, 2)


def test_what_is_only_here_is_counted() -> None:
    scene = Scene()
    scene.write("one", 0)
    scene.write("two", 0)
    assert scene.deliveries.unsent == 2
    scene.change(1, delivery(records.STORED, stored=1, of=2), "one")
    scene.change(1, SENDING, "two")
    assert scene.deliveries.unsent == 1
    scene.change(2, DELIVERED, "two")
    assert scene.deliveries.unsent == 0


def test_the_answer_may_come_before_the_events_or_after_them() -> None:
    scene = Scene()
    record = records.DirectRecord(id=b"Hi", text="Hi", outgoing=True)
    scene.deliveries.saved(record)
    assert scene.deliveries.unsent == 1
    scene.write("Hi", 0)
    scene.change(0, DELIVERED, "Hi")
    scene.deliveries.saved(record)
    assert scene.deliveries.unsent == 0
    assert scene.due(0) == ["you to Bob: Hi  - delivered"]
    assert scene.due(99) == []


def test_states_go_forward() -> None:
    scene = Scene()
    scene.write("Hi", 0)
    scene.change(0, READ, "Hi")
    scene.change(0, SENDING, "Hi")
    assert scene.due(0) == ["you to Bob: Hi  - read"]


def test_more_messages_than_are_followed() -> None:
    scene = Scene()
    texts = [str(number) for number in range(FOLLOWED + 5)]
    for text in texts:
        scene.write(text, 0)
    assert len(scene.due(1)) == len(texts)
    assert scene.deliveries.unsent == len(texts)
    scene.change(2, DELIVERED, *texts)
    assert scene.deliveries.unsent == 0
    assert scene.due(3) == [f"* Bob has {len(texts):,} messages - delivered"]


@pytest.mark.parametrize(
    ("told", "now", "expected"),
    [
        (delivery(records.QUEUED), SENDING, False),
        (SENDING, delivery(records.QUEUED), False),
        (SENDING, delivery(records.QUEUED, reason="Nobody is there."), True),
        (SENDING, delivery(records.SENDING, reason="Nobody is there."), True),
        (records.Delivery(), delivery(records.SENDING, reason="Nobody is there."), False),
        (delivery(records.QUEUED, reason="a"), delivery(records.QUEUED, reason="b"), False),
        (delivery(records.STORED, stored=1), delivery(records.QUEUED, reason="a"), False),
        (delivery(records.STORED, stored=1), delivery(records.STORED, stored=2), True),
        (delivery(records.STORED, stored=2), delivery(records.STORED, stored=1), False),
        (delivery(records.REFUSED), delivery(records.STORED, stored=1), True),
        (delivery(records.EXPIRED), DELIVERED, True),
        (READ, DELIVERED, False),
        (DELIVERED, DELIVERED, False),
    ],
)
def test_what_is_worth_a_line(
    told: records.Delivery, now: records.Delivery, expected: bool
) -> None:
    assert is_news(told, now) == expected
