"""A diagnosis as it is read, with and without colour."""

from __future__ import annotations

import pytest
import trio

from p2pchat.cli.terminal import render_doctor
from p2pchat.cli.terminal.lines import Painter, plain
from p2pchat.proto.actors_pb2 import Check
from tests.cli.terminal.world import World, shown

CHECKS = [
    Check(name="listening", finding="Listens on TCP port 1."),
    Check(name="nat", verdict=Check.HINT, finding="Not known yet.", advice="Ask again."),
    Check(name="clock", verdict=Check.WARNING, finding="1 min ahead.", advice="Set it."),
    Check(name="disk", verdict=Check.FAILED, finding="Full.", advice="Make \x1b[2J room."),
]


def test_signs_findings_and_advice_stand_below_each_other() -> None:
    assert [plain(line) for line in render_doctor.diagnosis(CHECKS)] == [
        "  ok    listening  Listens on TCP port 1.",
        "  hint  nat        Not known yet.",
        "                   Ask again.",
        "  warn  clock      1 min ahead.",
        "                   Set it.",
        "  FAIL  disk       Full.",
        "                   Make ␛[2J room.",
        "* 1 thing does not work: disk; and 1 warning",
    ]


def test_only_signs_and_advice_have_a_colour() -> None:
    painted = Painter(color=True).paint(render_doctor.diagnosis(CHECKS[3:]))
    assert painted.splitlines()[0] == "  \x1b[31mFAIL\x1b[0m  disk  Full."


@pytest.mark.parametrize(
    ("verdicts", "summary"),
    [
        ([], "* All is well"),
        ([Check.OK, Check.HINT], "* All is well"),
        ([Check.WARNING], "* It works, with 1 warning"),
        ([Check.WARNING, Check.WARNING], "* It works, with 2 warnings"),
        ([Check.FAILED, Check.OK, Check.FAILED], "* 2 things do not work: 0, 2"),
    ],
)
def test_the_summary(verdicts: list[Check.Verdict], summary: str) -> None:
    checks = [Check(name=str(n), verdict=verdict) for n, verdict in enumerate(verdicts)]
    assert plain(render_doctor.summary(checks)) == summary


async def test_doctor_in_a_session(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.checks = CHECKS
    async with world.running() as console:
        console.type("/doctor", "/doctor now")
    assert shown(world)[0] == "  ok    listening  Listens on TCP port 1."
    assert shown(world)[-1] == "* /doctor takes nothing behind it."


def test_long_words_of_advice_stay_in_their_column() -> None:
    advice = "Ask somebody who runs one for a link, and type /mailbox add <link>; " * 3
    checks = [Check(name="mailboxes", verdict=Check.HINT, finding="x" * 90, advice=advice)]
    lines = [plain(line) for line in render_doctor.diagnosis(checks)][:-1]
    assert all(len(line) <= render_doctor.LINE_WIDTH for line in lines[1:])
    assert all(line.startswith(" " * 19) for line in lines[1:])
    assert "".join(line.strip() for line in lines[1:]).replace(" ", "") == advice.replace(" ", "")
