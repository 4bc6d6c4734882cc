"""Where the control socket stands: real sockets in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters import unix_socket
from p2pchat.node.adapters.unix_socket import PATH_LIMIT, SocketInUseError, is_alive, standing_at
from p2pchat.node.errors import ConfigError


class Listener:
    """Binds and listens, as a server does."""

    def __init__(self) -> None:
        self.places: list[Path] = []
        self._sockets: list[socket.socket] = []

    def __call__(self, place: Path) -> None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sockets.append(made)
        made.bind(str(place))
        made.listen()
        self.places.append(place)

    def close(self) -> None:
        for each in self._sockets:
            each.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with contextlib.closing(Listener()) as made:
        yield made


@pytest.fixture
def folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """With a short path; what stands elsewhere stands in `elsewhere` beside it."""
    tmp_path_factory.getbasetemp()  # chosen before the place for temporary files is another
    with tempfile.TemporaryDirectory(prefix="p2pchat-test-") as path:
        data = Path(path) / "data"
        data.mkdir(mode=0o755)
        (Path(path) / "elsewhere").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(Path(path) / "elsewhere"))
        yield data


def elsewhere(folder: Path) -> list[Path]:
    return sorted((folder.parent / "elsewhere").rglob("*"))


def long_folder(folder: Path) -> Path:
    made = folder / ("long" * 30)
    made.mkdir()
    return made


def test_stands_there_for_its_owner_only(folder: Path, listener: Listener) -> None:
    path = folder / "node.sock"
    with standing_at(path, listener):
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert is_alive(path)
        assert os.listdir(folder) == ["node.sock"]
    assert os.listdir(folder) == []


def test_nobody_can_look_where_it_is_made(folder: Path) -> None:
    """The folder of the data may be open to others: the socket is not, not even for a moment."""
    modes = []

    def bind(place: Path) -> None:
        modes.append(stat.S_IMODE(place.parent.stat().st_mode))
        place.touch()

    with standing_at(folder / "node.sock", bind):
        assert modes == [0o700]


def test_what_a_dead_process_left_is_replaced(folder: Path, listener: Listener) -> None:
    path = folder / "node.sock"
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(path))
    dead.close()
    assert not is_alive(path)
    with standing_at(path, listener):
        assert is_alive(path)


def test_a_living_process_is_left_alone(folder: Path, listener: Listener) -> None:
    path = folder / "node.sock"
    with standing_at(path, listener):
        with pytest.raises(SocketInUseError, match="already listens"), standing_at(path, listener):
            pass
        assert is_alive(path)


def test_what_another_one_has_put_there_stays(folder: Path, listener: Listener) -> None:
    path = folder / "node.sock"
    with standing_at(path, listener):
        path.rename(folder / "moved")  # keeps its inode from being given to the next
        path.touch()
    assert path.exists()


@pytest.mark.parametrize("name", ["long" * 30, "a,b"])
def test_where_it_cannot_stand_a_link_stands(folder: Path, listener: Listener, name: str) -> None:
    path = folder / name / "node.sock"
    path.parent.mkdir()
    with standing_at(path, listener):
        assert path.is_symlink()
        assert is_alive(path)
        place = path.resolve()
        assert len(os.fsencode(place)) <= PATH_LIMIT
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == []
    assert elsewhere(folder) == []


def test_a_dead_link_is_replaced_and_its_place_cleared(folder: Path, listener: Listener) -> None:
    path = long_folder(folder) / "node.sock"
    left = folder.parent / "elsewhere" / "p2pchat-dead" / "s"
    left.parent.mkdir()
    left.touch()
    path.symlink_to(left)
    with standing_at(path, listener):
        assert is_alive(path)
        assert not left.parent.exists()


def test_a_link_that_is_not_ours_costs_nothing_but_itself(
    folder: Path, listener: Listener, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    path = folder / "node.sock"
    path.symlink_to(precious)
    with standing_at(path, listener):
        assert is_alive(path)
    assert precious.exists()


def test_a_file_system_without_sockets(folder: Path, listener: Listener) -> None:
    def bind(place: Path) -> None:
        if folder in place.parents:
            raise OSError("not here")
        listener(place)

    path = folder / "node.sock"
    with standing_at(path, bind):
        assert path.is_symlink()
        assert is_alive(path)


def test_no_place_at_all(folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix_socket, "PATH_LIMIT", 8)
    with (
        pytest.raises(ConfigError, match="shorter path"),
        standing_at(folder / "node.sock", listener),
    ):
        pass
    assert os.listdir(folder) == []
    assert elsewhere(folder) == []


def test_something_else_in_its_place(folder: Path, listener: Listener) -> None:
    path = folder / "node.sock"
    path.mkdir()
    with pytest.raises(ConfigError, match="Cannot make"), standing_at(path, listener):
        pass
    assert os.listdir(folder) == ["node.sock"]
