"""`p2pchat import`: what `p2pchat export` has written, into a running node."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from p2pchat.cli import running_node
from p2pchat.node.errors import ConfigError, P2pchatError

if TYPE_CHECKING:
    from p2pchat.cli.importer import Importer

EXAMPLE = "For example: p2pchat import history.jsonl"


def run(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="- is standard input.", show_default=False)
    ],
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> int:
    """Put into this node what p2pchat export has written: contacts, rooms and messages.

    Once more changes nothing. Nothing is sent again. The name of this node stays.

    Exit code 0: all of it is there. 1: something was refused, or the file is damaged.
    """
    with _opened(file) as lines, running_node.asking(context, data_dir) as node:
        from p2pchat.cli.importer import Importer

        importer = Importer(node)
        try:
            _import(importer, lines, file)
        finally:
            _tell_problems(importer)
    if json:
        running_node.show_json({**importer.counts, "problems": importer.problems})
    else:
        running_node.say(_summary(importer.counts))
    return running_node.NOT_REACHED if importer.counts["refused"] else 0


def _opened(file: str) -> BinaryIO:
    """Raises `ConfigError`."""
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).expanduser().open("rb")
    except OSError as error:
        raise ConfigError(f"Cannot read {file}: {error.strerror}.") from error


def _import(importer: Importer, lines: BinaryIO, file: str) -> None:
    """Raises `P2pchatError` for a damaged file; what stood before the damage is in then."""
    from p2pchat.cli.export_format import FormatError, entries

    try:
        for number, entry in entries(lines):
            importer.take(number, entry)
        importer.flush()
    except (FormatError, KeyboardInterrupt) as error:
        importer.flush()
        why = f"{file}: {error}" if isinstance(error, FormatError) else "Stopped."
        raise P2pchatError(f"{why} Up to there: {_summary(importer.counts)}") from error


def _tell_problems(importer: Importer) -> None:
    for problem in importer.problems:
        running_node.remark(problem)
    if importer.untold:
        running_node.remark(f"{importer.untold:,} more refused.")


def _summary(counts: Counter[str]) -> str:
    from p2pchat.cli.terminal.render import count

    refused = f", {counts['refused']:,} refused" if counts["refused"] else ""
    were = "was" if counts["known"] == 1 else "were"
    changes = "message or change" if counts["imported"] == 1 else "messages and changes"
    return (
        f"{counts['imported']:,} {changes} imported, {counts['known']:,} {were} there already{refused}; "
        f"{count(counts['contacts'], 'contact')}, {count(counts['rooms'], 'room')}."
    )
