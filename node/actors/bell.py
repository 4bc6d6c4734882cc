"""Wakes one waiting task."""

from __future__ import annotations

import trio


class Bell:
    """Rung any number of times, it wakes its one waiter once; also if it was rung before the wait."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung = trio.Event()

    async def wait_until(self, deadline: float | None) -> bool:
        """Whether it rang before `deadline` (trio's clock; None: no deadline)."""
        with trio.move_on_at(float("inf") if deadline is None else deadline):
            await self.wait()
            return True
        return False
