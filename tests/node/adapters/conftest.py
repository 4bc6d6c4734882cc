"""Both `Network` adapters, one after the other."""

from __future__ import annotations

import pytest
import trio

from tests.node.adapters.network_stage import WORLDS, Stage, World


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]()


@pytest.fixture
async def stage(world: World, nursery: trio.Nursery) -> Stage:
    return Stage(world, nursery)
