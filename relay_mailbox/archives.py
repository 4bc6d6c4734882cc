"""Which rooms the mailbox keeps, and because of whom. No I/O.

What is to change comes back as a `ChangeRegistry`, to be stored first and then given to `apply`.

A room is kept because the operator names it, because clients asked for it, or both. When the last of them takes it
back, the mailbox leaves it at once: nothing new is kept, and nothing is served. What is there stays for `GRACE_MS` and
is deleted then, so that a word said by mistake, a move to another mailbox and back, or one start with another
configuration costs nothing: whoever wants the room again in that time finds it as it was. Later it begins anew, without
what was deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from p2pchat.node.protocol import limits, names
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox import refusal
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.refusal import Refusal

GRACE_MS = 7 * limits.DAY_MS  # how long a room that nobody wants any more stays on the disk
PLACES = 2  # records for each of `max_archived_rooms`, with those of rooms that are to be deleted

Answer: TypeAlias = actors.ChangeRegistry | Refusal


class Archives:
    """A record says which clients want a room, and without any: since when nobody does.

    The operator's rooms need none. Bounded by `max_archived_rooms`, and by what was in the store already.
    """

    def __init__(self, config: MailboxConfig) -> None:
        self._config = config
        self._operators = dict.fromkeys(config.archive_rooms)
        self._records: dict[str, records.ArchivedRoom] = {}

    def load(self, stored: actors.RegistryRecords, now_ms: int) -> actors.ChangeRegistry:
        """Take what is stored; the change ends the wishes of those that are no clients any more.

        So does a configuration under which clients may not ask.
        """
        self._records = {record.room: record for record in stored.archived}
        clients = {entry.peer for entry in stored.registrations if not entry.left}
        clients -= {block.peer for block in stored.blocks}
        if not self._config.archive_by_clients:
            clients = set()
        wishing = {peer for record in stored.archived for peer in record.peers}
        change = self.end_wishes(wishing - clients, now_ms)
        change.unarchived.extend(  # the operator names them again
            room
            for room, record in self._records.items()
            if room in self._operators and not record.peers
        )
        return change

    def apply(self, change: actors.ChangeRegistry) -> None:
        """From now on it holds."""
        for record in change.archived:
            self._records[record.room] = record
        for room in change.unarchived:
            self._records.pop(room, None)

    # ---- what is wanted ---------------------------------------------------------------------------

    def is_wanted(self, room: str) -> bool:
        record = self._records.get(room)
        return room in self._operators or (record is not None and bool(record.peers))

    def wanted(self) -> Sequence[str]:
        """Rooms to be in, the operator's first."""
        asked = (room for room, record in self._records.items() if record.peers)
        return list(dict.fromkeys([*self._operators, *asked]))

    def ask(self, peer: bytes, wish: mailbox.Archive, now_ms: int) -> Answer:
        """What becomes of a client's request. An empty change means that it is so already."""
        if problem := names.room_problem(wish.room):
            return refusal.bad_room(problem)
        if wish.stop:
            return self._without({peer}, [wish.room], now_ms)
        if not self._config.archive_by_clients:
            return refusal.NO_ARCHIVES
        record = self._records.get(wish.room)
        if record is not None and peer in record.peers:
            return actors.ChangeRegistry()
        return self._shortage(peer, wish.room) or self._with(peer, wish.room, now_ms)

    def terms(self, room: str) -> mailbox.Archived:
        """What a client is told about a room as it stands."""
        return mailbox.Archived(
            room=room,
            archiving=self.is_wanted(room),
            retention_ms=self._config.archive_ms,
            quota_bytes=self._config.archive_bytes,
        )

    def end_wishes(self, peers: Collection[bytes], now_ms: int) -> actors.ChangeRegistry:
        """They are no clients any more."""
        return self._without(peers, list(self._records), now_ms)

    def _shortage(self, peer: bytes, room: str) -> Refusal | None:
        config = self._config
        wishes = sum(peer in record.peers for record in self._records.values())
        if wishes >= config.max_archived_rooms_per_client:
            return refusal.YOUR_ROOMS_FULL
        if not self.is_wanted(room) and len(self.wanted()) >= config.max_archived_rooms:
            return refusal.NO_MORE_ROOMS
        if room not in self._records and len(self._records) >= PLACES * config.max_archived_rooms:
            return refusal.ROOMS_LEFT_OVER
        return None

    def _with(self, peer: bytes, room: str, now_ms: int) -> actors.ChangeRegistry:
        known = self._records.get(room)
        change = actors.ChangeRegistry()
        if known is None or not known.peers:
            change.archived.add(room=room, peers=[peer], since_ms=now_ms)
        else:
            change.archived.add(room=room, peers=[*known.peers, peer], since_ms=known.since_ms)
        return change

    def _without(
        self, peers: Collection[bytes], rooms: Collection[str], now_ms: int
    ) -> actors.ChangeRegistry:
        change = actors.ChangeRegistry()
        for room in rooms:
            known = self._records.get(room)
            if known is None or not any(peer in peers for peer in known.peers):
                continue
            left = [peer for peer in known.peers if peer not in peers]
            if not left and room in self._operators:
                change.unarchived.append(room)
            else:
                change.archived.add(
                    room=room, peers=left, since_ms=known.since_ms if left else now_ms
                )
        return change

    # ---- what nobody wants any more ---------------------------------------------------------------

    def adopt(self, stored: Collection[str], now_ms: int) -> actors.ChangeRegistry:
        """Rooms that something is stored of and that nobody is known to want: the operator named them once.

        Their time begins now. And what nothing is stored of is forgotten.
        """
        change = actors.ChangeRegistry()
        for room in stored:
            if room not in self._operators and room not in self._records:
                change.archived.add(room=room, since_ms=now_ms)
        change.unarchived.extend(room for room in self._unwanted() if room not in stored)
        return change

    def to_delete(self, now_ms: int, *, crowded: bool) -> Sequence[str]:
        """Rooms whose time is over; all that nobody wants when it is `crowded`, the longest unwanted first.

        Also those that stand in the way of rooms that are wanted: together they have `max_archived_rooms` places.
        """
        unwanted = self._unwanted()
        places = 0 if crowded else max(0, self._config.max_archived_rooms - len(self.wanted()))
        excess = max(0, len(unwanted) - places)
        return [
            room
            for number, room in enumerate(unwanted)
            if number < excess or self._deleted_at_ms(room) <= now_ms
        ]

    def deleted(self, room: str) -> actors.ChangeRegistry:
        """Empty when somebody wants it again."""
        known = room in self._records and not self.is_wanted(room)
        return actors.ChangeRegistry(unarchived=[room] if known else [])

    def _unwanted(self) -> list[str]:
        """The longest unwanted first."""
        found = [room for room in self._records if not self.is_wanted(room)]
        return sorted(found, key=lambda room: (self._records[room].since_ms, room))

    def _deleted_at_ms(self, room: str) -> int:
        return self._records[room].since_ms + GRACE_MS

    # ---- the operator -----------------------------------------------------------------------------

    def describe(self) -> list[actors.ArchiveDescription]:
        """By name, with what is known here: the room, who wants it, until when it stays."""
        return [self._description(room) for room in sorted({*self._operators, *self._records})]

    def _description(self, room: str) -> actors.ArchiveDescription:
        described = actors.ArchiveDescription(by_operator=room in self._operators)
        described.usage.room = room
        if room in self._records:
            described.clients = len(self._records[room].peers)
        if not self.is_wanted(room):
            described.deleted_at_ms = self._deleted_at_ms(room)
        return described
