"""A block is kept, whoever else saves the contact at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.actors.delivery.blocks import Blocks
from p2pchat.node.actors.delivery.people import People
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.direct_builders import PEER, peer_text


class Store(Actor):
    def __init__(self, book: ContactBook) -> None:
        self._book = book
        self.is_full = False
        self.elsewhere: list[records.Contact] = []  # what others would save while it saves

    @handles(actors.SaveContact)
    async def _save(self, _: actors.SaveContact) -> Message:
        if self.is_full:
            return actors.Rejected(reason=actors.STORE_FAILED, detail="The disk is full.")
        self.elsewhere += map(_copy, self._book.all())
        return actors.Done()

    @handles(actors.BlocksChanged)
    async def _blocks_changed(self, _: actors.BlocksChanged) -> None: ...

    @handles(actors.ContactChanged)
    async def _contact_changed(self, _: actors.ContactChanged) -> None: ...


def _copy(contact: records.Contact) -> records.Contact:
    copied = records.Contact()
    copied.CopyFrom(contact)
    return copied


async def _meant(text: str) -> str:
    return text


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Blocks, Store, ContactBook]]:
    book = ContactBook()
    store = Store(book)
    cell = ActorCell.of("store", Store, lambda: store)
    blocks = Blocks(
        peer=peer_text(1),
        people=cast(People, cast(Any, SimpleNamespace(meant=_meant))),
        contacts=book,
        storage=cell.ref,
        ui=cell.ref,
        told=(),
        now_ms=lambda: 42,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Supervisor("root", [cell], root=True).run)
        yield blocks, store, book
        nursery.cancel_scope.cancel()


async def test_who_saves_the_contact_meanwhile_saves_the_block(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (blocks, store, _):
        await (await blocks.change(actors.BlockPeer(text=PEER)))()
        await (await blocks.change(actors.Mute(peer=PEER, muted=True)))()
    assert [(c.blocked_at_ms, c.muted) for c in store.elsewhere] == [(42, False), (42, True)]


async def test_a_block_that_could_not_be_saved_does_not_count(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (blocks, store, book):
        store.is_full = True
        with pytest.raises(RequestRejectedError, match="full"):
            await (await blocks.change(actors.BlockPeer(text=PEER)))()
        assert not book.is_blocked(PEER)
