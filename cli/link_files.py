"""Links in files: a mailbox leaves its own in one, and `@FILE` in place of a link reads it.

So a whole network can be described before there is a peer id in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from p2pchat.cli import options
from p2pchat.node.errors import ConfigError

MARK = "@"
MAX_SIZE = 64 << 10  # bytes of a file with links; a link has less than one KiB
LINK_LINE = "Link: "  # what the line begins with in which a mailbox says its own


def several(context: typer.Context, option: str, values: list[str] | None) -> tuple[str, ...]:
    """As `options.several`, for an option that takes links. Raises `ConfigError`."""
    is_variable = options.source_of(context, option) == "ENVIRONMENT"
    called = f"P2PCHAT_{option.upper()}" if is_variable else f"--{option}"
    return expanded(options.several(context, option, values), called)


def expanded(values: Iterable[str], called: str) -> tuple[str, ...]:
    """The values, and for each `@FILE` its lines; empty ones and those with `#` in front are passed over.

    `called`: what the user knows the option by. Raises `ConfigError`.
    """
    found: list[str] = []
    for value in values:
        found += _lines(value[len(MARK) :], called) if value.startswith(MARK) else [value]
    return tuple(found)


def _lines(path: str, called: str) -> list[str]:
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            text = file.read(MAX_SIZE)
    except OSError as error:
        raise ConfigError(f"{called}: cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{called}: {path} is no text in UTF-8.") from error
    lines = [line.strip() for line in text.splitlines()]
    links = [line for line in lines if line and not line.startswith("#")]
    if not links:
        raise ConfigError(f"{called}: there is no link in {path}.")
    return links


def leave(path: str, first_lines: Sequence[str]) -> None:
    """The link among the first lines of a mailbox, for whoever may read the file: its owner. Raises `ConfigError`.

    Without one, because no invite has uses left, the file stays as it is.
    """
    link = next((line for line in first_lines if line.startswith(LINK_LINE)), "")
    if not path or not link:
        return
    place = Path(path).expanduser()
    unfinished = place.with_name(f".{place.name}.new")
    try:
        # Replaced as a whole: nobody reads half a link.
        unfinished.unlink(missing_ok=True)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{link.removeprefix(LINK_LINE)}\n")
        unfinished.replace(place)
    except OSError as error:
        raise ConfigError(f"Cannot write the link to {path}: {error.strerror}.") from error
