"""What was sent and what came, and the verdict. A message takes some tens of bytes, so that hours fit."""

from __future__ import annotations

import enum
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

ROOM = 0xFFFF  # in place of a node's number: to everybody
NEVER = math.nan
EARLY = 1_000  # changes of messages that are not known yet: their sender has still to answer; more are left out
REASONS = 20  # for refusals that are told apart; more are counted together
OTHER = "other reasons"
PATH = re.compile(r"(?<![\w/.])/[^\s:;,'\"]+")  # which says more of the machine than of the reason
SHOWN = 50  # lost, doubled and damaged messages that a verdict names; it counts all


class State(enum.IntEnum):
    ASKED = 0  # whether the sender has it is not known: it did not answer, or was killed first
    ACCEPTED = 1  # the sender said that it is on its disk
    REFUSED = 2  # the sender said that it could not


class Receipt(enum.IntEnum):
    """The most that the sender has ever shown of a direct message."""

    NONE = 0
    STORED = 1
    DELIVERED = 2
    READ = 3


@dataclass(frozen=True, slots=True)
class Copy:
    """A message as it stands in a history."""

    number: int
    sender: str
    whole: bool  # its text is what was written
    receipt: Receipt  # own direct messages


class Arrival(NamedTuple):
    """A copy that came to a node; nodes are indices, times seconds from the start of the traffic."""

    number: int
    sender: int
    node: int
    sent_at: float
    at: float
    is_room: bool

    @property
    def latency(self) -> float:
        """In seconds; never below 0, as a copy may be told of before its sender has answered us."""
        return max(0.0, self.at - self.sent_at)


@dataclass(frozen=True, slots=True)
class Finding:
    """A message that is not where it should be, or too often, or not as it was."""

    number: int
    sender: str
    to: str  # a node; empty: the room
    where: str  # the node whose history it is about
    problem: str  # a sentence
    sent_at: float | None  # seconds from the start of the traffic


@dataclass(frozen=True, slots=True)
class Verdict:
    """Messages are counted once, copies once for every node that should have the message."""

    sent: int  # messages that their sender has accepted, to people and to the room: it said so, or has it
    direct: int
    room: int
    unknown: (
        int  # ... was killed, or did not answer, and has it not: such a one may be there or not
    )
    refused: int  # by the sender, with a reason, e.g. a full disk
    receipted: int  # direct messages that the sender has shown as stored, delivered or read
    stored: int  # ... and nothing more
    delivered: int  # ... and nothing more
    read: int
    expected: int  # copies
    arrived: int  # of them
    lost: int  # copies
    doubled: int  # copies: twice in a history, or twice announced as new in one subscription
    damaged: int  # copies whose text is not what was sent
    not_arrived: (
        int  # direct messages without a receipt that have not arrived: they wait at their sender
    )
    findings: tuple[Finding, ...]
    refusals: dict[str, int]  # how often each reason was given

    @property
    def good(self) -> bool:
        return self.sent > 0 and not (self.lost or self.doubled or self.damaged)

    @property
    def sentence(self) -> str:
        if not self.sent:
            return "Nobody could say anything, so nothing is shown."
        if self.good:
            return "Nothing is lost or doubled."
        return "Messages are lost, doubled or damaged."

    def as_json(self) -> dict[str, object]:
        findings = [asdict(finding) for finding in self.findings]
        return {"good": self.good, "sentence": self.sentence, **asdict(self), "findings": findings}


class Ledger:
    def __init__(self, nodes: Sequence[str]) -> None:
        self._nodes = tuple(nodes)
        self._index = {node: index for index, node in enumerate(nodes)}
        self._senders = array("H")
        self._to = array("H")
        self._states = bytearray()
        self._receipts = bytearray()
        self._sent_at = array("f")  # when the sender was asked, or had answered
        self._seen_at = [array("f") for _ in nodes]  # when each node told of it first
        self._held = [bytearray() for _ in nodes]  # how often it is in each node's history
        self._announced = [bytearray() for _ in nodes]  # in the subscription that goes on
        self._missing = [0 for _ in nodes]  # messages that each should have and has not told of
        self._direct = 0  # accepted direct messages
        self._twice: list[tuple[int, int]] = []  # number and node: announced twice
        self._damaged: list[tuple[int, int]] = []  # number and node
        self._ids: dict[str, int] = {}  # of accepted direct messages that are not read yet
        self._early: dict[str, Receipt] = {}
        self._refusals = Counter[str]()  # by reason

    # ---- while it runs ----------------------------------------------------------------------------

    def asked(self, sender: str, to: str, at: float) -> int:
        """A message is handed to its sender now: which number it has. `to` a node, or empty for the room."""
        self._senders.append(self._index[sender])
        self._to.append(self._index[to] if to else ROOM)
        self._states.append(State.ASKED)
        self._receipts.append(Receipt.NONE)
        self._sent_at.append(at)
        for seen, held in zip(self._seen_at, self._held, strict=True):
            seen.append(NEVER)
            held.append(0)
        return len(self._states) - 1

    def accepted(self, number: int, message_id: str, at: float) -> None:
        if self._states[number] == State.ACCEPTED:
            return
        self._states[number] = State.ACCEPTED
        self._sent_at[number] = at
        for index, seen in enumerate(self._seen_at):
            self._missing[index] += self._is_for(number, index) and math.isnan(seen[number])
        if self._to[number] != ROOM:
            self._direct += 1
            self._ids[message_id] = number
            self._note_receipt(message_id, number, self._early.pop(message_id, Receipt.NONE))

    def refused(self, number: int, reason: str) -> None:
        self._states[number] = State.REFUSED
        reason = PATH.sub("(path)", reason)
        is_known = reason in self._refusals or len(self._refusals) < REASONS
        self._refusals[reason if is_known else OTHER] += 1

    def refusals(self) -> dict[str, int]:
        """How often each reason was given, the most frequent first."""
        return dict(self._refusals.most_common())

    def found_own(self, node: str, number: int, message_id: str) -> None:
        """It is in its sender's history: accepted, though no answer has come. Once nobody writes any more."""
        is_there = 0 <= number < len(self._states) and self._senders[number] == self._index[node]
        if is_there and self._states[number] == State.ASKED:
            self.accepted(number, message_id, self._sent_at[number])

    def receipt(self, message_id: str, receipt: Receipt) -> None:
        """The sender shows it so."""
        number = self._ids.get(message_id)
        if number is not None:
            self._note_receipt(message_id, number, receipt)
        elif message_id in self._early or len(self._early) < EARLY:
            self._early[message_id] = max(receipt, self._early.get(message_id, Receipt.NONE))

    def _note_receipt(self, message_id: str, number: int, receipt: Receipt) -> None:
        self._receipts[number] = max(self._receipts[number], receipt)
        if self._receipts[number] == Receipt.READ:
            del self._ids[message_id]

    def subscribed(self, node: str) -> None:
        """From now on everything may be told once again."""
        self._announced[self._index[node]] = bytearray()

    def announced(self, node: str, number: int, at: float) -> None:
        """The node tells of a message as new."""
        index = self._index[node]
        if not 0 <= number < len(self._states):
            return
        told = self._announced[index]
        byte, bit = number >> 3, 1 << (number & 7)
        told.extend(bytes(max(0, byte + 1 - len(told))))
        if told[byte] & bit:
            self._twice.append((number, index))
        told[byte] |= bit
        self.seen(node, number, at)

    def seen(self, node: str, number: int, at: float) -> None:
        """It is there, however that is known."""
        index = self._index[node]
        seen = self._seen_at[index]
        if 0 <= number < len(seen) and math.isnan(seen[number]):
            seen[number] = at
            is_accepted = self._states[number] == State.ACCEPTED
            self._missing[index] -= is_accepted and self._is_for(number, index)

    # ---- what is to be waited for -----------------------------------------------------------------

    def missing(self) -> dict[str, int]:
        """How many messages each node should have and has not told of."""
        counts = zip(self._nodes, self._missing, strict=True)
        return {node: count for node, count in counts if count}

    def unanswered(self) -> dict[str, int]:
        """How many messages each node was asked to send without an answer so far."""
        asked = (n for n, state in enumerate(self._states) if state == State.ASKED)
        return dict(Counter(self._nodes[self._senders[number]] for number in asked))

    def unreceipted(self) -> dict[str, int]:
        """How many direct messages each node has accepted, and not yet shown as delivered."""
        waiting = (n for n in self._ids.values() if self._receipts[n] < Receipt.DELIVERED)
        return dict(Counter(self._nodes[self._senders[number]] for number in waiting))

    def counts(self) -> dict[str, int]:
        """For people who watch: messages in each state, and copies that came."""
        states = [self._states.count(state) for state in State]
        receipts = [self._receipts.count(receipt) for receipt in Receipt]
        return {
            "sent": states[State.ACCEPTED],
            "unknown": states[State.ASKED],
            "refused": states[State.REFUSED],
            "waiting": max(0, self._direct - sum(receipts[1:])),
            "stored": receipts[Receipt.STORED],
            "delivered": receipts[Receipt.DELIVERED],
            "read": receipts[Receipt.READ],
        }

    def _for(self, node: int) -> Iterator[int]:
        """Accepted messages of others for that node."""
        for number, state in enumerate(self._states):
            if state == State.ACCEPTED and self._is_for(number, node):
                yield number

    def _is_for(self, number: int, node: int) -> bool:
        return self._senders[number] != node and self._to[number] in (node, ROOM)

    def arrivals(self) -> Iterator[Arrival]:
        """Every copy that came."""
        for index, seen in enumerate(self._seen_at):
            for number in self._for(index):
                at, sent_at, to = seen[number], self._sent_at[number], self._to[number]
                if not math.isnan(at):
                    yield Arrival(number, self._senders[number], index, sent_at, at, to == ROOM)

    def name(self, node: int) -> str:
        return self._nodes[node]

    # ---- at the end -------------------------------------------------------------------------------

    def forget_histories(self) -> None:
        self._held = [bytearray(len(self._states)) for _ in self._nodes]
        self._damaged = []

    def history(self, node: str, room: bool, copy: Copy) -> None:
        """One message of a node's history."""
        index, number = self._index[node], copy.number
        if not 0 <= number < len(self._states) or copy.sender not in self._index:
            self._damaged.append((-1, index))
            return
        fits = self._senders[number] == self._index[copy.sender]
        fits = fits and room == (self._to[number] == ROOM) and self._concerns(number, index)
        if not (copy.whole and fits):
            self._damaged.append((number, index))
        self._held[index][number] = min(255, self._held[index][number] + 1)
        self._receipts[number] = max(self._receipts[number], copy.receipt)

    def strange(self, node: str) -> None:
        """There is a text in its history that nobody here wrote so."""
        self._damaged.append((-1, self._index[node]))

    def _concerns(self, number: int, node: int) -> bool:
        return self._to[number] in (ROOM, node) or self._senders[number] == node

    def verdict(self) -> Verdict:
        """After `forget_histories`, and every `history`."""
        lost = list(self._lost())
        doubled = list(self._doubled())
        damaged = [
            self._finding(number, node, "its text is not what was sent")
            for number, node in self._damaged
        ]
        copies = [(n, i) for i in range(len(self._nodes)) for n in self._for(i)]
        receipts = self._direct_receipts()
        return Verdict(
            sent=self._states.count(State.ACCEPTED),
            direct=len(receipts),
            room=self._states.count(State.ACCEPTED) - len(receipts),
            unknown=self._states.count(State.ASKED),
            refused=self._states.count(State.REFUSED),
            receipted=len(receipts) - receipts.count(Receipt.NONE),
            stored=receipts.count(Receipt.STORED),
            delivered=receipts.count(Receipt.DELIVERED),
            read=receipts.count(Receipt.READ),
            expected=len(copies),
            arrived=sum(self._held[node][number] > 0 for number, node in copies),
            lost=len(lost),
            doubled=len(doubled),
            damaged=len(damaged),
            not_arrived=sum(
                self._waits(number) and not self._held[node][number] for number, node in copies
            ),
            findings=tuple([*lost, *doubled, *damaged][:SHOWN]),
            refusals=self.refusals(),
        )

    def _direct_receipts(self) -> bytes:
        return bytes(
            receipt
            for receipt, state, to in zip(self._receipts, self._states, self._to, strict=True)
            if state == State.ACCEPTED and to != ROOM
        )

    def _lost(self) -> Iterator[Finding]:
        for node in range(len(self._nodes)):
            held = self._held[node]
            for number in self._for(node):
                if not held[number] and not self._waits(number):
                    yield self._finding(number, node, self._promise(number))
        for number, (sender, state) in enumerate(zip(self._senders, self._states, strict=True)):
            if state == State.ACCEPTED and not self._held[sender][number]:
                yield self._finding(number, sender, "its sender had accepted it and has it no more")

    def _waits(self, number: int) -> bool:
        """Nobody was promised anything yet but that its sender goes on trying."""
        return self._to[number] != ROOM and self._receipts[number] == Receipt.NONE

    def _promise(self, number: int) -> str:
        if self._to[number] == ROOM:
            return "said in the room, and this member has not got it"
        receipt = Receipt(self._receipts[number]).name.lower()
        return f"its sender has shown it as {receipt}, and it is not there"

    def _doubled(self) -> Iterator[Finding]:
        for node, held in enumerate(self._held):
            for number, times in enumerate(held):
                if times > 1:
                    yield self._finding(number, node, f"it is in the history {times} times")
        for number, node in self._twice:
            yield self._finding(number, node, "it was announced as new twice in one subscription")

    def _finding(self, number: int, node: int, problem: str) -> Finding:
        where = self._nodes[node]
        if number < 0:
            return Finding(number, "", "", where, "a text that nobody has written so", None)
        to = self._to[number]
        return Finding(
            number,
            self._nodes[self._senders[number]],
            "" if to == ROOM else self._nodes[to],
            where,
            problem,
            round(self._sent_at[number], 3),
        )
