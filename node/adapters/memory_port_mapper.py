"""The `PortMapper` port in memory: a router that does what it is told to."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from p2pchat.node.errors import NetworkError


class MemoryPortMapper:
    """`ip` is the router's own; while `problem` is set it refuses with these words."""

    def __init__(self, ip: str = "203.0.113.7", problem: str = "") -> None:
        self.ip = ip
        self.problem = problem
        self.mapped: set[tuple[str, int]] = set()
        self.asked = 0

    async def map(self, ports: Sequence[tuple[str, int]]) -> Sequence[str]:
        await trio.lowlevel.checkpoint()
        self.asked += 1
        if self.problem:
            raise NetworkError(self.problem)
        self.mapped = set(ports)
        return [mapped_address(self.ip, kind, port) for kind, port in ports]

    async def unmap(self) -> None:
        await trio.lowlevel.checkpoint()
        self.mapped.clear()


def mapped_address(ip: str, kind: str, port: int) -> str:
    """The multiaddr of a mapped "TCP" or "UDP" port."""
    return f"/ip4/{ip}/tcp/{port}" if kind == "TCP" else f"/ip4/{ip}/udp/{port}/quic-v1"
