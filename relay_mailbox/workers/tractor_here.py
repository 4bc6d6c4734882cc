"""tractor 0.1.0a5 on the trio that libp2p wants: the one module that imports it, and what it takes to.

That release is of 2022. Its modules get a stand-in for the name `trio`, with what trio has lost or changed since; trio
itself stays as it is, so that nothing else in the process sees any of this. Besides, two of its habits are ended:
it lets in whoever connects, and a connection that breaks the rules ends the whole program.
"""

from __future__ import annotations

import contextlib
import logging
import pdb
import runpy
import sys
import types
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from p2pchat.relay_mailbox.workers.admission import Admission, NotAdmittedError

log = logging.getLogger(__name__)


def _load() -> Any:
    """tractor wants a debugger that takes Python's own over, and a name that trio has given up."""
    debugger = types.ModuleType("pdbpp")
    debugger.__dict__.update(DefaultConfig=object, Pdb=pdb.Pdb)
    sys.modules.setdefault("pdbpp", debugger)
    trio.MultiError = BaseExceptionGroup  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tractor
            import tractor._spawn
    finally:
        del trio.MultiError  # type: ignore[attr-defined]
    return tractor


tractor = _load()
_admission: Admission | None = None
_open_process: Callable[[list[str]], Awaitable[Any]] | None = None


def prepare(
    secret: bytes, open_process: Callable[[list[str]], Awaitable[Any]] | None = None
) -> None:
    """Before anything else: of this process, the secret, and in a supervisor how processes are started."""
    global _admission, _open_process
    _admission, _open_process = Admission(secret), open_process


def run_child() -> None:
    """Be a child of tractor's, with the arguments that this process was given."""
    runpy.run_module("tractor._child", run_name="__main__", alter_sys=True)


# ---- the stand-in ---------------------------------------------------------------------------------------


class _StandIn(types.ModuleType):
    """A module with some names changed."""

    def __init__(self, behind: types.ModuleType, **changed: object) -> None:
        super().__init__(behind.__name__)
        self.__dict__.update(changed, _behind=behind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


class _Event:
    """tractor asks whether there is an event by `if event:`, which trio's own refuses."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event, name)


def _open_nursery() -> Any:
    """With a single error as it is, and not in a group."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return trio.open_nursery(strict_exception_groups=False)


async def _start(command: list[str]) -> Any:
    assert _open_process is not None
    return await _open_process(command)


async def _connect(host: str, port: int) -> trio.SocketStream:
    assert _admission is not None
    stream = await trio.open_tcp_stream(host, port)
    try:
        await _admission.enter(stream, _address(stream.socket.getpeername()))
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


def _address(found: tuple[str, int]) -> str:
    return f"{found[0]}:{found[1]}"


class _AnyProcess:
    """In place of `trio.Process`, of which tractor takes a method without an object."""

    @staticmethod
    async def wait(process: Any) -> None:
        await process.wait()


async def _end(process: Any, terminate_after: int = 3) -> None:
    """Whoever started it sees to it that it ends in order before; here nothing is left to be done in order."""
    process.kill()
    await process.wait()


def _is_cancelled_only(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)[1] is None
    return isinstance(error, trio.Cancelled)


# ---- its habits -----------------------------------------------------------------------------------------

_serve = tractor._actor.Actor._stream_handler


async def _serve_admitted(actor: Any, stream: trio.SocketStream) -> None:
    assert _admission is not None
    try:
        await _admission.admit(stream, _address(stream.socket.getsockname()))
        await _serve(actor, stream)
    except NotAdmittedError as error:
        log.warning("somebody who may not connect to the supervisor was sent away: %s", error)
    except Exception:
        log.warning("a connection between supervisor and worker has broken", exc_info=True)
    finally:
        with contextlib.suppress(Exception):
            await trio.aclose_forcefully(stream)


def _mend() -> None:
    """In every module of tractor."""
    lowlevel = _StandIn(trio.lowlevel, open_process=_start)
    ours = _StandIn(
        trio,
        MultiError=BaseExceptionGroup,
        Event=_Event,
        Process=_AnyProcess,
        open_nursery=_open_nursery,
        open_tcp_stream=_connect,
        lowlevel=lowlevel,
    )
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "tractor":
            if getattr(module, "trio", None) is trio:
                module.trio = ours  # type: ignore[attr-defined]
            if hasattr(module, "is_multi_cancelled"):
                module.is_multi_cancelled = _is_cancelled_only  # type: ignore[attr-defined]
    tractor._spawn.do_hard_kill = _end
    tractor._actor.Actor._stream_handler = _serve_admitted
    # A child would load the program that started its parent once more: the command line, or a test runner.
    tractor._mp_fixup_main._mp_figure_out_main = dict


_mend()
