"""The operator's side of a mailbox with several workers: asks each of them, and answers for all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol.links import MailboxLink, parse_link
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.workers.merging import one_description, one_diagnosis, one_link
from p2pchat.relay_mailbox.workers.tending import State, Worker

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds for an answer of a worker
SHORT = 3.0  # seconds; a status says which workers do not answer, and is wanted just then
LOOK_AGAIN = 0.2  # seconds until a worker that did not say where it is is asked once more
LEVEL_AGAIN = 5.0  # seconds until a worker whose blocks could not be compared is asked once more
DIAGNOSIS_PATIENCE = 32.0  # seconds; a worker itself takes up to 30

R = TypeVar("R", bound=Message)


class Asked(Protocol):
    """A worker's control socket."""

    async def ask(self, request: Message, response: type[R], seconds: float) -> R:
        """Raises `RequestRejectedError`: UNAVAILABLE when there is no answer within so many seconds."""
        ...


class WorkersControl:
    """Serves what `MailboxControl` serves, and what every role does. Methods raise `RequestRejectedError`."""

    def __init__(
        self,
        workers: Sequence[Worker],
        mailboxes: Sequence[Asked],
        every_role: Sequence[Asked],
        stop: Callable[[], None],
    ) -> None:
        """`mailboxes` answer the service `Mailbox`, `every_role` the service `Node`; both one for each worker."""
        self._workers = workers
        self._mailboxes = mailboxes
        self._every_role = every_role
        self._stop = stop
        self._since = trio.current_time()
        self._links = [""] * len(workers)  # of each worker alone, from when it last answered
        self._levelling = [trio.Lock() for _ in workers]  # lest an older comparison is the last one
        self._is_level = [True] * len(workers)

    # ---- Mailbox ----------------------------------------------------------------------------------

    async def status(self, _: control.StatusRequest) -> control.StatusResponse:
        return control.StatusResponse(mailbox=await self.describe())

    async def describe(self) -> actors.MailboxDescription:
        """All of them together; each by itself in its `workers`."""
        described = await self._describe()
        uptime = round((trio.current_time() - self._since) * 1000)
        link = one_link(self._links) if self._links[0] else ""
        merged = one_description(described, link, uptime)
        if (
            link
        ):  # by this peer id the mailbox is known, also while its first worker does not answer
            merged.peer = parse_link(link).peer
        return merged

    async def list_invites(
        self, request: control.ListInvitesRequest
    ) -> control.ListInvitesResponse:
        listed = await self._first(request, control.ListInvitesResponse)
        for invite in listed.invites:
            invite.link = await self._with_all(invite.link)
        return listed

    async def make_invite(self, request: control.MakeInviteRequest) -> control.MakeInviteResponse:
        made = await self._first(request, control.MakeInviteResponse)
        made.invite.link = await self._with_all(made.invite.link)
        return made

    async def revoke_invite(
        self, request: control.RevokeInviteRequest
    ) -> control.RevokeInviteResponse:
        return await self._first(request, control.RevokeInviteResponse)

    async def block(self, request: control.BlockRequest) -> control.BlockResponse:
        done = await self._first(request, control.BlockResponse)
        await self._level()
        return done

    async def unblock(self, request: control.UnblockRequest) -> control.UnblockResponse:
        done = await self._first(request, control.UnblockResponse)
        await self._level()
        return done

    async def list_blocks(self, request: control.ListBlocksRequest) -> control.ListBlocksResponse:
        return await self._first(request, control.ListBlocksResponse)

    # ---- every role -------------------------------------------------------------------------------

    async def shutdown(self, _: control.ShutdownRequest) -> control.ShutdownResponse:
        self._stop()
        return control.ShutdownResponse()

    async def diagnose(self, request: control.DiagnoseRequest) -> control.DiagnoseResponse:
        found: dict[int, Sequence[actors_pb2.Check]] = {}
        away: dict[int, str] = {}

        async def ask(number: int) -> None:
            try:
                answer = await self._every_role[number].ask(
                    request, control.DiagnoseResponse, DIAGNOSIS_PATIENCE
                )
                found[number] = answer.diagnosis.checks
            except RequestRejectedError as error:
                log.info("worker %d gives no diagnosis: %s", number, error)
                away[number] = _why_away(self._workers[number])

        await self._each(ask)
        if not found:
            raise RequestRejectedError(actors_pb2.UNAVAILABLE, "No worker answers: try again.")
        in_order = {number: found[number] for number in sorted(found)}
        why = [away[number] for number in sorted(away)]
        return control.DiagnoseResponse(diagnosis=one_diagnosis(in_order, why))

    async def make_checkpoint(
        self, request: control.MakeCheckpointRequest
    ) -> control.MakeCheckpointResponse:
        """Of the first worker, whose folder is the mailbox's; the others have sockets of their own."""
        return await self._every_role[0].ask(request, control.MakeCheckpointResponse, PATIENCE)

    # ---- workers ----------------------------------------------------------------------------------

    async def keep_level(self) -> None:
        """Until cancelled: a worker that comes up blocks whom the first one blocks, and one that could not be asked."""
        async with trio.open_nursery() as nursery:
            for number in range(1, len(self._workers)):
                nursery.start_soon(self._keep_level, number)

    async def _keep_level(self, number: int) -> None:
        worker, seen = self._workers[number], 0
        while True:
            with trio.move_on_after(LEVEL_AGAIN):
                await worker.until_up(seen + 1)
            is_due = worker.ups > seen or not self._is_level[number]
            if is_due and worker.state is State.RUNNING:
                seen = worker.ups
                await self._level_one(number)

    async def _level(self) -> None:
        """The first worker has decided; one that is away does the same when it comes back."""
        await self._each(self._level_one)

    async def _level_one(self, number: int) -> None:
        if number == 0:
            return
        listing = control.ListBlocksRequest()
        async with self._levelling[number]:
            self._is_level[number] = False
            try:
                wanted = await self._first(listing, control.ListBlocksResponse)
                there = await self._ask(number, listing, control.ListBlocksResponse)
                await self._change_blocks(number, wanted, there)
                self._is_level[number] = True
            except RequestRejectedError as error:
                log.warning("worker %d: its blocks could not be compared: %s", number, error)

    async def _change_blocks(
        self, number: int, wanted: control.ListBlocksResponse, there: control.ListBlocksResponse
    ) -> None:
        is_wanted = {block.peer for block in wanted.blocks}
        is_there = {block.peer for block in there.blocks}
        for block in wanted.blocks:
            if block.peer not in is_there:
                request = control.BlockRequest(peer=block.peer, note=block.note)
                await self._ask(number, request, control.BlockResponse)
        for peer in is_there - is_wanted:
            await self._ask(number, control.UnblockRequest(peer=peer), control.UnblockResponse)

    async def until_known(self) -> None:
        """Until every worker has said where it is: before that, no link names all of them."""
        await self._describe()
        while not all(self._links):
            await trio.sleep(LOOK_AGAIN)
            await self._describe()

    async def _describe(self) -> Sequence[actors.WorkerDescription]:
        described = [_description(worker) for worker in self._workers]

        async def ask(number: int) -> None:
            if self._workers[number].state is not State.RUNNING:
                return
            try:
                answer = await self._mailboxes[number].ask(
                    control.StatusRequest(), control.StatusResponse, SHORT
                )
            except RequestRejectedError as error:
                log.info("worker %d does not say how it is: %s", number, error)
                return
            described[number].mailbox.CopyFrom(answer.mailbox)
            self._links[number] = answer.mailbox.link

        await self._each(ask)
        return described

    async def _with_all(self, link: str) -> str:
        """A link of the first worker, with the others."""
        if not all(self._links):
            await self._describe()
        parsed = parse_link(link)
        assert isinstance(parsed, MailboxLink)
        return one_link([link, *self._links[1:]], parsed.token)

    async def _each(self, ask: Callable[[int], object]) -> None:
        """All at a time."""
        async with trio.open_nursery() as nursery:
            for number in range(len(self._workers)):
                nursery.start_soon(ask, number)  # type: ignore[arg-type]

    async def _first(self, request: Message, response: type[R]) -> R:
        """Who keeps the invites and the list of blocks."""
        return await self._ask(0, request, response)

    async def _ask(
        self, number: int, request: Message, response: type[R], seconds: float = PATIENCE
    ) -> R:
        try:
            return await self._mailboxes[number].ask(request, response, seconds)
        except RequestRejectedError as error:
            if error.reason != actors_pb2.UNAVAILABLE:
                raise
            detail = f"Worker {number} does not answer: try again. ({error.detail})"
            raise RequestRejectedError(actors_pb2.UNAVAILABLE, detail) from error


def _why_away(worker: Worker) -> str:
    """A sentence."""
    if worker.state is State.RUNNING:
        return f"Worker {worker.number} runs and does not answer."
    why = f"; it ended last because {worker.last_end}" if worker.last_end else ""
    return f"Worker {worker.number} is {worker.state}{why}."


def _description(worker: Worker) -> actors.WorkerDescription:
    return actors.WorkerDescription(
        number=worker.number,
        state=worker.state,
        restarts=worker.restarts.count,
        pid=worker.pid,
        last_end=worker.last_end,
    )
