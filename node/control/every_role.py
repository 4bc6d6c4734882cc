"""What nodes and mailboxes answer alike."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable

import trio

from p2pchat.node.errors import AskTimeoutError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds for a diagnosis; it waits up to 20 itself

Stop = Callable[[], None]  # begins the end of the process, and returns at once


def end_this_process() -> None:
    """As if somebody had asked from outside: whatever front end runs ends itself in order then."""
    os.kill(os.getpid(), signal.SIGTERM)


class EveryRole:
    def __init__(self, front: ActorRef, stop: Stop) -> None:
        """`front` is the actor that serves front ends: ui, or a mailbox's operator."""
        self._asked = front
        self._stop = stop
        self._someone_waits = False

    async def shutdown(self, _: control.ShutdownRequest) -> control.ShutdownResponse:
        """The server lets calls that are answered end before it stops, and this one is."""
        log.info("stopping: asked by the control API")
        self._stop()
        return control.ShutdownResponse()

    async def make_checkpoint(
        self, _: control.MakeCheckpointRequest
    ) -> control.MakeCheckpointResponse:
        """May take its time: as long as the caller waits."""
        made = await self._asked.request(actors.MakeCheckpoint(), actors.CheckpointMade)
        return control.MakeCheckpointResponse(path=made.path, stores=made.stores)

    async def diagnose(self, _: control.DiagnoseRequest) -> control.DiagnoseResponse:
        """One may wait for what is still being found out; the others are told at once what is known."""
        if self._someone_waits:
            return await self._diagnose(wait=False)
        self._someone_waits = True
        try:
            return await self._diagnose(wait=True)
        finally:
            self._someone_waits = False

    async def _diagnose(self, *, wait: bool) -> control.DiagnoseResponse:
        with trio.move_on_after(PATIENCE):
            found = await self._asked.request(actors.Diagnose(wait=wait), actors.Diagnosis)
            return control.DiagnoseResponse(diagnosis=found)
        raise AskTimeoutError(f"no answer from {self._asked.name} within {PATIENCE:g} s")
