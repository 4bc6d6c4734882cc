"""The files actor: offers, answers, and what moves files between two people."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.files.answers import Answers
from p2pchat.node.actors.files.fetching import Fetcher
from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.actors.files.mailing import Mailing
from p2pchat.node.actors.files.reaching import Reaching
from p2pchat.node.actors.files.serving import FileServer
from p2pchat.node.actors.lanes import Desk, Lane
from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.actors.storage_calls import Runner
from p2pchat.node.errors import ActorError, FileError, P2pchatError, RequestRejectedError
from p2pchat.node.ports import FileFacts, Files, Network
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.file_policy import MAX_SIZE, FilePolicy
from p2pchat.node.protocol.file_transfer import Key, Transfer
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

OFFERS_AT_ONCE = 2  # own files that are being hashed; more wait here
CHANGES_AT_ONCE = 1  # each looks at what the one before has left

Answer = Callable[[], Awaitable[Message]]


class FilesActor(Actor):
    """Nothing that delivery waits for waits for delivery: what is asked of it is asked from lanes and tasks."""

    def __init__(
        self,
        *,
        network: Network,
        files: Files,
        run: Runner,
        run_long: Runner,
        storage: ActorRef,
        transport: ActorRef,
        delivery: ActorRef,
        ui: ActorRef,
        policy: FilePolicy,
        now_ms: Callable[[], int],
        rng: random.Random,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`run` performs one call on `files`, several side by side; `run_long` one that reads a whole file."""
        self._run_long = run_long
        self._network = network
        self._files = files
        self._run = run
        self._delivery = delivery
        self._ui = ui
        self._policy = policy
        self._now_ms = now_ms
        self._offering = 0  # own offers that are being made
        self._blocked: frozenset[str] = frozenset()
        self._ledger = ledger = Ledger(storage, ui)
        self._answers = Answers(
            ledger=ledger,
            delivery=delivery,
            policy=policy,
            now_ms=now_ms,
            randomness=randomness,
        )
        self._mailing = Mailing(
            network=network,
            files=files,
            run=run,
            ledger=ledger,
            delivery=delivery,
            policy=policy,
            now_ms=now_ms,
            randomness=randomness,
        )
        self._fetcher = Fetcher(
            network=network,
            files=files,
            run=run,
            run_long=run_long,
            ledger=ledger,
            spawn=self.spawn,
            rng=rng,
            on_answer=self._ring,
        )
        self._reaching = Reaching(
            network=network,
            transport=transport,
            delivery=delivery,
            ledger=ledger,
            spawn=self.spawn,
            rng=rng,
        )
        self._server = FileServer(files=files, run=run, ledger=ledger)
        self._desk = Desk(on_unheard=self._unheard)
        self._lanes = self._make_lanes()

    def _make_lanes(self) -> dict[type[Message], Lane]:
        changes = self._desk.lane(self._change, CHANGES_AT_ONCE)
        return {
            actors.OfferFile: self._desk.lane(self._begin_offer, OFFERS_AT_ONCE),
            actors.AcceptFile: changes,
            actors.DeclineFile: changes,
            actors.CancelTransfer: changes,
        }

    async def started(self) -> None:
        await self._ledger.load()
        await self._fetcher.sweep()
        self._network.handle(rules.FILE_PROTOCOL, self._server.serve)
        self.spawn(self._desk.run, name="files desk")
        self.spawn(self._serve_until_over, name="file streams")
        self.spawn(self._ledger.run, name="file news")
        self.spawn(self._answers.run, name="file answers")
        self.spawn(self._fetcher.run, name="file fetches")
        self.spawn(self._mailing.run, name="file mail")
        self.spawn(self._reaching.run, name="file dials")
        self.spawn(self._reaching.find_names, name="file names")

    async def stopping(self) -> None:
        await self._desk.finish()

    async def receive(self, letters: Sequence[Letter]) -> None:
        lane = self._lanes.get(type(letters[0].message))
        if lane is None:
            await super().receive(letters)
            return
        for letter in letters:
            lane.put(letter)

    async def _serve_until_over(self) -> None:
        """Streams are served in tasks of the network's: they end with this incarnation as well."""
        try:
            await trio.sleep_forever()
        finally:
            self._server.stop_all()

    def _ring(self) -> None:
        """Something has changed: see what is to be done."""
        for part in (self._answers, self._fetcher, self._mailing, self._reaching):
            part.ring()

    def _unheard(self, problem: actors.Rejected) -> None:
        self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=problem.detail))

    # ---- from the owner -------------------------------------------------------------------------------

    @handles(actors.ListTransfers)
    async def _list(self, _: actors.ListTransfers) -> actors.TransferList:
        return actors.TransferList(transfers=map(self._ledger.status, self._ledger.all()))

    @handles(actors.DescribeFiles)
    async def _describe(self, _: actors.DescribeFiles) -> actors.FilesDescription:
        return self._ledger.describe()

    async def _begin_offer(self, message: Message) -> Answer:
        assert isinstance(message, actors.OfferFile)
        return partial(self._offer, message)

    async def _offer(self, message: actors.OfferFile) -> Message:
        who = actors.ResolvePeer(text=message.text)
        found = await self._delivery.ask(who, actors.PeerResolved)
        facts = await self._run_long(partial(self._files.describe, message.path))
        if facts.size > MAX_SIZE:
            raise FileError(f"{message.path} is too large to be sent.")
        self._ledger.called(found.peer, found.name)
        self._offering += 1
        try:
            record = await self._say(found.peer, facts)
            return self._ledger.status(await self._add(record))
        finally:
            self._offering -= 1

    async def _say(self, peer: str, facts: FileFacts) -> Transfer:
        """The message that offers it; the transfer is stored together with it."""
        offer = wire.FileOffer(name=facts.name, size=facts.size, digest=facts.digest)
        record = records.TransferRecord(
            peer=peer_id.from_text(peer),
            outgoing=True,
            offer=offer,
            state=records.OFFERED,
            path=facts.path,
            offered_at_ms=self._now_ms(),
            modified_ns=facts.modified_ns,
        )
        post = actors.SendDirect(peer=peer, transfer=record)
        sent = await self._delivery.ask(post, actors.DirectSent)
        record.offer.transfer = sent.record.id
        return record

    async def _add(self, record: Transfer) -> Transfer:
        """One that was stored with its message, by somebody who may have been blocked meanwhile."""
        added = await self._ledger.add(record)
        key = rules.key_of(added)
        if key.peer in self._blocked:
            added = await self._ledger.change(key, rules.dropped) or added
        return added

    async def _change(self, message: Message) -> Answer:
        match message:
            case actors.AcceptFile():
                return partial(self._accept, message)
            case actors.DeclineFile():
                return partial(self._decline, message)
            case _:
                assert isinstance(message, actors.CancelTransfer)
                return partial(self._cancel, message)

    async def _accept(self, message: actors.AcceptFile) -> Message:
        key = self._ledger.find(message.transfer, _is_offered, "that waits for your answer")
        record = self._ledger.get(key)
        if record is not None and (problem := rules.too_large(record, self._policy)):
            raise RequestRejectedError(actors.TOO_LONG, problem)
        if record is not None:
            await self._fetcher.check_space(record)
        accepted = await self._ledger.change(key, rules.accepted)
        self._ring()
        return self._ledger.status(accepted or record or records.TransferRecord())

    async def _decline(self, message: actors.DeclineFile) -> Message:
        key = self._ledger.find(message.transfer, _is_offered, "that waits for your answer")
        await self._ledger.change(key, rules.declined)
        self._ring()
        return actors.Done()

    async def _cancel(self, message: actors.CancelTransfer) -> Message:
        key = self._ledger.find(message.transfer, _is_under_way, "that is under way")
        await self._ledger.change(key, rules.cancelled)
        await self._clean_up(key)
        self._ring()
        return actors.Done()

    async def _clean_up(self, key: Key) -> None:
        """It is over."""
        if key.outgoing:
            self._server.stop(key)
        else:
            await self._fetcher.drop(key)

    # ---- from delivery: answered without asking delivery anything -----------------------------------------

    @handles(actors.FileOffered)
    async def _offered(self, event: actors.FileOffered) -> None:
        key = rules.key_of(event.record)
        self._ledger.called(key.peer, event.name)
        offers = self._ledger.offers_of(key.peer)
        judge = partial(rules.judged, policy=self._policy, chosen=event.chosen, offers=offers)
        try:
            await self._add(event.record)
            await self._ledger.change(key, judge)
        except (RequestRejectedError, ActorError) as error:
            log.warning("what becomes of a file is asked of its owner: %s", error)
        self._ring()

    @handles(actors.DeliveriesChanged)
    async def _messages_fared(self, event: actors.DeliveriesChanged) -> None:
        """Some of them may offer files."""
        for change in event.changes:
            key = Key(event.peer, True, change.id)
            if self._ledger.get(key) is not None:
                step = partial(rules.message_fared, delivery=change.delivery)
                await self._ledger.try_to_change(key, step)

    @handles(actors.MessagesAltered)
    async def _messages_altered(self, event: actors.MessagesAltered) -> None:
        """What is offered by a message that was taken back is not to be had any more."""
        for record in event.direct_records:
            if not record.alteration.retracted:
                continue
            key = Key(event.peer, record.outgoing, record.id)
            if await self._ledger.try_to_change(key, rules.message_retracted) is not None:
                self.spawn(self._clean_up, key)
        self._ring()

    @handles(actors.BlocksChanged)
    async def _blocks_changed(self, event: actors.BlocksChanged) -> None:
        """Nothing goes to them and comes from them any more."""
        self._blocked = frozenset(event.peers)
        for key in self._ledger.having(_is_under_way):
            if key.peer not in self._blocked:
                continue
            try:
                await self._ledger.change(key, rules.dropped)
            except (RequestRejectedError, ActorError) as error:
                log.warning("a file of somebody blocked goes on: %s", error)
            else:
                self.spawn(self._clean_up, key)

    @handles(actors.FileNoteHeard)
    async def _heard(self, event: actors.FileNoteHeard) -> Message:
        self._ledger.called(event.peer, event.name)
        try:
            if event.HasField("part"):
                await self._take_part(Key(event.peer, False, event.part.transfer), event.part)
            else:
                await self._take_answer(event.peer, event.answer)
        except P2pchatError as error:
            return rejection_of(error)
        return actors.Done()

    async def _take_answer(self, peer: str, answer: wire.FileAnswer) -> None:
        """An answer is about a file of the one who hears it, a withdrawal about one of the other."""
        outgoing = answer.kind != wire.FileAnswer.WITHDRAWN
        key = Key(peer, outgoing, answer.transfer)
        if self._ledger.get(key) is None:
            if outgoing and self._offering:
                detail = "An offer is being made at this moment."
                raise RequestRejectedError(actors.UNAVAILABLE, detail)
            return
        changed = await self._ledger.change(key, partial(rules.heard, answer=answer))
        if changed is not None and rules.is_over(changed):
            self.spawn(self._clean_up, key)
        if answer.kind == wire.FileAnswer.WANTED:
            self._mailing.begin_anew(key)
        self._ring()

    async def _take_part(self, key: Key, part: wire.FilePart) -> None:
        record = self._ledger.get(key)
        is_wanted = record is not None and rules.takes_part(record, part, self._policy)
        if record is None or not is_wanted or self._fetcher.is_running(key):
            return
        name = rules.partial_name(record)
        try:
            write = partial(self._files.write, name, part.offset, part.data, sync=True)
            await self._run(write)
        except FileError as error:
            # Gone, and not to be had from the mailbox again: nothing else of the mail waits for it.
            self._answers.hold(key)
            await self._ledger.change(key, rules.asked_again)
            await self._ledger.change(key, partial(rules.waits, problem=str(error)))
        else:
            await self._ledger.change(key, partial(rules.with_part, offset=part.offset))
        self._ring()

    @handles(actors.FileNoteSettled)
    async def _settled(self, event: actors.FileNoteSettled) -> None:
        try:
            if not await self._answers.settled(event.id):
                await self._mailing.settled(event.id, taken=event.taken)
        except (RequestRejectedError, ActorError) as error:
            log.warning("it will be said again: %s", error)


def _is_offered(record: Transfer) -> bool:
    return not record.outgoing and record.state == records.OFFERED


def _is_under_way(record: Transfer) -> bool:
    return not rules.is_over(record)
