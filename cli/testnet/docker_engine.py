"""A Docker engine's own interface, HTTP on its Unix socket, as far as a test network needs it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import h11
import trio

from p2pchat.cli.testnet.ports import PlaceError

VERSION = "v1.41"  # of Docker 20.10; newer engines answer it as well
PIECE = 64 << 10  # bytes read at a time
MOST = 16 << 20  # bytes of one answer
PATIENCE = 60.0  # seconds for one answer; a container may take its time to stop


@dataclass(frozen=True, slots=True)
class Engine:
    """Every method raises `PlaceError` when the engine refuses, or is not there."""

    socket: Path

    async def ask(self, method: str, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """What it answers, from JSON; None for nothing."""
        answer = await self._exchange(method, _target(path, query), None)
        return json.loads(answer) if answer else None

    async def tell(self, path: str, what: Mapping[str, Any]) -> Any:
        """As `ask`, with something to say."""
        answer = await self._exchange("POST", _target(path, None), json.dumps(what).encode())
        return json.loads(answer) if answer else None

    async def containers(self, *labels: str) -> list[Any]:
        """Those with all these labels, running or not."""
        query = {"all": "true", "filters": json.dumps({"label": labels})}
        return list(await self.ask("GET", "/containers/json", query))

    async def file(self, container: str, path: str) -> bytes:
        """What is in a file of a container."""
        target = _target(f"/containers/{container}/archive", {"path": path})
        packed = await self._exchange("GET", target, None)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for entry in archive:
                if (content := archive.extractfile(entry)) is not None:
                    return content.read()
        raise PlaceError(f"{path} is no file in the container {container}.")

    async def succeeds(self, container: str, *command: str) -> bool:
        """Whether a command that is run in a container ends with exit code 0."""
        made = await self.tell(
            f"/containers/{container}/exec", {"Cmd": command, "AttachStdout": True}
        )
        # Its output ends when it does.
        start = json.dumps({"Detach": False, "Tty": False}).encode()
        await self._exchange("POST", _target(f"/exec/{made['Id']}/start", None), start)
        found = await self.ask("GET", f"/exec/{made['Id']}/json")
        return bool(found["ExitCode"] == 0)

    async def _exchange(self, method: str, target: str, body: bytes | None) -> bytes:
        try:
            with trio.fail_after(PATIENCE):
                stream = await trio.open_unix_socket(str(self.socket))
                async with stream:
                    status, answer = await _speak(stream, method, target, body)
        except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError) as error:
            raise PlaceError(f"No Docker engine answers on {self.socket}: {error}.") from error
        except trio.TooSlowError as error:
            raise PlaceError(f"The Docker engine took too long for {method} {target}.") from error
        if status >= 400:
            raise PlaceError(f"The Docker engine refuses {method} {target}: {_reason(answer)}")
        return answer


def _target(path: str, query: Mapping[str, Any] | None) -> str:
    asked = f"?{urlencode(query)}" if query else ""
    return f"/{VERSION}{quote(path)}{asked}"


def _reason(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return answer.decode(errors="replace")


async def _speak(
    stream: trio.SocketStream, method: str, target: str, body: bytes | None
) -> tuple[int, bytes]:
    """One question and its answer, on a connection of their own."""
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", "docker"), ("Connection", "close")]
    if body is not None:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    question = h11.Request(method=method, target=target, headers=headers)
    said = [http.send(question), http.send(h11.Data(body or b"")), http.send(h11.EndOfMessage())]
    await stream.send_all(b"".join(part or b"" for part in said))
    return await _listen(stream, http)


async def _listen(stream: trio.SocketStream, http: h11.Connection) -> tuple[int, bytes]:
    status, answer = 0, bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await stream.receive_some(PIECE))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            answer += event.data
            if len(answer) > MOST:
                raise PlaceError(f"The Docker engine says more than {MOST:,} bytes at once.")
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return status, bytes(answer)
