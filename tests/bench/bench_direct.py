"""Direct messages between two real nodes: how many a second, and what sealing and storing add to a round trip.

Both nodes sync what they have to disk. Compare: LXMF delivers 560 a second, and syncs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from p2pchat.node.protocol import seal
from p2pchat.node.protocol.links import parse_link
from tests.bench.children import Child, Row, row, scratch

RATE = 10.0  # messages a second of the latency measurement
ENVELOPE = seal.OVERHEAD + seal.SMALLEST_CLASS + 64  # bytes, of an ordinary line of chat


def main(quick: bool) -> dict[str, Any]:
    many, slow = (1_000, 30) if quick else (10_000, 150)
    with scratch() as folder, pair(folder) as (alice, bob, to_bob):
        alice.ask("send", send=1, to=to_bob)  # connects, and gets Bob's key
        bob.ask("shown")
        rows = [*latency(alice, bob, to_bob, slow), *throughput(alice, bob, to_bob, many)]
    return {"name": "direct messages", "rows": rows}


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Child, Child, str]]:
    """Two nodes that have each other as contacts, and the second one's peer id."""
    alice, bob = (Child("direct_process", "--data-dir", folder / name) for name in ("a", "b"))
    try:
        for child in (alice, bob):
            child.hear("listening")
        link = bob.ask("link")
        alice.ask("contact", contact=link)
        bob.ask("contact", contact=alice.ask("link"))
        yield alice, bob, parse_link(link).peer
    finally:
        alice.end()
        bob.end()


def latency(alice: Child, bob: Child, peer: str, count: int) -> list[Row]:
    bare = alice.ask("echo", echo=ENVELOPE, at_rate=RATE, count=count, to=peer)
    delivered = alice.ask("at_rate", at_rate=RATE, count=count, to=peer)
    shown = bob.ask("shown")["ms"]
    what = f"{RATE:g} messages/s"
    return [
        *_percentiles(f"{what}: from sending until shown", shown),
        *_percentiles(f"{what}: from sending until delivered", delivered),
        *_percentiles(f"{what}: round trip of a bare stream, as long", bare),
        row(f"{what}: added to that, p50", median(delivered) - median(bare), "ms"),
    ]


def _percentiles(what: str, times_ms: list[float]) -> list[Row]:
    return [
        row(f"{what}, p50", median(times_ms), "ms"),
        row(f"{what}, p99", quantiles(times_ms, n=100, method="inclusive")[98], "ms"),
    ]


def throughput(alice: Child, bob: Child, peer: str, many: int) -> list[Row]:
    cpu = [child.cpu_seconds() for child in (alice, bob)]
    done = alice.ask("send", send=many, to=peer)
    after = [child.cpu_seconds() for child in (alice, bob)]
    arrived = len(bob.ask("shown")["ms"])
    per_message = [(now - before) / many * 1e6 for now, before in zip(after, cpu, strict=True)]
    rate = many / (done["delivered"] - done["began"]) * 1e9
    saved = many / (done["saved"] - done["began"]) * 1e9
    return [
        row("as fast as they are taken: delivered", rate, "messages/s"),
        row("as fast as they are taken: saved by the sender", saved, "messages/s"),
        row("as fast as they are taken: arrived", 100 * arrived / many, "%"),
        row("processor time of the sender", per_message[0], "us/message"),
        row("processor time of the recipient", per_message[1], "us/message"),
    ]


if __name__ == "__main__":
    for found in main(quick=True)["rows"]:
        print(found)
