"""Starts the line mode: the screen first, then trio and the node behind it."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from p2pchat.cli import control_client, metrics_port, service
from p2pchat.cli.terminal import greeting
from p2pchat.cli.terminal.lines import Painter
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import P2pchatError, one_error
from p2pchat.node.identity import Identity

if TYPE_CHECKING:
    from p2pchat.cli.terminal.screen import Screen
    from p2pchat.node.app import NodeHandle


log = logging.getLogger(__name__)


class UnfinishedError(P2pchatError):
    """Not all of what was read from a pipe has reached somebody."""


RunNode = Callable[[NodeConfig, Identity, Any], Awaitable[None]]


def run_line_mode(
    config: NodeConfig,
    identity: Identity,
    *,
    concerns: Sequence[str] = (),
    color: bool,
    simple: bool,
    load: Callable[[], RunNode],
) -> None:
    """Until the session ends. `load` imports the node, which takes a while; raises `UserError`.

    `concerns` are sentences to show at once. `simple` asks for plain reading and writing even on a terminal.
    """
    banner = greeting.banner(identity.peer, config.name, str(config.data_dir), concerns)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not simple
    sys.stdout.write(Painter(color=color and on_terminal).paint(banner))
    sys.stdout.flush()
    if on_terminal:
        _run_on_screen(config, identity, greeting.prompt(config.name), color, load)
    else:
        _run_plain(config, identity, load)


def _run_on_screen(
    config: NodeConfig,
    identity: Identity,
    prompt: str,
    color: bool,
    load: Callable[[], RunNode],
) -> None:
    from p2pchat.cli.terminal.screen import Screen

    cleared = Painter(color=color).paint([greeting.CLEARED])
    # Until the session listens for signals itself, they must not leave the terminal in raw mode.
    with service.ending_on_signals(), Screen(prompt, cleared) as screen, nothing_else_writes():
        _run(load(), config, identity, partial(_screen_front_end, screen, color))


def _run_plain(config: NodeConfig, identity: Identity, load: Callable[[], RunNode]) -> None:
    """Raises `UnfinishedError` when texts were read that reached nobody yet."""
    from p2pchat.cli.terminal.plain import PlainConsole
    from p2pchat.cli.terminal.session import Session

    problems: list[str] = []

    async def front_end(node: NodeHandle) -> None:
        outcome = await Session(node, PlainConsole()).run()
        problems.extend(outcome.problems())

    _run(load(), config, identity, front_end)
    if problems:
        raise UnfinishedError(" ".join(problems))


def _run(run_node: RunNode, config: NodeConfig, identity: Identity, front_end: Any) -> None:
    import trio

    async def last_front_end(metrics: metrics_port.Metrics, node: NodeHandle) -> None:
        metrics.answer_for_node(node)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_answer_others, node)
            await front_end(node)
            stop_begins()
            nursery.cancel_scope.cancel()

    async def main() -> None:
        async with metrics_port.opened(config) as metrics:
            await run_node(config, identity, partial(last_front_end, metrics))

    with service.last_resort() as stop_begins, one_error():
        trio.run(main)


async def _answer_others(node: NodeHandle) -> None:
    """Serve the control socket until cancelled, once the node is up: then nobody else runs on the folder.

    A node without it is still one to chat with.
    """
    import trio

    from p2pchat.proto import actors_pb2 as actors

    control_client.keep_grpc_quiet()
    try:
        # Without a deadline: the start takes as long as it takes.
        await node.ui.request(actors.DescribeNode(), actors.NodeDescription)
    except P2pchatError:
        return  # it is stopping
    try:
        from p2pchat.node import control

        async with control.serve(node.config.data_dir / control_client.SOCKET_NAME, node):
            await trio.sleep_forever()
    except (P2pchatError, ImportError, OSError) as error:
        log.warning("no control socket", exc_info=error)
        text = f"Other programs cannot ask this node: {error}"
        node.hub.emit(actors.Notice(level=actors.Notice.WARNING, text=text))


async def _screen_front_end(screen: Screen, color: bool, node: NodeHandle) -> None:
    from p2pchat.cli.terminal.prompt import PromptConsole
    from p2pchat.cli.terminal.session import Session

    await Session(node, PromptConsole(screen, color=color)).run()


class _LogWriter:
    """A stream whose lines go to the log."""

    encoding = "utf-8"

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._inside = False  # logging itself prints when it is not set up or fails

    def write(self, text: str) -> int:
        if not self._inside:
            self._inside = True
            for line in filter(str.strip, text.splitlines()):
                self._log.warning("%s", line)
            self._inside = False
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@contextlib.contextmanager
def nothing_else_writes() -> Iterator[None]:
    """To the log instead: what a library prints would land in the middle of the line that is being typed."""
    with (
        contextlib.redirect_stdout(_LogWriter("stdout")),
        contextlib.redirect_stderr(_LogWriter("stderr")),
    ):
        yield
