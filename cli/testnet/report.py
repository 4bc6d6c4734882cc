"""The report of a run as one JSON object: docs/testnet.md explains its fields. Nothing in it names a machine."""

from __future__ import annotations

import heapq
import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import psutil

from p2pchat.cli.testnet import figures, harm
from p2pchat.cli.testnet.run import Done, Run
from p2pchat.cli.testnet.samples import Sample
from p2pchat.node.version import program_version

FORMAT = 1  # of the report; changes when a field changes its meaning
SLOWEST = 10  # copies that are named
SERIES = ("memory", "descriptors", "tasks")


def report(run: Run, started: datetime, problem: str) -> dict[str, Any]:
    """`problem`: why the run has not come to its verdict, as a sentence; empty: it has."""
    settings = run.settings
    return {
        "format": FORMAT,
        "program": program_version(),
        "command": settings.command(),
        "started": started.astimezone(UTC).isoformat(timespec="seconds"),
        "seconds": settings.seconds,
        "seed": settings.seed,
        "rate": settings.rate,
        "faults_possible": sorted(run.kinds),
        "faults_left_out": list(run.place.left_out),
        "problem": problem,
        "verdict": _verdict(run),
        "counts": run.ledger.counts(),
        "refusals": run.ledger.refusals(),
        "missing": run.ledger.missing(),
        "settled_after": _number(run.settled_after),
        "latency": _latencies(run),
        "slowest": _slowest(run),
        "over_time": _over_time(run),
        "faults": [_fault(done) for done in run.faults],
        "ended_unasked": list(run.place.ended_unasked()),
        "warm_up": figures.warm_up(settings.seconds),
        "members": [
            {
                "name": member.name,
                "role": str(member.role),
                **_growth(run.samples.of[member.name], settings.seconds),
            }
            for member in run.place.members
        ],
        "host": host(),
    }


def _verdict(run: Run) -> dict[str, Any] | None:
    if run.verdict is None:
        return None
    done = [each.fault.kind for each in run.faults if not math.isnan(each.began)]
    asked = run.settings.kinds != frozenset()
    return harm.told(run.verdict.as_json(), asked=asked, kinds=run.kinds, done=done)


def host() -> dict[str, Any]:
    """What figures depend on."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
    }


def _latencies(run: Run) -> dict[str, Any]:
    """In seconds, by way."""
    found: dict[str, list[float]] = {"direct": [], "room": []}
    for copy in run.ledger.arrivals():
        found["room" if copy.is_room else "direct"].append(copy.latency)
    return {way: _percentiles(sorted(values)) for way, values in found.items()}


def _percentiles(values: Sequence[float]) -> dict[str, Any]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
    found = {name: _number(figures.percentile(values, share)) for name, share in shares.items()}
    return {"count": len(values), **found}


def _over_time(run: Run) -> list[dict[str, Any]]:
    length = figures.bucket_length(run.settings.seconds)
    copies = ((copy.at, copy.latency) for copy in run.ledger.arrivals())
    return [_numbers(asdict(bucket)) for bucket in figures.over_time(copies, length)]


def _slowest(run: Run) -> list[dict[str, Any]]:
    """For those who want to know what held them up."""
    found = heapq.nlargest(SLOWEST, run.ledger.arrivals(), key=lambda copy: copy.latency)
    return [
        {
            "number": copy.number,
            "sender": run.ledger.name(copy.sender),
            "at": run.ledger.name(copy.node),
            "room": copy.is_room,
            "sent_at": round(copy.sent_at, 3),
            "latency": round(copy.latency, 3),
        }
        for copy in found
    ]


def _fault(done: Done) -> dict[str, Any]:
    planned = asdict(done.fault)
    planned |= {"kind": str(done.fault.kind), "members": list(done.fault.members)}
    return _numbers({**planned, "began": done.began, "ended": done.ended})


def _growth(samples: Iterable[Sample], seconds: float) -> dict[str, Any]:
    """The samples, and by how much each series grows in an hour; null where no stretch is long enough."""
    rows = [asdict(sample) for sample in samples]
    slopes = {}
    for name in SERIES:
        known = [row for row in rows if not math.isnan(row[name])]
        points = [(row["starts"], (row["at"], row[name])) for row in known]
        slopes[name] = _number(figures.slope(figures.steady(points, seconds)))
    return {"slopes_per_hour": slopes, "samples": [_numbers(row) for row in rows]}


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _number(value) for key, value in row.items()}


def _number(value: Any) -> Any:
    """JSON has no NaN: what is not known is null."""
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 4)
