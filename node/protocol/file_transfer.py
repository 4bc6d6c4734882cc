"""What becomes of an offered file, on either side: each step takes a stored transfer and makes the next one of it.

A step returns None when it cannot be taken from where the transfer stands: then nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.file_policy import MAX_SIZE, FilePolicy
from p2pchat.node.protocol.limits import ID_BYTES
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

FILE_PROTOCOL = "/p2pchat/file/1.0.0"
CHUNK = 256 * 1024  # bytes of a file in one frame
FRAME_LIMIT = CHUNK + 64  # bytes of a frame from the sender
REQUEST_LIMIT = 256  # bytes of the frame from the recipient
PART = 128 * 1024  # bytes of a file in one envelope; only the last part of a file is shorter
DIGEST_BYTES = 32  # SHA-256
NAME_LIMIT = 255  # bytes of UTF-8

MAX_OFFERS = 64  # unanswered ones of one peer; further ones are declined ...
MAX_STRANGERS_OFFERS = 4  # ... and of a peer whom the owner has not chosen
MAX_TRANSFERS = 2000  # that are remembered; of more the oldest that are over are forgotten

GIVEN_UP = "The recipient did not get the offer in time."

UNFINISHED = frozenset({records.OFFERED, records.WAITING, records.RUNNING})

Transfer = records.TransferRecord


class Key(NamedTuple):
    """Names a transfer; the other side's peer id is base58."""

    peer: str
    outgoing: bool
    id: bytes


def key_of(record: Transfer) -> Key:
    return Key(peer_id.to_text(record.peer), record.outgoing, record.offer.transfer)


def is_over(record: Transfer) -> bool:
    return record.state not in UNFINISHED


def wants_peer(record: Transfer) -> bool:
    """Whether it goes on as soon as the other side is connected."""
    return record.state == records.WAITING and not (record.outgoing and record.by_mailbox)


def partial_name(record: Transfer) -> str:
    """Of the file that grows until it is whole; two senders may use one id."""
    return f"{record.offer.transfer.hex()}.{peer_id.to_text(record.peer)}"


def is_to_fetch(record: Transfer) -> bool:
    """Whether it is wanted here, and not all there yet."""
    return not record.outgoing and record.state == records.WAITING


def flaw_in_offer(offer: wire.FileOffer, message_id: bytes) -> str | None:
    """What is out of bounds in an offer; None when nothing is."""
    if not 1 <= len(offer.name.encode()) <= NAME_LIMIT:
        return "a file's name is empty or too long"
    if offer.size > MAX_SIZE or len(offer.digest) != DIGEST_BYTES:
        return "a file's size or digest cannot be"
    return None if offer.transfer == message_id else "an offer does not name itself"


def flaw_in_note(note: wire.FileAnswer | wire.FilePart) -> str | None:
    if len(note.transfer) != ID_BYTES:
        return "a transfer's id has not 16 bytes"
    if isinstance(note, wire.FilePart):
        return None if 1 <= len(note.data) <= PART else "a part is empty or too long"
    known = wire.FileAnswer.WANTED <= note.kind <= wire.FileAnswer.RECEIVED
    return None if known else "an answer of an unknown kind"


# ---- steps of both sides --------------------------------------------------------------------------------


def cancelled(record: Transfer) -> Transfer | None:
    """By the owner."""
    if is_over(record):
        return None
    due = wire.FileAnswer.WITHDRAWN if record.outgoing else wire.FileAnswer.NOT_WANTED
    return _changed(record, state=records.CANCELLED, answer_due=due, problem="")


def dropped(record: Transfer) -> Transfer | None:
    """The owner has blocked the other side, which is not told."""
    if is_over(record):
        return None
    problem = "You have blocked the other side."
    return _changed(record, state=records.CANCELLED, answer_due=0, problem=problem)


def failed(record: Transfer, problem: str) -> Transfer | None:
    """For good; `problem` is a sentence."""
    if is_over(record):
        return None
    due = wire.FileAnswer.WITHDRAWN if record.outgoing else wire.FileAnswer.NOT_WANTED
    return _changed(record, state=records.FAILED, answer_due=due, problem=problem)


def waits(record: Transfer, problem: str) -> Transfer | None:
    """It goes on later; why it does not now, as a sentence."""
    if is_over(record) or record.problem == problem:
        return None
    return _changed(record, problem=problem)


def told(record: Transfer, kind: wire.FileAnswer.Kind) -> Transfer | None:
    """The other side has that answer, or will never have it."""
    return _changed(record, answer_due=0) if record.answer_due == kind else None


def heard(record: Transfer, answer: wire.FileAnswer) -> Transfer | None:
    """The other side says something."""
    if not record.outgoing:
        if answer.kind != wire.FileAnswer.WITHDRAWN or is_over(record):
            return None
        return _changed(
            record, state=records.CANCELLED, answer_due=0, problem="The sender has withdrawn it."
        )
    match answer.kind:
        case wire.FileAnswer.WANTED:
            return _wanted(record, answer.by_mailbox)
        case wire.FileAnswer.NOT_WANTED if not is_over(record):
            was_offered = record.state == records.OFFERED
            problem = "" if was_offered else "The recipient does not want it any more."
            state = records.DECLINED if was_offered else records.CANCELLED
            return _changed(record, state=state, problem=problem)
        case wire.FileAnswer.RECEIVED if not is_over(record):
            return _changed(record, state=records.FINISHED, done=record.offer.size, problem="")
    return None


# ---- the recipient --------------------------------------------------------------------------------------


def received(message: records.DirectRecord) -> Transfer:
    """What is kept with a message that offers a file."""
    return Transfer(
        peer=message.peer,
        offer=message.file,
        state=records.OFFERED,
        offered_at_ms=message.received_at_ms,
    )


def judged(record: Transfer, policy: FilePolicy, *, chosen: bool, offers: int) -> Transfer | None:
    """What the policy says of a new offer by a peer that has `offers` unanswered ones besides. None: the owner is
    asked."""
    most = MAX_OFFERS if chosen else MAX_STRANGERS_OFFERS
    problem = too_large(record, policy)
    if policy.accept == "never":
        problem = "No files are taken here (--accept-files never)."
    elif offers >= most:
        problem = f"{offers} files of this peer wait for an answer already."
    if problem:
        refused = declined(record, problem)
        # Strangers could fill the outbox with answers to them.
        return refused if refused is None or chosen else _changed(refused, answer_due=0)
    return accepted(record) if policy.accept == "contacts" and chosen else None


def too_large(record: Transfer, policy: FilePolicy) -> str:
    """Why it is too large, as a sentence; empty when it is not."""
    if record.offer.size <= policy.max_size:
        return ""
    return f"It has {record.offer.size:,} bytes, and up to {policy.max_size:,} are taken (--max-file-size)."


def accepted(record: Transfer) -> Transfer | None:
    if record.outgoing or record.state != records.OFFERED:
        return None
    return _changed(
        record, state=records.WAITING, answer_due=wire.FileAnswer.WANTED, problem="", parts=()
    )


def declined(record: Transfer, problem: str = "") -> Transfer | None:
    if record.outgoing or record.state != records.OFFERED:
        return None
    due = wire.FileAnswer.NOT_WANTED
    return _changed(record, state=records.DECLINED, answer_due=due, problem=problem)


def asked_again(record: Transfer) -> Transfer | None:
    """Parts of it were lost here: the sender is to send them again."""
    if not is_to_fetch(record):
        return None
    return _changed(record, answer_due=wire.FileAnswer.WANTED)


def advanced(record: Transfer, done: int) -> Transfer | None:
    """So many bytes from its beginning are on the disk."""
    if not is_to_fetch(record):
        return None
    done, parts = _joined(done, record.parts)
    return _changed(record, done=min(done, record.offer.size), parts=parts, problem="")


def rewound(record: Transfer, done: int) -> Transfer | None:
    """There is less of it on the disk than was noted."""
    if not is_to_fetch(record):
        return None
    return _changed(record, done=min(done, record.done), parts=(), path="")


def takes_part(record: Transfer, part: wire.FilePart, policy: FilePolicy) -> bool:
    """Whether a part is one that is wanted, and of the right length."""
    size = record.offer.size
    if not is_to_fetch(record) or size > policy.by_mailbox or part.offset % PART:
        return False
    return part.offset < size and len(part.data) == min(PART, size - part.offset)


def with_part(record: Transfer, offset: int) -> Transfer | None:
    """A part is on the disk; they may come in any order."""
    if not is_to_fetch(record):
        return None
    done, parts = _joined(record.done, {*record.parts, offset})
    done = min(done, record.offer.size)
    return _changed(record, done=done, parts=parts, by_mailbox=True, problem="")


def placed(record: Transfer, path: str) -> Transfer | None:
    """It is about to stand under this path; empty: under another one."""
    return _changed(record, path=path) if is_to_fetch(record) else None


def finished(record: Transfer) -> Transfer | None:
    """All of it is there, and is what was offered."""
    if not is_to_fetch(record):
        return None
    return _changed(
        record,
        state=records.FINISHED,
        done=record.offer.size,
        answer_due=wire.FileAnswer.RECEIVED,
        problem="",
        parts=(),
    )


# ---- the message that offers it --------------------------------------------------------------------------


def message_fared(record: Transfer, delivery: records.Delivery) -> Transfer | None:
    """How far the message has come that offers an own file."""
    if not record.outgoing or record.state != records.OFFERED:
        return None
    match delivery.stage:
        case records.EXPIRED:
            # Nobody has it, so nobody is told.
            return _changed(record, state=records.CANCELLED, problem=GIVEN_UP)
        case records.REFUSED:
            return waits(record, delivery.reason or "The recipient does not take the offer now.")
        case records.STORED | records.DELIVERED | records.READ:
            return waits(record, "")
    return None


def message_retracted(record: Transfer) -> Transfer | None:
    """Who offered it has taken the message back."""
    if record.outgoing:
        return cancelled(record)
    return heard(record, wire.FileAnswer(kind=wire.FileAnswer.WITHDRAWN))


# ---- the sender -----------------------------------------------------------------------------------------


def parts_of(size: int) -> Sequence[int]:
    """Where the parts of a file begin."""
    return range(0, max(size, 1), PART)


def goes_by_mailbox(record: Transfer, policy: FilePolicy) -> bool:
    """Whether it is wanted, and small enough for both sides to travel in envelopes."""
    most = min(policy.by_mailbox, record.taken_by_mailbox)
    return record.outgoing and record.state == records.WAITING and 0 < record.offer.size <= most


def mailed(record: Transfer) -> Transfer | None:
    """All parts of it are in the mailbox."""
    return None if is_over(record) else _changed(record, by_mailbox=True, problem="")


def refusal_of(record: Transfer | None) -> str:
    """Why a recipient that asks for it gets nothing: a word of the protocol; empty when it may have it."""
    if record is None or record.state in (records.FINISHED, records.DECLINED):
        return "unknown"
    if record.state == records.FAILED:
        return "changed"
    return "withdrawn" if is_over(record) else ""


def fetched(record: Transfer, offset: int) -> Transfer | None:
    """The recipient asks for it, and has so much already: whoever asks wants it."""
    if is_over(record):
        return None
    return _changed(record, state=records.WAITING, done=offset, problem="")


def _wanted(record: Transfer, by_mailbox: int) -> Transfer | None:
    if is_over(record):
        # It has not heard yet that there is nothing to be had.
        is_gone = record.state in (records.CANCELLED, records.FAILED)
        return _changed(record, answer_due=wire.FileAnswer.WITHDRAWN) if is_gone else None
    return _changed(
        record, state=records.WAITING, taken_by_mailbox=by_mailbox, by_mailbox=False, problem=""
    )


def _joined(done: int, parts: Sequence[int] | set[int]) -> tuple[int, list[int]]:
    """How far it reaches from the beginning, with the parts that follow, and the parts beyond that."""
    beyond: list[int] = []
    for offset in sorted(parts):
        if offset <= done:
            done = max(done, offset + PART)
        else:
            beyond.append(offset)
    return done, beyond


def _changed(record: Transfer, **fields: object) -> Transfer:
    parts = fields.pop("parts", None)
    changed = Transfer()
    changed.CopyFrom(record)
    for name, value in fields.items():
        setattr(changed, name, value)
    if parts is not None:
        changed.ClearField("parts")
        changed.parts.extend(parts)  # type: ignore[arg-type]
    return changed
