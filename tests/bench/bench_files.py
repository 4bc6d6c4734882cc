"""A file between two real nodes over loopback TCP: how fast, how much memory, and how fast a bare stream is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from p2pchat.node.protocol.links import parse_link
from tests.bench.children import Child, Row, row, scratch

MB = 1_000_000
BLOCK = MB


def main(quick: bool) -> dict[str, Any]:
    size = (20 if quick else 200) * MB
    with scratch() as folder, pair(folder) as (alice, bob, to_alice, to_bob):
        _write(folder / "small", MB)
        _transfer(alice, bob, to_bob, folder / "small")  # connects, and loads what is loaded late
        _write(folder / "large", size)
        rows = transfer_rows(alice, bob, to_bob, folder / "large", size)
        got = (folder / "b" / "downloads" / "large").read_bytes()
        same = got == (folder / "large").read_bytes()
        bare = bob.ask("bare", bare=size, to=to_alice)
    rows.append(row("the same over a bare stream", size / bare / MB, "MB/s"))
    rows.append(row("arrived as it was sent", 100.0 if same else 0.0, "%"))
    return {"name": "files", "rows": rows}


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Child, Child, str, str]]:
    """Two nodes that have each other as contacts, and their peer ids."""
    alice, bob = (Child("file_process", "--data-dir", folder / name) for name in ("a", "b"))
    try:
        for child in (alice, bob):
            child.hear("listening")
        links = [child.ask("link") for child in (alice, bob)]
        alice.ask("contact", contact=links[1])
        bob.ask("contact", contact=links[0])
        peers = [parse_link(link).peer for link in links]
        yield alice, bob, peers[0], peers[1]
    finally:
        alice.end()
        bob.end()


def transfer_rows(alice: Child, bob: Child, peer: str, path: Path, size: int) -> list[Row]:
    before = [child.ask("memory")["now"] for child in (alice, bob)]
    cpu = [child.cpu_seconds() for child in (alice, bob)]
    seconds = _transfer(alice, bob, peer, path)
    used = [child.cpu_seconds() - was for child, was in zip((alice, bob), cpu, strict=True)]
    grown = [
        child.ask("memory")["most"] - was for child, was in zip((alice, bob), before, strict=True)
    ]
    what = f"a file of {size // MB} MB"
    return [
        row(
            f"{what}: from accepting until it is in place and checked", size / seconds / MB, "MB/s"
        ),
        row(f"{what}: memory of the sender grew by at most", grown[0] / MB, "MB"),
        row(f"{what}: memory of the recipient grew by at most", grown[1] / MB, "MB"),
        row(f"{what}: processor time of the sender", used[0], "s"),
        row(f"{what}: processor time of the recipient", used[1], "s"),
    ]


def _transfer(alice: Child, bob: Child, peer: str, path: Path) -> float:
    """Seconds from accepting to the end."""
    alice.ask("offer", offer=str(path), to=peer)
    began = bob.ask("accept")
    ended = bob.ask("finished")
    alice.ask("finished")
    return float(ended - began) / 1e9


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for number in range(size // BLOCK):
            file.write(number.to_bytes(4, "big") * (BLOCK // 4))


if __name__ == "__main__":
    for found in main(quick=True)["rows"]:
        print(found)
