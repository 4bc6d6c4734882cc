"""Why a client does not get what it asked for, and when it is worth asking again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox

MINUTE_MS = 60_000
# Room comes back when a recipient collects, which nobody can foretell: not soon, and not never.
FULL_RETRY_MS = 15 * MINUTE_MS
DISK_RETRY_MS = MINUTE_MS


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: mailbox.Refusal
    detail: str  # a sentence for people, at most 200 characters
    retry_after_ms: int = 0  # 0: not worth trying again as things are
    limit: str = ""  # the name in the configuration of the limit that it comes from, if it does

    def reply(self, request: mailbox.Refused.Request, ids: Sequence[bytes] = ()) -> mailbox.Refused:
        """As it goes to the client; `ids` are those of refused envelopes."""
        return mailbox.Refused(
            request=request,
            reason=self.reason,
            retry_after_ms=self.retry_after_ms,
            ids=ids,
            detail=self.detail,
        )


def _full(detail: str, limit: str) -> Refusal:
    return Refusal(mailbox.FULL, detail, FULL_RETRY_MS, limit)


_RECIPIENT_FULL = "The recipient's part of the mailbox is full."
_SHARE_FULL = "Your share of the recipient's part of the mailbox is full until it is collected."

SHORTAGES = {
    actors.TOTAL_BYTES: _full("The mailbox is full.", "max_total_bytes"),
    actors.QUOTA_BYTES: _full(_RECIPIENT_FULL, "quota_bytes"),
    actors.QUOTA_COUNT: _full(_RECIPIENT_FULL, "quota_count"),
    actors.SHARE_BYTES: _full(_SHARE_FULL, "quota_bytes"),
    actors.SHARE_COUNT: _full(_SHARE_FULL, "quota_count"),
}
DISK_FULL = Refusal(
    mailbox.FULL,
    "The mailbox cannot save anything at the moment, for example because its disk is full.",
    DISK_RETRY_MS,
)
BLOCKED = Refusal(mailbox.BLOCKED, "This mailbox's operator has blocked you.")
TOO_LARGE = Refusal(mailbox.TOO_LARGE, "The envelope has more bytes than one may have.")
EXPIRED = Refusal(mailbox.EXPIRED, "The envelope's time is over.")
UNKNOWN_RECIPIENT = Refusal(
    mailbox.UNKNOWN_RECIPIENT, "This mailbox takes no mail for that recipient."
)
BAD_ENVELOPE = Refusal(mailbox.MALFORMED, "The envelope is malformed, or of a kind not known here.")
BAD_WINDOW = Refusal(mailbox.MALFORMED, "The window is not between 1 and 1,024 envelopes.")
NOT_REGISTERED = Refusal(
    mailbox.NOT_REGISTERED, "This mailbox takes no mail for you: register first."
)
NO_ARCHIVES = Refusal(mailbox.NOT_OFFERED, "This mailbox archives no rooms for its clients.")
NO_MORE_ROOMS = Refusal(
    mailbox.FULL, "This mailbox archives no more rooms.", limit="max_archived_rooms"
)
YOUR_ROOMS_FULL = Refusal(
    mailbox.FULL,
    "This mailbox archives no more rooms for you: take one back first.",
    limit="max_archived_rooms_per_client",
)
ROOMS_LEFT_OVER = Refusal(
    mailbox.FULL,
    "This mailbox first has to delete rooms that nobody wants any more.",
    MINUTE_MS,
    "max_archived_rooms",
)


def bad_room(problem: str) -> Refusal:
    """`problem` is a sentence."""
    return Refusal(mailbox.MALFORMED, problem)


def too_fast(retry_after_ms: int) -> Refusal:
    detail = "That is more in a short time than this mailbox takes from one peer."
    return Refusal(mailbox.RATE_LIMITED, detail, retry_after_ms, "deposit_rate")
