"""The control API of real processes: a stream that outlives its connections, a port with TLS, and the end."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from p2pchat.proto import control_pb2 as control
from p2pchat.proto import control_pb2_grpc

GUIDE = Path(__file__).parents[2] / "docs" / "control-api.md"
P2PCHAT = Path(sys.executable).with_name("p2pchat")
PATIENCE = 60.0  # seconds
QUIET = ("--listen", "/ip4/127.0.0.1/tcp/0", "--bootstrap", "none", "--no-mdns")
NODE = ("node", "--headless")
MAILBOX = ("mailbox", "--registration", "open")
OURS = ("P2PCHAT", "DATA_DIR", "CHAT_TOPIC")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@contextlib.contextmanager
def running(folder: Path, role: tuple[str, ...], *more: str) -> Iterator[subprocess.Popen[str]]:
    """Once it has said that it can be used, which is its last line."""
    process = subprocess.Popen(
        [str(P2PCHAT), *role, "--data-dir", str(folder), *QUIET, *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "is ready" in line or line.startswith("Link"):
                break
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def stub(folder: Path) -> Iterator[Any]:
    with grpc.insecure_channel(f"unix:{folder / 'node.sock'}") as channel:
        yield control_pb2_grpc.NodeStub(channel)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("role", [NODE, MAILBOX])
def test_a_shutdown_is_answered_and_ends_the_process_in_order(
    tmp_path: Path, role: tuple[str, ...]
) -> None:
    with running(tmp_path, role) as process, stub(tmp_path) as node:
        assert node.Shutdown(control.ShutdownRequest(), timeout=PATIENCE) is not None
        _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, log
        assert "asked by the control API" in log
    assert not (tmp_path / "node.sock").exists()


def test_streams_that_are_cut_again_and_again_lose_nothing_and_double_nothing(
    tmp_path: Path,
) -> None:
    heard: list[str] = []
    with running(tmp_path, NODE) as _, stub(tmp_path) as node:
        room = node.ListRooms(control.ListRoomsRequest(), timeout=PATIENCE).rooms[0].name
        cursor = ""
        for number in range(30):
            with stub(tmp_path) as reader:
                events = reader.Subscribe(control.SubscribeRequest(after=cursor), timeout=PATIENCE)
                greeting = next(events)
                assert greeting.subscribed.resumed == bool(cursor)
                cursor = greeting.cursor
                said = control.SendMessageRequest(room=room, text=str(number))
                node.SendMessage(said, timeout=PATIENCE)
                while number % 3 == 0 and heard[-1:] != [str(number)]:
                    event = next(events)
                    heard.extend(each.text for each in event.messages_arrived.messages)
                    cursor = event.cursor
                events.cancel()
        with stub(tmp_path) as reader:
            events = reader.Subscribe(control.SubscribeRequest(after=cursor), timeout=PATIENCE)
            while heard[-1:] != ["29"]:
                heard.extend(each.text for each in next(events).messages_arrived.messages)
            events.cancel()
    with running(tmp_path, NODE), stub(tmp_path) as node:  # another run resumes nothing
        events = node.Subscribe(control.SubscribeRequest(after=cursor), timeout=PATIENCE)
        assert not next(events).subscribed.resumed
        assert next(events).HasField("fell_behind")
        events.cancel()
    assert heard == [str(number) for number in range(30)]


def test_a_port_needs_tls_and_the_token(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with running(tmp_path, NODE, "--control-listen", place):
        credentials = grpc.ssl_channel_credentials((tmp_path / "control.crt").read_bytes())
        token = (tmp_path / "control.token").read_text().strip()
        with grpc.secure_channel(place, credentials) as channel:
            node: Any = control_pb2_grpc.NodeStub(channel)  # type: ignore[no-untyped-call]
            shown = (("authorization", f"Bearer {token}"),)
            info = node.GetInfo(control.GetInfoRequest(), timeout=PATIENCE, metadata=shown)
            assert info.data_dir == str(tmp_path)
            events = node.Subscribe(control.SubscribeRequest(), timeout=PATIENCE, metadata=shown)
            assert next(events).HasField("subscribed")
            events.cancel()
            calls: list[Callable[[], Any]] = [
                lambda: node.GetInfo(control.GetInfoRequest(), timeout=PATIENCE),
                lambda: next(node.Subscribe(control.SubscribeRequest(), timeout=PATIENCE)),
            ]
            for call in calls:
                with pytest.raises(grpc.RpcError) as caught:
                    call()
                error: Any = caught.value
                assert error.code().name == "UNAUTHENTICATED"


def test_the_example_of_the_guide(tmp_path: Path) -> None:
    example = GUIDE.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    with running(tmp_path, NODE), stub(tmp_path) as node:
        room = node.ListRooms(control.ListRoomsRequest(), timeout=PATIENCE).rooms[0].name
        bot = subprocess.Popen(
            [sys.executable, "-c", example, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert bot.stdout is not None
            assert next(bot.stdout).startswith("This is 12D3KooW")
            said = control.SendMessageRequest(room=room, text="Hi\x1b[2J")
            heard = ""
            for _ in range(1000):  # it may not have subscribed yet when it says who it is
                node.SendMessage(said, timeout=PATIENCE)
                if select.select([bot.stdout], [], [], 0.1)[0]:
                    heard = next(bot.stdout)
                    break
            assert heard.rstrip().endswith("'Hi\\x1b[2J'")
        finally:
            bot.kill()
            bot.communicate()


def test_the_guide_names_every_method() -> None:
    text = GUIDE.read_text("utf-8")
    service = control.DESCRIPTOR.services_by_name["Node"]
    assert not [each.name for each in service.methods if f"`{each.name}`" not in text]


def test_a_port_that_is_none_is_bad_use(tmp_path: Path) -> None:
    command = [str(P2PCHAT), *NODE, "--data-dir", str(tmp_path), "--control-listen", "7443"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 2
    assert "--control-listen: '7443' is not usable" in done.stderr
