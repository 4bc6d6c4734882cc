"""Which faults a run has done, and which never came: without this a verdict does not say what it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from p2pchat.cli.testnet.vocabulary import Kind

NO_FAULT = "But no fault happened."


def told(
    verdict: Mapping[str, Any], *, asked: bool, kinds: Iterable[Kind], done: Iterable[Kind]
) -> dict[str, Any]:
    """The verdict with its faults. `asked`: some were wanted; `kinds`: those that could come; `done`: one each time."""
    counts = Counter(str(kind) for kind in done)
    never = sorted(str(kind) for kind in kinds if str(kind) not in counts)
    sentence = verdict["sentence"]
    if asked and not counts:
        sentence = f"{sentence} {NO_FAULT}"
    return {
        **verdict,
        "sentence": sentence,
        "faults_done": dict(sorted(counts.items())),
        "faults_never_came": never,
    }


def line(verdict: Mapping[str, Any]) -> str:
    """ "kill 3, stop 2; never came: clock-skew"."""
    done = ", ".join(f"{kind} {count}" for kind, count in verdict["faults_done"].items()) or "none"
    never = ", ".join(verdict["faults_never_came"])
    return f"{done}; never came: {never}" if never else done
