"""Puts the entries of an export into a node, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from google.protobuf.message import Message

from p2pchat.cli.advice import in_commands
from p2pchat.cli.control_client import NodeClient, RequestRefusedError
from p2pchat.cli.export_format import Entry, record_of, text
from p2pchat.node.protocol.links import ContactLink, format_link
from p2pchat.proto import control_pb2 as control

BATCH_RECORDS = 100  # records in one request ...
BATCH_BYTES = 1 << 20  # ... and bytes of them, about
MAX_PROBLEMS = 20  # that are told; the others are only counted

ANOTHER_NODE = (
    "The file is of another node: what its owner wrote to people stands here as written by you, and contacts are not "
    "taken over as verified."
)


class Importer:
    """`counts`: contacts, rooms, imported, known, refused. `problems`: sentences, with the number of the line, but for
    `untold` more of them.
    """

    def __init__(self, node: NodeClient) -> None:
        self._node = node
        self._batch = control.ImportRecordsRequest()
        self._line = 0  # that is taken
        self._room_lines: list[int] = []  # of the records in the batch
        self._direct_lines: list[int] = []
        self._is_same_node = False
        self.counts: Counter[str] = Counter(contacts=0, rooms=0, imported=0, known=0, refused=0)
        self.problems: list[str] = []
        self.untold = 0
        self._takes: Mapping[str, Callable[[Entry], None]] = {
            "header": self._header,
            "contact": self._contact,
            "blocked": self._blocked,
            "room": self._room,
            "message": self._record,
            "change": self._record,
        }

    def take(self, line: int, entry: Entry) -> None:
        """What this version does not know is passed over. `line`: its number in the file."""
        self._line = line
        if take := self._takes.get(text(entry, "type")):
            take(entry)

    def flush(self) -> None:
        """To be called at the end."""
        if not (self._room_lines or self._direct_lines):
            return
        done = self._node.ask(self._batch)
        self.counts.update(imported=done.imported, known=done.known, refused=done.refused)
        for each in done.refused_records:
            lines = self._direct_lines if each.direct else self._room_lines
            self._tell(lines[each.index], each.reason)
        self._batch = control.ImportRecordsRequest()
        self._room_lines, self._direct_lines = [], []

    def _header(self, entry: Entry) -> None:
        me = self._node.ask(control.GetInfoRequest()).peer
        self._is_same_node = text(entry, "peer") == me
        if not self._is_same_node:
            self.problems.append(ANOTHER_NODE)

    def _contact(self, entry: Entry) -> None:
        """Somebody who has only written is no contact of the owner's, and does not become one."""
        peer = text(entry, "peer")
        if not entry.get("added"):
            return
        request = control.AddContactRequest(
            who=_link(peer, text(entry, "nick")),
            name=text(entry, "given_name"),
            last_message_ms=_uint(entry, "last_message_ms", 64) or 0,
        )
        if not self._try(request, peer):
            return
        self.counts["contacts"] += 1
        if entry.get("verified") and self._is_same_node:
            self._try(control.SetVerifiedRequest(who=peer, verified=True), peer)
        if entry.get("muted"):
            where = control.Conversation(peer=peer)
            self._try(control.MuteRequest(conversation=where, muted=True), peer)

    def _blocked(self, entry: Entry) -> None:
        peer = text(entry, "peer")
        self._try(control.BlockPeerRequest(who=peer), peer)

    def _room(self, entry: Entry) -> None:
        name = text(entry, "name")
        if not entry.get("joined"):
            return
        request = control.JoinRoomRequest(room=name, plain=entry.get("plain") is True)
        if not self._try(request, f"#{name}"):
            return
        self.counts["rooms"] += 1
        days = _uint(entry, "keep_days", 32)
        if days is not None:
            self._try(control.KeepRoomRequest(room=name, keep_days=days), f"#{name}")
        if entry.get("muted"):
            where = control.Conversation(room=name)
            self._try(control.MuteRequest(conversation=where, muted=True), f"#{name}")

    def _record(self, entry: Entry) -> None:
        where = entry.get("conversation")
        record = record_of(entry)
        if isinstance(where, dict) and text(where, "room"):
            self._batch.room_records.append(record)
            self._room_lines.append(self._line)
        else:
            self._batch.direct_records.append(record)
            self._direct_lines.append(self._line)
        records = len(self._room_lines) + len(self._direct_lines)
        if records >= BATCH_RECORDS or self._batch.ByteSize() >= BATCH_BYTES:
            self.flush()

    def _try(self, request: Message, what: str) -> bool:
        """Whether the node has agreed; one that it refuses does not keep the others out."""
        try:
            self._node.ask(request)
        except RequestRefusedError as error:
            self.counts["refused"] += 1
            self._tell(self._line, f"{what}: {in_commands(str(error))}")
            return False
        return True

    def _tell(self, line: int, problem: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"Line {line:,}: {problem}")
        else:
            self.untold += 1


def _link(peer: str, nick: str) -> str:
    """With what somebody calls themselves: the node keeps that, and it is the name where the owner has given none."""
    try:
        return format_link(ContactLink(peer, nick)) if nick else peer
    except ValueError:  # the node says what is wrong with it
        return peer


def _uint(entry: Entry, name: str, bits: int) -> int | None:
    """None for anything else."""
    found = entry.get(name)
    return found if type(found) is int and 0 <= found < 1 << bits else None
