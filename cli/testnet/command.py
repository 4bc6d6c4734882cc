"""`p2pchat testnet`: its options, its folders, and what it says at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from p2pchat.cli import service
from p2pchat.cli.testnet import harm
from p2pchat.node.errors import ConfigError

if TYPE_CHECKING:  # trio and gRPC take their time to load
    from p2pchat.cli.testnet.session import Opening
    from p2pchat.cli.testnet.settings import Settings

EXIT_BAD = 1
LONGEST_FOLDER = 60  # bytes


def run(
    nodes: Annotated[int, typer.Option(metavar="N", help="How many people.")] = 4,
    mailboxes: Annotated[int, typer.Option(metavar="N", help="How many mailboxes.")] = 1,
    seconds: Annotated[
        float, typer.Option(metavar="N", help="How many seconds they write.")
    ] = 60.0,
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same number makes the same plan.")
    ] = 1,
    faults: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="all, none, or several with commas: kill, stop, restart, full-disk, slow-disk, clock-skew; in "
            "containers kill, stop, restart, disconnect, partition.",
        ),
    ] = "all",
    rate: Annotated[
        float, typer.Option(metavar="N", help="Messages a second, of all together.")
    ] = 5.0,
    settle: Annotated[
        float,
        typer.Option(
            metavar="N", help="Seconds that may pass afterwards until everything has arrived."
        ),
    ] = 180.0,
    docker: Annotated[
        str,
        typer.Option(
            metavar="PROJECT",
            help="Instead of processes: the members of this compose project, from inside it; see compose.yml.",
        ),
    ] = "",
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where report.json and report.html go.",
            show_default="a new one, which is named at the end",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everybody's data and logs, and say where.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The verdict on standard output, as JSON.")
    ] = False,
) -> int:
    """Run a whole network on this computer, do it harm, and see whether a message is lost.

    Exit code 0: nothing that was receipted is lost, and nothing came twice; 1: something is, or the run was stopped.
    """
    with service.ending_on_signals():
        from p2pchat.cli.testnet import settings

        wanted = settings.Settings(
            nodes, mailboxes, seconds, seed, rate, faults, settings.kinds(faults), docker, settle
        )
        _check(wanted)  # before anything is made
        with _folders(report, keep) as (data, reports):
            return _perform(_opening(wanted, data, keep=keep), wanted, reports, as_json=as_json)


def _check(wanted: Settings) -> None:
    """Raises `ConfigError`, or `PlaceError`, when the place plainly cannot be had."""
    from p2pchat.cli.testnet import settings

    if wanted.docker:
        from p2pchat.cli.testnet import docker_place

        docker_place.check_engine()
    else:
        from p2pchat.cli.testnet import local_place

        settings.chosen(wanted.kinds, *local_place.possible())


def _opening(wanted: Settings, data: Path, *, keep: bool) -> Opening:
    if wanted.docker:
        from p2pchat.cli.testnet import docker_place

        return partial(docker_place.open_place, wanted.docker)
    from p2pchat.cli.testnet import local_place

    return partial(local_place.open_place, data, wanted.nodes, wanted.mailboxes, keep=keep)


@contextlib.contextmanager
def _folders(given: Path | None, keep: bool) -> Iterator[tuple[Path, Path]]:
    """For data and for the report. Raises `ConfigError`."""
    try:
        if given is not None:
            given.mkdir(parents=True, exist_ok=True)
        reports = given or Path(tempfile.mkdtemp(prefix="p2pchat-testnet-report-"))
        data = Path(tempfile.mkdtemp(prefix="p2pchat-net-", dir=_short_folder()))
    except OSError as error:
        raise ConfigError(f"Cannot make a folder: {error}.") from error
    try:
        yield data, reports
    finally:
        if keep:
            print(f"Data and logs: {data}", file=sys.stderr)
        else:
            shutil.rmtree(data, ignore_errors=True)


def _short_folder() -> str:
    """Where sockets are: a program connects to a path of at most 103 bytes, and below it there are 40 more."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= LONGEST_FOLDER else "/tmp"


def _perform(opening: Opening, wanted: Settings, reports: Path, *, as_json: bool) -> int:
    from p2pchat.cli.testnet import session

    written = session.run(opening, wanted, reports)
    _say(written, reports, as_json=as_json)
    verdict = written["verdict"]
    return 0 if verdict is not None and verdict["good"] else EXIT_BAD


def _say(written: dict[str, Any], reports: Path, *, as_json: bool) -> None:
    if as_json:
        service.say([json.dumps(written["verdict"])])
    else:
        service.say([*_lines(written)])
    print(f"Report: {reports / 'report.html'}", file=sys.stderr)


def _lines(written: dict[str, Any]) -> Iterator[str]:
    verdict = written["verdict"]
    if verdict is None:
        yield written["problem"]
        return
    yield f"{'Good' if verdict['good'] else 'Bad'}: {verdict['sentence']}"
    yield f"{'faults done':>12}: {harm.line(verdict)}"
    for name, value in verdict.items():
        if isinstance(value, int) and name != "good":
            yield f"{name.replace('_', ' '):>12} {value}"
    for reason, count in verdict["refusals"].items():
        yield f"refused ({count}): {reason}"
    for finding in verdict["findings"]:
        yield f"message {finding['number']} of {finding['sender']} at {finding['where']}: {finding['problem']}"
