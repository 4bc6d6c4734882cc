"""What the scenes have measured: shown at the end of a run, and kept beside the results of the benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import trio

RESULTS = Path(__file__).parent.parent.parent / "build" / "bench" / "bed.json"

# Of this run: seconds, by what took them.
measured: dict[str, float] = {}


def note(what: str, began: float) -> float:
    """It has just been reached; `began` is a time of trio's clock. Returns the seconds from then till now."""
    seconds = round(trio.current_time() - began, 1)
    measured[what] = seconds
    return seconds


def save() -> None:
    """Those of earlier runs stay if they were not measured again."""
    before = json.loads(RESULTS.read_text())["seconds"] if RESULTS.exists() else {}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(
        json.dumps({"name": "bed", "seconds": {**before, **measured}}, indent=2) + "\n"
    )
