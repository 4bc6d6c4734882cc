"""Files that are on their way, and those that are offered."""

from __future__ import annotations

from pathlib import PurePath

from p2pchat.node.control import arguments, translate_lists
from p2pchat.node.control.group import Group
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

NOT_ABSOLUTE = "The path of the file has to be absolute, on the machine of the node."


class Files(Group):
    async def send_file(self, request: control.SendFileRequest) -> control.SendFileResponse:
        if not PurePath(request.path).is_absolute():
            raise arguments.invalid(NOT_ABSOLUTE)
        command = actors.OfferFile(text=request.who, path=request.path)
        # All of it is read first.
        status = await self._front.wait_for(command, actors.TransferStatus)
        return control.SendFileResponse(transfer=translate_lists.transfer(status))

    async def list_transfers(
        self, _: control.ListTransfersRequest
    ) -> control.ListTransfersResponse:
        listed = await self._front.ask(actors.ListTransfers(), actors.TransferList)
        transfers = map(translate_lists.transfer, listed.transfers)
        return control.ListTransfersResponse(transfers=transfers)

    async def accept_file(self, request: control.AcceptFileRequest) -> control.AcceptFileResponse:
        command = actors.AcceptFile(transfer=request.transfer)
        status = await self._front.ask(command, actors.TransferStatus)
        return control.AcceptFileResponse(transfer=translate_lists.transfer(status))

    async def decline_file(
        self, request: control.DeclineFileRequest
    ) -> control.DeclineFileResponse:
        await self._front.do(actors.DeclineFile(transfer=request.transfer))
        return control.DeclineFileResponse()

    async def cancel_transfer(
        self, request: control.CancelTransferRequest
    ) -> control.CancelTransferResponse:
        await self._front.do(actors.CancelTransfer(transfer=request.transfer))
        return control.CancelTransferResponse()
