"""The programs as js-libp2p sees them: what they serve, and that a mailbox knows in the DHT where a node is."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.interop.js_peer import JsError, JsPeer
from tests.interop.scene import POLL, address_in, scene

EVERYBODY = frozenset(
    {
        "/ipfs/id/1.0.0",
        "/ipfs/id/push/1.0.0",
        "/ipfs/ping/1.0.0",
        "/libp2p/autonat/1.0.0",
        "/libp2p/circuit/relay/0.2.0/stop",
        "/libp2p/dcutr",
        "/meshsub/1.1.0",
    }
)
MAILBOX = EVERYBODY | {"/ipfs/kad/1.0.0", "/libp2p/circuit/relay/0.2.0/hop"}


async def test_js_finds_a_node_through_a_mailbox(tmp_path: Path, js_folder: Path) -> None:
    async with scene(tmp_path, js_folder) as here:
        js, mailbox = await here.js("js", "dht"), await here.mailbox("Mailbox")
        ada = await here.person("Ada", "lobby", mailbox)
        address = address_in(await ada.shows("/ip4/127.0.0.1/"))
        peer = address.rpartition("/")[2]

        await js.ask("dial", address=mailbox)
        seen = await js.ask("identified", peer=mailbox.rpartition("/")[2])
        assert set(seen["protocols"]) >= MAILBOX
        await js.ask("known", peer=mailbox.rpartition("/")[2])
        assert address in [f"{each}/p2p/{peer}" for each in await found(js, peer)]
        await js.ask("dial", address=address)
        # The last protocol that a node takes up after its start: till then js holds what it was told before.
        seen = await js.ask("identified", peer=peer, serving="/libp2p/autonat/1.0.0")
        assert set(seen["protocols"]) >= EVERYBODY


async def found(js: JsPeer, peer: str) -> list[str]:
    """Addresses, as soon as anybody in the DHT knows."""
    while True:
        try:
            addresses: list[str] = (await js.ask("findPeer", peer=peer))["addresses"]
        except JsError:
            await trio.sleep(POLL)
        else:
            return addresses
