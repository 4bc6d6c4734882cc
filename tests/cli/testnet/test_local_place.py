"""What processes of this computer can have done to them. Real ones are in tests/integration/test_testnet.py."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from p2pchat.cli.testnet import local_place, preload
from p2pchat.cli.testnet.local_place import LocalPlace
from p2pchat.cli.testnet.vocabulary import Fault, Kind, Member, Role


def test_with_a_compiler_everything_but_the_network_s_own_faults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preload, "unavailable", lambda: "")
    kinds, left_out = local_place.possible()
    assert kinds == set(Kind) - {Kind.DISCONNECT, Kind.PARTITION}
    assert left_out == ()


def test_without_one_disk_and_clock_are_left_out_and_it_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preload, "unavailable", lambda: "No compiler.")
    kinds, left_out = local_place.possible()
    assert kinds == {Kind.KILL, Kind.STOP, Kind.RESTART}
    assert left_out == [
        "clock-skew: No compiler.",
        "full-disk: No compiler.",
        "slow-disk: No compiler.",
    ]


class PlayedProcess:
    """Takes its time to start."""

    def __init__(self) -> None:
        self.pid = 1
        self.exit_code = 1
        self.starts = 0

    @property
    def has_fallen(self) -> bool:
        return not self.pid

    async def is_killed(self) -> None:
        self.pid = 0

    async def start(self) -> None:
        self.starts += 1
        await trio.sleep(5)
        self.pid = 1

    async def shows(self, _: str) -> None: ...

    def send_signal(self, _: signal.Signals) -> None: ...

    def lines(self) -> list[str]:
        return []


class Played:
    """A guard, and a stage."""

    process = PlayedProcess()

    def watch(self, pid: int) -> None: ...

    def program(self, *_: object) -> Any:
        return self.process


async def test_a_fault_that_begins_while_another_one_ends_goes_on(
    tmp_path: Path, autojump_clock: object
) -> None:
    """A start takes longer than was planned: whoever watches must not mend what has begun meanwhile."""
    played: Any = Played()
    place = LocalPlace(tmp_path, played, played, None)
    place.add("node-1", Role.NODE, listen="")
    assert place.members == [Member("node-1", Role.NODE)]
    first, second = (Fault(n, Kind.KILL, ("node-1",), 0.0, 1.0, 0.0) for n in (1, 2))
    await place.begin(first)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(place.watch)
        nursery.start_soon(place.end, first)
        await trio.sleep(1)
        await place.begin(second)
        await trio.sleep(60)
        assert (played.process.pid, played.process.starts) == (0, 1)
        await place.end(second)
        assert (played.process.pid, played.process.starts) == (1, 2)
        nursery.cancel_scope.cancel()
