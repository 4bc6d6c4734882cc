"""docs/bot.py, as it stands there, answers in a room."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from p2pchat.cli import control_client
from p2pchat.cli.control_client import NodeClient
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

ROOT = Path(__file__).parent.parent.parent
BOT = ROOT / "docs" / "bot.py"
COMMANDS = Path(sys.executable).parent
NETWORK = ("--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-dht")
PATIENCE = 60.0  # seconds until something has failed
LOOK = 0.1  # seconds between two looks


def test_the_bot_of_the_guide_answers(tmp_path: Path) -> None:
    assert len(BOT.read_text().splitlines()) < 30
    with (
        node(tmp_path / "bot", "none") as address,
        node(tmp_path / "ada", address),
        started([sys.executable, str(BOT), "lobby"], tmp_path / "bot"),
        asking(tmp_path / "ada") as ada,
    ):
        ada.ask(control.JoinRoomRequest(room="lobby"))
        until(lambda: len(ada.ask(control.ListMembersRequest(room="lobby")).members) == 2)
        until(lambda: answered(ada, "!ping", "pong"))
        until(lambda: answered(ada, "!help", "I know !ping, !time, !help"))


def answered(ada: NodeClient, question: str, answer: str) -> bool:
    """Asks once more each time: the bot hears what is said from when it listens."""
    ada.ask(control.SendMessageRequest(room="lobby", text=question))
    time.sleep(LOOK)
    page = ada.ask(control.ReadHistoryRequest(room="lobby", limit=1_000))
    return any(each.text == answer and not each.own for each in page.messages)


@contextlib.contextmanager
def node(folder: Path, bootstrap: str) -> Iterator[str]:
    """A headless one; its address."""
    command = [str(COMMANDS / "p2pchat"), "node", "--headless", *NETWORK, "--bootstrap", bootstrap]
    with started([*command, "--name", folder.name], folder):
        until(lambda: is_up(folder))
        with asking(folder) as running:
            yield running.ask(control.GetInfoRequest()).addresses[0]


def is_up(folder: Path) -> bool:
    try:
        with asking(folder) as running:
            return bool(running.ask(control.GetInfoRequest()).addresses)
    except P2pchatError:
        return False


@contextlib.contextmanager
def asking(folder: Path) -> Iterator[NodeClient]:
    with control_client.node(folder) as running:
        yield running


@contextlib.contextmanager
def started(command: list[str], data_dir: Path) -> Iterator[None]:
    """A process, and those that it starts, until the end of the context."""
    path = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "P2PCHAT_DATA_DIR": str(data_dir), "PATH": path}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, 15)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(LOOK)
