"""Circuits through each other's relays, in all roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from tests.interop.js_peer import JsPeer
from tests.interop.scene import ECHO, echoed, scene

TEXT = "über das Relay " * 1000  # 16 kB; js ends a circuit that has carried 128 KiB


@pytest.mark.parametrize("relay", ["p2pchat", "js"])
async def test_everybody_reaches_everybody(tmp_path: Path, js_folder: Path, relay: str) -> None:
    async with scene(tmp_path, js_folder) as here:
        if relay == "p2pchat":
            address = await here.mailbox("Mailbox")
        else:
            address = (await here.js("relay", "relay")).address
        ours, js = await here.ours(hidden=True), await here.js("callee", hidden=True)
        await we_reserve(ours, address)
        assert any(address in circuit for circuit in await js.ask("reserve", address=address))

        for callee in (ours.peer, js.peer):
            await we_call(await here.ours(hidden=True), address, callee)
        caller = await here.js("caller", hidden=True)
        for callee in (ours.peer, js.peer):
            await js_calls(caller, address, callee)
        # The circuit serves both directions.
        assert await echoed(ours, caller.peer, TEXT) == TEXT
        assert await js.ask("echo", peer=caller.peer, text=TEXT) == TEXT


async def we_reserve(ours: Libp2pNetwork, relay: str) -> None:
    await ours.dial("", [relay])
    assert await ours.reserve(relay.rpartition("/")[2]) > 0
    assert any(relay in address for address in ours.listen_addresses())


async def we_call(ours: Libp2pNetwork, relay: str, callee: str) -> None:
    await ours.dial(callee, [f"{relay}/p2p-circuit"])
    [circuit] = [each for each in ours.connections() if each.peer == callee]
    assert circuit.relayed
    assert await ours.ping(callee) >= 0
    assert await echoed(ours, callee, TEXT) == TEXT


async def js_calls(js: JsPeer, relay: str, callee: str) -> None:
    await js.ask("dial", address=f"{relay}/p2p-circuit/p2p/{callee}")
    [circuit] = [each for each in await js.ask("connections") if each["peer"] == callee]
    assert circuit["limited"]
    assert "/p2p-circuit" in circuit["address"]
    assert ECHO in (await js.ask("identified", peer=callee))["protocols"]
    assert await js.ask("ping", peer=callee) >= 0
    assert await js.ask("echo", peer=callee, text=TEXT) == TEXT
