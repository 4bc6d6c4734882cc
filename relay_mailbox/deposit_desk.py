"""Takes deposits in: rate, sifting, the store, the receipt, and on to whoever waits for that mail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.errors import ActorError, UserError
from p2pchat.node.protocol import custody, peer_id
from p2pchat.node.runtime import ActorRef
from p2pchat.node.runtime.mailbox import ReplySlot
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox import refusal
from p2pchat.relay_mailbox.client import Client
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.in_flight import InFlight
from p2pchat.relay_mailbox.intake import Batch, Intake, Settled, settle
from p2pchat.relay_mailbox.quota import Allowances
from p2pchat.relay_mailbox.registry import Registry
from p2pchat.relay_mailbox.tally import DEPOSIT, Tally


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """A frame of deposits that the store has in hand."""

    slot: ReplySlot
    batch: Batch
    client: Client
    size: int  # bytes of the frame
    since: float  # when it arrived, on trio's clock


class DepositDesk:
    """Works by frame. The store answers in the order in which it was asked, and so does the desk."""

    def __init__(
        self,
        config: MailboxConfig,
        registry: Registry,
        collecting: Mapping[bytes, Client],
        *,
        key: Ed25519PrivateKey,
        storage: ActorRef,
        now_ms: Callable[[], int],
        tally: Tally,
    ) -> None:
        """`collecting` are the clients to whom new mail is handed at once, by recipient."""
        self._peer = peer_id.from_public_key(key.public_key().public_bytes_raw())
        self._key = key
        self._storage = storage
        self._now_ms = now_ms
        self._tally = tally
        self._collecting = collecting
        self._intake = Intake(registry, config.retention_ms)
        self._allowances = Allowances(config.deposit_rate, config.deposit_burst)
        self._in_flight = InFlight(config.max_bytes_in_flight_per_peer, config.max_bytes_in_flight)
        self._unsettled: deque[_Unsettled] = deque()
        self._arrivals = trio.lowlevel.ParkingLot()

    async def take(self, client: Client, deposit: mailbox.Deposit, size: int) -> None:
        """Hand it to the store, waiting while too much is under way. Raises `ActorError`."""
        since = trio.current_time()
        await client.in_flight.acquire()
        if limit := await self._in_flight.reserve(client.peer, size):
            self._tally.bite(limit)
        try:
            batch = self._sift(client, deposit)
            slot = await self._storage.post(batch.keep) if batch.keep.mail else None
        except BaseException:
            self._release(client, size)
            raise
        # Nothing may be awaited here: the order of the store's answers is the order of this queue.
        if slot is None:
            self._answer(_Unsettled(ReplySlot(), batch, client, size, since), Settled())
            return
        self._unsettled.append(_Unsettled(slot, batch, client, size, since))
        self._arrivals.unpark_all()

    async def run(self) -> None:
        """Answer deposits as the store settles them."""
        while True:
            while not self._unsettled:
                await self._arrivals.park()
            one = self._unsettled.popleft()
            try:
                kept = await one.slot.wait()
            except (ActorError, UserError):
                self._release(one.client, one.size)
                one.client.reset()
                continue
            self._answer(one, self._settled(one.batch, kept))

    def _sift(self, client: Client, deposit: mailbox.Deposit) -> Batch:
        wanted, now = len(deposit.envelopes), trio.current_time()
        allowance = self._allowances.of(client.peer, now)
        allowed = allowance.take(wanted, now)
        wait_ms = 0 if allowed == wanted else allowance.wait_ms(wanted - allowed, now)
        too_fast = refusal.too_fast(wait_ms)
        return self._intake.sift(
            client.peer_bytes, deposit.envelopes, allowed, too_fast, self._now_ms()
        )

    def _settled(self, batch: Batch, kept: object) -> Settled:
        if isinstance(kept, actors.MailKept):
            return settle(batch, kept)
        self._tally.count("disk_refusals")
        batch.refuse_all(refusal.DISK_FULL)
        return Settled()

    def _answer(self, one: _Unsettled, settled: Settled) -> None:
        if settled.ids:
            receipt = custody.sign(self._peer, settled.ids, settled.stored_until_ms, self._key)
            one.client.reply(mailbox.MailboxReply(custody=receipt))
            self._tally.took(DEPOSIT, trio.current_time() - one.since, len(settled.ids))
            fresh = sum(map(len, settled.fresh.values()))
            self._tally.count("deposits_kept", fresh)
            self._tally.count("deposits_repeated", len(settled.ids) - fresh)
        for why, ids in one.batch.refused.items():
            self._tally.refused(why, len(ids))
            reply = why.reply(mailbox.Refused.DEPOSIT, ids)
            one.client.reply(mailbox.MailboxReply(refused=reply))
        self._release(one.client, one.size)
        for recipient, mail in settled.fresh.items():
            if collector := self._collecting.get(recipient):
                collector.deposited(mail)

    def _release(self, client: Client, size: int) -> None:
        self._in_flight.release(client.peer, size)
        client.in_flight.release()
