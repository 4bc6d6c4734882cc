"""The Kademlia DHT, each asking the other: where somebody is whom only the other knows, and who is in a room."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from p2pchat.node.errors import RequestRejectedError
from tests.interop.js_peer import JsError
from tests.interop.scene import POLL, full_address, scene


async def test_js_tells_us_where_somebody_is(tmp_path: Path, js_folder: Path) -> None:
    async with scene(tmp_path, js_folder) as here:
        ours, asked = await here.dht(), await here.js("asked", "dht")
        wanted, stranger = await here.js("wanted", "dht"), await here.ours()
        await wanted.ask("dial", address=asked.address)
        await asked.ask("known", peer=wanted.peer)
        await ours.network.dial(asked.peer, asked.addresses)
        await ours.knows_servers(1)

        found = await ours.find_peer(wanted.peer)
        assert wanted.address in [f"{each}/p2p/{wanted.peer}" for each in found]
        with pytest.raises(RequestRejectedError, match="Nobody in the DHT knows"):
            await ours.find_peer(stranger.peer)


async def test_we_tell_js_where_somebody_is(tmp_path: Path, js_folder: Path) -> None:
    async with scene(tmp_path, js_folder) as here:
        ours, js = await here.dht(), await here.js("js", "dht")
        wanted, stranger = await here.dht(), await here.ours()
        await wanted.network.dial(ours.network.peer, ours.network.listen_addresses())
        await ours.knows_servers(1)
        await js.ask("dial", address=full_address(ours.network))
        await js.ask("known", peer=ours.network.peer)

        found = await js.ask("findPeer", peer=wanted.network.peer)
        assert full_address(wanted.network) in [
            f"{each}/p2p/{wanted.network.peer}" for each in found["addresses"]
        ]
        with pytest.raises(JsError, match="NotFound"):
            await js.ask("findPeer", peer=stranger.peer)


async def test_each_finds_the_other_in_a_room(tmp_path: Path, js_folder: Path) -> None:
    async with scene(tmp_path, js_folder) as here:
        ours, js = await here.dht(), await here.js("js", "dht")
        await js.ask("dial", address=full_address(ours.network))
        await js.ask("known", peer=ours.network.peer)
        await ours.knows_servers(1)

        await js.ask("provide", topic="the room of js")
        while not (found := await ours.find_providers("the room of js")):
            await trio.sleep(POLL)  # who provides is not told when the record is there
        assert found == [js.peer]
        await ours.provide("our room")
        while not (found := await js.ask("findProviders", topic="our room")):
            await trio.sleep(POLL)  # the DHT says it a second later
        assert found == [ours.network.peer]
