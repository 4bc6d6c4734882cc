"""What the commands on a running node have in common: which node, how they fail, and how they show what it answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from p2pchat.cli import control_client, options, settings
from p2pchat.cli.advice import in_commands
from p2pchat.cli.control_client import NodeClient, RequestRefusedError
from p2pchat.node.errors import P2pchatError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from p2pchat.cli.terminal.lines import Line
    from p2pchat.proto import control_pb2 as control

DataDir = Annotated[
    str,
    typer.Option(
        envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
        metavar="FOLDER",
        help="Of the node that is running.",
        show_default="the platform's place for user data",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs; see docs/scripting.md.")]

NOT_REACHED = 1  # exit code when the node was asked, and what was wanted has not come about


class FailedError(P2pchatError):
    """The node has refused, with its reason; exit code 1, where wrong use is 2."""


@contextlib.contextmanager
def asking(context: typer.Context, data_dir: str) -> Iterator[NodeClient]:
    """The node that runs on the folder. Raises `NotRunningError`, `FailedError`, `ControlError`."""
    with (
        failing(),
        control_client.node(settings.data_dir(chosen(context, "data_dir", data_dir))) as node,
    ):
        yield node


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """What the node refuses ends the command with exit code 1."""
    try:
        yield
    except RequestRefusedError as error:
        raise FailedError(in_commands(str(error))) from error


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """What was asked for is under way: Ctrl-C, or a node that goes away, only ends the wait for it."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    except control_client.ControlError as error:
        remark(str(error))


def chosen(context: typer.Context, name: str, value: Any) -> Any:
    """`p2pchat contacts --json add X` means the same as `p2pchat contacts add X --json`; the last one counts."""
    before = context.parent.params.get(name) if context.parent is not None else None
    return value if options.source_of(context, name) == "COMMANDLINE" or not before else before


def conversation_with(node: NodeClient, who: str) -> control.Conversation:
    """Raises `RequestRefusedError` when nobody or several are called so."""
    from p2pchat.proto import control_pb2 as control

    return control.Conversation(peer=node.ask(control.ResolvePeerRequest(who=who)).peer)


# ---- showing --------------------------------------------------------------------------------------------


def answer(context: typer.Context, data_dir: str, request: Message, *, json: bool) -> Any:
    """The response of the node that runs on the folder; None when it has been shown as JSON."""
    with asking(context, data_dir) as node:
        found = node.ask(request)
    if not as_json(context, json):
        return found
    show_json(found)
    return None


def as_json(context: typer.Context, json: bool) -> bool:
    return bool(chosen(context, "json", json))


def show_json(found: Message | Mapping[str, object]) -> None:
    """One object, for people to read as well."""
    typer.echo(_as_text(found, indent=2))


def show_json_line(found: Message | Mapping[str, object]) -> None:
    """One line of a stream, written at once."""
    typer.echo(_as_text(found))
    sys.stdout.flush()


def _as_text(found: Message | Mapping[str, object], indent: int | None = None) -> str:
    import json

    return json.dumps(_data(found), indent=indent, ensure_ascii=not speaks_utf_8())


def speaks_utf_8() -> bool:
    """Whether standard output takes every character; elsewhere JSON has escapes for them."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _data(found: Message | Mapping[str, object]) -> Mapping[str, object]:
    if isinstance(found, Mapping):
        return found
    from p2pchat.cli.json_output import control_data

    return control_data(found)


def show_lines(lines: Iterable[Line]) -> None:
    """Coloured and wrapped in a terminal, plain elsewhere."""
    from p2pchat.cli.terminal.lines import Painter

    is_terminal = sys.stdout.isatty()
    color = is_terminal and "NO_COLOR" not in os.environ
    typer.echo(Painter(color=color, width=terminal_width()).paint(lines), nl=False)
    sys.stdout.flush()


def terminal_width() -> int:
    """Columns; 0 where nothing is to be made to fit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def say(text: str) -> None:
    """A line for people."""
    from p2pchat.cli.terminal.safe_text import safe_line

    typer.echo(safe_line(text))


def remark(text: str) -> None:
    """Beside the answer, so that programs can read that."""
    from p2pchat.cli.terminal.safe_text import safe_line

    typer.echo(f"p2pchat: {safe_line(text)}", err=True)
