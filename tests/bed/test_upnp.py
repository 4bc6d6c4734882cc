"""A router that opens a port when it is asked makes a node public."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trio

from tests.bed import figures, sockets, upnp
from tests.bed.namespaces import OUTSIDE, Nat, bed
from tests.bed.people import cast, introduce, start, talk
from tests.bed.space import BedError

pytestmark = pytest.mark.bed

PATIENCE = 90.0  # seconds for the scene


@pytest.fixture(autouse=True)
def _program() -> None:
    if reason := upnp.why_not():
        pytest.skip(reason)


def test_a_router_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upnp, "SETTINGS", f"{upnp.SETTINGS}nonsense=1\n")
    with (
        bed() as made,
        pytest.raises(BedError, match="nonsense"),
        upnp.opening_ports(made.homes["a"], tmp_path / "router"),
    ):
        pass


async def test_a_node_that_asks_its_router_is_public(tmp_path: Path) -> None:
    """The other one's router rules out every other way to a direct connection."""
    with (
        bed(Nat.CONE, Nat.SYMMETRIC) as made,
        upnp.opening_ports(made.homes["a"], tmp_path / "router"),
    ):
        async with cast(tmp_path, made, PATIENCE) as here:
            alice = here.person("Alice", made.host("a"), "--upnp")
            bob = here.person("Bob", made.host("b"))
            began = trio.current_time()
            await start(alice, bob)
            await introduce(alice, bob)
            await talk(alice, bob, "word")
            await bob.connected(alice, f"/ip4/{OUTSIDE['a']}/tcp/")
            figures.note("UPnP: a stranger is connected to the mapped port after the start", began)
            port = re.search(rf"{OUTSIDE['a']}/tcp/(\d+)", await bob.connection(alice))
            assert port is not None
            with sockets.open_socket(made.pub, sockets.TCP) as calling:
                calling.connect((OUTSIDE["a"], int(port[1])))
