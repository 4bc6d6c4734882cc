"""What both `Files` promise: on the disk and in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from p2pchat.node.adapters.disk_files import DiskFiles
from p2pchat.node.adapters.memory_files import FOLDER, MemoryFiles
from p2pchat.node.errors import FileChangedError, FileDamagedError, FileError
from p2pchat.node.ports import Files

PARTIAL = "0123.12D3KooW"


@dataclass
class Stage:
    """A `Files`, and how to put an own file there and to look at what was taken."""

    files: Files
    put: Callable[[str, bytes], str]  # name, content -> path
    taken: Callable[[], dict[str, bytes]]


def _on_disk(folder: Path) -> Stage:
    downloads = folder / "downloads"

    def put(name: str, data: bytes) -> str:
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(data)
        return str(folder / name)

    def taken() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in downloads.iterdir() if p.is_file()}

    return Stage(DiskFiles(downloads), put, taken)


def _in_memory() -> Stage:
    files = MemoryFiles()

    def put(name: str, data: bytes) -> str:
        files.put(f"/home/{name}", data)
        return f"/home/{name}"

    return Stage(files, put, lambda: files.downloads)


@pytest.fixture(params=["disk", "memory"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return _on_disk(tmp_path) if request.param == "disk" else _in_memory()


def test_an_own_file_is_described_and_read(stage: Stage) -> None:
    data = bytes(range(256)) * 10_000
    facts = stage.files.describe(stage.put("a.bin", data))
    assert (facts.name, facts.size, facts.digest) == (
        "a.bin",
        len(data),
        hashlib.sha256(data).digest(),
    )
    assert stage.files.read(facts, 1000, 2000) == data[1000:3000]
    assert stage.files.read(facts, len(data) - 3, 2000) == data[-3:]
    assert stage.files.read(facts, len(data), 10) == b""


def test_a_file_that_is_not_there_is_said_in_a_sentence(stage: Stage) -> None:
    with pytest.raises(FileError, match=r"nothing cannot be read: No such file or directory\."):
        stage.files.describe("/nowhere/nothing")


def test_a_changed_file_is_not_read(stage: Stage) -> None:
    facts = stage.files.describe(stage.put("a.bin", b"before"))
    stage.put("a.bin", b"afterwards")
    with pytest.raises(FileChangedError):
        stage.files.read(facts, 0, 100)


def test_a_partial_grows_and_is_put_into_place(stage: Stage) -> None:
    files = stage.files
    files.write(PARTIAL, 0, b"hello ", sync=False)
    files.write(PARTIAL, 6, b"world", sync=True)
    assert files.partial_size(PARTIAL) == 11
    assert list(files.partials()) == [PARTIAL]
    assert files.digest(PARTIAL, 11) == hashlib.sha256(b"hello world").digest()
    assert files.publish(PARTIAL, files.free_path("hello.txt"))
    assert stage.taken() == {"hello.txt": b"hello world"}
    assert not files.partials()


def test_parts_may_be_written_in_any_order(stage: Stage) -> None:
    stage.files.write(PARTIAL, 3, b"def", sync=True)
    stage.files.write(PARTIAL, 0, b"abc", sync=True)
    assert stage.files.digest(PARTIAL, 6) == hashlib.sha256(b"abcdef").digest()


def test_what_is_behind_the_end_is_cut_off(stage: Stage) -> None:
    stage.files.write(PARTIAL, 0, b"hello world", sync=True)
    assert stage.files.digest(PARTIAL, 5) == hashlib.sha256(b"hello").digest()
    assert stage.files.partial_size(PARTIAL) == 5


def test_a_partial_that_has_lost_something_is_damaged(stage: Stage) -> None:
    stage.files.write(PARTIAL, 0, b"hello", sync=True)
    with pytest.raises(FileDamagedError):
        stage.files.digest(PARTIAL, 6)


def test_nothing_is_overwritten(stage: Stage) -> None:
    files = stage.files
    files.write(PARTIAL, 0, b"first", sync=True)
    path = files.free_path("a.txt")
    assert files.publish(PARTIAL, path)
    files.write("other", 0, b"second", sync=True)
    assert not files.publish("other", path)
    assert files.free_path("A.TXT").endswith("A (1).TXT")
    assert stage.taken() == {"a.txt": b"first"}


def test_putting_into_place_again_after_a_crash_changes_nothing(stage: Stage) -> None:
    files = stage.files
    files.write(PARTIAL, 0, b"first", sync=True)
    path = files.free_path("a.txt")
    assert files.publish(PARTIAL, path)
    assert files.publish(PARTIAL, path)
    assert stage.taken() == {"a.txt": b"first"}


def test_a_partial_can_be_dropped_and_need_not_be_there(stage: Stage) -> None:
    stage.files.write(PARTIAL, 0, b"x", sync=False)
    stage.files.drop(PARTIAL)
    stage.files.drop(PARTIAL)
    assert stage.files.partial_size(PARTIAL) == 0
    assert not stage.files.partials()


def test_there_is_space(stage: Stage) -> None:
    assert stage.files.free_bytes() > 0


def test_memory_plays_a_full_disk() -> None:
    files = MemoryFiles(capacity=10)
    files.write(PARTIAL, 0, bytes(10), sync=True)
    with pytest.raises(FileError, match="full"):
        files.write(PARTIAL, 10, b"x", sync=True)
    assert files.free_path("a").startswith(FOLDER)
