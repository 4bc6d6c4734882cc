"""Files between real nodes: either side is killed in the middle, and the file arrives whole, once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.disk_files import PARTIAL_FOLDER
from p2pchat.node.protocol.links import parse_link
from tests.bench.children import LISTEN, Child

SIZE = 150_000_000  # bytes
ENOUGH = 10_000_000  # bytes that are there when somebody is killed
PATIENCE = (
    100.0  # seconds until a node that does not answer is killed, so that a fault is no standstill
)


class Node(Child):
    """A node that can be killed; `folder` survives that."""

    def __init__(self, folder: Path, *listen: str) -> None:
        super().__init__("file_process", "--data-dir", folder, "--listen", *(listen or LISTEN))
        self.folder = folder
        self._watchdog = threading.Timer(PATIENCE, self._process.kill)
        self._watchdog.start()
        self.address = str(self.hear("listening")[0]).partition("/p2p/")[0]

    def again(self) -> Node:
        """Killed, and started anew at the same address: nobody tells others of a new one here."""
        self.kill()
        return Node(self.folder, self.address)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._forget()

    def end(self) -> None:
        super().end()
        self._forget()

    def _forget(self) -> None:
        self._watchdog.cancel()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[dict[str, Node]]:
    """Alice has offered a file to Bob, and he takes it. Whoever is restarted is put in its place."""
    nodes = {name: Node(tmp_path / name) for name in ("alice", "bob")}
    try:
        links = {name: node.ask("link") for name, node in nodes.items()}
        nodes["alice"].ask("contact", contact=links["bob"])
        nodes["bob"].ask("contact", contact=links["alice"])
        (tmp_path / "film.bin").write_bytes(os.urandom(SIZE))
        offered = str(tmp_path / "film.bin")
        nodes["alice"].ask("offer", offer=offered, to=parse_link(links["bob"]).peer)
        nodes["bob"].ask("accept")
        yield nodes
    finally:
        for node in nodes.values():
            node.end()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def partials(node: Node) -> Path:
    """Its folder has the peer id in its name, as others may share the download folder."""
    [folder] = node.downloads.glob(f"{PARTIAL_FOLDER}-*")
    return folder


def check_that_it_arrived_once(tmp_path: Path, bob: Node) -> None:
    assert sorted(os.listdir(bob.downloads)) == [partials(bob).name, "film.bin"]
    assert digest(bob.downloads / "film.bin") == digest(tmp_path / "film.bin")
    assert not os.listdir(partials(bob))
    assert (bob.downloads / "film.bin").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("killed", ["alice", "bob"])
def test_a_side_that_is_killed_goes_on_where_it_was(
    killed: str, pair: dict[str, Node], tmp_path: Path
) -> None:
    pair["bob"].ask("running", running=ENOUGH)
    pair[killed].kill()
    assert os.listdir(partials(pair["bob"]))
    pair[killed] = Node(pair[killed].folder, pair[killed].address)
    pair["bob"].ask("finished")
    pair["alice"].ask("finished")
    check_that_it_arrived_once(tmp_path, pair["bob"])


def test_both_are_killed_and_what_was_there_is_not_sent_again(
    pair: dict[str, Node], tmp_path: Path
) -> None:
    pair["bob"].ask("running", running=ENOUGH)
    for name in ("bob", "alice"):
        pair[name] = pair[name].again()
    pair["bob"].ask("finished")
    pair["alice"].ask("finished")
    check_that_it_arrived_once(tmp_path, pair["bob"])
