"""Runs the benchmarks: `python -m tests.bench [--quick] [--runs N] [names...]`.

Each run of each benchmark has a fresh process. Prints the median of the runs, and how busy the machine was besides;
writes all values to `build/bench/<name>.json`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RESULTS = ROOT / "build" / "bench"
RUNS = 3
SYNCS = 50  # small appends, each synced, to see how fast the disk is at the moment
PREFIX = "bench_"

Row = dict[str, Any]


def main() -> int:
    names = sorted(path.stem.removeprefix(PREFIX) for path in HERE.glob(f"{PREFIX}*.py"))
    options = _options(names)
    if options.into:
        _measure(options.names[0], options.quick, Path(options.into))
        return 0
    failed = [
        name
        for name in options.names or names
        if not _report(name, options.quick, 1 if options.quick else options.runs)
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="small sizes, one run")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"default: {RUNS}")
    parser.add_argument("--into", help=argparse.SUPPRESS)  # how the child says what it measured
    options = parser.parse_args()
    for name in options.names:
        if name not in names:
            parser.error(f"there is no benchmark {name!r}; there are: {', '.join(names)}")
    return options


def _measure(name: str, quick: bool, into: Path) -> None:
    module = importlib.import_module(f"tests.bench.{PREFIX}{name}")
    into.write_text(json.dumps(module.main(quick)))


def _report(name: str, quick: bool, runs: int) -> bool:
    """Whether every run of the benchmark came to its end."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    done: list[dict[str, Any]] = []
    busy: list[dict[str, float]] = []
    for _ in range(runs):
        sync_ms, clock = _sync_ms(), _Clock()
        result = _in_fresh_process(name, quick)
        if result is None:
            return False
        done.append(result)
        busy.append({"others_percent": clock.others_percent(), "sync_ms": sync_ms})
    rows = [_median(same) for same in zip(*(result["rows"] for result in done), strict=True)]
    _print(f"{done[0]['name']} ({_words(busy)})", rows)
    report = {**done[0], "rows": rows, "quick": quick, "runs": runs}
    report |= {"machine": _machine(), "busy": busy}
    (RESULTS / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
    return True


def _in_fresh_process(name: str, quick: bool) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "result.json"
        command = [sys.executable, "-m", "tests.bench", name, "--into", str(into)]
        if subprocess.run(command + ["--quick"] * quick, cwd=ROOT).returncode:
            return None
        result: dict[str, Any] = json.loads(into.read_text())
        return result


class _Clock:
    """What the processors do from now on, for ourselves and for others."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), _busy_s(), _own_s()

    def others_percent(self) -> float:
        seconds = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        others = (_busy_s() - self._busy) - (_own_s() - self._own)
        return max(0.0, 100 * others / seconds)


def _busy_s() -> float:
    """Seconds that all processors together were not idle."""
    times = psutil.cpu_times()
    return float(sum(times[:3]))  # of users, nice ones, the system


def _own_s() -> float:
    """Seconds that all our children and theirs took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sync_ms() -> float:
    """The median of small synced appends."""
    times = []
    with tempfile.TemporaryFile(dir=RESULTS) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def _words(busy: list[dict[str, float]]) -> str:
    others, sync = (
        statistics.median(one[name] for one in busy) for name in ("others_percent", "sync_ms")
    )
    return f"other programs took {others:.0f} % of the processors; a sync {sync:.2g} ms"


def _median(same: tuple[Row, ...]) -> Row:
    """One row out of the rows of several runs; what is no number is kept from the first."""
    values = [row["value"] for row in same]
    if all(isinstance(value, int | float) for value in values):
        return {**same[0], "value": statistics.median(values), "values": values}
    return same[0]


def _print(title: str, rows: list[Row]) -> None:
    width = max((len(row["what"]) for row in rows), default=0)
    print(f"\n{title}")
    for row in rows:
        print(f"  {row['what']:<{width}}  {_number(row['value']):>12} {row['unit']}", flush=True)


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
    }


if __name__ == "__main__":
    sys.exit(main())
