"""Tells front ends how transfers stand, and none of them more often than they can show."""

from __future__ import annotations

from collections.abc import Callable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol.file_transfer import Key
from p2pchat.node.protocol.transfer_pace import TELL_EVERY
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

NEVER = float("-inf")


class Telling:
    """Each transfer at most every `TELL_EVERY` seconds, except for its end; what looks as before is not told again."""

    def __init__(self, ui: ActorRef, status: Callable[[Key], actors.TransferStatus | None]) -> None:
        """`status` says how a transfer stands; None: it is forgotten."""
        self._ui = ui
        self._status = status
        self._told: dict[Key, tuple[float, bytes]] = {}  # when, and what
        self._later: set[Key] = set()
        self._bell = Bell()

    async def tell(self, key: Key) -> None:
        """Now, or as soon as it is time."""
        self._later.discard(key)
        status = self._status(key)
        if status is None:
            self._told.pop(key, None)
            return
        at, before = self._told.get(key, (NEVER, b""))
        shown = _shown(status)
        if shown == before:
            return
        now = trio.current_time()
        if now < at + TELL_EVERY and not rules.is_over(status.record):
            self.soon(key)
            return
        self._told[key] = now, shown
        await self._ui.inform(actors.TransferChanged(transfer=status))

    def soon(self, key: Key) -> None:
        self._later.add(key)
        self._bell.ring()

    async def run(self) -> None:
        while True:
            for key in [each for each in self._later if self._due(each) <= trio.current_time()]:
                await self.tell(key)
            await self._bell.wait_until(min(map(self._due, self._later), default=None))

    def _due(self, key: Key) -> float:
        return self._told.get(key, (NEVER, b""))[0] + TELL_EVERY


def _shown(status: actors.TransferStatus) -> bytes:
    """Without what is between the two sides alone."""
    shown = actors.TransferStatus()
    shown.CopyFrom(status)
    for name in ("answer_due", "taken_by_mailbox", "parts", "modified_ns"):
        shown.record.ClearField(name)
    return shown.SerializeToString(deterministic=True)
