"""What strangers may send: frames that are cut, swollen, scrambled, of another kind, or well-formed nonsense.

Everything follows from one seeded generator. `Dialect` says what a protocol's frames look like.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import envelope as envelopes
from p2pchat.node.protocol import limits, seal
from p2pchat.node.protocol.framing import encode_uvarint, frame
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from tests.relay_mailbox.builders import record_of

Random = random.Random
Body = Callable[[Random], bytes]

UNKNOWN_FIELD = b"\x7a\x00"  # number 15, empty
NOT_UTF8 = b"\xff\xfe\xc0"
MANY = 50_000  # of something tiny, in one frame


@dataclass(frozen=True)
class Frame:
    kind: str
    data: bytes
    body: bytes = b""  # empty: there is no whole one
    cut: bool = False  # the stream ends in the middle of it

    @property
    def broken(self) -> bool:
        """No frame at all, or one that is too long."""
        return not self.cut and not 0 < len(self.body) <= limits.FRAME_LIMIT


@dataclass(frozen=True)
class Dialect:
    """`valid` are bodies that a client might send, `nonsense` those that only look like it."""

    valid: Sequence[Body]
    nonsense: Sequence[Body]


class Wild:
    """Makes frames."""

    def __init__(self, dialect: Dialect, seed: int) -> None:
        self._dialect = dialect
        self._rng = Random(seed)
        self._kinds: dict[str, Callable[[], Frame]] = {
            "random": lambda: self._whole(self._rng.randbytes(self._rng.randint(1, 200))),
            "zero length": lambda: self._broken(b"\x00" + self._rng.randbytes(3)),
            "oversized": lambda: self._broken(encode_uvarint(self._too_long())),
            "no length": lambda: self._broken(
                self._rng.choice((b"\xff" * 11, b"\x80\x00", b"\x81\x80\x00"))
            ),
            "cut off": self._cut_off,
            "truncated": lambda: self._whole(self._cut(self._valid())),
            "scrambled": lambda: self._whole(self._scrambled(self._valid())),
            "spliced": lambda: self._whole(self._cut(self._valid()) + self._cut(self._valid())),
            "wrong type": lambda: self._whole(self._rng.choice(OTHER_MESSAGES)),
            "nonsense": self._nonsense,
            "valid": lambda: self._whole(self._valid()),
        }
        self._names = list(self._kinds)
        self._kind = ""

    def frame(self) -> Frame:
        # Nonsense in many shapes, so more often.
        self._kind = self._rng.choice([*self._names, "nonsense", "nonsense", "scrambled"])
        return self._kinds[self._kind]()

    def _broken(self, data: bytes) -> Frame:
        return Frame(self._kind, data)

    def _whole(self, body: bytes) -> Frame:
        body = body or UNKNOWN_FIELD
        return Frame(self._kind, frame(body), body)

    def _valid(self) -> bytes:
        return self._rng.choice(self._dialect.valid)(self._rng)

    def _nonsense(self) -> Frame:
        return self._whole(self._rng.choice(self._dialect.nonsense)(self._rng))

    def _too_long(self) -> int:
        return limits.FRAME_LIMIT + self._rng.choice((1, 1000, 2**30, 2**62))

    def _cut(self, body: bytes) -> bytes:
        return body[: self._rng.randint(0, len(body))]

    def _cut_off(self) -> Frame:
        whole = frame(self._valid() or UNKNOWN_FIELD)
        return Frame(self._kind, whole[: self._rng.randrange(len(whole))], cut=True)

    def _scrambled(self, body: bytes) -> bytes:
        scrambled = bytearray(body)
        for _ in range(self._rng.randint(1, 4)):
            if scrambled:
                scrambled[self._rng.randrange(len(scrambled))] = self._rng.randrange(256)
        return bytes(scrambled)


def _bodies(*messages: Message) -> list[bytes]:
    return [message.SerializeToString() for message in messages]


OTHER_MESSAGES = _bodies(
    wire.Hello(nick="Mallory", agent="p2pchat/9"),
    wire.RoomBatch(messages=[wire.RoomMessage(id=bytes(16), room="r", text="t")]),
    wire.DeliverAnswer(verdicts=[wire.ACCEPTED] * 3),
    wire.Content(id=bytes(16), text=wire.Text(text="plain")),
    mailbox.MailboxReply(caught_up=mailbox.CaughtUp()),
    mailbox.MailboxReply(custody=mailbox.Custody(ids=[bytes(32)], stored_until_ms=[1])),
)


def _tiny(field: bytes) -> Body:
    """A body of one tiny field many times."""
    return lambda rng: field * rng.choice((limits.MAX_BATCH + 1, 1000, MANY))


# ---- the mailbox protocol -------------------------------------------------------------------------------


def mailbox_dialect(own: Identity, recipients: Sequence[bytes], expires_ms: int) -> Dialect:
    """As `own` speaks it, with mail for `recipients` that is good until `expires_ms`."""

    def envelope(rng: Random) -> wire.Envelope:
        return wire.Envelope(
            version=1,
            recipient=rng.choice(recipients),
            scheme=seal.SCHEME,
            ciphertext=rng.randbytes(rng.randint(1, 300)),
            expires_at_ms=expires_ms,
        )

    def odd_envelope(rng: Random) -> wire.Envelope:
        odd = envelope(rng)
        match rng.randrange(8):
            case 0:
                odd.Clear()
            case 1:
                odd.version = rng.choice((0, 2, 2**32 - 1))
            case 2:
                odd.scheme = rng.choice((0, 2, 2**32 - 1))
            case 3:
                odd.recipient = rng.randbytes(rng.choice((0, 1, 37, 38, 39, 5000)))
            case 4:
                odd.ciphertext = b""
            case 5:
                odd.expires_at_ms = rng.choice((0, 1, 2**53, 2**64 - 1))
            case 6 if rng.random() < 0.1:
                odd.ciphertext = bytes(limits.ENVELOPE_LIMIT + rng.choice((-200, 0, 200)))
        return odd

    def deposit(rng: Random, make: Callable[[Random], wire.Envelope], most: int) -> bytes:
        made = [make(rng) for _ in range(rng.randint(1, most))]
        return _request(deposit=mailbox.Deposit(envelopes=made))

    def ack(rng: Random, lengths: Sequence[int], counts: Sequence[int]) -> bytes:
        ids = [rng.randbytes(rng.choice(lengths)) for _ in range(rng.choice(counts))]
        return _request(ack=mailbox.Ack(ids=ids))

    def others_ack(rng: Random) -> bytes:
        """Of mail that is there, and not the own."""
        ids = [envelopes.envelope_id(envelope(Random(seed))) for seed in range(rng.randint(1, 20))]
        return _request(ack=mailbox.Ack(ids=ids))

    def bad_register(rng: Random) -> bytes:
        record = record_of(Identity(rng.randbytes(32)))  # another peer's, and valid
        match rng.randrange(5):
            case 0:
                record = record_of(own)
                record.sequence += 1
            case 1:
                record = wire.MailboxRecord(peer=own.peer_bytes, seal_key=rng.randbytes(1216))
            case 2:
                record.Clear()
            case 3:
                return _nested(b"\x0a", _nested(b"\x0a", NOT_UTF8))
        token = "x" * rng.choice((0, 1, 26, 100_000))
        return _request(register=mailbox.Register(token=token, record=record))

    windows = (0, 1025, 2**31, 2**32 - 1)
    return Dialect(
        valid=[
            lambda rng: deposit(rng, envelope, 4),
            lambda rng: deposit(rng, envelope, 4),
            lambda rng: ack(rng, (32,), (1, 3)),
            lambda rng: _request(collect=mailbox.Collect(window=rng.randint(1, 1024))),
            lambda rng: _request(lookup=mailbox.Lookup(peer=rng.choice(recipients))),
            lambda rng: _request(register=mailbox.Register(record=record_of(own))),
        ],
        nonsense=[
            lambda rng: deposit(rng, odd_envelope, 6),
            lambda rng: deposit(rng, odd_envelope, 6),
            lambda rng: _request(deposit=mailbox.Deposit()),
            lambda rng: _nested(b"\x12", _tiny(b"\x0a\x00")(rng)),  # empty envelopes
            lambda rng: ack(rng, (32,), (0, 1025, 3000)),
            lambda rng: ack(rng, (0, 31, 32, 33, 400), (1, 5)),
            others_ack,
            lambda rng: _nested(b"\x22", _tiny(b"\x0a\x00")(rng)),  # empty ids
            lambda rng: _request(collect=mailbox.Collect(window=rng.choice(windows))),
            bad_register,
            lambda rng: _request(lookup=mailbox.Lookup(peer=bytes(rng.choice((0, 77, 100_000))))),
            lambda rng: _request(lookup=mailbox.Lookup(peer=rng.randbytes(38))),
            _tiny(UNKNOWN_FIELD),
            lambda rng: UNKNOWN_FIELD,
            # Two requests in one: the last one counts.
            lambda rng: deposit(rng, envelope, 2) + ack(rng, (32,), (1,)),
            lambda rng: ack(rng, (3,), (1,)) + deposit(rng, odd_envelope, 3),
        ],
    )


def _request(**fields: object) -> bytes:
    return mailbox.MailboxRequest(**fields).SerializeToString()  # type: ignore[arg-type]


def _nested(tag: bytes, body: bytes) -> bytes:
    """A length-delimited field, whatever is in it."""
    return tag + encode_uvarint(len(body)) + body


# ---- the deliver protocol -------------------------------------------------------------------------------

POOL = 300  # sealed envelopes that are sent again and again: sealing is slow


def deliver_dialect(
    senders: Sequence[Identity], recipient: Identity, now_ms: int, seed: int
) -> Dialect:
    """What goes to `recipient`: good mail and bad, and sealed nonsense by signers who mean it."""
    rng = Random(seed)
    forger = _Forger(senders, recipient, now_ms)
    bad = [forger.nonsense(rng) for _ in range(POOL)]
    good = [forger.good(rng) for _ in range(POOL // 10)]

    def some(rng: Random, pool: Sequence[wire.Envelope], most: int) -> bytes:
        return _deliver(rng.choice(pool) for _ in range(rng.randint(1, most)))

    def spoiled(rng: Random) -> bytes:
        odd = wire.Envelope()
        odd.CopyFrom(rng.choice(good))
        match rng.randrange(6):
            case 0:
                odd.recipient = rng.choice((b"", rng.randbytes(38), senders[0].peer_bytes))
            case 1:
                odd.version = rng.choice((0, 2, 2**32 - 1))
            case 2:
                odd.scheme = rng.choice((0, 2, 2**32 - 1))
            case 3:
                odd.expires_at_ms = rng.choice((0, now_ms - 3 * limits.DAY_MS, 2**53, 2**64 - 1))
            case 4:
                odd.ciphertext = rng.randbytes(rng.choice((0, 1, 1136, 1500)))
            case 5:
                odd.ciphertext = odd.ciphertext[: rng.randrange(len(odd.ciphertext))]
        return _deliver([odd])

    return Dialect(
        valid=[lambda rng: some(rng, good, 3)],
        nonsense=[
            lambda rng: some(rng, bad, 3),
            lambda rng: some(rng, bad, 3),
            lambda rng: some(rng, [*bad, *good], 6),
            spoiled,
            spoiled,
            spoiled,
            _tiny(b"\x0a\x00"),
            _tiny(UNKNOWN_FIELD),
            lambda rng: UNKNOWN_FIELD,
            lambda rng: _nested(b"\x0a", rng.randbytes(rng.randint(1, 100))),
        ],
    )


def _deliver(made: object) -> bytes:
    return wire.Deliver(envelopes=made).SerializeToString()  # type: ignore[arg-type]


class _Forger:
    """Seals whatever it likes to the recipient's real key."""

    def __init__(self, senders: Sequence[Identity], recipient: Identity, now_ms: int) -> None:
        self._senders = senders
        self._recipient = recipient
        self._key = seal.SealKey.derive(recipient.seed).public
        self._now_ms = now_ms

    def good(self, rng: Random) -> wire.Envelope:
        return self._signed(rng, self._content(rng).SerializeToString())

    def nonsense(self, rng: Random) -> wire.Envelope:
        match rng.randrange(6):
            case 0:  # no padding
                return self._sealed(rng.randbytes(rng.randint(0, 300)))
            case 1:  # no signed content
                return self._sealed(seal.pad(rng.randbytes(rng.randint(0, 200))))
            case 2:  # signed for somebody else, by somebody else, or not at all
                return self._forged(rng)
            case 3:  # no content
                return self._signed(rng, rng.randbytes(rng.randint(0, 100)))
            case 4:
                return self._signed(
                    rng, self._content(rng).SerializeToString() + _nested(b"\x2a", NOT_UTF8)
                )
            case _:
                return self._signed(rng, self._odd_content(rng).SerializeToString())

    def _content(self, rng: Random) -> wire.Content:
        return wire.Content(
            id=rng.randbytes(16),
            sent_at_ms=self._now_ms,
            lamport=self._now_ms,
            nick="Mallory",
            text=wire.Text(text=f"spam {rng.random()}"),
        )

    def _odd_content(self, rng: Random) -> wire.Content:
        odd = self._content(rng)
        match rng.randrange(10):
            case 0:
                odd.id = rng.randbytes(rng.choice((0, 15, 17, 2000)))
            case 1:
                odd.parents.extend(rng.randbytes(16) for _ in range(rng.choice((4, 500))))
            case 2:
                odd.lamport = 2**64 - 1
            case 3:
                odd.nick = "M" * rng.choice((33, 50_000))
            case 4:
                odd.ClearField("text")
            case 5:
                odd.text.text = "x" * rng.choice((0, 65_537, 100_000))
            case 6:
                odd.receipts.Clear()
            case 7:  # for messages that were never written
                odd.receipts.delivered.extend(
                    rng.randbytes(16) for _ in range(rng.choice((1, 1024)))
                )
            case 8:
                odd.receipts.read.extend(rng.randbytes(rng.choice((15, 16))) for _ in range(1100))
            case 9:
                odd.record.CopyFrom(record_of(self._recipient))  # not the sender's
        return odd

    def _forged(self, rng: Random) -> wire.Envelope:
        sender, other = rng.sample(self._senders, 2)
        signed = envelopes.Sealer(sender.peer_bytes, sender.private_key)._signed(
            self._content(rng), rng.choice((other.peer_bytes, self._recipient.peer_bytes))
        )
        if rng.random() < 0.5:
            signed.sender = rng.choice((other.peer_bytes, b"", rng.randbytes(38)))
        else:
            signed.signature = rng.randbytes(rng.choice((0, 63, 64)))
        return self._sealed(seal.pad(signed.SerializeToString()))

    def _signed(self, rng: Random, content: bytes) -> wire.Envelope:
        sender, to = rng.choice(self._senders), self._recipient.peer_bytes
        signature = sender.private_key.sign(envelopes._signed_bytes(sender.peer_bytes, to, content))
        signed = wire.SignedContent(sender=sender.peer_bytes, content=content, signature=signature)
        return self._sealed(seal.pad(signed.SerializeToString()))

    def _sealed(self, padded: bytes) -> wire.Envelope:
        made = wire.Envelope(
            version=1,
            recipient=self._recipient.peer_bytes,
            scheme=seal.SCHEME,
            expires_at_ms=self._now_ms + 7 * limits.DAY_MS,
        )
        made.ciphertext = seal.seal(padded, self._key, envelopes._info(made))
        return made
