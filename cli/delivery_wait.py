"""Sends a direct message and watches how far it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from p2pchat.cli import running_node
from p2pchat.cli.control_client import NodeClient
from p2pchat.proto import control_pb2 as control

SHORTEST = 0.05  # seconds of a subscription: it has to begin before the message is sent
RECENT = 50  # messages in which a missed state is looked for


def send_and_wait(
    node: NodeClient, request: control.SendMessageRequest, *, stored: bool, deadline: float
) -> tuple[control.SendMessageResponse, bool]:
    """What the node answered, with the newest state of the message; and whether it has come that far.

    `deadline` is of `time.monotonic`. Waits for `delivered`, or with `stored` for that much.
    """
    events = node.subscribe(timeout=max(deadline - time.monotonic(), SHORTEST))
    next(events, None)  # from here on nothing is missed
    sent: control.SendMessageResponse = node.ask(request)
    message = sent.message
    with running_node.waiting():
        for delivery in _changes(node, message, events):
            message.delivery.CopyFrom(delivery)
            if is_over(delivery.stage, stored=stored):
                break
    return sent, is_reached(message.delivery.stage, stored=stored)


def is_reached(stage: int, *, stored: bool) -> bool:
    wanted = (control.STORED,) if stored else ()
    return stage in (*wanted, control.DELIVERED, control.READ)


def is_over(stage: int, *, stored: bool) -> bool:
    """A refusal is not the end: a later attempt may succeed."""
    return stage == control.EXPIRED or is_reached(stage, stored=stored)


def _changes(
    node: NodeClient, message: control.Message, events: Iterator[control.Event]
) -> Iterator[control.Delivery]:
    yield message.delivery
    for event in events:
        if event.HasField("fell_behind"):
            yield from _as_stored(node, message)
        for change in event.deliveries_changed.changes:
            if change.id == message.id:
                yield change.delivery


def _as_stored(node: NodeClient, message: control.Message) -> Iterator[control.Delivery]:
    request = control.ReadHistoryRequest(who=message.conversation.peer, limit=RECENT)
    for each in node.ask(request).messages:
        if each.id == message.id and each.own:
            yield each.delivery
