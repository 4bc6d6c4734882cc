"""The operator of a mailbox with several workers, which are played."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import pytest
import trio
from google.protobuf.message import Message

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.links import MailboxLink, format_link, parse_link
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.workers.control import LEVEL_AGAIN, WorkersControl
from p2pchat.relay_mailbox.workers.restarting import Restarts
from p2pchat.relay_mailbox.workers.tending import State, Worker

R = TypeVar("R", bound=Message)


class Played:
    """One worker's mailbox: holds blocks and one invite, and may be away."""

    def __init__(self, number: int) -> None:
        self.peer = Identity(bytes([number + 1]) * 32).peer
        self.blocks: dict[str, str] = {}
        self.revoked: list[str] = []
        self.away = False
        self.blocks_after = 0.0  # seconds

    async def ask(self, request: Message, response: type[R], seconds: float) -> R:
        await trio.sleep(0.1)
        if isinstance(request, control.BlockRequest):
            await trio.sleep(self.blocks_after)
        if self.away:
            raise RequestRejectedError(actors_pb2.UNAVAILABLE, "no answer")
        found = self._answer(request)
        assert isinstance(found, response)
        return found

    def _answer(self, request: Message) -> Message:
        match request:
            case control.StatusRequest():
                here = actors.MailboxDescription(peer=self.peer, link=self.link(), registered=2)
                return control.StatusResponse(mailbox=here)
            case control.ListInvitesRequest():
                return control.ListInvitesResponse(invites=[self.invite()])
            case control.MakeInviteRequest():
                return control.MakeInviteResponse(invite=self.invite())
            case control.RevokeInviteRequest():
                self.revoked.append(request.id)
                return control.RevokeInviteResponse()
            case control.BlockRequest():
                self.blocks[request.peer] = request.note
                return control.BlockResponse()
            case control.UnblockRequest():
                if request.peer not in self.blocks:
                    raise RequestRejectedError(actors_pb2.INVALID, "That peer is not blocked.")
                del self.blocks[request.peer]
                return control.UnblockResponse()
            case control.ListBlocksRequest():
                blocks = [actors.BlockDescription(peer=p, note=n) for p, n in self.blocks.items()]
                return control.ListBlocksResponse(blocks=blocks)
            case control.DiagnoseRequest():
                check = actors_pb2.Check(name="nat", finding=self.peer)
                diagnosis = actors_pb2.Diagnosis(checks=[check])
                return control.DiagnoseResponse(diagnosis=diagnosis)
        raise AssertionError(request)

    def link(self, token: str = "") -> str:
        return format_link(
            MailboxLink(self.peer, (f"/ip4/1.2.3.4/tcp/{ord(self.peer[-1])}",), token)
        )

    def invite(self) -> actors.InviteDescription:
        invite = records.Invite(id="one", token="secret")
        return actors.InviteDescription(invite=invite, link=self.link("secret"))


class Scene:
    def __init__(self, count: int = 3) -> None:
        self.played = [Played(number) for number in range(count)]
        self.workers = [Worker(number, Restarts(random.Random(1))) for number in range(count)]
        for worker in self.workers:
            worker.change(State.RUNNING)
        self.stops: list[None] = []
        self.control = WorkersControl(
            self.workers, self.played, self.played, lambda: self.stops.append(None)
        )

    def blocks(self) -> Sequence[dict[str, str]]:
        return [one.blocks for one in self.played]


def workers_in(link: str) -> list[str]:
    parsed = parse_link(link)
    assert isinstance(parsed, MailboxLink)
    assert parsed.token == "secret"
    return [parsed.peer, *(worker.peer for worker in parsed.workers)]


async def test_every_link_names_all_workers(autojump_clock: object) -> None:
    scene = Scene()
    peers = [one.peer for one in scene.played]
    listed = await scene.control.list_invites(control.ListInvitesRequest())
    made = await scene.control.make_invite(control.MakeInviteRequest(uses=1))
    assert workers_in(listed.invites[0].link) == workers_in(made.invite.link) == peers
    # Also while one of them is being restarted.
    scene.played[1].away = True
    listed = await scene.control.list_invites(control.ListInvitesRequest())
    assert workers_in(listed.invites[0].link) == peers


async def test_invites_are_the_first_one_s(autojump_clock: object) -> None:
    scene = Scene()
    await scene.control.revoke_invite(control.RevokeInviteRequest(id="one"))
    assert [one.revoked for one in scene.played] == [["one"], [], []]
    scene.played[0].away = True
    with pytest.raises(RequestRejectedError, match="Worker 0 does not answer: try again") as away:
        await scene.control.revoke_invite(control.RevokeInviteRequest(id="one"))
    assert away.value.reason == actors_pb2.UNAVAILABLE


async def test_who_is_blocked_is_blocked_everywhere(autojump_clock: object) -> None:
    scene = Scene()
    await scene.control.block(control.BlockRequest(peer="eve", note="spam"))
    assert scene.blocks() == [{"eve": "spam"}] * 3
    listed = await scene.control.list_blocks(control.ListBlocksRequest())
    assert [(block.peer, block.note) for block in listed.blocks] == [("eve", "spam")]
    await scene.control.unblock(control.UnblockRequest(peer="eve"))
    assert scene.blocks() == [{}] * 3
    with pytest.raises(RequestRejectedError, match="That peer is not blocked"):
        await scene.control.unblock(control.UnblockRequest(peer="eve"))


async def test_a_worker_that_was_away_hears_of_it_when_it_comes_up(autojump_clock: object) -> None:
    scene = Scene()
    scene.played[2].blocks = {"old": ""}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.control.keep_level)
        await trio.sleep(5)
        assert scene.blocks() == [{}] * 3
        scene.played[1].away = True
        await scene.control.block(control.BlockRequest(peer="eve"))
        assert scene.blocks() == [{"eve": ""}, {}, {"eve": ""}]
        scene.played[1].away = False
        scene.workers[1].change(State.RUNNING)
        await trio.sleep(5)
        assert scene.blocks() == [{"eve": ""}] * 3
        nursery.cancel_scope.cancel()


async def test_a_worker_that_came_up_while_the_first_was_away_hears_of_it_later(
    autojump_clock: object,
) -> None:
    scene = Scene()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.control.keep_level)
        await trio.sleep(1)
        scene.played[0].blocks = {"eve": ""}
        scene.played[0].away = True
        scene.workers[1].change(State.RUNNING)
        await trio.sleep(1)
        scene.played[0].away = False
        await trio.sleep(2 * LEVEL_AGAIN)
        assert scene.blocks()[1] == {"eve": ""}
        nursery.cancel_scope.cancel()


async def test_who_is_unblocked_while_others_hear_of_the_block_is_unblocked(
    autojump_clock: object,
) -> None:
    scene = Scene()
    scene.played[1].blocks_after = 1.0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.control.block, control.BlockRequest(peer="eve"))
        await trio.sleep(0.25)  # the first one's list has been read
        nursery.start_soon(scene.control.unblock, control.UnblockRequest(peer="eve"))
    assert scene.blocks() == [{}] * 3


async def test_the_status_names_who_does_not_answer(autojump_clock: object) -> None:
    scene = Scene()
    await scene.control.status(control.StatusRequest())
    scene.played[1].away = True
    scene.workers[2].change(State.RESTARTING)
    scene.workers[2].last_end = "it was ended by SIGKILL"
    here = (await scene.control.status(control.StatusRequest())).mailbox
    assert here.registered == 2
    assert [one.HasField("mailbox") for one in here.workers] == [True, False, False]
    assert [one.state for one in here.workers] == ["running", "running", "restarting"]
    assert here.workers[2].last_end == "it was ended by SIGKILL"
    parsed = parse_link(here.link)
    assert isinstance(parsed, MailboxLink)
    assert len(parsed.workers) == 2  # where they are is known from before


async def test_the_mailbox_is_the_first_worker_also_while_that_is_away(
    autojump_clock: object,
) -> None:
    scene = Scene()
    await scene.control.status(control.StatusRequest())
    scene.played[0].away = True
    here = (await scene.control.status(control.StatusRequest())).mailbox
    assert here.peer == scene.played[0].peer


async def test_a_diagnosis_is_of_those_that_answer(autojump_clock: object) -> None:
    scene = Scene()
    scene.played[0].away = True
    found = await scene.control.diagnose(control.DiagnoseRequest())
    away, nat = found.diagnosis.checks
    assert (away.name, away.verdict) == ("workers", actors_pb2.Check.FAILED)
    assert away.finding == "Worker 0 runs and does not answer."
    assert nat.finding == scene.played[1].peer
    scene.workers[0].change(State.RESTARTING)
    scene.workers[0].last_end = "it was ended by SIGKILL"
    found = await scene.control.diagnose(control.DiagnoseRequest())
    assert found.diagnosis.checks[0].finding == (
        "Worker 0 is restarting; it ended last because it was ended by SIGKILL."
    )
    for one in scene.played:
        one.away = True
    with pytest.raises(RequestRejectedError, match="No worker answers"):
        await scene.control.diagnose(control.DiagnoseRequest())


async def test_shutdown_stops_all(autojump_clock: object) -> None:
    scene = Scene()
    await scene.control.shutdown(control.ShutdownRequest())
    assert scene.stops == [None]
