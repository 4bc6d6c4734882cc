"""A mailbox with several workers: one of them keeps the invites, and the others ask it."""

from __future__ import annotations

import logging

from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox.ports import Invites, InvitesAwayError
from p2pchat.relay_mailbox.refusal import Refusal
from p2pchat.relay_mailbox.registry import BAD_INVITE, INVITES_AWAY, Registry

log = logging.getLogger(__name__)


class Elsewhere:
    """`invites` is None where they are kept here."""

    def __init__(self, registry: Registry, invites: Invites | None) -> None:
        self._registry = registry
        self._invites = invites

    @property
    def decides(self) -> bool:
        """Whether the invites are kept by another worker, which says who may join."""
        return self._invites is not None

    async def why_not(self, peer: bytes, request: mailbox.Register, now_ms: int) -> Refusal | None:
        """Why the peer may not join; None where another worker need not be asked, or has agreed.

        It is not asked where something else is in the way: that would cost a use for nothing.
        """
        if self._invites is None or not self._registry.asks_elsewhere(peer):
            return None
        would_be = self._registry.register(peer, request, now_ms, invited=True)
        if isinstance(would_be, Refusal):
            return would_be
        try:
            return None if await self._invites.redeem(request.token, peer) else BAD_INVITE
        except InvitesAwayError as error:
            log.warning("an invite could not be looked up: %s", error)
            return INVITES_AWAY
