"""Notices an actor that has not taken a message for too long, and says which."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import trio

from p2pchat.node.runtime.cell import ActorCell

log = logging.getLogger(__name__)

CHECK_EVERY = 1.0  # seconds


async def watch(
    cells: Iterable[ActorCell], on_stall: Callable[[ActorCell, float], None] | None = None
) -> None:
    """Check for ever: report an actor after its `stall_after`, end it as crashed after its `hung_after`."""
    reported: dict[str, float] = {}  # actor name -> start of the stall that was reported
    while True:
        await trio.sleep(CHECK_EVERY)
        now = trio.current_time()
        for cell in cells:
            since, busy_for = cell.busy_since, cell.busy_for(now)
            if since is None or busy_for < cell.stall_after:
                continue
            if reported.get(cell.name) != since:
                reported[cell.name] = since
                cell.stalls += 1
                log.warning("%s has been on %s for %.0f s", cell.name, cell.busy_with, busy_for)
                if on_stall is not None:
                    on_stall(cell, busy_for)
            if busy_for >= cell.hung_after:
                log.error("%s hangs on %s: restarting it", cell.name, cell.busy_with)
                cell.give_up()
