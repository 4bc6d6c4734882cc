"""Which incoming messages have been read. Pure: what was shown counts once somebody has pressed Enter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BATCH = 256  # ids told to the node at once
KEPT = 10_000  # shown and not read yet; of more, the oldest stay unread


class ReadMarks:
    """Messages are named by the peer id of their conversation and their message id."""

    def __init__(self) -> None:
        self._coming: dict[tuple[str, bytes], None] = {}  # on their way to the screen
        self._shown: dict[tuple[str, bytes], None] = {}  # ordered, oldest first

    def coming(self, peer: str, message: bytes) -> None:
        self._coming[peer, message] = None

    def shown(self) -> None:
        """Everything that was coming is on the screen."""
        self._shown |= self._coming
        self._coming.clear()
        while len(self._shown) > KEPT:
            del self._shown[next(iter(self._shown))]

    def entered(self) -> Iterator[tuple[str, list[bytes]]]:
        """Somebody is there: what has been read, by peer, at most `BATCH` ids together."""
        by_peer: dict[str, list[bytes]] = {}
        for peer, message in self._shown:
            by_peer.setdefault(peer, []).append(message)
        self._shown.clear()
        for peer, ids in by_peer.items():
            for start in range(0, len(ids), BATCH):
                yield peer, ids[start : start + BATCH]

    def give_back(self, peer: str, ids: Iterable[bytes]) -> None:
        """The node could not be told; the next Enter tries again."""
        self._shown |= dict.fromkeys((peer, message) for message in ids)
