"""Invites that another worker of the mailbox keeps: asked on its control socket, which only their user can open."""

from __future__ import annotations

from pathlib import Path

import trio

from p2pchat.node.adapters.grpc_client import GrpcClient
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control
from p2pchat.relay_mailbox.ports import InvitesAwayError

PATIENCE = 6.0  # seconds for whoever keeps the invites: a worker is back sooner, as a rule
AGAIN = 0.5  # seconds between two attempts
ONE_CALL = 3.0  # seconds


class InvitesElsewhere:
    """`path` of the socket."""

    def __init__(self, path: Path) -> None:
        service = control.DESCRIPTOR.services_by_name["Mailbox"]
        self._keeper = GrpcClient(path, service)

    async def redeem(self, token: str, peer: bytes) -> bool:
        """Asked again, it costs no second use: an answer that got lost is asked for once more."""
        request = control.RedeemInviteRequest(token=token, peer=peer)
        why = "no answer"
        with trio.move_on_after(PATIENCE):
            while True:
                try:
                    await self._keeper.ask(request, control.RedeemInviteResponse, ONE_CALL)
                    return True
                except RequestRejectedError as error:
                    if error.reason != actors_pb2.UNAVAILABLE:
                        return False
                    why = error.detail
                await trio.sleep(AGAIN)
        raise InvitesAwayError(why)
