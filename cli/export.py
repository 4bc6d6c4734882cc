"""`p2pchat export`: what a node has stored, as JSON lines for programs and for `p2pchat import`.

docs/scripting.md describes the format. Written page by page: how much is stored makes no difference to the memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from p2pchat.cli import running_node
from p2pchat.cli.export_format import FORMAT, VERSION
from p2pchat.node.errors import ConfigError, P2pchatError

if TYPE_CHECKING:
    from p2pchat.cli.control_client import NodeClient
    from p2pchat.proto import control_pb2 as control

EXAMPLE = "For example: p2pchat export history.jsonl"
STANDARD_OUTPUT = Path("-")

Write = Callable[[Mapping[str, object]], None]


def run(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Must not exist; - is standard output.",
            show_default="standard output",
        ),
    ] = None,
    data_dir: running_node.DataDir = "",
    _json: Annotated[bool, typer.Option("--json", hidden=True)] = False,  # it is always JSON
) -> None:
    """Write all that is stored: settings, contacts, rooms and messages, as JSON lines.

    What the file holds is not encrypted. For a copy of the whole node with its identity: p2pchat backup.
    """
    file = None if file == STANDARD_OUTPUT else file
    with running_node.asking(context, data_dir) as node, _writer(file) as write:
        messages = export_to(node, write, time.time_ns() // 1_000_000)
    if file is not None:
        are = "message is" if messages == 1 else "messages are"
        running_node.remark(f"{messages:,} {are} in {file}.")


@contextlib.contextmanager
def _writer(file: Path | None) -> Iterator[Write]:
    """A file for its owner only; half of one is not left behind. Raises `ConfigError`, and `P2pchatError` when it
    cannot be written to its end."""
    if file is None:
        to_ascii = not running_node.speaks_utf_8()
        yield lambda entry: print(json.dumps(entry, ensure_ascii=to_ascii), file=sys.stdout)
        sys.stdout.flush()
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"Cannot write {file}: {error.strerror}.") from error
    try:
        with open(handle, "w", encoding="utf-8") as out:
            yield lambda entry: print(json.dumps(entry, ensure_ascii=False), file=out)
    except BaseException as error:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise P2pchatError(f"Cannot write {file}: {error.strerror}.") from error
        raise


def export_to(node: NodeClient, write: Write, now_ms: int) -> int:
    """Everything, in the order in which `p2pchat import` takes it; how many messages there were."""
    from p2pchat.cli.json_output import control_data
    from p2pchat.proto import control_pb2 as control

    write(_header(node.ask(control.GetInfoRequest()), now_ms))
    contacts = node.ask(control.ListContactsRequest()).contacts
    rooms = node.ask(control.ListRoomsRequest()).rooms
    for contact in contacts:
        write({"type": "contact", **control_data(contact)})
    for blocked in node.ask(control.ListBlockedPeersRequest()).peers:
        write({"type": "blocked", **control_data(blocked)})
    for room in rooms:
        write({"type": "room", **control_data(room)})
    for mailbox in node.ask(control.ListMailboxesRequest()).mailboxes:
        write({"type": "mailbox", **control_data(mailbox)})
    messages = 0
    for request in (*map(_of_room, rooms), *map(_with, contacts)):
        messages += _export_conversation(node, request, write)
    write({"type": "end", "messages": messages})
    return messages


def _header(info: control.GetInfoResponse, now_ms: int) -> Mapping[str, object]:
    return {
        "type": "header",
        "format": FORMAT,
        "version": VERSION,
        "program": info.version,
        "peer": info.peer,
        "name": info.name,
        "exported_at_ms": now_ms,
    }


def _of_room(room: control.Room) -> control.ExportRecordsRequest:
    from p2pchat.proto import control_pb2 as control

    where = control.Conversation(room=room.name)
    return control.ExportRecordsRequest(conversation=where, plain=room.plain)


def _with(contact: control.Contact) -> control.ExportRecordsRequest:
    from p2pchat.proto import control_pb2 as control

    return control.ExportRecordsRequest(conversation=control.Conversation(peer=contact.peer))


def _export_conversation(
    node: NodeClient, request: control.ExportRecordsRequest, write: Write
) -> int:
    from p2pchat.cli.json_output import control_data

    where = control_data(request.conversation)
    messages = 0
    while True:
        page = node.ask(request)
        for exported in page.records:
            messages += exported.HasField("message")
            write({**_entry(exported, where), "record": _packed(exported.record)})
        if not page.cursor:
            return messages
        request.before = page.cursor


def _entry(exported: control.ExportedRecord, where: Mapping[str, Any]) -> Mapping[str, object]:
    from p2pchat.cli.json_output import control_data

    if exported.HasField("message"):
        return {"type": "message", **control_data(exported.message)}
    return {"type": "change", "conversation": where}


def _packed(record: bytes) -> str:
    import base64

    return base64.b64encode(record).decode("ascii")
