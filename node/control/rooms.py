"""Rooms, and what is kept of them."""

from __future__ import annotations

from p2pchat.node.control import translate_lists
from p2pchat.node.control.group import Group
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records


class Rooms(Group):
    async def list_rooms(self, _: control.ListRoomsRequest) -> control.ListRoomsResponse:
        joined = await self._front.ask(actors.ListRooms(), actors.RoomList)
        kept = await self._front.ask(actors.ListStoredRooms(), actors.RoomUsageList)
        used = await self._front.ask(actors.ListConversations(), actors.ConversationList)
        order = {each.room: place for place, each in enumerate(used.conversations)}
        listed = sorted(joined.rooms, key=lambda room: order.get(room.name, len(order)))
        return control.ListRoomsResponse(rooms=translate_lists.rooms(listed, kept.rooms))

    async def join_room(self, request: control.JoinRoomRequest) -> control.JoinRoomResponse:
        command = actors.JoinRoom(room=request.room, plain=request.plain)
        joined = await self._front.ask(command, actors.RoomJoined)
        return control.JoinRoomResponse(room=joined.room, already=joined.already)

    async def leave_room(self, request: control.LeaveRoomRequest) -> control.LeaveRoomResponse:
        await self._front.ask(actors.LeaveRoom(room=request.room), actors.RoomLeft)
        return control.LeaveRoomResponse()

    async def list_members(
        self, request: control.ListMembersRequest
    ) -> control.ListMembersResponse:
        found = await self._front.ask(actors.ListMembers(room=request.room), actors.MemberList)
        node = await self._front.ask(actors.DescribeNode(), actors.NodeDescription)
        me = control.Member(peer=node.peer, name=node.name, self=True)
        members = translate_lists.members(found.members, me, self._front.names)
        return control.ListMembersResponse(members=members)

    async def keep_room(self, request: control.KeepRoomRequest) -> control.KeepRoomResponse:
        command = actors.KeepRoom(room=request.room)
        if request.HasField("keep_days"):
            command.keep_days = request.keep_days
        settings = await self._front.ask(command, records.RoomSettings)
        kept = control.KeepRoomResponse()
        if settings.HasField("keep_days"):
            kept.keep_days = settings.keep_days
        return kept

    async def forget_room(self, request: control.ForgetRoomRequest) -> control.ForgetRoomResponse:
        trimmed = await self._front.ask(actors.ForgetRoom(room=request.room), actors.RoomTrimmed)
        return control.ForgetRoomResponse(messages=trimmed.messages)

    async def archive_room(
        self, request: control.ArchiveRoomRequest
    ) -> control.ArchiveRoomResponse:
        command = actors.ArchiveRoom(room=request.room, mailbox=request.mailbox, stop=request.stop)
        status = await self._front.ask(command, actors.ArchiveStatus)
        return control.ArchiveRoomResponse(status=status)
