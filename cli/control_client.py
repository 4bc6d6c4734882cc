"""Talks to a running process through the control socket in its data folder.

with node(data_dir) as running:
    rooms = running.ask(control.ListRoomsRequest()).rooms
    for event in running.subscribe():
        ...
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from p2pchat.node.errors import ConfigError, P2pchatError, UserError

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message

    from p2pchat.proto import control_pb2 as control
    from p2pchat.proto import mailbox_actors_pb2 as actors
    from p2pchat.proto.actors_pb2 import Check

SOCKET_NAME = "node.sock"
SOCKET_PATIENCE = 5.0  # seconds for the socket of somebody who has a queue of callers
TIMEOUT = 15.0  # seconds for one call; actors are given 10
DIAGNOSIS_TIMEOUT = 40.0  # seconds; a node that has just started looks for 20 how it stands
READING_TIMEOUT = 600.0  # seconds; all of a file is read before it is offered
SLOW = {"DiagnoseRequest": DIAGNOSIS_TIMEOUT, "SendFileRequest": READING_TIMEOUT}
MAX_RESPONSE = 64 << 20  # bytes; 10,000 blocks with long notes have 9 MB

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_RESPONSE),
    ("grpc.enable_http_proxy", 0),
)


class NotRunningError(UserError):
    """Nothing runs on that data folder."""


class RequestRefusedError(UserError):
    """The running process has refused what was asked; the message says why."""


class ControlError(P2pchatError):
    """The running process did not answer."""


class LinkDownError(ControlError):
    """There is no running process at the moment; it is being waited for."""


def patience(request: Message) -> float:
    """Seconds that its answer may take."""
    return SLOW.get(request.DESCRIPTOR.name, TIMEOUT)


class NodeClient:
    """What proto/control.proto lets ask. Raises `RequestRefusedError` or `ControlError`."""

    def __init__(self, channel: grpc.Channel) -> None:
        from p2pchat.proto import control_pb2, control_pb2_grpc

        self._words = control_pb2
        self._stub: Any = control_pb2_grpc.NodeStub(channel)  # type: ignore[no-untyped-call]

    def ask(self, request: Message, timeout: float | None = None) -> Any:
        """The response that belongs to a request: to a `ListRoomsRequest` a `ListRoomsResponse`.

        `timeout` in seconds, None: as long as such a question may take.
        """
        timeout = patience(request) if timeout is None else timeout
        method = getattr(self._stub, request.DESCRIPTOR.name.removesuffix("Request"))
        return _call(method, request, "node", timeout)

    def subscribe(self, after: str = "", timeout: float | None = None) -> Iterator[control.Event]:
        """What happens, from now on or from behind a cursor; ends after `timeout` seconds, otherwise never.

        Asked at the first `next`, which gives the event `subscribed`. See `event_stream.follow` for a stream that
        outlives the node.
        """
        import grpc

        request = self._words.SubscribeRequest(after=after)
        call = self._stub.Subscribe(request, timeout=timeout)
        try:
            yield from call
        except grpc.RpcError as error:
            failed: Any = error
            if timeout is None or failed.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise readable(error, "node", timeout or 0.0) from error
        finally:
            call.cancel()

    def diagnose(self) -> Sequence[Check]:
        request = self._words.DiagnoseRequest()
        response: control.DiagnoseResponse = _call(
            self._stub.Diagnose, request, "node", DIAGNOSIS_TIMEOUT
        )
        return response.diagnosis.checks


class MailboxClient(NodeClient):
    """The operator's commands. Each raises `RequestRefusedError` or `ControlError`."""

    def __init__(self, channel: grpc.Channel) -> None:
        from p2pchat.proto import control_pb2_grpc

        super().__init__(channel)
        self._mailbox: Any = control_pb2_grpc.MailboxStub(channel)  # type: ignore[no-untyped-call]

    def status(self, timeout: float = TIMEOUT) -> actors.MailboxDescription:
        """`timeout` in seconds."""
        request = self._words.StatusRequest()
        response: control.StatusResponse = _call(self._mailbox.Status, request, timeout=timeout)
        return response.mailbox

    def invites(self) -> Sequence[actors.InviteDescription]:
        """Oldest first."""
        request = self._words.ListInvitesRequest()
        response: control.ListInvitesResponse = _call(self._mailbox.ListInvites, request)
        return response.invites

    def make_invite(self, uses: int, label: str) -> actors.InviteDescription:
        request = self._words.MakeInviteRequest(uses=uses, label=label)
        response: control.MakeInviteResponse = _call(self._mailbox.MakeInvite, request)
        return response.invite

    def revoke_invite(self, invite_id: str) -> None:
        _call(self._mailbox.RevokeInvite, self._words.RevokeInviteRequest(id=invite_id))

    def block(self, peer: str, note: str) -> None:
        _call(self._mailbox.Block, self._words.BlockRequest(peer=peer, note=note))

    def unblock(self, peer: str) -> None:
        _call(self._mailbox.Unblock, self._words.UnblockRequest(peer=peer))

    def blocks(self) -> Sequence[actors.BlockDescription]:
        """Oldest first."""
        request = self._words.ListBlocksRequest()
        response: control.ListBlocksResponse = _call(self._mailbox.ListBlocks, request)
        return response.blocks


@contextlib.contextmanager
def mailbox(data_dir: Path) -> Iterator[MailboxClient]:
    """The mailbox that runs on a data folder. Raises `NotRunningError` when there is none."""
    with _channel(data_dir, "mailbox") as channel:
        yield MailboxClient(channel)


@contextlib.contextmanager
def node(data_dir: Path) -> Iterator[NodeClient]:
    """What runs on a data folder, of whatever role. Raises `NotRunningError` when nothing does."""
    with _channel(data_dir, "node") as channel:
        yield NodeClient(channel)


@contextlib.contextmanager
def _channel(data_dir: Path, role: str) -> Iterator[grpc.Channel]:
    path = living_socket(data_dir, role)
    keep_grpc_quiet()
    import grpc

    # Escaped, because it is a URI.
    with grpc.insecure_channel(f"unix:{quote(str(path))}", options=CHANNEL_OPTIONS) as channel:
        yield channel


def keep_grpc_quiet() -> None:
    """gRPC's C core prints to standard error; called before the first import of grpc, it does not."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def living_socket(data_dir: Path, role: str) -> Path:
    """Looked at before gRPC is loaded, and retries. A symbolic link stands for a path that would be too long."""
    path = data_dir / SOCKET_NAME
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        try:
            place = Path(os.readlink(path)) if path.is_symlink() else path
            probe.settimeout(SOCKET_PATIENCE)
            probe.connect(str(place))
        except TimeoutError as error:
            raise ControlError(
                f"The {role} runs, but does not answer: stopped, or busy?"
            ) from error
        except PermissionError as error:
            raise ConfigError(
                f"This user may not talk to what runs on {data_dir}: only its owner may."
            ) from error
        except OSError as error:
            raise NotRunningError(f"No {role} is running on {data_dir}.") from error
    return place


def _call(method: Any, request: object, role: str = "mailbox", timeout: float = TIMEOUT) -> Any:
    import grpc

    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise readable(error, role, timeout) from error


def readable(error: Any, role: str, timeout: float) -> P2pchatError:
    """`error` is a `grpc.RpcError`, which at a client is a `grpc.Call` as well."""
    detail = error.details() or ""
    match error.code().name:
        case "INVALID_ARGUMENT" | "FAILED_PRECONDITION":
            return RequestRefusedError(detail)
        case "UNIMPLEMENTED":
            return RequestRefusedError(f"What runs there is no {role}, or one of another version.")
        case "DEADLINE_EXCEEDED":
            return ControlError(f"The {role} did not answer within {timeout:g} s.")
        case _:
            if detail.startswith("failed to connect"):  # gRPC's own words, and no others
                return ControlError(f"The {role} runs, but does not answer: stopped, or busy?")
            return ControlError(f"The {role} cannot answer: {detail}")
