"""A service ends on a signal, and says in one sentence why it could not go on."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from p2pchat.cli import service
from p2pchat.cli.systemd import Systemd
from p2pchat.node.errors import ConfigError


@pytest.mark.parametrize("number", service.STOPPING)
def test_the_first_signal_ends_it_and_more_change_nothing(number: signal.Signals) -> None:
    told = []

    async def main(until_stopped: service.UntilStopped) -> None:
        os.kill(os.getpid(), number)
        await until_stopped()
        os.kill(os.getpid(), number)
        await wait_all_tasks_blocked(0.01)
        told.append("the end")

    before = signal.getsignal(number)
    service.run(main)
    assert told == ["the end"]
    assert signal.getsignal(number) == before


def test_it_can_be_ended_from_inside_and_systemd_hears_of_it_once(tmp_path: Path) -> None:
    place = tmp_path / "notify"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(place))
        heard.setblocking(False)

        async def main(until_stopped: service.UntilStopped) -> None:
            until_stopped.begin("enough")
            await until_stopped()
            until_stopped.begin("enough again")

        service.run(main, Systemd(str(place)))
        assert heard.recv(100) == b"STOPPING=1"
        with pytest.raises(BlockingIOError):
            heard.recv(100)


def test_systemd_hears_that_it_lives(tmp_path: Path) -> None:
    place = tmp_path / "notify"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(place))
        heard.settimeout(10)

        async def main(until_stopped: service.UntilStopped) -> None:
            words = [await trio.to_thread.run_sync(heard.recv, 100) for _ in range(3)]
            assert words == [b"WATCHDOG=1"] * 3

        service.run(main, Systemd(str(place), interval=0.01))


def test_a_sentence_for_the_user_comes_out_of_its_groups() -> None:
    async def main(until_stopped: service.UntilStopped) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_stopped)
            raise ConfigError("Mend this.")

    with pytest.raises(ConfigError, match="Mend this"):
        service.run(main)


def test_a_fault_stays_what_it_is() -> None:
    async def main(until_stopped: service.UntilStopped) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_stopped)
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        service.run(main)
    assert caught.value.subgroup(ZeroDivisionError) is not None


def test_before_anything_runs_a_signal_ends_the_process_quietly() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, service.ending_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 0)  # lets Python see the signal
    assert caught.value.code == 0
    assert signal.getsignal(signal.SIGTERM) == before
