"""Twenty nodes that know one address: how long until everybody has found everybody, and what that costs at rest."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.crowd import Stranger, crowd

SIZE, QUICK_SIZE = 20, 6
SETTLE = 45.0  # seconds until everything that begins with a start is over
REST, QUICK_REST = 60.0, 10.0  # seconds

Row = dict[str, Any]


def main(quick: bool) -> dict[str, Any]:
    rows: list[Row] = []
    for by_mailbox in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            rows += _measure(Path(folder), quick, by_mailbox)
    return {"name": f"crowd of {QUICK_SIZE if quick else SIZE}", "rows": rows}


def _measure(folder: Path, quick: bool, by_mailbox: bool) -> list[Row]:
    size = QUICK_SIZE if quick else SIZE
    know = "they know a mailbox" if by_mailbox else "they know one of them"
    with crowd(folder, size, by_mailbox=by_mailbox) as (people, began):
        found = _all_found([stranger.hear("found") for stranger in people], began)
        time.sleep(1 if quick else SETTLE)
        shares = _at_rest(people, QUICK_REST if quick else REST)
        for stranger in people:
            stranger.say("report")
        reports = [stranger.hear("report") for stranger in people]
    return [
        _row(f"{know}: everybody lists everybody, last one", max(found), "s"),
        _row(f"{know}: the same, median", statistics.median(found), "s"),
        _row(f"{know}: processor at rest, median", statistics.median(shares), "% of a core"),
        _row(f"{know}: processor at rest, most", max(shares), "% of a core"),
        _row(f"{know}: connections, median", _median(reports, "connections"), ""),
        _row(f"{know}: connections, most", max(r["connections"] for r in reports), ""),
        _row(f"{know}: RSS, median", _median(reports, "rss") / 2**20, "MiB"),
    ]


def _all_found(times: list[float | None], began: float) -> list[float]:
    missing = times.count(None)
    if missing:
        raise RuntimeError(f"{missing} of {len(times)} nodes did not find everybody")
    return [max(0.0, at - began) for at in times if at is not None]


def _at_rest(people: list[Stranger], seconds: float) -> list[float]:
    for stranger in people:
        stranger.say(f"rest {seconds}")
    return [100 * float(stranger.hear("cpu_s")) / seconds for stranger in people]


def _median(reports: list[dict[str, int]], name: str) -> float:
    return float(statistics.median(report[name] for report in reports))


def _row(what: str, value: float, unit: str) -> Row:
    return {"what": what, "value": value, "unit": unit}
