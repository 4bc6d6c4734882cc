"""Mail that survives `kill -9` of the mailbox, of the recipient, of the sender, and disks that are full.

Processes are real, and so are the kills. When they come is up to a seeded generator: after so many receipts, shown
or saved messages, or so long after a start, and a few milliseconds later, so that they hit every phase of a write.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.links import ContactLink, parse_link
from p2pchat.proto import mailbox_pb2 as mailbox
from tests.soak.depositors import Depositor, register, sealed
from tests.soak.person_process import BEGINNING
from tests.soak.processes import MailboxProcess, PersonProcess, ending, until
from tests.soak.small_disk import small_disk

SENDERS = 4
AT_ONCE, AFTERWARDS = 0.005, 0.03  # seconds within which a kill follows what it waits for
EARLY = 1.6  # seconds after a start within which an early kill comes: mostly before it is up
SOON = 0.6  # seconds after its start within which a recipient collects
SETTLED = 3.0  # seconds without anything new until a recipient is killed all the same
LONG = " " + 30_000 * "x"  # at the end of messages that shall fill a disk
DISK_IS_FULL = (
    "The mailbox cannot save anything at the moment, for example because its disk is full."
)


@dataclass(frozen=True)
class Scale:
    messages: int
    kills: int
    patience: float  # seconds until everything must be over; nothing is measured by it


@dataclass
class Report:
    """What happened, for people: what must hold is asserted by the scenes."""

    name: str
    seed: int
    counts: dict[str, int] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"{self.name}: {counts}; {time.monotonic() - self.began:.0f} s (seed {self.seed})"


class Stage:
    """One mailbox, depositors, and Bob, who is registered there."""

    def __init__(self, mailbox: MailboxProcess, bob: PersonProcess, peer: str, seed: int) -> None:
        self.mailbox = mailbox
        self.bob = bob
        self.rng = random.Random(seed)
        self.texts: list[str] = []  # given to the depositors so far
        self.depositors = [
            Depositor(Identity(bytes([number]) * 32), peer, mailbox.address, seed + number)
            for number in range(1, SENDERS + 1)
        ]

    def give(self, count: int, padding: str = "") -> None:
        """So many new messages to Bob, to all depositors together."""
        for number, depositor in enumerate(self.depositors):
            share = range(number, count, SENDERS)
            first = len(self.texts)
            texts = [f"{number}/{first + n}{padding}" for n in range(len(share))]
            depositor.give(sealed(depositor.identity, self.bob.identity, texts))
            self.texts += [text[:BEGINNING] for text in texts]

    @property
    def receipts(self) -> int:
        return sum(len(one.receipts) for one in self.depositors)

    @property
    def left(self) -> int:
        """Deposits without a receipt."""
        return sum(one.left for one in self.depositors)

    @property
    def refusals(self) -> list[mailbox.Refused]:
        return [refused for one in self.depositors for refused in one.refusals]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Or until one of those who should live is dead."""

        def holds() -> bool:
            for child in (self.mailbox, self.bob):
                if child.lives and not child.killed:
                    child.life.check()
            return condition()

        await until(holds)

    async def until_receipted(self) -> None:
        await self.until(lambda: not self.left)

    async def until_collected(self) -> None:
        """Bob has everything, and the mailbox nothing."""
        for one in self.depositors:
            while await self.bob.kept(one.identity.peer) < len(one.receipts):
                await trio.sleep(0.2)
        await self.mailbox.until_empty()

    async def bob_has(self) -> list[dict[str, object]]:
        return [
            record
            for one in self.depositors
            for record in await self.bob.history(one.identity.peer)
            if not record["outgoing"]
        ]

    async def check(self) -> int:
        """Everything was kept once and shown at most once; how much of it was never shown, and is unread."""
        assert self.receipts == len(self.texts)
        kept = await self.bob_has()
        assert Counter(record["text"] for record in kept) == Counter(self.texts)
        return _check_shown(self.bob, kept)


def _check_shown(person: PersonProcess, kept: Sequence[dict[str, object]]) -> int:
    """Nothing twice, and what no life has shown is unread: how much that is."""
    shown = Counter(person.ever_said("shown"))
    assert [text for text, times in shown.items() if times > 1] == []
    assert shown.keys() <= {record["text"] for record in kept}
    never_shown = [record for record in kept if record["text"] not in shown]
    assert not any(record["read"] for record in never_shown)
    return len(never_shown)


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    seed: int,
    patience: float,
    *,
    mailbox_runs: Sequence[object] = (),
    bob_runs: Sequence[object] = (),
) -> AsyncIterator[Stage]:
    """Bob is registered, and away. `..._runs` are commands that run these."""
    mailbox = MailboxProcess(folder / "mailbox", mailbox_runs)
    with ending(mailbox), trio.fail_after(patience):
        mailbox.start()
        link = await mailbox.link()
        bob = PersonProcess(folder / "bob", "Bob", [await mailbox.up()], bob_runs)
        stage = Stage(mailbox, bob, link.peer, seed)
        with ending(bob):
            await register(bob.identity, link)
            async with trio.open_nursery() as nursery:
                for depositor in stage.depositors:
                    nursery.start_soon(depositor.run)
                try:
                    yield stage
                except BaseException as error:
                    error.add_note(f"seed {seed}, {stage.receipts} receipts, {stage.left} left")
                    raise
                nursery.cancel_scope.cancel()


async def mailbox_killed(folder: Path, scale: Scale, seed: int) -> Report:
    """While it takes deposits: what has a receipt is delivered, and shown once."""
    report = Report("mailbox killed", seed)
    async with staged(folder, seed, scale.patience) as stage:
        share, busy = scale.messages // scale.kills, 0
        for _ in range(scale.kills):
            await _moment_in_deposits(stage, share)
            busy += stage.left > 0
            stage.mailbox.kill()
            stage.mailbox.start()
        stage.give(scale.messages - len(stage.texts))
        await stage.until_receipted()
        stage.mailbox.kill()  # of receipts that are a moment old
        stage.mailbox.start()
        await stage.mailbox.up()
        stage.bob.start()
        await stage.until_collected()
        assert await stage.check() == 0
        report.counts = {
            "deposits": scale.messages,
            "kills": scale.kills + 1,
            "of them with deposits under way": busy,
            "sessions of senders": sum(one.sessions for one in stage.depositors),
            "receipts": stage.receipts,
            "delivered": len(stage.texts),
            "shown twice": 0,
        }
    return report


async def _moment_in_deposits(stage: Stage, share: int) -> None:
    if stage.rng.random() < 0.15:
        stage.give(share)
        await trio.sleep(stage.rng.uniform(0, EARLY))
        return
    await stage.mailbox.up()
    stage.give(share)
    goal = stage.receipts + stage.rng.randint(1, share // 2)
    await stage.until(lambda: stage.receipts >= goal)
    await trio.sleep(stage.rng.uniform(0, AT_ONCE))


async def recipient_killed(folder: Path, scale: Scale, seed: int) -> Report:
    """While mail is handed over: it is kept once, shown at most once, and unread if it was not shown."""
    report = Report("recipient killed", seed)
    async with staged(folder, seed, scale.patience) as stage:
        share, busy = scale.messages // (scale.kills + 1), 0
        for _ in range(scale.kills):
            stage.give(share)
            if stage.rng.random() < 0.5:  # else some of it comes while he collects
                await stage.until_receipted()
            stage.bob.start()
            await _moment_in_hand_over(stage, share)
            stage.bob.kill()
            busy += len(stage.bob.ever_said("shown")) < len(stage.texts)
        stage.give(scale.messages - len(stage.texts))
        stage.bob.start()
        await stage.until_receipted()
        await stage.until_collected()
        never_shown = await stage.check()
        report.counts = {
            "deposits": scale.messages,
            "kills": scale.kills,
            "of them with mail to come": busy,
            "receipts": stage.receipts,
            "kept": len(stage.texts),
            "shown once": len(stage.texts) - never_shown,
            "saved when killed, unread at the next start": never_shown,
            "shown twice": 0,
        }
    return report


async def _moment_in_hand_over(stage: Stage, share: int) -> None:
    bob, rng = stage.bob, stage.rng
    if rng.random() < 0.4:
        await bob.up()
        await trio.sleep(rng.uniform(0, SOON))
        return
    goal = rng.randint(1, share * 2 // 3)
    deadline = (
        trio.current_time() + SETTLED
    )  # what was saved and not shown in an earlier life is missing here
    await bob.up()
    await stage.until(lambda: bob.count("shown") >= goal or trio.current_time() > deadline)
    await trio.sleep(rng.uniform(0, AFTERWARDS))


async def sender_killed(folder: Path, scale: Scale, seed: int) -> Report:
    """While sending, to Bob himself and then to his mailbox: what the user was told is saved arrives once."""
    report = Report("sender killed", seed)
    async with staged(folder, seed, scale.patience) as stage:
        alice = PersonProcess(folder / "alice", "Alice")
        with ending(alice):
            stage.bob.start()
            # From somebody whom he does not know he would not take so many.
            await stage.bob.ask("contact", contact=alice.identity.peer)
            written = await _kill_while_sending(stage, alice, scale)
            stage.bob.start()
            await stage.bob.up()
            alice.start()
            saved = alice.ever_said("saved")
            sent = await _until_delivered(alice, stage.bob.identity.peer)
            got = await stage.bob.history(alice.identity.peer)
            assert alice.ever_said("refused") == []
        arrived = Counter(record["text"] for record in got)
        assert set(saved) <= arrived.keys() <= set(written)
        assert set(arrived.values()) == {1}
        never_shown = _check_shown(stage.bob, got)  # what came while Bob was stopping
        assert Counter(record["text"] for record in sent) == arrived
        report.counts = {
            "written": len(written),
            "kills": scale.kills,
            "told to be saved": len(saved),
            "saved without the user being told": len(arrived) - len(saved),
            "delivered": len(arrived),
            "unread at Bob's next start": never_shown,
            "shown twice": 0,
        }
    return report


async def _kill_while_sending(stage: Stage, alice: PersonProcess, scale: Scale) -> list[str]:
    written: list[str] = []
    link = await _link_of(stage.bob)
    share = scale.messages // scale.kills
    for life in range(scale.kills):
        if life == scale.kills // 2:
            await stage.bob.quit()
        texts = [f"{life}/{number}" for number in range(share)]
        written += texts
        alice.start()
        if not life:
            await alice.ask("contact", contact=link)
        alice.say(write=texts, to=stage.bob.identity.peer)
        goal = stage.rng.randint(1, share * 3 // 4)
        await until(lambda: alice.count("saved") >= goal or not alice.life.alive)  # noqa: B023
        alice.life.check()
        await trio.sleep(stage.rng.uniform(0, AFTERWARDS))
        alice.kill()
    return written


async def _until_delivered(alice: PersonProcess, peer: str) -> list[dict[str, object]]:
    """What she has written, when she knows of all of it that it has arrived."""
    while True:
        sent = await alice.history(peer)
        if {record["stage"] for record in sent} <= {"DELIVERED", "READ"}:
            return sent
        await trio.sleep(0.5)


async def _link_of(bob: PersonProcess) -> str:
    """Once it names his mailbox."""
    await bob.registered()
    while True:
        link = parse_link(text := await bob.ask("link"))
        assert isinstance(link, ContactLink)
        if link.record is not None and link.record.mailboxes:
            return str(text)
        await trio.sleep(0.05)


async def mailbox_disk_full(folder: Path, scale: Scale, seed: int) -> Report:
    """Plain refusals, nothing lost by a kill meanwhile, and on it goes when there is space again."""
    report = Report("disk of the mailbox full", seed)
    with small_disk(folder / "mailbox", _megabytes(scale)) as disk:
        async with staged(folder, seed, scale.patience, mailbox_runs=disk.before) as stage:
            share = scale.messages // 2
            stage.give(share, LONG)
            await stage.until_receipted()
            disk.fill()
            stage.give(scale.messages - share, LONG)
            await stage.until(lambda: all(one.refusals for one in stage.depositors))
            kept = stage.receipts
            for refused in stage.refusals:
                assert (refused.reason, refused.detail) == (mailbox.FULL, DISK_IS_FULL)
            stage.mailbox.kill()
            stage.mailbox.start()
            starts = await _starts(stage.mailbox)
            disk.empty()
            if not starts:
                stage.mailbox.start()
            await stage.until_receipted()
            stage.bob.start()
            await stage.until_collected()
            assert await stage.check() == 0
            report.counts = {
                "deposits": scale.messages,
                "receipts when it was full": kept,
                "refusals": len(stage.refusals),
                "starts on the full disk": int(starts),
                "receipts": stage.receipts,
                "delivered": len(stage.texts),
                "shown twice": 0,
            }
    return report


async def _starts(child: MailboxProcess) -> bool:
    """Whether it comes up; if not, it says in plain words why."""
    while child.life.alive:
        if any(line.startswith("Link: ") for line in child.life.look()):
            return True
        await trio.sleep(0.01)
    words = child.life.last_words()
    assert "full" in words, words
    assert "Traceback" not in words, words
    child.kill()
    return False


async def recipient_disk_full(folder: Path, scale: Scale, seed: int) -> Report:
    """The mail stays where it is, the user is told in plain words, and everything comes when there is space again."""
    report = Report("disk of the recipient full", seed)
    with small_disk(folder / "bob", _megabytes(scale)) as disk:
        async with staged(folder, seed, scale.patience, bob_runs=disk.before) as stage:
            friend = stage.depositors[0].identity.peer
            share = scale.messages // 2
            stage.give(share, LONG)
            stage.bob.start()
            await stage.bob.registered()
            await stage.until_collected()
            disk.fill()
            stage.give(scale.messages - share, LONG)
            await stage.until_receipted()
            while not any(m["problem"] for m in (await stage.bob.ask("status"))["mailboxes"]):
                await trio.sleep(0.1)
            waiting = int((await stage.mailbox.status())["held_envelopes"])
            assert waiting
            why = await stage.bob.ask("refused", write=["now?"], to=friend)
            assert why[0] == "now?"
            assert "The disk is full" in why[1]
            disk.empty()
            await stage.until_collected()
            assert await stage.bob.ask("saved", write=["now!"], to=friend) == "now!"
            report.counts = {
                "deposits": scale.messages,
                "held while the disk was full": waiting,
                "receipts": stage.receipts,
                "never shown": await stage.check(),
                "shown twice": 0,
            }
    return report


def _megabytes(scale: Scale) -> int:
    """For everything twice, in the log and in tables, with room to spare."""
    return 48 + 4 * scale.messages * len(LONG) // 1_000_000
