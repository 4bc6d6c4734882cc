"""The operator's commands over a real socket, answered by an operator actor that is played."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol.links import MailboxLink, parse_link
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import control_pb2_grpc
from p2pchat.relay_mailbox.control import MailboxControl, public_first, serve
from tests.relay_mailbox.played_operator import (
    ADDRESSES,
    NOTHING_LIKE_IT,
    PEER,
    PlayedOperator,
    playing,
)

Ask = Callable[[Callable[[Any], Any]], Awaitable[Any]]


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Ask]:
    """What it gives runs a function of the generated client's stub in a thread."""
    path = folder / "node.sock"

    async def ask(what: Callable[[Any], Any]) -> Any:
        def client() -> Any:
            with grpc.insecure_channel(f"unix:{path}") as channel:
                return what(control_pb2_grpc.MailboxStub(channel))  # type: ignore[no-untyped-call]

        return await trio.to_thread.run_sync(client)

    async with playing() as operator, serve(path, MailboxControl(operator)):
        yield ask


async def test_every_command_reaches_the_operator(tmp_path: Path) -> None:
    async with served(tmp_path) as ask:
        made = await ask(lambda s: s.MakeInvite(control.MakeInviteRequest(uses=3, label="friends")))
        assert (made.invite.invite.uses_left, made.invite.invite.label) == (3, "friends")
        listed = await ask(lambda s: s.ListInvites(control.ListInvitesRequest()))
        assert list(listed.invites) == [made.invite]
        await ask(lambda s: s.RevokeInvite(control.RevokeInviteRequest(id=made.invite.invite.id)))
        await ask(lambda s: s.Block(control.BlockRequest(peer=PEER, note="spam")))
        blocked = await ask(lambda s: s.ListBlocks(control.ListBlocksRequest()))
        assert [(block.peer, block.note) for block in blocked.blocks] == [(PEER, "spam")]
        described = (await ask(lambda s: s.Status(control.StatusRequest()))).mailbox
        assert (described.invites, described.blocked) == (0, 1)
        await ask(lambda s: s.Unblock(control.UnblockRequest(peer=PEER)))
        assert not (await ask(lambda s: s.ListBlocks(control.ListBlocksRequest()))).blocks


async def test_the_same_socket_answers_what_every_role_does(tmp_path: Path) -> None:
    def diagnose() -> Any:
        with grpc.insecure_channel(f"unix:{tmp_path / 'node.sock'}") as channel:
            stub: Any = control_pb2_grpc.NodeStub(channel)  # type: ignore[no-untyped-call]
            return stub.Diagnose(control.DiagnoseRequest())

    async with served(tmp_path):
        found = await trio.to_thread.run_sync(diagnose)
    assert [check.name for check in found.diagnosis.checks] == ["nat", "dht"]


async def test_what_the_operator_refuses_is_a_status_with_its_sentence(tmp_path: Path) -> None:
    def revoke(stub: Any) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            stub.RevokeInvite(control.RevokeInviteRequest(id="none"))
        error: Any = caught.value
        return f"{error.code().name}: {error.details()}"

    async with served(tmp_path) as ask:
        assert await ask(revoke) == f"INVALID_ARGUMENT: {NOTHING_LIKE_IT}"


async def test_links_lead_to_public_addresses_first() -> None:
    async with playing() as operator:
        made = await MailboxControl(operator).make_invite(control.MakeInviteRequest(uses=1))
    assert parse_link(made.invite.link) == MailboxLink(PEER, ADDRESSES[::-1], "token0")


async def test_links_lead_to_what_is_announced() -> None:
    async with playing() as operator:
        mailbox = MailboxControl(operator, ["/dns4/example.org/tcp/4001"])
        await mailbox.make_invite(control.MakeInviteRequest(uses=1))
        links = [
            (await mailbox.status(control.StatusRequest())).mailbox.link,
            (await mailbox.list_invites(control.ListInvitesRequest())).invites[0].link,
        ]
    assert [parse_link(link) for link in links] == [
        MailboxLink(PEER, ("/dns4/example.org/tcp/4001",), token) for token in ("", "token0")
    ]


async def test_more_addresses_than_a_link_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    local = tuple(f"/ip4/10.0.0.{n}/tcp/1" for n in range(10))
    monkeypatch.setattr("tests.relay_mailbox.played_operator.ADDRESSES", (*local, ADDRESSES[2]))
    async with playing() as operator:
        status = await MailboxControl(operator).status(control.StatusRequest())
    link = parse_link(status.mailbox.link)
    assert link.addresses == (ADDRESSES[2], *local[:7])


async def test_without_a_socket_errors_are_exceptions() -> None:
    async with playing(PlayedOperator()) as operator:
        with pytest.raises(RequestRejectedError, match="nothing like it"):
            await MailboxControl(operator).unblock(control.UnblockRequest(peer=PEER))


def test_addresses_by_how_far_they_reach() -> None:
    by_reach = [
        "/dns4/example.org/tcp/1",
        "/ip4/9.9.9.9/tcp/1",
        "/ip6/2620:fe::fe/tcp/1",
        "/ip4/9.9.9.9/udp/1/quic-v1",
        "/ip4/192.168.1.2/tcp/1",
        "/ip6/fd00::1/tcp/1",
        "/ip4/169.254.1.2/tcp/1",
        "/ip4/127.0.0.1/tcp/1",
        "/ip6/::1/tcp/1",
    ]
    assert public_first(by_reach) == by_reach
    assert [*map(by_reach.index, public_first(by_reach[::-1]))] == [1, 0, *range(2, 9)]
