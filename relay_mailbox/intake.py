"""What becomes of one frame of deposits, before and after the store has seen it. No I/O.

This is the hot path: all work for an envelope is done here and in the store, by frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from p2pchat.node.protocol import limits
from p2pchat.node.protocol.envelope import envelope_id, verdict_on
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox import refusal
from p2pchat.relay_mailbox.queue import Mail
from p2pchat.relay_mailbox.quota import is_expired, stored_until
from p2pchat.relay_mailbox.refusal import SHORTAGES, Refusal
from p2pchat.relay_mailbox.registry import Registry


@dataclass(slots=True)
class Batch:
    """One frame: what the store is asked to keep, and what was refused already."""

    keep: actors.KeepMail
    refused: dict[Refusal, list[bytes]] = field(default_factory=dict)  # ids

    def refuse(self, why: Refusal, id_: bytes) -> None:
        self.refused.setdefault(why, []).append(id_)

    def refuse_all(self, why: Refusal) -> None:
        """The store has kept nothing of it."""
        for new in self.keep.mail:
            self.refuse(why, new.id)


@dataclass(slots=True)
class Settled:
    """What the store has made of a batch; its refusals are in the batch."""

    ids: list[bytes] = field(default_factory=list)  # in custody, now or before
    stored_until_ms: list[int] = field(default_factory=list)
    fresh: dict[bytes, list[Mail]] = field(default_factory=dict)  # recipient -> kept just now


class Intake:
    """Decides on envelopes by what can be seen without the store."""

    def __init__(self, registry: Registry, retention_ms: int) -> None:
        self._registry = registry
        self._retention_ms = retention_ms

    def sift(
        self,
        sender: bytes,
        envelopes: Sequence[wire.Envelope],
        allowed: int,
        too_fast: Refusal,
        now_ms: int,
    ) -> Batch:
        """`sender` is a binary peer id; the rate allows the first `allowed` envelopes."""
        batch = Batch(actors.KeepMail())
        name = self._registry.depositor_name(sender)  # what is stored of it
        blocked = self._registry.is_blocked(sender)
        add = batch.keep.mail.add
        for number, envelope in enumerate(envelopes):
            id_, size = envelope_id(envelope), envelope.ByteSize()
            why = refusal.BLOCKED if blocked else self._flaw(envelope, size, now_ms)
            if why is None and number >= allowed:
                why = too_fast
            if why is not None:
                batch.refuse(why, id_)
                continue
            until = stored_until(envelope.expires_at_ms, now_ms, self._retention_ms)
            new = add(id=id_, size=size)
            held = new.held
            held.sender, held.stored_until_ms, held.deposited_at_ms = name, until, now_ms
            held.envelope.CopyFrom(envelope)
        return batch

    def _flaw(self, envelope: wire.Envelope, size: int, now_ms: int) -> Refusal | None:
        if size > limits.ENVELOPE_LIMIT:
            return refusal.TOO_LARGE
        if verdict_on(envelope, any_scheme=True) is not None:
            return refusal.BAD_ENVELOPE
        if is_expired(envelope.expires_at_ms, now_ms):
            return refusal.EXPIRED
        if not self._registry.takes_mail_for(envelope.recipient):
            return refusal.UNKNOWN_RECIPIENT
        return None


def settle(batch: Batch, kept: actors.MailKept) -> Settled:
    """Sort the store's answers; what it has refused joins the batch's refusals."""
    settled = Settled()
    answers = zip(batch.keep.mail, kept.outcomes, kept.stored_until_ms, kept.sequences, strict=True)
    for new, outcome, until, sequence in answers:
        if outcome in SHORTAGES:
            batch.refuse(SHORTAGES[outcome], new.id)
            continue
        settled.ids.append(new.id)
        settled.stored_until_ms.append(until)
        if sequence:
            envelope = new.held.envelope
            mail = Mail(sequence, new.id, new.size, envelope)
            settled.fresh.setdefault(envelope.recipient, []).append(mail)
    return settled
