"""Where a server's Unix socket stands: at a path of our choice, for its owner only, and never half made.

The address of a Unix socket has room for 108 bytes on Linux and 104 on macOS. A socket whose path is longer, or on a
file system that knows none, stands in a folder below the system's one for temporary files, and a symbolic link
takes its place: who connects reads the link first (`os.readlink`), because the limit is on what is written.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from p2pchat.node.errors import ConfigError

PATH_LIMIT = 100  # bytes
_ELSEWHERE = "p2pchat-"  # how the names of our folders for temporary files begin
_INSIDE = "s"
# gRPC takes a comma for the end of a path.
_UNUSABLE = (",",)


class SocketInUseError(ConfigError):
    """A living process listens there."""


@contextlib.contextmanager
def standing_at(path: Path, bind: Callable[[Path], None]) -> Iterator[None]:
    """Let `bind` make a socket, show it at `path` while the context lasts, and take it away after that.

    What a dead process left there is replaced. `bind` raises `OSError` when it cannot. Raises `SocketInUseError`, and
    `ConfigError` when there is no place for the socket.
    """
    if is_alive(path):
        raise SocketInUseError(f"Another process already listens on {path}.")
    made, mark = _put_somewhere(path, bind)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if os.lstat(path).st_ino == mark:  # not somebody else's by now
                path.unlink()
        _remove(made)


def is_alive(path: Path) -> bool:
    """Whether somebody listens there."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        try:
            probe.connect(str(target(path)))
        except OSError:  # too long a path as well: nobody can listen there
            return False
        return True


def target(path: Path) -> Path:
    """Where the socket really is."""
    return Path(os.readlink(path)) if path.is_symlink() else path


def _put_somewhere(path: Path, bind: Callable[[Path], None]) -> tuple[Path, int]:
    """Returns where the socket was made, and the inode of what is at `path` now."""
    reasons = []
    for parent, prefix in ((path.parent, f".{path.name}-"), (None, _ELSEWHERE)):
        try:
            made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)) / _INSIDE
        except OSError as error:
            reasons.append(str(error))
            continue
        try:
            return made, _put(made, path, bind)
        except OSError as error:
            reasons.append(str(error))
            _remove(made)
    raise ConfigError(
        f"Cannot make the control socket {path}: {'; '.join(reasons)}. Choose a data folder with a shorter path, "
        "or set TMPDIR to a short one."
    )


def _put(made: Path, path: Path, bind: Callable[[Path], None]) -> int:
    """Make the socket where nobody else can look, then show it. Raises `OSError`."""
    _check(made)
    bind(made)
    made.chmod(0o600)
    _clear(path)
    _show(made, path)
    return os.lstat(path).st_ino


def _check(path: Path) -> None:
    """Raises `OSError` when it cannot be the address of a Unix socket."""
    if len(os.fsencode(path)) > PATH_LIMIT:
        raise OSError(f"the path {path} has more than {PATH_LIMIT} bytes")
    if any(sign in str(path) for sign in _UNUSABLE):
        raise OSError(f"the path {path} has a comma in it")


def _show(made: Path, path: Path) -> None:
    """Put the socket, or a link to it, into its place at one stroke."""
    if made.parent.parent == path.parent:
        os.replace(made, path)
        made.parent.rmdir()
    else:
        link = path.with_name(f".{path.name}.{os.getpid()}")
        link.unlink(missing_ok=True)
        link.symlink_to(made)
        try:
            os.replace(link, path)
        finally:
            link.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Remove the folder elsewhere that a dead process has left behind."""
    left = target(path)
    if left != path and left.parent.name.startswith(_ELSEWHERE):
        _remove(left)


def _remove(made: Path) -> None:
    """The socket if it still is where it was made, and its folder."""
    with contextlib.suppress(OSError):
        made.unlink(missing_ok=True)
        made.parent.rmdir()
