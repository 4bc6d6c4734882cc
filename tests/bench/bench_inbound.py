"""1,000 inbound connections over a node's life, one after the other: the last is as welcome as the first.

Compare: bare py-libp2p 0.8.1 refuses everybody after about 250.
"""

from __future__ import annotations

import gc
from statistics import median
from typing import Any

import psutil
import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.errors import DialError
from p2pchat.node.identity import Identity

VISITS = 1000
LISTEN = ["/ip4/127.0.0.1/tcp/0"]


async def visit(host: Libp2pNetwork, visitor: Libp2pNetwork) -> float | None:
    """Milliseconds from dialling to a connection that answers a ping; None when refused."""
    begin = trio.current_time()
    try:
        await visitor.dial(host.peer, host.listen_addresses())
        await visitor.ping(host.peer)
    except DialError:
        return None
    seconds = trio.current_time() - begin
    await visitor.disconnect(host.peer)
    while host.connections() or visitor.connections():
        await trio.sleep(0.001)
    return seconds * 1000


async def measure(visits: int) -> list[dict[str, Any]]:
    host, visitor = (Libp2pNetwork(Identity.generate(), LISTEN) for _ in range(2))
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)
        await nursery.start(visitor.run)
        warm_up = [await visit(host, visitor) for _ in range(50)]
        tasks, memory, files = _usage()
        times = [await visit(host, visitor) for _ in range(visits)]
        tasks_after, memory_after, files_after = _usage()
        nursery.cancel_scope.cancel()
    welcome = [ms for ms in times if ms is not None]
    refused = sum(ms is None for ms in [*warm_up, *times])
    return [
        {"what": f"{visits} connections in a row: refused", "value": refused, "unit": ""},
        {
            "what": "first 100: dial and ping, median",
            "value": round(median(welcome[:100]), 2),
            "unit": "ms",
        },
        {
            "what": "last 100: dial and ping, median",
            "value": round(median(welcome[-100:]), 2),
            "unit": "ms",
        },
        {"what": "growth of tasks", "value": tasks_after - tasks, "unit": ""},
        {"what": "growth of open files", "value": files_after - files, "unit": ""},
        {"what": "growth of memory", "value": round(memory_after - memory, 1), "unit": "MiB"},
    ]


def _usage() -> tuple[int, float, int]:
    gc.collect()
    process = psutil.Process()
    tasks = trio.lowlevel.current_statistics().tasks_living
    return tasks, process.memory_info().rss / 2**20, process.num_fds()


def main(quick: bool) -> dict[str, Any]:
    return {"name": "inbound", "rows": trio.run(measure, 100 if quick else VISITS)}
