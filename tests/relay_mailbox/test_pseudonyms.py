"""What a log calls a recipient."""

from __future__ import annotations

import logging
import os

import pytest

from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.relay_mailbox.pseudonyms import Pseudonyms
from tests.builders import sender_bytes
from tests.relay_mailbox.rig import Scene, running, to


def test_a_name_lasts_a_day() -> None:
    pseudonyms = Pseudonyms(os.urandom)
    name = pseudonyms.of(sender_bytes(1), 5 * DAY_MS)
    assert pseudonyms.of(sender_bytes(1), 6 * DAY_MS - 1) == name
    assert pseudonyms.of(sender_bytes(2), 6 * DAY_MS - 1) != name
    assert pseudonyms.of(sender_bytes(1), 6 * DAY_MS) != name


def test_a_name_cannot_be_made_without_the_key() -> None:
    names = {Pseudonyms(os.urandom).of(sender_bytes(1), 0) for _ in range(20)}
    assert len(names) == 20


async def test_no_log_line_of_the_mailbox_names_a_peer_or_an_address(
    autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "p2pchat.relay_mailbox")
    scene = Scene()
    async with running(scene) as nursery:
        alice = await scene.client(nursery, 1)
        bob = await scene.client(nursery, 2)
        await alice.custody(*to(bob, 1))
        await bob.collect_all()
        await alice.line.write(b"\x00")
        await alice.until_reset()
    lines = [r for r in caplog.records if r.name.startswith("p2pchat.relay_mailbox")]
    assert lines
    for line in lines:
        assert "12D3Koo" not in line.getMessage()
        assert "/memory/" not in line.getMessage()
