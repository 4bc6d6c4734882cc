"""What every role answers to other processes on the control socket: `p2pchat.control.v1.Node`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import trio

from p2pchat.node.adapters.grpc_server import Service, serving
from p2pchat.node.errors import AskTimeoutError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

SERVICE = control.DESCRIPTOR.services_by_name["Node"]
PATIENCE = 30.0  # seconds for a diagnosis; it waits up to 20 itself


def serve(path: Path, front: ActorRef) -> AbstractAsyncContextManager[None]:
    """On a socket at `path`, while the context lasts. Raises `ConfigError` when there can be none."""
    return serving(path, [service(front)])


def service(front: ActorRef) -> Service:
    return Service(SERVICE, NodeControl(front))


class NodeControl:
    """Asks the actor that serves front ends. Each method raises what `ActorRef.ask` raises."""

    def __init__(self, front: ActorRef) -> None:
        self._front = front
        self._someone_waits = False

    async def diagnose(self, _: control.DiagnoseRequest) -> control.DiagnoseResponse:
        """One may wait for what is still being found out. The others are told at once what is known: waiting they
        would occupy every thread of the server, and nobody could operate a mailbox meanwhile."""
        if self._someone_waits:
            return await self._diagnose(wait=False)
        self._someone_waits = True
        try:
            return await self._diagnose(wait=True)
        finally:
            self._someone_waits = False

    async def _diagnose(self, *, wait: bool) -> control.DiagnoseResponse:
        with trio.move_on_after(PATIENCE):
            found = await self._front.request(actors.Diagnose(wait=wait), actors.Diagnosis)
            return control.DiagnoseResponse(diagnosis=found)
        raise AskTimeoutError(f"no answer from {self._front.name} within {PATIENCE:g} s")
