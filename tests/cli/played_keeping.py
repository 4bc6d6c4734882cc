"""A ui actor's half for members and for what is kept of rooms, played: for sessions without a node behind them."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio

from p2pchat.node.runtime import Actor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records


@dataclass
class Keeping:
    """What the played actor knows and was asked for."""

    members: dict[str, list[actors.Member]] = field(default_factory=dict)  # by room
    asked: list[actors.KeepRoom | actors.ForgetRoom | actors.ArchiveRoom] = field(
        default_factory=list
    )
    archives: list[actors.ArchiveStatus.Answer] = field(default_factory=list)
    deleted: actors.RoomTrimmed = field(default_factory=actors.RoomTrimmed)
    is_slow: bool = False  # forgetting takes longer than anybody waits


class PlayedKeeping(Actor):
    """`keeping` is set by the subclass."""

    keeping: Keeping

    @handles(actors.ListMembers)
    async def _list_members(
        self, question: actors.ListMembers
    ) -> actors.MemberList | actors.Rejected:
        if question.room not in self.keeping.members:
            detail = f"You are not in #{question.room}."
            return actors.Rejected(reason=actors.NOT_JOINED, detail=detail)
        return actors.MemberList(members=self.keeping.members[question.room])

    @handles(actors.KeepRoom)
    async def _keep_room(self, keep: actors.KeepRoom) -> records.RoomSettings:
        self.keeping.asked.append(keep)
        settings = records.RoomSettings(room=keep.room)
        if keep.HasField("keep_days"):
            settings.keep_days = keep.keep_days
        return settings

    @handles(actors.ForgetRoom)
    async def _forget_room(self, forget: actors.ForgetRoom) -> actors.RoomTrimmed:
        self.keeping.asked.append(forget)
        if self.keeping.is_slow:
            await trio.sleep_forever()
        return self.keeping.deleted

    @handles(actors.ArchiveRoom)
    async def _archive_room(self, archive: actors.ArchiveRoom) -> actors.ArchiveStatus:
        self.keeping.asked.append(archive)
        return actors.ArchiveStatus(room=archive.room, answers=self.keeping.archives)

    @handles(actors.ListStoredRooms)
    async def _list_stored(self, _: actors.ListStoredRooms) -> actors.RoomUsageList:
        return actors.RoomUsageList(rooms=[actors.RoomUsage(room="lobby", messages=7)])
