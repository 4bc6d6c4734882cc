"""Where the passphrase of a backup comes from: a file, the environment, or the terminal; never the command line,
which other users of the machine can read."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

import typer

from p2pchat.node.errors import ConfigError

VARIABLE = "P2PCHAT_PASSPHRASE"
SHORTEST = 8  # characters; who has the file can try as many as he likes
MAX_BYTES = 4096
NO_TERMINAL = (
    f"There is no terminal to ask for the passphrase: use --passphrase-file, or set {VARIABLE}."
)


def new_passphrase(file: Path | None) -> bytes:
    """For something that is about to be sealed: asked twice. Raises `ConfigError`."""
    given = _given(file)
    if given is None:
        given = _typed("Passphrase for the backup: ")
        if given and _typed("The same again: ") != given:
            raise ConfigError("The two passphrases are not the same.")
    if len(given) < SHORTEST:
        raise ConfigError(f"A passphrase has at least {SHORTEST} characters.")
    return _encoded(given)


def known_passphrase(file: Path | None) -> bytes:
    """For something that is sealed already. Raises `ConfigError`."""
    given = _given(file)
    return _encoded(_typed("Passphrase of the backup: ") if given is None else given)


def _given(file: Path | None) -> str | None:
    """None when it is to be asked for. A file's last line ending is no part of it."""
    if file is None:
        return os.environ.get(VARIABLE) or None
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if file.stat().st_mode & 0o077:
            typer.echo(f"p2pchat: Others on this computer may read {file}.", err=True)
    except OSError as error:
        raise ConfigError(f"Cannot read the passphrase in {file}: {error.strerror}.") from error
    text = _decoded(data, file).removesuffix("\n").removesuffix("\r")
    if not text or "\n" in text or len(data) > MAX_BYTES:
        raise ConfigError(f"{file} must hold the passphrase on one line, and nothing else.")
    return text


def _encoded(given: str) -> bytes:
    """What the environment or a terminal gave that is not UTF-8 stays as it was."""
    return given.encode(errors="surrogateescape")


def _decoded(data: bytes, file: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not a text in UTF-8.") from error


def _typed(question: str) -> str:
    """Without an echo."""
    if not sys.stdin.isatty():
        raise ConfigError(NO_TERMINAL)
    try:
        return getpass.getpass(question, sys.stderr)
    except (EOFError, KeyboardInterrupt) as error:
        sys.stderr.write("\n")
        raise typer.Abort from error
