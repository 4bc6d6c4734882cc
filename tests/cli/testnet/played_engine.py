"""A Docker engine that is played on a Unix socket: it keeps what is done to its containers, and nothing runs."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import h11
import trio

from p2pchat.cli.testnet.docker_engine import VERSION

PROJECT = "net"
NETWORKS = {"chat": "id-of-chat", "parted": "id-of-parted"}


class PlayedContainer:
    def __init__(self, service: str, number: int, role: str) -> None:
        self.id = f"id-of-{service}-{number}"
        self.name = f"{PROJECT}-{service}-{number}"
        self.labels = {
            "com.docker.compose.project": PROJECT,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": str(number),
            "p2pchat.testnet": role,
            "p2pchat.testnet.link": f"/links/{service}",
        }
        self.running, self.paused, self.restarts, self.out_of_memory = True, False, 0, False
        self.networks = {NETWORKS["chat"]}
        self.files = {"/data/control.crt": b"certificate", "/data/control.token": b"secret\n"}
        self.unwell = 0  # times that it says so, before it is well
        self.unfrozen = 0  # times that it cannot be paused, before it can
        self.done: list[str] = []

    def described(self) -> dict[str, Any]:
        state = {
            "Running": self.running,
            "Paused": self.paused,
            "Restarting": False,
            "OOMKilled": self.out_of_memory,
            "ExitCode": 1,
        }
        attached = {network: {"NetworkID": network} for network in sorted(self.networks)}
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Config": {"Labels": self.labels},
            "State": state,
            "RestartCount": self.restarts,
            "NetworkSettings": {"Networks": attached},
        }

    def do(self, verb: str) -> None:
        self.done.append(verb)
        match verb:
            case "kill" | "stop":
                self.running = False
            case "start":
                self.running = True
            case "pause" | "unpause":
                self.paused = verb == "pause"


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


class PlayedEngine:
    def __init__(self, *containers: PlayedContainer) -> None:
        self.containers = {each.id: each for each in containers}
        self.aliases: dict[str, list[str]] = {}
        self._commands: list[bool] = []

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        path, query = urlsplit(target).path.removeprefix(f"/{VERSION}"), urlsplit(target).query
        said = json.loads(body) if body else {}
        if path == "/networks":
            project = {"com.docker.compose.project": PROJECT}
            listed = [
                {"Id": id, "Labels": {**project, "com.docker.compose.network": name}}
                for name, id in NETWORKS.items()
            ]
            return json.dumps([{"Id": "bridge", "Labels": None}, *listed]).encode()
        if path == "/containers/json":
            return json.dumps([{"Id": id} for id in self.containers]).encode()
        if found := re.fullmatch(r"/networks/([^/]+)/(connect|disconnect)", path):
            return self._network(found[1], found[2], said)
        if found := re.fullmatch(r"/exec/(\d+)/(start|json)", path):
            ended_well = self._commands[int(found[1])]
            return b"" if found[2] == "start" else json.dumps({"ExitCode": not ended_well}).encode()
        _, _, id, verb = path.split("/")
        if id not in self.containers:
            raise Refused(404, f"No such container: {id}")
        return self._container(self.containers[id], verb, parse_qs(query))

    def _network(self, network: str, verb: str, said: dict[str, Any]) -> bytes:
        container = self.containers[said["Container"]]
        if (network in container.networks) == (verb == "connect"):
            raise Refused(403, f"{verb}: it is so already")
        container.networks ^= {network}
        if verb == "connect":
            self.aliases[container.id] = said["EndpointConfig"]["Aliases"]
        return b""

    def _container(
        self, container: PlayedContainer, verb: str, query: dict[str, list[str]]
    ) -> bytes:
        match verb:
            case "json":
                return json.dumps(container.described()).encode()
            case "exec":
                is_well = container.running and not container.paused and not container.unwell
                container.unwell = max(0, container.unwell - 1)
                self._commands.append(is_well)
                return json.dumps({"Id": str(len(self._commands) - 1)}).encode()
            case "archive":
                return _packed(unquote(query["path"][0]), container.files)
            case "stats":
                used = {"usage": 5000, "stats": {"inactive_file": 1000}}
                return json.dumps({"memory_stats": used if container.running else {}}).encode()
            case "pause" if container.unfrozen:
                container.unfrozen -= 1
                raise Refused(500, "unable to freeze")
            case _:
                container.do(verb)
                return b""

    async def serve(self, stream: trio.SocketStream) -> None:
        http = h11.Connection(h11.SERVER)
        asked, body = None, b""
        async with stream:
            while not isinstance(event := http.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    http.receive_data(await _piece(stream))
                elif isinstance(event, h11.Request):
                    asked = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                else:
                    return
            assert asked is not None
            status, answer = 200, b""
            try:
                answer = self.answer(asked.method.decode(), asked.target.decode(), body)
            except Refused as refused:
                status, answer = refused.status, json.dumps({"message": refused.message}).encode()
            # Without a length: as an engine answers what runs, the end of the connection is the end.
            head = http.send(h11.Response(status_code=status, headers=[("Connection", "close")]))
            said = [head, http.send(h11.Data(answer)), http.send(h11.EndOfMessage())]
            with contextlib.suppress(trio.BrokenResourceError):  # who asked does not wait any more
                await stream.send_all(b"".join(part or b"" for part in said))


async def _piece(stream: trio.SocketStream) -> bytes:
    """Empty at the end, whatever the end was like."""
    try:
        return bytes(await stream.receive_some(65536))
    except trio.BrokenResourceError:
        return b""


def _packed(path: str, files: dict[str, bytes]) -> bytes:
    if path not in files:
        raise Refused(404, f"Could not find the file {path}")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(path.rpartition("/")[2])
        entry.size = len(files[path])
        archive.addfile(entry, io.BytesIO(files[path]))
    return packed.getvalue()


@contextlib.asynccontextmanager
async def playing(folder: Path, engine: PlayedEngine) -> AsyncIterator[Path]:
    """The path of its socket."""
    path = folder / "docker.sock"
    with trio.socket.socket(trio.socket.AF_UNIX) as listening:
        await listening.bind(str(path))
        listening.listen()
        async with trio.open_nursery() as nursery:
            listener = trio.SocketListener(listening)
            nursery.start_soon(trio.serve_listeners, engine.serve, [listener])
            yield path
            nursery.cancel_scope.cancel()
