"""The network as processes of this computer, on loopback, in one temporary folder."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil
import trio

from p2pchat.cli import control_client
from p2pchat.cli.demo.processes import Process, Stage, StepFailedError
from p2pchat.cli.testnet import leash, preload
from p2pchat.cli.testnet.guard import Guard
from p2pchat.cli.testnet.ports import PlaceError
from p2pchat.cli.testnet.vocabulary import Fault, Kind, Member, Role, Vitals

if TYPE_CHECKING:
    import grpc

NOBODY = ("--bootstrap", "none")
ANY_PORT = "/ip4/127.0.0.1/tcp/0"
PORTS = (20_000, 32_000)  # below those that outgoing connections get: still free after a restart
PORT_TRIES = 100
START_PATIENCE = 120.0  # seconds; ten programs start at a time, on what may be a busy machine
STOP_PATIENCE = 15.0  # seconds; a program ends itself after 5
STARTS = 3  # tries, before the place is given up
LOOK = 0.5  # seconds between two looks for who has ended unasked
BY_LIBRARY = frozenset({Kind.FULL_DISK, Kind.SLOW_DISK, Kind.CLOCK_SKEW})
KINDS = frozenset({Kind.KILL, Kind.STOP, Kind.RESTART, *BY_LIBRARY})
# gRPC waits ever longer before it tries to connect again: not here, where programs come back within seconds.
CHANNEL_OPTIONS = (
    *control_client.CHANNEL_OPTIONS,
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)


class _Nobody:
    """Does not watch."""

    def typed(self, name: str, text: str) -> None: ...

    def printed(self, name: str, text: str) -> None: ...

    def happened(self, name: str, text: str) -> None: ...


@dataclass(slots=True)
class _Running:
    """A member's process, from one start to the next."""

    member: Member
    process: Process
    data_dir: Path
    switch: preload.Switch | None
    one_at_a_time: trio.Lock = field(default_factory=trio.Lock)
    has_fault: bool = False
    told_of: int = 0  # the id of the process that has ended unasked last
    starts: int = 0


class LocalPlace:
    """A `Place`; made by `open_place`."""

    def __init__(self, folder: Path, stage: Stage, guard: Guard, library: Path | None) -> None:
        self._folder, self._stage, self._guard, self._library = folder, stage, guard, library
        self._running: dict[str, _Running] = {}
        self._ended: list[str] = []
        self.kinds = KINDS
        self.left_out: Sequence[str] = ()

    @property
    def members(self) -> Sequence[Member]:
        return [each.member for each in self._running.values()]

    # ---- who is there -----------------------------------------------------------------------------

    def add(self, name: str, role: Role, *options: str, listen: str) -> None:
        """Not started yet."""
        data_dir, log = self._folder / name, self._folder / f"{name}.log"
        data_dir.mkdir(mode=0o700)
        where = ("--data-dir", str(data_dir), "--log-file", str(log), "--listen", listen)
        command = (*leash.COMMAND, str(role), *where, "--no-mdns", *options)
        switch, extra = None, {}
        if self._library is not None:
            switch = preload.Switch(self._folder / f"{name}.switch", data_dir)
            extra = switch.environment(self._library)
        process = self._stage.program(name, command, extra)
        process.patience, process.stop_patience = START_PATIENCE, STOP_PATIENCE
        self._running[name] = _Running(Member(name, role), process, data_dir, switch)

    async def start(self, *names: str) -> None:
        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(self._start, self._running[name])

    async def _start(self, one: _Running) -> None:
        """Until it can be asked. Raises `PlaceError`."""
        for last in (*[False] * (STARTS - 1), True):
            await one.process.start()
            one.starts += 1
            self._guard.watch(one.process.pid)
            try:
                sign = "is ready" if one.member.role is Role.NODE else "Peer id:"
                await one.process.shows(sign)
                return
            except StepFailedError as error:
                self._ended.append(f"{error} {self._last_words(one)}".strip())
                await one.process.stop()
                if last:
                    raise PlaceError(f"{one.member.name} cannot be started: {error}") from error

    # ---- faults -----------------------------------------------------------------------------------

    async def begin(self, fault: Fault) -> None:
        for name in fault.members:
            one = self._running[name]
            async with one.one_at_a_time:
                one.has_fault = True  # not before: the end of another fault may still be under way
                await self._begin(one, fault)

    async def _begin(self, one: _Running, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                if one.process.pid:
                    await one.process.is_killed()
            case Kind.RESTART:
                await self._stop(one)
            case Kind.STOP:
                one.process.send_signal(signal.SIGSTOP)
            case _:
                self._turn(one, fault)

    async def _stop(self, one: _Running) -> None:
        await one.process.stop()
        if one.process.exit_code == -signal.SIGKILL:
            self._ended.append(f"{one.member.name} did not end within {STOP_PATIENCE:g} s.")

    @staticmethod
    def _turn(one: _Running, fault: Fault) -> None:
        assert one.switch is not None, "a fault that this place cannot do"
        match fault.kind:
            case Kind.FULL_DISK:
                one.switch.disk_full(True)
            case Kind.SLOW_DISK:
                one.switch.disk_slow(fault.amount)
            case Kind.CLOCK_SKEW:
                one.switch.clock_ahead(fault.amount)

    async def end(self, fault: Fault) -> None:
        for name in fault.members:
            await self._mend(self._running[name])

    async def heal(self) -> None:
        async with trio.open_nursery() as nursery:
            for one in self._running.values():
                nursery.start_soon(self._mend, one)

    async def _mend(self, one: _Running) -> None:
        async with one.one_at_a_time:
            if one.switch is not None:
                one.switch.all_off()
            one.process.send_signal(signal.SIGCONT)
            if not one.process.pid:
                self._tell_of(one)
                await self._start(one)
            one.has_fault = False

    # ---- what ends unasked ------------------------------------------------------------------------

    async def watch(self) -> None:
        """For ever: who ends without a fault is started again, as a service would be."""
        while True:
            await trio.sleep(LOOK)
            for one in self._running.values():
                if not one.has_fault and one.process.has_fallen:
                    await self._mend(one)

    def _tell_of(self, one: _Running) -> None:
        if one.process.has_fallen:
            code, words = one.process.exit_code, self._last_words(one)
            self._ended.append(f"{one.member.name} ended with exit code {code}. {words}".strip())

    def _last_words(self, one: _Running) -> str:
        """Without our folder: a report names no path."""
        words = " ".join(one.process.lines()[-1:]).replace(f"{self._folder}/", "")
        return f"Its last words: {words}" if words else ""

    def ended_unasked(self) -> Sequence[str]:
        return tuple(self._ended)

    # ---- talking to them --------------------------------------------------------------------------

    def channel(self, name: str) -> grpc.Channel:
        control_client.keep_grpc_quiet()
        import grpc

        path = self._running[name].data_dir / control_client.SOCKET_NAME
        return grpc.insecure_channel(f"unix:{quote(str(path))}", options=CHANNEL_OPTIONS)

    async def mailbox_links(self, uses: int) -> Sequence[str]:
        return [
            await trio.to_thread.run_sync(_invite, one.data_dir, uses)
            for one in self._running.values()
            if one.member.role is Role.MAILBOX
        ]

    async def vitals(self, name: str) -> Vitals:
        one = self._running[name]
        pid = one.process.pid
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid) if pid else None
            if process is not None:
                memory = int(process.memory_info().rss)
                return Vitals(memory, process.num_fds(), one.starts)
        return Vitals(starts=one.starts)

    async def close(self) -> None:
        """Everybody in order, as far as they let themselves be stopped."""
        async with trio.open_nursery() as nursery:
            for one in self._running.values():
                if one.switch is not None:
                    one.switch.all_off()
                one.process.send_signal(signal.SIGCONT)
                nursery.start_soon(one.process.stop)


def _invite(data_dir: Path, uses: int) -> str:
    with control_client.mailbox(data_dir) as running:
        return running.make_invite(uses, "testnet").link


def possible() -> tuple[frozenset[Kind], Sequence[str]]:
    """The faults that can be done here, and for each that cannot a sentence why not."""
    return _without(preload.unavailable())


def _without(problem: str) -> tuple[frozenset[Kind], Sequence[str]]:
    """`problem`: why the library cannot be had; empty: it can."""
    if not problem:
        return KINDS, ()
    return KINDS - BY_LIBRARY, [f"{kind}: {problem}" for kind in sorted(BY_LIBRARY)]


@contextlib.asynccontextmanager
async def open_place(
    folder: Path, nodes: int, mailboxes: int, *, keep: bool
) -> AsyncIterator[LocalPlace]:
    """`folder` gets the data, logs and output of everybody; nothing runs any more afterwards.

    It is deleted then, unless it is to be kept.
    """
    guard = Guard(None if keep else folder)
    try:
        library, problem = await trio.to_thread.run_sync(preload.build, folder)
        async with trio.open_nursery() as nursery:
            stage = Stage(folder, _Nobody(), nursery)
            place = LocalPlace(folder, stage, guard, library)
            place.kinds, place.left_out = _without(problem)
            try:
                await _come_up(place, nodes, mailboxes)
                nursery.start_soon(place.watch)
                yield place
            finally:
                nursery.cancel_scope.deadline = trio.current_time() + 2 * STOP_PATIENCE
                with trio.CancelScope(shield=True):
                    await place.close()
                nursery.cancel_scope.cancel()
    finally:
        guard.close()


async def _come_up(place: LocalPlace, nodes: int, mailboxes: int) -> None:
    """Mailboxes first: nodes are told of them."""
    keepers = [f"mailbox-{number}" for number in range(1, mailboxes + 1)]
    for name in keepers:
        place.add(name, Role.MAILBOX, *NOBODY, listen=_fixed_port())
    await place.start(*keepers)
    links = await place.mailbox_links(nodes)
    known = [option for link in links for option in ("--bootstrap", link)]
    people = [f"node-{number}" for number in range(1, nodes + 1)]
    for name in people:
        options = ("--headless", "--name", name, *(known or NOBODY))
        # By a mailbox they find each other again behind new ports; without one, links must stay right.
        listen = ANY_PORT if links else _fixed_port()
        place.add(name, Role.NODE, *options, listen=listen)
    await place.start(*people)


def _fixed_port() -> str:
    for _ in range(PORT_TRIES):
        port = random.randrange(*PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return f"/ip4/127.0.0.1/tcp/{port}"
    raise PlaceError(f"No port between {PORTS[0]} and {PORTS[1]} is free.")
