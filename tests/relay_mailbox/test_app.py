"""The mailbox role as a whole: its tree, its relay, its configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio

from p2pchat.node.actors.pubsub.actor import MAX_ROOMS
from p2pchat.node.actors.storage import inline
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.app import Adapters
from p2pchat.node.config import NodeConfig, RelayLimits
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.app import MailboxAdapters, MailboxHandle, run_mailbox
from p2pchat.relay_mailbox.config import MOST_ROOMS, MailboxConfig
from tests.relay_mailbox.rig import ADDRESS, MAILBOX, Scene, open_mailbox, running


async def test_it_runs_until_its_front_end_returns(autojump_clock: object) -> None:
    hub = MemoryHub()
    network = MemoryNetwork(hub, MAILBOX.peer, [ADDRESS])
    node = Adapters(network, MemoryStore(), None, inline)
    seen: list[str] = []

    async def front_end(handle: MailboxHandle) -> None:
        described = await handle.operator.ask(actors.DescribeMailbox(), actors.MailboxDescription)
        seen.extend(actor.state for actor in described.actors)
        seen.append(described.registration)

    config = MailboxConfig(NodeConfig(Path("/nowhere"), bootstrap=(), mdns=False))
    await run_mailbox(config, MAILBOX, front_end, MailboxAdapters(node, MemoryMail(), inline))
    assert set(seen) == {"running", "invite"}


async def test_the_relay_is_described(autojump_clock: object) -> None:
    node = replace(open_mailbox().node, relay=RelayLimits(max_circuits=3))
    scene = Scene(open_mailbox(node=node))
    async with running(scene) as nursery:
        client = await scene.client(nursery, 1)
        await client.network.reserve(MAILBOX.peer)
        status = await scene.describe()
        assert status.relay.serving
        assert (status.relay.reservations, status.relay.most_reservations) == (1, 1)
        assert {limit.name: limit.value for limit in status.limits}["relay.max_circuits"] == 3
        await client.network.disconnect(MAILBOX.peer)
        await trio.sleep(1)
        status = await scene.describe()
        assert status.relay.most_reservations == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"quota_count": 1},
        {"quota_bytes": 100},
        {"max_total_bytes": 1},
        {"deposit_rate": 0},
        {"archive_days": 0.001},
        {"archive_bytes": 1_000},
        {"max_archive_bytes": 2 << 20},
        {"max_archived_rooms": 0},
        {"max_archived_rooms": 1, "archive_rooms": ("a", "b")},
        {"max_archived_rooms_per_client": 0},
    ],
)
def test_limits_under_which_nothing_works_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must be at least"):
        open_mailbox(**wrong)


def test_more_rooms_than_can_be_joined_are_refused() -> None:
    assert MOST_ROOMS == MAX_ROOMS
    with pytest.raises(ConfigError, match="max_archived_rooms must be at most 64"):
        open_mailbox(max_archived_rooms=65)
    with pytest.raises(ConfigError, match="archive_rooms: A room's name"):
        open_mailbox(archive_rooms=("two words",))


def test_rooms_may_be_kept_for_ever() -> None:
    assert open_mailbox(archive_days=0).archive_ms == 0
    assert open_mailbox(archive_days=2).archive_ms == 2 * DAY_MS
