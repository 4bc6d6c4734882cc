"""The full floods of bad input, some minutes; `tests/integration/test_mailbox_bad_input.py` has small ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.soak.vandals import (
    Books,
    LoopbackPlace,
    MemoryPlace,
    Place,
    flood_a_mailbox,
    flood_a_node,
)

pytestmark = pytest.mark.soak

FRAMES, OVER_LIBP2P = 100_000, 5_000
SEED = 2026

Flood = Callable[[Place, int, int, float], Awaitable[Books]]
FLOODS = pytest.mark.parametrize("flood", [flood_a_mailbox, flood_a_node])


@FLOODS
async def test_a_flood_in_memory(
    autojump_clock: object, flood: Flood, capsys: pytest.CaptureFixture[str]
) -> None:
    books = await flood(MemoryPlace(), FRAMES, SEED, 0.02)
    with capsys.disabled():
        print(f"\n{flood.__name__}: {books} (seed {SEED})")


@FLOODS
async def test_a_flood_over_libp2p(flood: Flood, capsys: pytest.CaptureFixture[str]) -> None:
    books = await flood(LoopbackPlace(), OVER_LIBP2P, SEED, 0)
    with capsys.disabled():
        print(f"\n{flood.__name__} over libp2p: {books} (seed {SEED})")
