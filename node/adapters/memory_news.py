"""The peer events of one run of a memory network."""

from __future__ import annotations

import contextlib
from collections import Counter

import trio

from p2pchat.node.ports import (
    ConnectionInfo,
    PeerDown,
    PeerEvent,
    PeerIdentified,
    PeerMoved,
    PeerUp,
)

SMALL_NEWS = 4  # what only adds to a PeerUp may fill one part of so many


class News:
    """Up to `size` events that nobody has taken yet. A PeerDown always finds room."""

    def __init__(self, size: int, counters: Counter[str]) -> None:
        self._size = size
        self._counters = counters
        self._send, self.events = trio.open_memory_channel[PeerEvent](size)

    def has_room(self, connected: int) -> bool:
        """For one more PeerUp, and for a PeerDown of everybody."""
        return self._waiting() + connected + 2 <= self._size

    def came(self, info: ConnectionInfo) -> None:
        self._tell(PeerUp(info.peer, info.address, info.transport, info.outbound, info.relayed))

    def left(self, peer: str) -> None:
        self._tell(PeerDown(peer))

    def moved(self, info: ConnectionInfo) -> None:
        self._tell_if_there_is_room(
            PeerMoved(
                info.peer,
                info.address,
                info.transport,
                info.outbound,
                info.relayed,
                info.punched,
            )
        )

    def identified(self, peer: str) -> None:
        self._tell_if_there_is_room(PeerIdentified(peer))

    def end(self) -> None:
        self._send.close()

    def _tell_if_there_is_room(self, event: PeerMoved | PeerIdentified) -> None:
        if self._waiting() < self._size // SMALL_NEWS:
            self._tell(event)
        else:
            self._counters["peer_events_dropped"] += 1

    def _tell(self, event: PeerEvent) -> None:
        with contextlib.suppress(trio.BrokenResourceError):  # nobody reads any more
            self._send.send_nowait(event)

    def _waiting(self) -> int:
        return self._send.statistics().current_buffer_used
