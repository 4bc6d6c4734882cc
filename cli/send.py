"""`p2pchat send`: a text or a file to a person or a room."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli import running_node
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.names import TEXT_LIMIT, bare_room

if TYPE_CHECKING:
    from p2pchat.cli.control_client import NodeClient
    from p2pchat.proto import control_pb2 as control

EXAMPLE = "For example: p2pchat send --to Bob --wait delivered Dinner is ready"
EMPTY = "There is nothing to send: the message is empty."
TIMEOUT = 30.0  # seconds that --wait waits, if nothing else is said


class Wanted(StrEnum):
    """How far a message is to come."""

    STORED = "stored"  # by a mailbox, or further
    DELIVERED = "delivered"


def run(
    context: typer.Context,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Without: standard input.", show_default=False),
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="WHO", help="Name, peer id or link.", show_default=False)
    ] = "",
    room: Annotated[str, typer.Option(metavar="ROOM", show_default=False, callback=bare_room)] = "",
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of standard input is a message.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Offer a file.", show_default=False)
    ] = None,
    wait: Annotated[
        Wanted | None,
        typer.Option(help="Until it is there; of a file: until it is over.", show_default=False),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="That --wait waits at most.", min=0.0)
    ] = TIMEOUT,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> int:
    """Send a text or a file, and print the id of the message.

    What is sent is stored before this ends, and goes out as soon as that is possible.

    Exit code 0: it is sent, or with --wait: it has come that far. 1: it has not. 2: wrong use.
    """
    _check(to=to, room=room, texts=text or [], lines=lines, file=file, wait=wait)
    with running_node.asking(context, data_dir) as node:
        if file is not None:
            from p2pchat.cli.send_file import send_file

            return send_file(node, to, file, timeout if wait else None, json=json)
        results = (
            _send_one(node, each, wait, timeout, json=json)
            for each in _requests(to, room, _texts(text or [], lines=lines))
        )
        return max(results, default=0)


def _check(
    *,
    to: str,
    room: str,
    texts: list[str],
    lines: bool,
    file: Path | None,
    wait: Wanted | None,
) -> None:
    """Raises `ConfigError`."""
    if bool(to) == bool(room):
        raise ConfigError("Say to whom: either --to WHO or --room ROOM.")
    if texts and (lines or file):
        raise ConfigError(f"{'--lines' if lines else '--file'} leaves no place for a TEXT.")
    if file and (lines or room):
        raise ConfigError("--file goes to a person (--to), and to nobody with --lines or --room.")
    if file and wait is Wanted.STORED:
        raise ConfigError("Of a file only --wait delivered can be told.")
    if wait and room:
        raise ConfigError("--wait is about messages to people: nobody says what a room has got.")


# ---- what is sent ---------------------------------------------------------------------------------------


def _texts(words: list[str], *, lines: bool) -> Iterator[str]:
    """Read as they are sent, so that a pipe may stay open."""
    if not lines:
        yield one_text(words)
        return
    for line in iter(lambda: sys.stdin.buffer.readline(TEXT_LIMIT + 2), b""):
        text = _decoded(line.rstrip(b"\r\n"))
        if text.strip():
            yield text


def one_text(words: list[str]) -> str:
    """The arguments, or else standard input. Raises `ConfigError`, also for nothing but blanks."""
    text = " ".join(words) if words else _standard_input()
    if not text.strip():
        raise ConfigError(EMPTY)
    return text


def _standard_input() -> str:
    return _decoded(_without_last_newline(sys.stdin.buffer.read(TEXT_LIMIT + 3)))


def _without_last_newline(octets: bytes) -> bytes:
    return octets.removesuffix(b"\n").removesuffix(b"\r")


def _decoded(octets: bytes) -> str:
    """Raises `ConfigError`."""
    if len(octets) > TEXT_LIMIT:
        raise ConfigError(f"A message has at most {TEXT_LIMIT:,} bytes; --lines sends each line.")
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("Standard input is no text in UTF-8; --file sends anything.") from error


def _requests(to: str, room: str, texts: Iterator[str]) -> Iterator[control.SendMessageRequest]:
    from p2pchat.proto import control_pb2 as control

    for text in texts:
        if room:
            yield control.SendMessageRequest(room=room, text=text)
        else:
            yield control.SendMessageRequest(who=to, text=text)


# ---- sending --------------------------------------------------------------------------------------------


def _send_one(
    node: NodeClient,
    request: control.SendMessageRequest,
    wait: Wanted | None,
    timeout: float,
    *,
    json: bool,
) -> int:
    if wait is None:
        _show(node.ask(request), json=json)
        return 0
    from p2pchat.cli.delivery_wait import send_and_wait

    is_stored = wait is Wanted.STORED
    sent, is_reached = send_and_wait(
        node, request, stored=is_stored, deadline=time.monotonic() + timeout
    )
    _show(sent, json=json, reached=is_reached)
    if is_reached:
        return 0
    from p2pchat.cli.message_lines import delivery_words

    running_node.remark(f"Not {wait.value}: {delivery_words(sent.message.delivery)}")
    return running_node.NOT_REACHED


def _show(sent: control.SendMessageResponse, *, json: bool, reached: bool | None = None) -> None:
    if not json:
        running_node.say(sent.message.id)
        sys.stdout.flush()
        return
    from p2pchat.cli.json_output import control_data

    more = {} if reached is None else {"reached": reached}
    running_node.show_json_line({**control_data(sent), **more})
