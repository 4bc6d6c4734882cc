"""A plain room: raw UTF-8 on the bare topic, as other libp2p chats speak it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.scene import address_in, scene

ROOM = "universal-connectivity"


@pytest.mark.parametrize("dialer", ["p2pchat", "js"])
async def test_a_plain_room(tmp_path: Path, js_folder: Path, dialer: str) -> None:
    async with scene(tmp_path, js_folder) as here:
        js = await here.js("js", "gossip")
        await js.ask("subscribe", topic=ROOM)
        ada = await here.person("Ada", ROOM, js.address if dialer == "p2pchat" else "none")
        address = address_in(await ada.shows("/ip4/127.0.0.1/"))
        if dialer == "js":
            await js.ask("dial", address=address)
        peer = address.rpartition("/")[2]

        await js.ask("publish", topic=ROOM, text="schöne Grüße aus js 👋", to=peer)
        await ada.shows(f"…{js.peer[-6:]}", "): schöne Grüße aus js 👋")
        await ada.types("und zurück an js ✓")
        heard = await js.hears("und zurück")
        assert heard["text"] == "und zurück an js ✓"
        assert (heard["topic"], heard["from"]) == (ROOM, peer)
