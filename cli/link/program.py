"""The terminal UI as a program: on the screen at once, with a node behind it that runs already or is started for it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2pchat.cli import control_client, data_folder, logs, service
from p2pchat.cli.control_client import NotRunningError
from p2pchat.cli.link import opening, preview
from p2pchat.cli.link.grpc_link import GrpcLink
from p2pchat.cli.link.keeper import Ended, Keeper
from p2pchat.cli.tui.link import NodeState
from p2pchat.node import glance
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import P2pchatError, UserError
from p2pchat.node.identity import Identity

if TYPE_CHECKING:
    from p2pchat.cli.tui.app import ChatApp
    from p2pchat.cli.tui.opening import OpeningScreen

BAD_USE = 2  # exit code of a node that the user has to help
SETTINGS = "ui.json"  # in the data folder
LOG = "p2pchat-ui.log"  # in the data folder: two processes cannot take turns with one file
ENOUGH_PATIENCE = 0.5  # seconds for the node to stop before somebody asks what takes so long

RUNS_ALREADY = "A node runs on this folder already: this is a screen on it, and it goes on running when you leave."
CONNECTING = "looking for the one that runs already"

# Of Python's garbage collector. A full collection takes up to 60 ms, as long as three frames, and would come several
# times a second when messages pour in: so there is one a minute, and none by itself.
THRESHOLDS = (2_000, 10, 1_000_000)
TIDY_UP = 60.0  # seconds

# Keys are read, and the screen is written, in threads of their own: neither waits Python's usual 5 ms for its turn.
SWITCH = 0.001  # seconds

# How often a second Textual looks whether there is something to paint: a key waits for that. What comes from the node
# is painted less often, see `feed.FRAME`.
LOOKS = "240"


class NodeFailedError(P2pchatError):
    """The node could not start, for no reason that the user can mend."""


class NodeRefusedError(UserError):
    """The node could not start; its own sentence says why."""


def run(
    config: NodeConfig,
    identity: Identity,
    *,
    concerns: Sequence[str] = (),
    command: Sequence[str],
    log_path: Path,
) -> int:
    """Until the user leaves; the exit code. A node that was started for it is stopped then.

    `command` runs a node until its standard input ends; `concerns` are sentences to show. Raises `UserError` or
    `P2pchatError` when the node cannot start.
    """
    link = GrpcLink(config.data_dir)
    if _is_served(config):
        return _show(config, identity, _Session(config, link, None, [RUNS_ALREADY]))
    keeper = Keeper(command, log_path, tell=link.tell, ready=link.try_now)
    return _show(config, identity, _Session(config, link, keeper, concerns))


def attach(config: NodeConfig, identity: Identity) -> int:
    """The UI on a node that runs, which goes on running; the exit code."""
    return _show(config, identity, _Session(config, GrpcLink(config.data_dir), None, ()))


def _is_served(config: NodeConfig) -> bool:
    """Whether a node runs on the folder, be it only just starting."""
    if data_folder.is_in_use(config.store_path):
        return True
    try:
        control_client.living_socket(config.data_dir, "node")
    except NotRunningError:
        return False
    return True


def _show(config: NodeConfig, identity: Identity, session: _Session) -> int:
    # Until the event loop listens for signals itself, they must not leave the terminal as it is.
    with service.ending_on_signals(), _threads_in_turn(), _garbage_left_alone():
        first = opening.screen(glance.take(config.store_path), identity, config)
        with preview.on_terminal(first, color=has_color()):
            return asyncio.run(session.run(first))


def has_color() -> bool:
    return "NO_COLOR" not in os.environ


@contextlib.contextmanager
def _threads_in_turn() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextlib.contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Imports make nothing but what stays: looking through it again and again costs a tenth of their time."""
    before = gc.get_threshold()
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.enable()


class _Session:
    """One stay on the screen."""

    def __init__(
        self, config: NodeConfig, link: GrpcLink, keeper: Keeper | None, notes: Sequence[str]
    ) -> None:
        self._config = config
        self._link = link
        self._keeper = keeper
        self._notes = tuple(notes)
        self._tasks: list[asyncio.Task[None]] = []
        self._problem: Exception | None = None
        self._app: ChatApp | None = None

    async def run(self, first: OpeningScreen) -> int:
        """Raises what keeps the node from running."""
        try:
            if self._keeper is not None:
                # Before the UI is loaded: both take their time, each on a processor of its own.
                self._start(self._keep_node(self._keeper))
                await self._keeper.spawned.wait()
            code = await self._on_screen(first)
        finally:
            await self._end()
        if self._problem is not None:
            raise self._problem
        return code

    async def _on_screen(self, first: OpeningScreen) -> int:
        os.environ.setdefault("TEXTUAL_FPS", LOOKS)  # read with the import
        from p2pchat.cli.tui import settings
        from p2pchat.cli.tui.app import ChatApp

        remembered = settings.load(self._config.data_dir / SETTINGS, color=has_color())
        app = self._app = ChatApp(self._link, settings=remembered, opening=first)
        loop = asyncio.get_running_loop()
        for number in service.STOPPING:
            loop.add_signal_handler(number, app.exit)
        await app.run_async(auto_pilot=self._begin)
        return app.return_code or 0

    async def _begin(self, _: Any) -> None:
        """Called by Textual once it is on the screen."""
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()
        self._start(_tidy_up())
        logs.log_to_file(self._config.data_dir / LOG, "warning", late=True)
        if self._keeper is None:
            await self._link.tell(NodeState("starting", CONNECTING))
        self._start(self._link.run())
        for note in self._notes:
            await self._link.note(note, "warning" if self._keeper else "info")
        self._leave_if_there_is_no_use()

    def _start(self, task: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._watched(task)))

    async def _watched(self, task: Coroutine[Any, Any, None]) -> None:
        """What ends it is told when the screen is given back, a bug as well."""
        try:
            await task
        except Exception as error:
            self._problem = self._problem or error
            self._leave_if_there_is_no_use()

    async def _keep_node(self, keeper: Keeper) -> None:
        ended = await keeper.run()
        if not ended.code or keeper.was_ready:
            return
        if await asyncio.to_thread(_is_served, self._config):  # somebody was faster
            self._link.try_now()
            await self._link.note(RUNS_ALREADY)
            return
        raise _problem(ended)

    def _leave_if_there_is_no_use(self) -> None:
        if self._problem is not None and self._app is not None and self._app.is_running:
            self._app.exit()

    async def _end(self) -> None:
        """Whatever happens to this process, no other one is left behind."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._keeper is None:
            return
        stopping = asyncio.ensure_future(self._keeper.stop())
        await asyncio.wait([stopping], timeout=ENOUGH_PATIENCE)
        if not stopping.done():
            print("The node is stopping.", file=sys.stderr)
        await stopping


async def _tidy_up() -> None:
    """For ever."""
    while True:
        await asyncio.sleep(TIDY_UP)
        gc.collect()


def _problem(ended: Ended) -> P2pchatError:
    reason = ended.reason or f"The node does not start ({ended})."
    return NodeRefusedError(reason) if ended.code == BAD_USE else NodeFailedError(reason)
