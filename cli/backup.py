"""`p2pchat backup` and `p2pchat restore`: a whole node or mailbox in one encrypted file, and back."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from p2pchat.cli import control_client, data_folder, passphrase, settings
from p2pchat.node.errors import ConfigError, StoreInUseError

BACKUP_EXAMPLE = "For example: p2pchat backup /media/usb/p2pchat.age"
RESTORE_EXAMPLE = "For example: p2pchat restore /media/usb/p2pchat.age"
CHECKPOINT_TIMEOUT = 120.0  # seconds; some milliseconds on an ordinary disk
TWICE = "Never run this and the {role} that the backup was made of at a time: each would get a part of the mail."

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help=f"Read the passphrase from this file; or set {passphrase.VARIABLE}.",
        show_default="asked for",
    ),
]


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it.", show_default=False)
    ],
    data_dir: Annotated[
        str,
        typer.Option(
            envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
            metavar="FOLDER",
            help="Of the node or the mailbox.",
            show_default="the platform's place for user data",
        ),
    ] = "",
    passphrase_file: PassphraseFile = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over FILE.")] = False,
) -> None:
    """Write a whole node (identity, history, contacts, what is not delivered yet) or mailbox to one encrypted file.

    It may be running. Whoever has the file and the passphrase is you: choose a long one.

    The file is one of the age format, with a tar in it: docs/backup.md.
    """
    folder = settings.data_dir(data_dir)
    target = file.expanduser().absolute()
    with _tidy_on_signals():
        from p2pchat.node.backup import making

        making.check(folder, target, replace=replace)
        secret = passphrase.new_passphrase(passphrase_file)
        with _stores_of(folder) as stores:
            written = making.make(
                folder,
                stores,
                target,
                secret,
                made_at_ms=time.time_ns() // 1_000_000,
                replace=replace,
            )
    from p2pchat.cli.terminal.render import size

    typer.echo(f"Written: {target}, {size(written)}")
    _tell_of_workers(folder)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", show_default=False)],
    data_dir: Annotated[
        str,
        typer.Option(
            envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
            metavar="FOLDER",
            help="A new or an empty folder.",
            show_default="the platform's place for user data",
        ),
    ] = "",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put a backup in place, as the data folder of a node or a mailbox.

    The whole file is checked before anything is there.
    """
    folder = settings.data_dir(data_dir)
    source = file.expanduser().absolute()
    with _tidy_on_signals():
        from p2pchat.node.backup import restoring

        restoring.check_place(folder)
        restoring.check_source(source)
        found = restoring.restore(source, folder, passphrase.known_passphrase(passphrase_file))
    made_at = datetime.fromtimestamp(found.made_at_ms / 1000).astimezone()
    role = "mailbox" if found.is_mailbox else "node"
    typer.echo(f"Peer id:  {found.peer}")
    typer.echo(f"As of:    {made_at:%Y-%m-%d %H:%M:%S %z}")
    typer.echo(f"Kept in:  {folder}")
    typer.echo(f"Start it: {_how_to_start(role, folder if data_dir else None)}")
    typer.echo(f"p2pchat: {TWICE.format(role=role)}", err=True)


def _how_to_start(role: str, folder: Path | None) -> str:
    """`folder` is None where it is the platform's."""
    if folder is None:
        return f"p2pchat {role}"
    if role == "mailbox" and (number := data_folder.worker_number(folder)):
        first = shlex.quote(str(folder.parent.parent))
        return f"p2pchat mailbox --workers N --data-dir {first} (N as before: this is its worker {number})"
    return f"p2pchat {role} --data-dir {shlex.quote(str(folder))}"


@contextlib.contextmanager
def _tidy_on_signals() -> Iterator[None]:
    """Being told to stop is as Ctrl-C: what is unfinished is taken away, and the exit code says that it is."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise typer.Abort

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _stores_of(folder: Path) -> Iterator[dict[str, Path]]:
    """Where to read the stores from: themselves, or what a running node has made for this. Raises `UserError`."""
    from p2pchat.node.backup import still

    with contextlib.ExitStack() as stack:
        try:
            stores = stack.enter_context(still.held_still(folder))
        except StoreInUseError:
            stores = stack.enter_context(_checkpoint(folder))
        yield stores


@contextlib.contextmanager
def _checkpoint(folder: Path) -> Iterator[dict[str, Path]]:
    from p2pchat.node.backup import still
    from p2pchat.proto import control_pb2 as control

    with still.the_only_backup(folder):
        try:
            with control_client.node(folder) as node:
                made = node.ask(control.MakeCheckpointRequest(), CHECKPOINT_TIMEOUT)
        except control_client.NotRunningError as error:
            raise ConfigError(
                f"The store in {folder} is in use by a program that cannot be asked: stop it until the backup is made."
            ) from error
        stores = {name: Path(path) for name, path in made.stores.items()}
        try:
            if not stores:
                raise ConfigError(
                    f"What runs on {folder} is an older p2pchat: start it anew, or stop it until the backup is made."
                )
            yield stores
        finally:
            # An empty path would be the folder that the user stands in.
            for path in filter(None, {*made.stores.values(), made.path}):
                shutil.rmtree(path, ignore_errors=True)


def _tell_of_workers(folder: Path) -> None:
    """Each worker of a mailbox is a mailbox of its own: another identity, other stores, another backup."""
    for further in data_folder.further_workers(folder):
        typer.echo(
            f"p2pchat: {folder} has a further worker, which is not in this backup: "
            f"p2pchat backup FILE --data-dir {shlex.quote(str(further))}",
            err=True,
        )
