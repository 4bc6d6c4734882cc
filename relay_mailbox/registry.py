"""For whom mail is taken, who may join with which invite, and who is blocked. No I/O.

What is to change comes back as a `ChangeRegistry`, to be stored first and then given to `apply`.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from p2pchat.node.protocol import mailbox_record
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox.config import RegistrationPolicy
from p2pchat.relay_mailbox.pseudonyms import depositor_name
from p2pchat.relay_mailbox.quota import is_expired
from p2pchat.relay_mailbox.refusal import BLOCKED, NOT_REGISTERED, Refusal

TOKEN_BYTES = 16  # random
INVITE_ID_BYTES = 5  # random; 8 characters
FIRST_INVITE_USES = 10
FIRST_INVITE_LABEL = "made at the first start"
MAX_USES = 10_000
MAX_INVITES = 1_000
MAX_BLOCKS = 10_000
PLACES = 2  # for each peer of `max_registrations`, with those that have left
AWAY_RETRY_MS = 5_000
LABEL_LIMIT = 64  # characters
NOTE_LIMIT = 200  # characters


class OperatorError(ValueError):
    """The operator asked for something that cannot be; the message is a sentence for him."""


Answer: TypeAlias = actors.ChangeRegistry | Refusal


class Registry:
    """Who is who. Bounded: registrations by configuration, invites and blocks by constants.

    A peer that has left keeps its registration: its mail can be collected, and its record shows senders the way.
    """

    def __init__(
        self,
        policy: RegistrationPolicy,
        allowed: Iterable[bytes],
        max_registrations: int,
        *,
        keeps_invites: bool = True,
    ) -> None:
        """`allowed` are binary peer ids, for ALLOW_LIST. The invites may be kept by another worker."""
        self._policy = policy
        self._keeps_invites = keeps_invites
        self._allowed = frozenset(allowed)
        self._max_registrations = max_registrations
        self._registrations: dict[bytes, records.Registration] = {}
        self._left: dict[bytes, None] = {}  # peers of registrations, in the order of their leaving
        self._depositor_secret = b""
        self._invites: dict[str, records.Invite] = {}
        self._blocks: dict[bytes, records.Block] = {}

    def load(self, stored: actors.RegistryRecords) -> None:
        self._registrations = {entry.peer: entry for entry in stored.registrations}
        left = [entry for entry in stored.registrations if entry.left]
        left.sort(key=lambda entry: entry.registered_at_ms)  # when they left is not kept
        self._left = dict.fromkeys(entry.peer for entry in left)
        self._depositor_secret = stored.depositor_secret
        self._invites = {invite.id: invite for invite in stored.invites}
        self._blocks = {block.peer: block for block in stored.blocks}

    def apply(self, change: actors.ChangeRegistry) -> None:
        """The change is stored: from now on it holds."""
        if change.HasField("registration"):
            peer = change.registration.peer
            self._registrations[peer] = change.registration
            if change.registration.left:
                self._left.setdefault(peer)
            else:
                self._left.pop(peer, None)
        if change.HasField("invite"):
            self._invites[change.invite.id] = change.invite
        if change.HasField("block"):
            self._blocks[change.block.peer] = change.block
        self._invites.pop(change.revoked, None)
        self._blocks.pop(change.unblocked, None)
        for peer in change.unregistered:
            self._registrations.pop(peer, None)
            self._left.pop(peer, None)

    # ---- clients ----------------------------------------------------------------------------------

    def takes_mail_for(self, peer: bytes) -> bool:
        return self.hands_over_to(peer) and peer not in self._left

    def hands_over_to(self, peer: bytes) -> bool:
        """Whether it may collect: also when it has left."""
        return peer in self._registrations and peer not in self._blocks

    def is_blocked(self, peer: bytes) -> bool:
        return peer in self._blocks

    def refusal_of(self, peer: bytes) -> Refusal | None:
        """Why nothing but collecting is done for it; None for a client."""
        if self.is_blocked(peer):
            return BLOCKED
        return None if self.takes_mail_for(peer) else NOT_REGISTERED

    def record_of(self, peer: bytes) -> wire.MailboxRecord | None:
        """None when no mail is taken for it, and never was."""
        return self._registrations[peer].record if self.hands_over_to(peer) else None

    def depositor_name(self, peer: bytes) -> bytes:
        """What the store calls somebody who deposits."""
        return depositor_name(self._depositor_secret, peer)

    def register(
        self, peer: bytes, request: mailbox.Register, now_ms: int, *, invited: bool = False
    ) -> Answer:
        """An empty change means that everything is registered already. `invited`: another worker has said so."""
        known = self._registrations.get(peer)
        if self.is_blocked(peer):
            return BLOCKED
        if request.record.peer != peer or not mailbox_record.valid(request.record):
            return Refusal(
                mailbox.MALFORMED, "The mailbox record is not valid, or not the client's own."
            )
        record = mailbox_record.newer(known.record if known else None, request.record)
        if record is None or not record.seal_key:
            return Refusal(mailbox.MALFORMED, "The mailbox record has no seal key.")
        if self._policy is RegistrationPolicy.ALLOW_LIST and peer not in self._allowed:
            return NOT_ALLOWED
        if (known is None or known.left) and self._registered() >= self._max_registrations:
            return NO_MORE_PEERS
        if known is None:
            return self._admit(peer, request.token, record, now_ms, invited=invited)
        return _changed(known, record, left=False)

    def asks_elsewhere(self, peer: bytes) -> bool:
        """Whether it is another worker that knows if this peer has an invite."""
        by_invite = self._policy is RegistrationPolicy.INVITE and not self._keeps_invites
        return by_invite and peer not in self._registrations

    def redeem(self, token: str, peer: bytes) -> tuple[str, actors.ChangeRegistry] | Refusal:
        """The id of the invite by which `peer` may join at another worker, and what that changes.

        One use for each peer, however often and at however many workers it is asked for.
        """
        if self.is_blocked(peer):
            return BLOCKED
        invite = self._invite_of(token, peer)
        if invite is None:
            return BAD_INVITE
        change = actors.ChangeRegistry()
        if not self._has_used(invite, peer):
            change.invite.CopyFrom(_with_one_use_less(invite))
            change.invite.elsewhere.append(peer)
        return invite.id, change

    def unregister(self, peer: bytes, request: mailbox.Unregister) -> actors.ChangeRegistry:
        """An empty change means that it has left already, or never registered."""
        known = self._registrations.get(peer)
        if known is None:
            return actors.ChangeRegistry()
        record = known.record
        if request.record.peer == peer:
            newest = mailbox_record.newer(record, request.record)
            # Whoever registers must give a seal key; a record that lacks it would be of no use to senders.
            record = newest if newest is not None and newest.seal_key else record
        return _changed(known, record, left=True)

    def is_crowded_by(self, answer: Answer) -> bool:
        """Whether what `register` has decided is one too many, unless somebody who has left makes room."""
        return (
            isinstance(answer, actors.ChangeRegistry)
            and answer.HasField("registration")
            and answer.registration.peer not in self._registrations
            and len(self._registrations) >= PLACES * self._max_registrations
        )

    def left(self) -> Sequence[bytes]:
        """Peers that have left, the one that can be forgotten first in front."""
        return list(self._left)

    def left_long_ago(self, now_ms: int) -> Sequence[bytes]:
        """Of those that have left, the ones whose records nobody would follow any more."""
        return [
            peer
            for peer in self._left
            if is_expired(self._registrations[peer].record.expires_at_ms, now_ms)
        ]

    def _registered(self) -> int:
        return len(self._registrations) - len(self._left)

    def _admit(
        self,
        peer: bytes,
        token: str,
        record: wire.MailboxRecord,
        now_ms: int,
        *,
        invited: bool,
    ) -> Answer:
        change = actors.ChangeRegistry()
        invite: records.Invite | None = None
        if self._policy is RegistrationPolicy.INVITE and not invited:
            invite = self._invite_of(token, peer)
            if invite is None:
                return BAD_INVITE
            if not self._has_used(invite, peer):
                change.invite.CopyFrom(_with_one_use_less(invite))
        change.registration.CopyFrom(
            records.Registration(
                peer=peer,
                record=record,
                registered_at_ms=now_ms,
                invite=invite.id if invite is not None else "",
            )
        )
        return change

    def _invite_of(self, token: str, peer: bytes) -> records.Invite | None:
        """The invite with that token, if it has uses left, or `peer` is here by it already."""
        given = token.encode()
        found = None
        for invite in self._invites.values():
            is_it = hmac.compare_digest(invite.token.encode(), given)
            if is_it and (invite.uses_left or self._has_used(invite, peer)):
                found = invite
        return found

    def _has_used(self, invite: records.Invite, peer: bytes) -> bool:
        """Which invite those have used who are registered here is not kept: they need none."""
        return peer in invite.elsewhere or peer in self._registrations

    # ---- the operator -----------------------------------------------------------------------------

    def needs_first_invite(self) -> bool:
        """Whether nobody could ever join."""
        by_invite = self._policy is RegistrationPolicy.INVITE and self._keeps_invites
        return by_invite and not self._invites and not self._registrations

    def new_invite(
        self, uses: int, label: str, now_ms: int, randomness: Callable[[int], bytes]
    ) -> actors.ChangeRegistry:
        """Raises `OperatorError`."""
        if not 1 <= uses <= MAX_USES:
            raise OperatorError(f"An invite is good for 1 to {MAX_USES:,} uses.")
        if len(label) > LABEL_LIMIT:
            raise OperatorError(f"A label has at most {LABEL_LIMIT} characters.")
        if len(self._invites) >= MAX_INVITES:
            raise OperatorError(f"There are {MAX_INVITES:,} invites already; revoke some.")
        invite = records.Invite(
            id=_text(randomness(INVITE_ID_BYTES)),
            token=_text(randomness(TOKEN_BYTES)),
            uses_left=uses,
            made_at_ms=now_ms,
            label=label,
        )
        return actors.ChangeRegistry(invite=invite)

    def revoke(self, invite_id: str) -> actors.ChangeRegistry:
        """Raises `OperatorError`. Who has joined with it stays."""
        if invite_id not in self._invites:
            raise OperatorError(f'There is no invite "{invite_id}".')
        return actors.ChangeRegistry(revoked=invite_id)

    def block(self, peer: bytes, note: str, now_ms: int) -> actors.ChangeRegistry:
        """Raises `OperatorError`."""
        if len(note) > NOTE_LIMIT:
            raise OperatorError(f"A note has at most {NOTE_LIMIT} characters.")
        if len(self._blocks) >= MAX_BLOCKS and peer not in self._blocks:
            raise OperatorError(f"There are {MAX_BLOCKS:,} blocked peers already.")
        block = records.Block(peer=peer, blocked_at_ms=now_ms, note=note)
        return actors.ChangeRegistry(block=block)

    def unblock(self, peer: bytes) -> actors.ChangeRegistry:
        """Raises `OperatorError`."""
        if peer not in self._blocks:
            raise OperatorError("That peer is not blocked.")
        return actors.ChangeRegistry(unblocked=peer)

    def invites(self) -> Sequence[records.Invite]:
        """Oldest first."""
        return sorted(self._invites.values(), key=lambda invite: (invite.made_at_ms, invite.id))

    def blocks(self) -> Sequence[records.Block]:
        """Oldest first."""
        return sorted(self._blocks.values(), key=lambda block: (block.blocked_at_ms, block.peer))

    def report(self) -> actors.MailboxReport:
        """Its own fields of it."""
        return actors.MailboxReport(
            registered=self._registered(),
            invites=sum(invite.uses_left > 0 for invite in self._invites.values()),
            blocked=len(self._blocks),
        )


NOT_ALLOWED = Refusal(
    mailbox.BLOCKED, "This mailbox takes mail only for peers that its operator lists."
)
BAD_INVITE = Refusal(
    mailbox.BAD_INVITE, "This mailbox needs an invite, and yours is missing, unknown or used up."
)
INVITES_AWAY = Refusal(
    mailbox.RATE_LIMITED,
    "The part of this mailbox that knows the invites is away for a moment: it is tried again.",
    AWAY_RETRY_MS,
)
NO_MORE_PEERS = Refusal(
    mailbox.FULL, "This mailbox takes mail for no more peers.", limit="max_registrations"
)


def _with_one_use_less(invite: records.Invite) -> records.Invite:
    changed = records.Invite()
    changed.CopyFrom(invite)
    changed.uses_left -= 1
    changed.used += 1
    return changed


def _changed(
    known: records.Registration, record: wire.MailboxRecord, *, left: bool
) -> actors.ChangeRegistry:
    """Empty when that is so already."""
    change = actors.ChangeRegistry()
    if left != known.left or record != known.record:
        change.registration.CopyFrom(known)
        change.registration.record.CopyFrom(record)
        change.registration.left = left
    return change


def _text(random: bytes) -> str:
    """Base32 without padding, in lower case: nothing to escape in a link or to mistake when read out."""
    return base64.b32encode(random).decode("ascii").rstrip("=").lower()
