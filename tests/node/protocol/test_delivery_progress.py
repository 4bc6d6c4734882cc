"""Each state of a message counts once, with the time since it was written."""

from __future__ import annotations

from p2pchat.node.protocol import delivery_progress, uuid7
from p2pchat.node.protocol.delivery_progress import DeliveryProgress
from p2pchat.node.protocol.outbox import Change, Item, Outbox, Route, restored
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.direct_builders import peer_text

NOW_MS = 1_800_000_000_000
PEER, MAILBOX, OTHER = peer_text(1), peer_text(2), peer_text(3)


def message_id(seconds_ago: float, number: int = 0) -> bytes:
    return uuid7.make(NOW_MS - round(seconds_ago * 1000), number.to_bytes(10, "big"))


class Scene:
    def __init__(self, *items: Item) -> None:
        self.outbox = Outbox()
        self.outbox.set_mailboxes(PEER, [MAILBOX, OTHER])
        self.progress = DeliveryProgress()
        for item in items:
            self.outbox.add(item)
        self.outbox.set_mailboxes(PEER, [MAILBOX, OTHER])

    def news(self, changes: list[Change], *, known: bool = False) -> list[Change]:
        return self.progress.news(changes, [not known] * len(changes), NOW_MS)

    def stored(self, ids: list[bytes], mailbox: str = MAILBOX) -> list[Change]:
        route = Route(PEER, mailbox)
        self.outbox.take(route, 100)
        return self.news(self.outbox.stored(route, ids, NOW_MS))

    def described(self) -> actors.DeliveryDescription:
        described = actors.DeliveryDescription()
        self.progress.describe(described)
        return described

    def reached(self) -> dict[str, int]:
        return dict(self.described().reached)


def item(name: bytes, *, alteration: bool = False) -> Item:
    return Item(PEER, name, NOW_MS * 2, alteration=alteration)


def test_a_message_is_stored_delivered_and_read() -> None:
    name = message_id(3)
    scene = Scene(item(name))
    scene.progress.written()
    scene.stored([name])
    scene.news(scene.outbox.delivered(PEER, [name], NOW_MS))
    scene.news(scene.outbox.read(PEER, [name], NOW_MS))
    assert scene.reached() == {"queued": 1, "stored": 1, "delivered": 1, "read": 1}
    for state in ("stored", "delivered", "read"):
        assert scene.described().latencies[state].sum == 3.0


def test_a_second_mailbox_is_no_second_time() -> None:
    name = message_id(1)
    scene = Scene(item(name))
    scene.stored([name])
    scene.stored([name], OTHER)
    assert scene.reached() == {"stored": 1}


def test_what_lapsed_and_was_left_again_counts_once() -> None:
    name = message_id(1)
    scene = Scene(item(name))
    scene.stored([name])
    scene.news(scene.outbox.lapse(NOW_MS * 3))
    scene.stored([name])
    assert scene.reached() == {"stored": 1}


def test_who_reads_without_a_word_before_has_got_it_as_well() -> None:
    name = message_id(1)
    scene = Scene(item(name))
    scene.news(scene.outbox.read(PEER, [name], NOW_MS))
    assert scene.reached() == {"delivered": 1, "read": 1}


def test_delivered_and_read_in_one_word_count_once_each() -> None:
    name = message_id(1)
    scene = Scene(item(name))
    changes = scene.outbox.delivered(PEER, [name], NOW_MS) + scene.outbox.read(PEER, [name], NOW_MS)
    scene.news(changes)
    assert scene.reached() == {"delivered": 1, "read": 1}


def test_what_the_store_knew_is_no_news() -> None:
    name = message_id(1)
    scene = Scene(item(name))
    assert scene.news(scene.outbox.delivered(PEER, [name], NOW_MS), known=True) == []
    assert scene.reached() == {}


def test_refused_and_expired_have_no_latency() -> None:
    first, second = message_id(1, 1), message_id(1, 2)
    scene = Scene(item(first), Item(PEER, second, 1))
    scene.outbox.take(Route(PEER), 1)
    scene.news(scene.outbox.refused(Route(PEER), [first], "No.", NOW_MS))
    scene.news(scene.outbox.expire(NOW_MS))
    assert scene.reached() == {"refused": 1, "expired": 1}
    assert sum(map(sum, (h.counts for h in scene.described().latencies.values()))) == 0


def test_edits_receipts_and_notes_are_no_messages() -> None:
    edit = item(message_id(1, 1), alteration=True)
    receipts = Item(PEER, message_id(1, 2), NOW_MS * 2, receipts=actors.PeerReceipts(peer=PEER))
    note = Item(PEER, message_id(1, 3), NOW_MS * 2, note=actors.SendFileNote())
    scene = Scene(edit, receipts, note)
    scene.stored([edit.id, receipts.id, note.id])
    assert scene.reached() == {}
    assert delivery_progress.states([edit, receipts, note]) == {}


def test_after_a_restart_what_was_counted_is_not_counted_again() -> None:
    record = records.OutboxRecord(
        peer=b"", id=message_id(60), delivery=records.Delivery(stage=records.STORED)
    )
    again = restored(record)
    again.peer = PEER
    scene = Scene(again)
    scene.stored([again.id])
    scene.news(scene.outbox.delivered(PEER, [again.id], NOW_MS))
    assert scene.reached() == {"delivered": 1}
    assert scene.described().latencies["delivered"].sum == 60.0


def test_the_outbox_by_state() -> None:
    waiting, going, kept = (item(message_id(1, number)) for number in range(3))
    scene = Scene(waiting, going, kept)
    going.stage, kept.stage = records.SENDING, records.STORED
    states = delivery_progress.states(scene.outbox.items())
    assert states == {"queued": 1, "sending": 1, "stored": 1}
