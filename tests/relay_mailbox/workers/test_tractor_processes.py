"""Real processes under the real supervisor: what ends is started again, and none is left, however the parent ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import trio

from p2pchat.node.errors import ConfigError
from p2pchat.relay_mailbox.workers import boot, tractor_processes
from p2pchat.relay_mailbox.workers.tending import End, Patience, Tending
from p2pchat.relay_mailbox.workers.tractor_processes import OTHER_CODE, TractorSpawner

ROOT = Path(__file__).parents[3]
TOY = "tests.relay_mailbox.workers.toy"
PATIENCE = 60.0  # seconds until a test gives up; nothing is measured by it
LOOK = 0.02  # seconds between two looks
SLOW = Patience(answer=PATIENCE, start=PATIENCE)
QUICK = Patience(answer=PATIENCE, start=4.0)  # seconds: where something hangs, that is waited for


@pytest.fixture(autouse=True)
def _find_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers do not import from the folder that they are started in."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


ENDS_AT_ONCE = {
    "raise": "it has failed: ValueError: as ordered",
    "return": "it has had enough",
    "exit": "it has ended with exit code 7",
    "kill": "it was ended by SIGKILL",
    "segv": "it was ended by SIGSEGV",
}
HANGS = {"block": "it did not answer for 4 s", "stop": "it did not answer for 4 s"}


@pytest.mark.parametrize(("ends", "patience"), [(ENDS_AT_ONCE, SLOW), (HANGS, QUICK)])
async def test_whatever_ends_a_worker_it_is_started_again(
    tmp_path: Path, ends: dict[str, str], patience: Patience
) -> None:
    """All at a time, beside one that goes on."""
    said: list[tuple[int, str]] = []
    orders = [*(f"{what}@{tmp_path / what}" for what in ends), "live"]
    with trio.fail_after(PATIENCE):
        async with tractor_processes.opened(TOY, orders, lambda *w: said.append(w)) as spawner:
            tending = Tending(spawner, len(orders), patience=patience)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(tending.run)
                *bad, good = tending.workers
                while not all(one.restarts.count and one.state == "running" for one in bad):
                    await trio.sleep(LOOK)
                await good.until_up()
                assert [(one.restarts.count, one.last_end) for one in bad] == [
                    (1, why) for why in ends.values()
                ]
                assert (good.restarts.count, good.last_end) == (0, "")
                pids = [one.pid for one in tending.workers]
                assert all(psutil.pid_exists(pid) for pid in pids)
                nursery.cancel_scope.cancel()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert {(number, f"toy {what}") for number, what in enumerate(ends)} <= set(said)


async def test_one_that_the_supervisor_does_not_let_in_says_nothing_and_is_explained() -> None:
    said: list[str] = []
    with trio.fail_after(PATIENCE):
        async with tractor_processes.opened(TOY, ["live"], lambda *_: None):
            stranger = TractorSpawner(TOY, ["live"], lambda _, line: said.append(line), b"other")
            async with stranger.spawn(0, lambda _: None) as child:
                assert await child.run() == End(OTHER_CODE)
    assert said == []


@pytest.mark.parametrize("line", [b"1 2 3\n", b"x 00\n", b"1 xy\n"])
def test_a_first_line_that_it_does_not_understand(line: bytes) -> None:
    command = [sys.executable, "-P", "-m", boot.__name__]
    done = subprocess.run(command, input=line, capture_output=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (boot.NOT_UNDERSTOOD, b"")


async def test_killed_again_and_again_while_it_starts(tmp_path: Path) -> None:
    """In every phase of a start."""
    async with tractor_processes.opened(TOY, ["live"], lambda *_: None) as spawner:
        for delay in (0.0, 0.05, 0.15, 0.3):
            pids: list[int] = []
            with trio.fail_after(PATIENCE):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_kill_soon, pids, delay)
                    async with spawner.spawn(0, pids.append) as child:
                        assert (await child.run()).why.startswith("it was ended by SIGKILL")
            assert not psutil.pid_exists(pids[0])


async def _kill_soon(pids: list[int], delay: float) -> None:
    while not pids:
        await trio.sleep(0.001)
    await trio.sleep(delay)
    os.kill(pids[0], signal.SIGKILL)


async def test_cancelled_while_it_starts() -> None:
    async with tractor_processes.opened(TOY, ["live"], lambda *_: None) as spawner:
        for delay in (0.0, 0.05, 0.2):
            pids: list[int] = []
            with trio.move_on_after(delay):
                async with spawner.spawn(0, pids.append):
                    await trio.sleep_forever()
            assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_strangers_are_sent_away_and_nothing_else_happens() -> None:
    """HTTP, silence, and a client of tractor that does not know the secret."""
    async with tractor_processes.opened(TOY, ["live"], lambda *_: None) as spawner:
        tending = Tending(spawner, 1, patience=SLOW)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tending.run)
            with trio.fail_after(PATIENCE):
                await tending.workers[0].until_up()
            for pid in (os.getpid(), tending.workers[0].pid):
                (port,) = _listening(pid)
                for said in (b"GET / HTTP/1.0\r\n\r\n" * 9, b"\x05\0\0\0hello" * 40, b""):
                    assert len(await _talk(port, said)) <= 32  # the question, and nothing else
            assert tending.workers[0].restarts.count == 0
            os.kill(tending.workers[0].pid, signal.SIGKILL)
            with trio.fail_after(PATIENCE):
                await tending.workers[0].until_up(2)  # the supervisor is as well as before
            nursery.cancel_scope.cancel()


def _listening(pid: int) -> set[int]:
    found = psutil.Process(pid).net_connections("tcp")
    assert all(one.laddr.ip == "127.0.0.1" for one in found if one.status == psutil.CONN_LISTEN)
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


async def _talk(port: int, said: bytes) -> bytes:
    """What is answered until the other side closes, or the patience of it is over."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    heard = b""
    async with stream:
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(said)
            if not said:
                await stream.send_eof()
            with trio.fail_after(PATIENCE):
                while piece := await stream.receive_some():
                    heard += bytes(piece)
    return heard


async def test_the_secret_is_on_no_command_line_and_in_no_environment() -> None:
    async with tractor_processes.opened(TOY, ["live"], lambda *_: None) as spawner:
        secret = spawner._secret.hex()
        pids: list[int] = []
        async with spawner.spawn(0, pids.append):
            process = psutil.Process(pids[0])
            assert secret not in " ".join(process.cmdline())
            assert secret not in str(process.environ())


async def test_without_tractor_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "p2pchat.relay_mailbox.workers.tractor_here"
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr("p2pchat.relay_mailbox.workers.tractor_here", raising=False)
    with pytest.raises(ConfigError, match=r"make setup.*AGPL-3\.0"):
        async with tractor_processes.opened(TOY, [], lambda *_: None):
            pass


def test_one_module_imports_tractor() -> None:
    """Another supervisor can take its place."""
    found = {
        path.name
        for path in (ROOT / "relay_mailbox").rglob("*.py")
        if any(line.strip().startswith("import tractor") for line in path.read_text().splitlines())
    }
    assert found == {"tractor_here.py"}


# ---- however the parent ends ----------------------------------------------------------------------------


class Supervisor:
    """`supervisor_process.py`; `pids` are of its children."""

    def __init__(self, *orders: str) -> None:
        command = [sys.executable, "-m", "tests.relay_mailbox.workers.supervisor_process", *orders]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pids: list[int] = []
        self.lines: list[str] = []

    def hear(self, beginning: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith("pid "):
                self.pids.append(int(line[4:]))
            if line.startswith(beginning):
                return line.strip()
        raise AssertionError(f"it has ended before {beginning!r}: {self.lines}")

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        for line in self.process.stdout:  # a process that it started at the last moment
            self.lines.append(line.strip())
            if line.startswith("pid "):
                self.pids.append(int(line[4:]))
        return code


@contextlib.contextmanager
def supervisor(*orders: str) -> Iterator[Supervisor]:
    found = Supervisor(*orders)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate()
        for pid in found.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def assert_gone(pids: list[int]) -> None:
    """Soon: the kernel ends them, and whoever inherits them buries them."""
    assert pids
    end = time.monotonic() + PATIENCE
    while left := [pid for pid in pids if _is_alive(pid)]:
        assert time.monotonic() < end, f"left behind: {left}"
        time.sleep(LOOK)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


ENDS = ("KILL", "SEGV", "ABRT", "TERM", "INT", "HUP", "raise", "exit")


def usually(*names: str) -> list[object]:
    """Those every time, the others in the soak."""
    return [pytest.param(how, marks=() if how in names else pytest.mark.soak) for how in ENDS]


@pytest.mark.parametrize("how", usually("SEGV", "INT", "raise"))
def test_no_worker_outlives_its_parent(how: str) -> None:
    with supervisor("live", "live") as parent:
        parent.hear("up")
        _end(parent, how)
        assert len(parent.pids) == 2
        assert_gone(parent.pids)


@pytest.mark.parametrize("how", usually("KILL", "TERM"))
def test_no_worker_outlives_its_parent_although_it_is_stopped_or_deaf(how: str) -> None:
    """One runs nothing any more, the other does not end when it is told to."""
    with supervisor("stop", "deaf") as parent:
        while sum(line.startswith("words") for line in parent.lines) < 2:
            parent.hear("words")
        _end(parent, how)
        assert_gone(parent.pids)


def _end(parent: Supervisor, how: str) -> None:
    if how in ("raise", "exit"):
        parent.say(how)
    else:
        parent.process.send_signal(signal.Signals[f"SIG{how}"])
    parent.end()


def test_no_worker_outlives_a_parent_killed_while_it_starts() -> None:
    for delay in (0.0, 0.02, 0.05):
        with supervisor("live") as parent:
            parent.hear("pid")
            time.sleep(delay)
            parent.process.kill()
            parent.end()
            assert_gone(parent.pids)


def test_no_worker_outlives_a_parent_killed_while_it_is_stopped() -> None:
    """Stopped from outside, in the middle of its work: it runs nothing any more that could look for a parent."""
    with supervisor("live", "live") as parent:
        parent.hear("up")
        for pid in parent.pids:
            os.kill(pid, signal.SIGSTOP)
        parent.process.kill()
        parent.end()
        assert_gone(parent.pids)


def test_a_crash_loop_ends_with_a_sentence_and_nothing_left() -> None:
    with supervisor("exit", "live") as parent:
        said = parent.hear("failed ")
        assert said.startswith("failed Worker 0 has ended 3 times within 60 s, the last time for ")
        parent.end()
        assert_gone(parent.pids)
        assert len(parent.pids) == 4


@pytest.mark.soak
def test_a_port_is_chosen_anew_each_time() -> None:
    """Not tractor's own, where everybody looks for it."""
    with supervisor("live") as one, supervisor("live") as other:
        for each in (one, other):
            each.hear("up")
        ports = [_listening(each.process.pid) for each in (one, other)]
        assert ports[0].isdisjoint(ports[1])
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", 1616)) != 0 or 1616 not in ports[0] | ports[1]
