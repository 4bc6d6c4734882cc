"""The events of a node that may stop and come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from p2pchat.cli import control_client
from p2pchat.cli.control_client import ControlError, NotRunningError, RequestRefusedError

if TYPE_CHECKING:
    from p2pchat.proto import control_pb2 as control

PAUSE = 0.2  # seconds between two looks for a node that is gone ...
LONGEST_PAUSE = 2.0  # ... doubled with each in vain


def follow(
    data_dir: Path,
    after: str = "",
    *,
    on_gone: Callable[[str], object] = lambda _: None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[control.Event]:
    """For ever, over restarts of the node: each time on behind the event that was given last.

    `on_gone` hears once each time why there is nothing for now. Raises what the first attempt raises when there is no
    node, and `RequestRefusedError`.
    """
    pause, was_there = PAUSE, False
    while True:
        try:
            with control_client.node(data_dir) as node:
                for event in node.subscribe(after):
                    pause, was_there = PAUSE, True
                    if not (after and event.subscribed.resumed):
                        after = event.cursor
                    yield event
            problem = "The node has ended the stream."
        except RequestRefusedError:
            raise
        except (NotRunningError, ControlError) as error:
            if not was_there:
                raise
            problem = str(error)
        if pause == PAUSE:
            on_gone(problem)
        sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
