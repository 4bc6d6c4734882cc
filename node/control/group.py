"""One group of the API's methods. Each raises what `ActorRef.ask` raises."""

from __future__ import annotations

from p2pchat.node.control.front import Front


class Group:
    def __init__(self, front: Front) -> None:
        self._front = front
