"""Both stores of a mailbox at about one moment."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.relay_mailbox.checkpoints import Checkpoints


class PlayedStorage(Actor):
    def __init__(self, name: str, asked: list[str], is_full: bool) -> None:
        self._name = name
        self._asked = asked
        self._is_full = is_full

    @handles(actors.MakeCheckpoint)
    async def _make_checkpoint(self, _: actors.MakeCheckpoint) -> Message:
        self._asked.append(self._name)
        if self._is_full:
            return actors.Rejected(reason=actors.STORE_FAILED, detail="The disk is full.")
        path = f"/{self._name}.checkpoint"
        return actors.CheckpointMade(
            path=path if self._name == "store" else "", stores={self._name: path}
        )


@contextlib.asynccontextmanager
async def played(
    asked: list[str], *, is_full: bool = False
) -> AsyncIterator[tuple[ActorRef, ActorRef]]:
    """The storage of rooms, and that of mail; `is_full`: the disk of the latter."""

    def cell(name: str, full: bool) -> ActorCell:
        return ActorCell.of(name, PlayedStorage, lambda: PlayedStorage(name, asked, full))

    cells = [cell("store", False), cell("mail", is_full)]
    root = Supervisor("root", cells, root=True)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(root.run)
            yield cells[0].ref, cells[1].ref
            root.request_stop()


async def made_by(
    begin: Callable[[Message], Awaitable[Callable[[], Awaitable[Message]]]],
) -> Message:
    return await (await begin(actors.MakeCheckpoint()))()


async def test_rooms_come_first_so_that_no_room_is_without_a_note_that_it_is_kept() -> None:
    asked: list[str] = []
    async with played(asked) as (rooms, mail):
        made = await made_by(Checkpoints(rooms, mail).begin)
    assert asked == ["store", "mail"]
    assert made == actors.CheckpointMade(
        path="/store.checkpoint",
        stores={"store": "/store.checkpoint", "mail": "/mail.checkpoint"},
    )


async def test_without_one_of_them_there_is_none() -> None:
    async with played([], is_full=True) as (rooms, mail):
        with pytest.raises(RequestRejectedError, match="disk is full"):
            await made_by(Checkpoints(rooms, mail).begin)
        with pytest.raises(RequestRejectedError, match="nothing on a disk"):
            await made_by(Checkpoints(None, mail).begin)
