"""A node answers other programs once it is up, and chats on when it cannot."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import trio

from p2pchat.cli.terminal.program import _answer_others
from p2pchat.node.config import NodeConfig
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors


class PlayedUi(Actor):
    def __init__(self, up: trio.Event) -> None:
        self._up = up

    @handles(actors.DescribeNode)
    async def _describe(self, _: actors.DescribeNode) -> actors.NodeDescription:
        await self._up.wait()
        return actors.NodeDescription()


class World:
    def __init__(self, folder: Path) -> None:
        self.up = trio.Event()
        self.hub = EventHub()
        cell = ActorCell.of("ui", PlayedUi, lambda: PlayedUi(self.up))
        self.tree = Supervisor("root", [cell], root=True)
        config = NodeConfig(folder)
        identity = Identity.generate()
        self.node = cast(
            Any, SimpleNamespace(config=config, identity=identity, ui=cell.ref, hub=self.hub)
        )


async def test_the_socket_is_there_once_the_node_is_up_and_gone_after_it(tmp_path: Path) -> None:
    world, path = World(tmp_path), tmp_path / "node.sock"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.tree.run)
        nursery.start_soon(_answer_others, world.node)
        await trio.testing.wait_all_tasks_blocked()
        assert not path.exists()
        world.up.set()
        with trio.fail_after(30):
            while not path.exists():
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert not path.exists()


async def test_a_socket_that_cannot_be_made_is_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "a file"
    folder.touch()
    world = World(folder)
    world.up.set()
    with world.hub.open() as feed:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.tree.run)
            await _answer_others(world.node)
            world.tree.request_stop()
        (notice,) = await feed.next_batch()
    assert isinstance(notice, actors.Notice)
    assert notice.level == actors.Notice.WARNING
    assert notice.text.startswith("Other programs cannot ask this node: Cannot make the control")


async def test_a_node_that_never_comes_up_says_nothing_of_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.hub.open() as feed:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.tree.run)
            nursery.start_soon(_answer_others, world.node)
            await trio.testing.wait_all_tasks_blocked()
            world.tree.request_stop()
        world.hub.emit(actors.Done())
        assert await feed.next_batch() == [actors.Done()]
