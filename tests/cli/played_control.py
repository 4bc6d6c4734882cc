"""A node that is played on a real control socket: it answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any
from urllib.parse import quote

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from p2pchat.cli import control_client
from p2pchat.cli.control_client import keep_grpc_quiet
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.event_journal import EPOCH_BYTES, EventJournal, EventReader
from p2pchat.proto import control_pb2 as control

ME = Identity(bytes(range(32))).peer
BOB = Identity(bytes(32)).peer
SENT_AT = 1_700_000_000_000
THREADS = 8  # calls at a time, endless streams among them
LOOK = 0.02  # seconds between two looks for a new event

SERVICE = control.DESCRIPTOR.services_by_name["Node"]


class Refuse(Exception):
    """Answered with FAILED_PRECONDITION."""


Answer = Message | Callable[[Any], Message]


class PlayedNode:
    """`answers`: by the request's name without `Request`; others are answered with an empty response."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = dict(answers)
        self.asked: list[Message] = []
        self.journal = EventJournal(bytes(EPOCH_BYTES))
        self.is_stopping = False
        self._lock = threading.Lock()

    def emit(self, **event: Message) -> str:
        """One event; its cursor."""
        happened = control.Event(at_ms=SENT_AT, **event)  # type: ignore[arg-type]
        with self._lock:
            self.journal.append(happened)
            return happened.cursor

    def questions(self, kind: type[Message]) -> list[Any]:
        return [each for each in self.asked if isinstance(each, kind)]

    def answer(self, name: str, request: Message, context: Any) -> Message:
        import grpc

        self.asked.append(request)
        found = self.answers.get(name)
        try:
            if callable(found) and not isinstance(found, Message):
                return found(request)
        except Refuse as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        if found is not None:
            return found  # type: ignore[return-value]
        return GetMessageClass(SERVICE.methods_by_name[name].output_type)()

    def subscribe(self, request: control.SubscribeRequest, context: Any) -> Iterator[bytes]:
        self.asked.append(request)
        with self._lock:
            reader = EventReader(self.journal, request.after)
        is_over = threading.Event()
        context.add_callback(is_over.set)
        while not (is_over.is_set() or self.is_stopping):
            with self._lock:
                batch = reader.read(SENT_AT)
            yield from batch
            if not batch:
                is_over.wait(LOOK)


@contextlib.contextmanager
def playing(folder: Path, node: PlayedNode) -> Iterator[PlayedNode]:
    """On the control socket of a data folder."""
    keep_grpc_quiet()
    import grpc

    path = folder / control_client.SOCKET_NAME
    with futures.ThreadPoolExecutor(THREADS) as threads:
        server = grpc.server(threads)
        server.add_generic_rpc_handlers([_handler(node)])
        server.add_insecure_port(f"unix:{quote(str(path))}")
        server.start()
        try:
            yield node
        finally:
            node.is_stopping = True
            server.stop(None).wait()
            path.unlink(missing_ok=True)


def _handler(node: PlayedNode) -> Any:
    import grpc

    methods: dict[str, Any] = {}
    for method in SERVICE.methods:
        parse = GetMessageClass(method.input_type).FromString
        if method.server_streaming:
            methods[method.name] = grpc.unary_stream_rpc_method_handler(node.subscribe, parse)
        else:
            methods[method.name] = grpc.unary_unary_rpc_method_handler(
                lambda request, context, name=method.name: node.answer(name, request, context),
                parse,
                lambda response: response.SerializeToString(),
            )
    return grpc.method_handlers_generic_handler(SERVICE.full_name, methods)


# ---- what there is to tell ----------------------------------------------------------------------------


def in_room(text: str, number: int = 1, room: str = "lobby", **more: Any) -> control.Message:
    """What Bob says in a room."""
    fields: dict[str, Any] = {
        "sender": BOB,
        "name": "Bob",
        "lamport": number,
        "sent_at_ms": SENT_AT,
    } | more
    return control.Message(
        conversation=control.Conversation(room=room), id=f"{number:032x}", text=text, **fields
    )


def to_bob(text: str, stage: int = control.QUEUED, number: int = 1) -> control.Message:
    """An own message."""
    return control.Message(
        conversation=control.Conversation(peer=BOB),
        id=f"{number:032x}",
        sender=ME,
        name="ada",
        own=True,
        text=text,
        sent_at_ms=SENT_AT,
        delivery=control.Delivery(stage=stage),  # type: ignore[arg-type]
    )


def arrived(*messages: control.Message, late: bool = False) -> control.MessagesArrived:
    where = messages[0].conversation
    return control.MessagesArrived(conversation=where, messages=messages, late=late)


def gone_on(message: control.Message, stage: int, **more: Any) -> control.DeliveriesChanged:
    delivery = control.Delivery(stage=stage, **more)  # type: ignore[arg-type]
    change = control.DeliveryChange(id=message.id, delivery=delivery)
    return control.DeliveriesChanged(conversation=message.conversation, changes=[change])
