"""What systemd is told, on its socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.cli import systemd
from p2pchat.cli.systemd import Systemd

PID = 4711


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address as systemd gives it, and the socket there."""
    path = tmp_path / "notify"
    name = str(path) if request.param == "path" else f"@p2pchat-test-{tmp_path.name}-{id(path)}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as here:
        here.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        here.settimeout(10)
        yield name, here


def test_each_word_is_one_datagram(listener: tuple[str, socket.socket]) -> None:
    name, here = listener
    told = Systemd.of({"NOTIFY_SOCKET": name}, PID)
    told.tell(systemd.READY)
    told.tell(systemd.STOPPING)
    assert [here.recv(100) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PID)}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
        ({}, 0.0),
    ],
)
def test_signs_of_life_come_twice_as_often_as_they_have_to(
    environment: dict[str, str], interval: float
) -> None:
    assert Systemd.of({"NOTIFY_SOCKET": "/run/x", **environment}, PID).interval == interval


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1", "/nowhere/at/all", "/x" * 200])
def test_nobody_to_tell_is_no_trouble(address: str) -> None:
    Systemd.of({"NOTIFY_SOCKET": address}, PID).tell(systemd.READY)
