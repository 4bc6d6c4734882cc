"""The driver in virtual time: a place and people in memory, and the report of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
import trio
import trio.testing

from p2pchat.cli.control_client import ControlError, RequestRefusedError
from p2pchat.cli.testnet import live, marks
from p2pchat.cli.testnet import run as driver
from p2pchat.cli.testnet.ledger import Copy, Ledger, Receipt
from p2pchat.cli.testnet.ports import PlaceError
from p2pchat.cli.testnet.report import report
from p2pchat.cli.testnet.report_page import page
from p2pchat.cli.testnet.run import Run
from p2pchat.cli.testnet.settings import Settings
from p2pchat.cli.testnet.vocabulary import Fault, Kind, Member, Role, Vitals
from p2pchat.node.errors import ConfigError

START = datetime(2026, 3, 1, tzinfo=UTC)


class MemoryPlace:
    """Notes what is done to whom."""

    kinds = frozenset({Kind.KILL, Kind.STOP})
    left_out = ("full-disk: not in memory.",)
    members = (*(Member(f"node-{n}", Role.NODE) for n in (1, 2, 3)), Member("box", Role.MAILBOX))

    def __init__(self) -> None:
        self.done: list[tuple[str, int, float]] = []  # what, which fault, when
        self.begins = 0.0
        self.fails = False

    async def begin(self, fault: Fault) -> None:
        self._note("begin", fault.number)

    async def end(self, fault: Fault) -> None:
        if self.fails:
            raise PlaceError("node-1 cannot be started.")
        self._note("end", fault.number)

    async def heal(self) -> None:
        self._note("heal", 0)

    def _note(self, what: str, number: int) -> None:
        self.done.append((what, number, trio.current_time() - self.begins))

    def ended_unasked(self) -> Sequence[str]:
        return ()

    def channel(self, name: str) -> Any:
        return None if name == "box" else name

    async def mailbox_links(self, uses: int) -> Sequence[str]:
        return [f"link for {uses}"]

    async def vitals(self, name: str) -> Vitals:
        return Vitals(1000, None)


class MemoryPerson:
    """Everybody has at once what anybody sends, but for who forgets."""

    # Who has which message, and whether it is the room's.
    histories: ClassVar[dict[str, dict[int, bool]]] = {}
    forgets: ClassVar[set[tuple[str, int]]] = set()
    answers: ClassVar[dict[int, Exception]] = {}
    unanswered: ClassVar[set[int]] = set()  # written down all the same

    def __init__(self, name: str, _: object, ledger: Ledger, now: Callable[[], float]) -> None:
        self.name, self._ledger, self._now = name, ledger, now
        self.links: Sequence[str] = ()
        self.histories[name] = {}

    async def settle_in(self, links: Sequence[str]) -> None:
        self.links = links

    async def meet(self, others: Sequence[MemoryPerson]) -> None:
        assert all(other.links == ["link for 3"] for other in others)

    async def listen(self, _: object) -> None:
        await trio.sleep_forever()

    async def read_everything(self) -> None:
        await trio.sleep_forever()

    async def ask(self, _: object) -> Any:
        raise ControlError("nobody is there")

    async def send(self, to: MemoryPerson | None, text: str) -> str:
        mark = marks.read(text)
        assert mark is not None
        assert mark.whole
        await trio.sleep(0.01)
        if error := self.answers.get(mark.number):
            raise error
        for name in [self.name, to.name] if to else self.histories:
            if (name, mark.number) not in self.forgets:
                self.histories[name][mark.number] = to is None
        if mark.number in self.unanswered:
            raise ControlError("killed")
        if to:
            self._ledger.receipt(f"{mark.number}", Receipt.STORED)
        return f"{mark.number}"

    async def look_into_history(self, _: object) -> None:
        for number in self.histories[self.name]:
            self._ledger.seen(self.name, number, self._now())
            self._ledger.found_own(self.name, number, f"{number}")
            self._ledger.receipt(f"{number}", Receipt.DELIVERED)

    async def tell_history(self, everybody: Sequence[MemoryPerson]) -> None:
        for number, is_room in self.histories[self.name].items():
            sender = self._ledger._nodes[self._ledger._senders[number]]
            self._ledger.history(self.name, is_room, Copy(number, sender, True, Receipt.NONE))


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> type[MemoryPerson]:
    class People(MemoryPerson):
        histories: ClassVar[dict[str, dict[int, bool]]] = {}
        forgets: ClassVar[set[tuple[str, int]]] = set()
        answers: ClassVar[dict[int, Exception]] = {}
        unanswered: ClassVar[set[int]] = set()

    monkeypatch.setattr(driver, "Person", People)
    return People


def settings(**changes: Any) -> Settings:
    usual = {"nodes": 3, "mailboxes": 1, "seconds": 40.0, "seed": 3, "rate": 5.0}
    return Settings(**{**usual, "faults": "all", "kinds": None, **changes})


async def test_a_run_from_the_meeting_to_the_verdict(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    place = MemoryPlace()
    place.begins = trio.current_time()
    run = Run(place, settings())
    await run.whole()
    assert run.phase == "done"
    assert run.verdict is not None
    assert run.verdict.good
    assert run.verdict.sent > 100
    assert run.verdict.arrived == run.verdict.expected
    assert run.settled_after == pytest.approx(driver.LOOK)
    # Each fault at its time, and the healing when all are over.
    planned = {("begin", d.fault.number): d.fault.begins for d in run.faults}
    planned |= {("end", d.fault.number): d.fault.ends for d in run.faults}
    assert {(what, number): at for what, number, at in place.done[:-1]} == pytest.approx(planned)
    assert place.done[-1][0] == "heal"
    assert place.done[-1][2] >= 40
    assert all(not done.goes_on for done in run.faults)
    assert len(run.samples.of["box"]) >= 20


async def test_what_somebody_has_forgotten_is_lost(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    people.forgets = {("node-2", number) for number in range(200)}
    run = Run(MemoryPlace(), settings(settle=30.0))
    begin = trio.current_time()
    await run.whole()
    assert run.verdict is not None
    assert not run.verdict.good
    assert run.verdict.lost > 0
    assert {finding.where for finding in run.verdict.findings} == {"node-2"}
    assert run.settled_after != run.settled_after  # NaN: it gave up waiting
    assert trio.current_time() - begin < 40 + 30 + 10
    assert report(run, START, "")["settled_after"] is None


async def test_answers_that_are_none(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    people.answers = {0: ControlError("gone"), 1: RequestRefusedError("full")}
    run = Run(MemoryPlace(), settings(faults="none", kinds=frozenset()))
    await run.whole()
    assert run.verdict is not None
    assert (run.verdict.unknown, run.verdict.refused, run.verdict.good) == (1, 1, True)
    found = report(run, START, "")
    assert found["refusals"] == found["verdict"]["refusals"] == {"full": 1}
    assert "no fault happened" not in found["verdict"]["sentence"]  # none was asked for


async def test_a_run_too_short_for_any_fault_says_so(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    run = Run(MemoryPlace(), settings(seconds=2.0))
    await run.whole()
    verdict = report(run, START, "")["verdict"]
    assert verdict["good"]
    assert verdict["sentence"] == "Nothing is lost or doubled. But no fault happened."
    assert verdict["faults_never_came"] == ["kill", "stop"]


async def test_slopes_of_a_long_run(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    run = Run(MemoryPlace(), settings(seconds=1300.0, rate=0.1))
    await run.whole()
    assert report(run, START, "")["members"][0]["slopes_per_hour"]["memory"] == 0


async def test_what_a_sender_has_without_having_answered_is_looked_for(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    """It had written it down when it was killed, and the recipient never got it."""
    people.unanswered = {0}
    run = Run(MemoryPlace(), settings(faults="none", kinds=frozenset(), settle=5.0))
    await run.whole()
    assert run.verdict is not None
    assert (run.verdict.unknown, run.verdict.good) == (0, True)
    people.forgets = {(name, 0) for name in ("node-1", "node-2", "node-3")}
    run = Run(MemoryPlace(), settings(faults="none", kinds=frozenset(), settle=5.0))
    await run.whole()
    assert run.verdict is not None
    assert (run.verdict.unknown, run.verdict.good) == (1, True)


async def test_a_place_that_fails_ends_the_run(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    place = MemoryPlace()
    place.fails = True
    run = Run(place, settings())
    with pytest.RaisesGroup(PlaceError, flatten_subgroups=True, allow_unwrapped=True):
        await run.whole()
    assert run.verdict is None


async def test_the_report_is_json_and_becomes_a_page(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    run = Run(MemoryPlace(), settings())
    early = report(run, START, "stopped.")
    assert early["verdict"] is None
    assert early["problem"] == "stopped."
    await run.whole()
    found = report(run, START, "")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["command"].startswith("p2pchat testnet --nodes 3")
    assert found["faults_left_out"] == ["full-disk: not in memory."]
    assert found["members"][0]["samples"][0]["memory"] == 1000
    assert found["members"][0]["samples"][0]["tasks"] is None
    assert found["members"][0]["slopes_per_hour"]["memory"] is None  # of so short a run
    done = found["verdict"]["faults_done"]
    assert sum(done.values()) == len(run.faults)
    assert {*done, *found["verdict"]["faults_never_came"]} == {"kill", "stop"}
    assert sum(bucket["count"] for bucket in found["over_time"]) == found["verdict"]["arrived"]
    assert len(found["slowest"]) == 10
    assert "Nothing is lost or doubled" in page(found)
    assert "Nothing is lost" not in page(early)


async def test_lines_for_who_has_no_terminal(
    people: type[MemoryPerson], autojump_clock: trio.testing.MockClock
) -> None:
    run, out = Run(MemoryPlace(), settings()), io.StringIO()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.show, run, out)
        await run.whole()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    lines = out.getvalue().splitlines()
    assert any("meeting: everybody registers and meets" in line for line in lines)
    assert any("traffic: sent" in line for line in lines)
    assert any(": kill" in line or ": stop" in line for line in lines)
    assert "done:" in lines[-1]


def test_a_named_fault_that_the_place_cannot_do_is_refused() -> None:
    wanted = settings(faults="full-disk", kinds=frozenset({Kind.FULL_DISK}))
    with pytest.raises(ConfigError, match="full-disk: not in memory"):
        trio.run(_build, wanted)


async def _build(wanted: Settings) -> None:
    Run(MemoryPlace(), wanted)
