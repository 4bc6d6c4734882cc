"""The node itself: how it is called, where it is, how it stands."""

from __future__ import annotations

from p2pchat.node.control import translate_lists
from p2pchat.node.control.group import Group
from p2pchat.node.version import program_version
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control


class ThisNode(Group):
    async def get_info(self, _: control.GetInfoRequest) -> control.GetInfoResponse:
        node = await self._front.ask(actors.DescribeNode(), actors.NodeDescription)
        listed = await self._front.ask(actors.ListConnections(), actors.ConnectionList)
        return translate_lists.info(node, len(listed.connections), program_version())

    async def set_name(self, request: control.SetNameRequest) -> control.SetNameResponse:
        await self._front.do(actors.SetName(name=request.name))
        return control.SetNameResponse()

    async def get_link(self, _: control.GetLinkRequest) -> control.GetLinkResponse:
        link = await self._front.ask(actors.DescribeSelf(), actors.Link)
        return control.GetLinkResponse(link=link.text)
