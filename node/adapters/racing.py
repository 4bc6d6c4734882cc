"""Try several ways to the same goal, staggered, and keep the first that works (RFC 8305's idea)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

STAGGER = 0.15  # seconds until the next candidate starts, when none has failed before

C = TypeVar("C")
R = TypeVar("R")


async def race(
    candidates: Sequence[C], attempt: Callable[[C], Awaitable[R]], discard: Callable[[R], object]
) -> tuple[R | None, list[Exception]]:
    """The first result, and the errors so far; (None, errors) when all failed.

    Losers are cancelled; a result that came too late is handed to `discard`.
    """
    results: list[R] = []
    errors: list[Exception] = []

    async def run(candidate: C, failed: trio.Event, scope: trio.CancelScope) -> None:
        try:
            results.append(await attempt(candidate))
            scope.cancel()
        except Exception as error:
            errors.append(error)
            failed.set()

    async with trio.open_nursery() as nursery:
        for candidate in candidates:
            failed = trio.Event()
            nursery.start_soon(run, candidate, failed, nursery.cancel_scope)
            with trio.move_on_after(STAGGER):
                await failed.wait()
    for late in results[1:]:
        discard(late)
    return (results[0] if results else None), errors
