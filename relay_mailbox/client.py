"""One client's stream: requests are read while replies of earlier ones are under way, all of it bounded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.errors import ActorError, RequestRejectedError, StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import limits, peer_id
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox import refusal
from p2pchat.relay_mailbox.outgoing import Outgoing, hand_overs
from p2pchat.relay_mailbox.queue import (
    CaughtUp,
    Command,
    HandOver,
    Mail,
    Read,
    RecipientQueue,
    State,
)
from p2pchat.relay_mailbox.tally import HAND_OVER, WAITED, Tally

FRAMES_IN_FLIGHT = 8  # deposits of one stream that wait for the disk; no more is read before
ACKS_IN_FLIGHT = 8  # acknowledgements of one stream that wait for the disk; no more is read before
WRITE_TIMEOUT = 60.0  # seconds in which a client must read what is written at once
STORE_RETRY = 10.0  # seconds until a read or delete is tried again that the disk has refused
RESET_TIMEOUT = 0.2  # seconds to give a stream up

R = TypeVar("R", bound=Message)


class BadRequestError(Exception):
    """A frame that no client would send: its stream is reset."""


class Service(Protocol):
    """What a client's stream needs of the mailbox."""

    async def deposit(self, client: Client, deposit: mailbox.Deposit, size: int) -> None:
        """Answered with `settled` later; `size` are the bytes of the frame."""
        ...

    async def unregister(
        self, client: Client, request: mailbox.Unregister
    ) -> mailbox.MailboxReply | None: ...

    async def register(self, client: Client, request: mailbox.Register) -> mailbox.MailboxReply: ...

    async def archive(self, client: Client, request: mailbox.Archive) -> mailbox.MailboxReply: ...

    async def admit(self, client: Client) -> None:
        """Wait until the peer may make one more request besides deposits and acknowledgements."""
        ...

    def look_up(self, peer: bytes) -> mailbox.Found: ...

    def now_ms(self) -> int:
        """The wall clock, in Unix milliseconds."""
        ...

    def collect(self, client: Client) -> refusal.Refusal | None:
        """From now on this client gets its peer's mail, and no other one."""
        ...


class Client:
    """One stream. `run` returns when it is over, however it ended."""

    def __init__(self, stream: Stream, service: Service, storage: ActorRef, tally: Tally) -> None:
        self.peer = stream.peer  # base58
        self.peer_bytes = peer_id.from_text(stream.peer)
        self.in_flight = trio.Semaphore(
            FRAMES_IN_FLIGHT
        )  # acquired by a deposit until it is answered
        self._stream = stream
        self._service = service
        self._storage = storage
        self._tally = tally
        self._outgoing = Outgoing()
        self._queue = RecipientQueue()
        self._next_read: Read | None = None
        self._acknowledged: list[bytes] = []  # ids that the store has not let go of yet
        self._ack_frames = 0
        self._asked_at = 0.0  # when it last asked for its mail, on trio's clock
        self._work = trio.lowlevel.ParkingLot()  # for the tasks that read and delete mail
        self._scope = trio.CancelScope()
        self._is_reset = False

    async def run(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                for task in (self._write, self._read_mail, self._forget_mail):
                    nursery.start_soon(self._until_over, task)
                await self._until_over(self._read_requests)
        self._queue.disconnected()
        if self._is_reset:
            with trio.move_on_after(RESET_TIMEOUT, shield=True):
                await self._stream.reset()

    @property
    def is_collecting(self) -> bool:
        return self._queue.state is not State.ABSENT

    def reset(self) -> None:
        """End it, so that the client notices."""
        self._is_reset = True
        self._scope.cancel()

    def reply(self, reply: mailbox.MailboxReply) -> None:
        self._outgoing.put(reply)

    def deposited(self, mail: Sequence[Mail]) -> None:
        """New mail for this client's peer, stored already."""
        commands = self._queue.deposited(mail)
        at_once = sum(len(each.mail) for each in commands if isinstance(each, HandOver))
        if at_once:
            self._tally.took(WAITED, 0.0, at_once)
        self._perform(commands)

    async def _until_over(self, task: Callable[[], Awaitable[None]]) -> None:
        """Run one of the stream's tasks; its expected end is the end of the stream."""
        try:
            await task()
        except StreamError:
            self._scope.cancel()
        except (BadRequestError, ActorError):
            self.reset()

    # ---- requests ---------------------------------------------------------------------------------

    async def _read_requests(self) -> None:
        while True:
            await self._outgoing.room()
            body = await self._stream.read_frame(limits.FRAME_LIMIT)
            try:
                await self._serve(_parse(body), len(body))
            except BadRequestError:
                self._tally.count("frames_malformed")
                raise

    async def _serve(self, request: mailbox.MailboxRequest, size: int) -> None:
        match request.WhichOneof("request"):
            case "deposit":
                _check(1 <= len(request.deposit.envelopes) <= limits.MAX_BATCH)
                await self._service.deposit(self, request.deposit, size)
            case "ack":
                await self._take_ack(request.ack)
            case "collect":
                await self._service.admit(self)
                await self._acks_done()
                self._collect(request.collect)
            case "register":
                await self._service.admit(self)
                self.reply(await self._service.register(self, request.register))
            case "unregister":
                await self._service.admit(self)
                reply = await self._service.unregister(self, request.unregister)
                if reply is not None:
                    self.reply(reply)
            case "archive":
                await self._service.admit(self)
                self.reply(await self._service.archive(self, request.archive))
            case "lookup":
                _check(1 <= len(request.lookup.peer) <= 2 * limits.PEER_BYTES)
                await self._service.admit(self)
                found = self._service.look_up(request.lookup.peer)
                self.reply(mailbox.MailboxReply(found=found))
            case _:
                raise BadRequestError

    def _collect(self, request: mailbox.Collect) -> None:
        if 1 <= request.window <= limits.MAX_WINDOW:
            refused = self._service.collect(self)
        else:
            refused = refusal.BAD_WINDOW
            self._tally.count("refused_malformed")
        if refused is not None:
            self.reply(mailbox.MailboxReply(refused=refused.reply(mailbox.Refused.COLLECT)))
            return
        self._asked_at = trio.current_time()
        self._perform(self._queue.collect(request.window))

    async def _take_ack(self, ack: mailbox.Ack) -> None:
        _check(1 <= len(ack.ids) <= limits.MAX_ACKS)
        _check(all(len(id_) == limits.ENVELOPE_ID_BYTES for id_ in ack.ids))
        while self._ack_frames >= ACKS_IN_FLIGHT:
            await self._work.park()
        self._ack_frames += 1
        self._acknowledged.extend(ack.ids)
        self._work.unpark_all()

    async def _acks_done(self) -> None:
        """Wait for the deletions that were asked for before: none of that is to be handed over again."""
        while self._ack_frames:
            await self._work.park()

    # ---- mail -------------------------------------------------------------------------------------

    def _perform(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case HandOver():
                    self._tally.count("handed_over", len(command.mail))
                    for reply, size in hand_overs(command.mail):
                        self._outgoing.put(reply, size)
                case CaughtUp():
                    self.reply(mailbox.MailboxReply(caught_up=mailbox.CaughtUp()))
                    self._tally.took(HAND_OVER, trio.current_time() - self._asked_at)
                case Read():
                    self._next_read = command
                    self._work.unpark_all()

    async def _read_mail(self) -> None:
        while True:
            while self._next_read is None:
                await self._work.park()
            read, self._next_read = self._next_read, None
            query = actors.ReadMail(
                recipient=self.peer_bytes,
                after=read.after,
                limit=read.limit,
                max_bytes=limits.BATCH_BYTES,
            )
            page = await self._ask_store(query, actors.MailPage)
            mail = [Mail(one.sequence, one.id, one.size, one.envelope) for one in page.mail]
            commands = self._queue.page(read.round, mail, page.end, page.more)
            if any(isinstance(each, HandOver) for each in commands):
                self._note_waits(page)
            self._perform(commands)

    def _note_waits(self, page: actors.MailPage) -> None:
        now_ms = self._service.now_ms()
        for one in page.mail:
            if one.deposited_at_ms:
                self._tally.took(WAITED, (now_ms - one.deposited_at_ms) / 1000)

    async def _forget_mail(self) -> None:
        while True:
            while not self._acknowledged:
                await self._work.park()
            ids, self._acknowledged = self._acknowledged, []
            frames = self._ack_frames
            command = actors.ForgetMail(recipient=self.peer_bytes, ids=ids)
            await self._ask_store(command, actors_pb2.Done)
            self._ack_frames -= frames
            self._work.unpark_all()
            self._tally.count("acknowledged", len(ids))
            self._perform(self._queue.acknowledged(ids))

    async def _write(self) -> None:
        while True:
            data, mail_bytes = await self._outgoing.take()
            try:
                with trio.fail_after(WRITE_TIMEOUT):
                    await self._stream.write(data)
            except trio.TooSlowError:
                self._tally.count("clients_stalled")
                self.reset()
                await trio.sleep_forever()
            if mail_bytes:
                self._perform(self._queue.written(mail_bytes))

    async def _ask_store(self, message: Message, reply: type[R]) -> R:
        """Until the disk takes it: mail that was read or acknowledged must not be forgotten half-way."""
        while True:
            try:
                return await self._storage.request(message, reply)
            except RequestRejectedError:
                self._tally.count("disk_refusals")
            await trio.sleep(STORE_RETRY)


def _parse(body: bytes) -> mailbox.MailboxRequest:
    try:
        return mailbox.MailboxRequest.FromString(body)
    except Exception:  # protobuf's DecodeError; upb also raises UnicodeDecodeError
        raise BadRequestError from None


def _check(holds: bool) -> None:
    if not holds:
        raise BadRequestError
