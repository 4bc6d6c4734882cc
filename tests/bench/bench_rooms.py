"""Rooms between real nodes on loopback: latency and delivered share at 20 messages a second, and a burst.

Compare: bare py-libp2p delivers 16 to 32 of 2,000 back-to-back publishes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.bench.chat_group import group

RATE = 20.0  # messages a second of all nodes together
BURST = 2000  # messages
SETTLE = 60  # looks, a quarter of a second apart, for messages still under way


def latency(size: int, seconds: float) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, group(Path(folder), size) as members:
        for number, member in enumerate(members):  # in turn, not all in the same instant
            member.say(f"rate {RATE / size} {seconds} {number / RATE}")
        sent = sum(member.hear("sent") for member in members)
        arrived = collect(members, sent * (size - 1))
        all_ms = [ms for one in arrived for ms in one["latencies_ms"]]
    percentiles = quantiles(all_ms, n=100)
    share = 100 * len(all_ms) / (sent * (size - 1))
    what = f"{size} nodes, {RATE:g} messages/s"
    return [
        {"what": f"{what}: one-way latency p50", "value": round(median(all_ms), 2), "unit": "ms"},
        {"what": f"{what}: one-way latency p99", "value": round(percentiles[98], 2), "unit": "ms"},
        {"what": f"{what}: delivered", "value": round(share, 2), "unit": "%"},
    ]


def burst(size: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, group(Path(folder), size) as members:
        sender, *receivers = members
        sender.say(f"burst {BURST}")
        began = sender.hear("began")["began"]
        arrived = collect(receivers, BURST * len(receivers))
    delivered = sum(len(one["latencies_ms"]) for one in arrived)
    seconds = (max(one["last_arrival"] for one in arrived) - began) / 1e9
    what = f"burst of {BURST:,} from one node to {size - 1} others"
    return [
        {
            "what": f"{what}: delivered",
            "value": round(100 * delivered / (BURST * len(receivers)), 2),
            "unit": "%",
        },
        {"what": f"{what}: rate", "value": round(BURST / seconds), "unit": "messages/s"},
    ]


def collect(members: list[Any], expected: int) -> list[dict[str, Any]]:
    """Ask until everything expected has arrived, or nothing more comes."""
    totals: list[dict[str, Any]] = [{"latencies_ms": [], "last_arrival": 0} for _ in members]
    for _ in range(SETTLE):
        for member, total in zip(members, totals, strict=True):
            member.say("report")
            answer = member.hear("latencies_ms")
            total["latencies_ms"] += answer["latencies_ms"]
            total["last_arrival"] = answer["last_arrival"]
        if sum(len(total["latencies_ms"]) for total in totals) >= expected:
            break
        time.sleep(0.25)
    return totals


def main(quick: bool) -> dict[str, Any]:
    seconds = 3.0 if quick else 15.0
    rows = [*latency(2, seconds), *latency(5, seconds), *burst(5)]
    return {"name": "rooms", "rows": rows}


if __name__ == "__main__":
    for row in main(quick=True)["rows"]:
        print(row)
