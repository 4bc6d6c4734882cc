"""How much a libp2p host holds: its tables, wherever they are in py-libp2p or in our adapter."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator

import psutil
import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork

DEPTH = 12  # attributes from the session
TABLES = (dict, list, set, deque)
# Peers come and go at their own time in these; what they hold is bounded by the connections that live. The last one
# counts by the number that an id had on its connection: no longer than the longest connection has had ids.
PASSING = ("_root_tasks", "_recently_seen", "_sequence_distribution")


def usage() -> tuple[int, int]:
    """Tasks and open files of this process."""
    return trio.lowlevel.current_statistics().tasks_living, psutil.Process().num_fds()


def tables(network: Libp2pNetwork) -> dict[str, int]:
    """The sizes of all of them, by their path."""
    gc.collect()
    found: dict[str, int] = {}
    seen: set[int] = set()
    ahead: deque[tuple[tuple[str, ...], object]] = deque([((), network._session)])
    while ahead:
        path, thing = ahead.popleft()
        if id(thing) in seen or len(path) > DEPTH:
            continue
        seen.add(id(thing))
        if isinstance(thing, TABLES) and path[-1] not in PASSING:
            name = ".".join(path)
            found[name] = found.get(name, 0) + len(thing)
        ahead.extend(((*path, name), part) for name, part in _parts(thing))
    return found


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    if isinstance(thing, dict):
        yield from (("*", part) for part in list(thing.values()))
    elif isinstance(thing, TABLES):
        yield from (("*", part) for part in list(thing))
    elif type(thing).__module__.startswith(("libp2p", "p2pchat")):
        yield from vars(thing).items() if hasattr(thing, "__dict__") else ()
