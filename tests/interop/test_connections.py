"""Connect, identify, ping, and streams, whoever dials."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.ports import Identified
from tests.interop.js_peer import JsPeer
from tests.interop.scene import ECHO, POLL, echo, echoed, full_address, scene

AUTONAT = "/libp2p/autonat/1.0.0"
DCUTR = "/libp2p/dcutr"
PING = "/ipfs/ping/1.0.0"
LATER = "/p2pchat/interop/later/1.0.0"


@pytest.mark.parametrize("dialer", ["p2pchat", "js"])
async def test_streams_and_pings_go_both_ways(tmp_path: Path, js_folder: Path, dialer: str) -> None:
    async with scene(tmp_path, js_folder) as here:
        ours, js = await here.ours(), await here.js("js")
        await connect(ours, js, dialer)

        assert await ours.ping(js.peer) >= 0
        assert await js.ask("ping", peer=ours.peer) >= 0
        assert await echoed(ours, js.peer, "Grüße an js") == "Grüße an js"
        assert await js.ask("echo", peer=ours.peer, text="Grüße von js") == "Grüße von js"


@pytest.mark.parametrize("dialer", ["p2pchat", "js"])
async def test_each_says_what_it_is_and_what_changes(
    tmp_path: Path, js_folder: Path, dialer: str
) -> None:
    async with scene(tmp_path, js_folder) as here:
        ours, js = await here.ours(), await here.js("js", "autonat", "dcutr")
        await connect(ours, js, dialer)

        theirs = await js.ask("identified", peer=ours.peer)
        assert theirs["agent"].startswith("p2pchat")
        assert {ECHO, PING} <= set(theirs["protocols"])
        assert full_address(ours) in [f"{each}/p2p/{ours.peer}" for each in theirs["addresses"]]
        known = await identified(ours, js.peer, ECHO)
        assert {PING, AUTONAT, DCUTR} <= known.protocols
        assert js.address in [f"{each}/p2p/{js.peer}" for each in known.addresses]
        assert known.observed.startswith("/ip4/127.0.0.1/tcp/")
        assert known.outbound == (dialer == "p2pchat")

        ours.handle(LATER, echo)
        await js.ask("identified", peer=ours.peer, serving=LATER)
        await js.ask("serve", protocol=LATER)
        await identified(ours, js.peer, LATER)


async def connect(ours: Libp2pNetwork, js: JsPeer, dialer: str) -> None:
    if dialer == "p2pchat":
        await ours.dial(js.peer, js.addresses)
    else:
        assert await js.ask("dial", address=full_address(ours)) == ours.peer


async def identified(ours: Libp2pNetwork, peer: str, serving: str) -> Identified:
    """Waits until the peer has said that it serves that protocol."""
    while (known := ours.identified(peer)) is None or serving not in known.protocols:
        await trio.sleep(POLL)
    return known
