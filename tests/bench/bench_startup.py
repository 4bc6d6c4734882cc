"""From the start of `p2pchat node --plain` in a terminal to the prompt and to listening, and an idle node's memory.

Compare: the Go program claims 0.5 to 1 s and 20 to 30 MB; an idle js-libp2p node here takes 0.3 to 1.0 s and
87 to 94 MB.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pexpect
import psutil

P2PCHAT = Path(sys.executable).with_name("p2pchat")
TCP = ("--listen", "/ip4/127.0.0.1/tcp/0")
TCP_AND_QUIC = (*TCP, "--listen", "/ip4/127.0.0.1/udp/0/quic-v1")
IDLE = 5.0  # seconds after listening at which memory is looked at


def start(folder: str, options: Sequence[str], idle: float) -> tuple[float, float, float]:
    """Seconds to the prompt, seconds to listening, MiB of resident memory when idle."""
    arguments = ["node", "--plain", "--data-dir", folder, "--name", "Bench", "--bootstrap", "none"]
    # A real terminal answers prompt_toolkit's question for the cursor at once, this one would never.
    environment = os.environ | {"PROMPT_TOOLKIT_NO_CPR": "1"}
    begin = time.perf_counter()
    node = pexpect.spawn(
        str(P2PCHAT),
        [*arguments, "--no-mdns", *options],
        dimensions=(40, 120),
        timeout=30,
        env=environment,
    )
    try:
        node.expect("Bench>")
        prompt = time.perf_counter() - begin
        node.expect(r"/p2p/12D3")
        listening = time.perf_counter() - begin
        time.sleep(idle)
        memory = psutil.Process(node.pid).memory_info().rss / 2**20
        node.sendline("/quit")
        node.expect(pexpect.EOF)
    finally:
        node.close(force=True)
    return prompt, listening, memory


def repeat(what: str, options: Sequence[str], times: int, idle: float) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        start(folder, options, 0.0)  # makes identity and store, warms the disk cache
        runs = [start(folder, options, idle) for _ in range(times)]
    prompt, listening, memory = (median(values) for values in zip(*runs, strict=True))
    return [
        {"what": f"{what}: start to prompt", "value": round(prompt, 3), "unit": "s"},
        {"what": f"{what}: start to listening", "value": round(listening, 3), "unit": "s"},
        {"what": f"{what}: idle memory (RSS)", "value": round(memory, 1), "unit": "MiB"},
    ]


def main(quick: bool) -> dict[str, Any]:
    times, idle = (2, 1.0) if quick else (7, IDLE)
    rows = [
        *repeat("TCP", TCP, times, idle),
        *repeat("TCP and QUIC", TCP_AND_QUIC, times, idle),
    ]
    return {"name": "startup", "rows": rows}
