"""Hosts that serve the DHT as they like."""

from __future__ import annotations

from collections.abc import Callable

import trio

from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import multiaddrs, peer_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.kad.limits import KAD_PROTOCOL
from p2pchat.proto import kad_pb2 as kad
from tests.node.actors.dht.dht_stage import identity

Reply = kad.Message | bytes | None  # bytes are sent as they are, None is silence
Lie = Callable[[kad.Message], Reply]


class Liar:
    """Host `number`, answering as `lie` says."""

    def __init__(self, hub: MemoryHub, number: int, lie: Lie) -> None:
        self.number = number
        self.lie = lie
        self.asked: list[kad.Message] = []
        self.network = MemoryNetwork(hub, self.peer, [f"/memory/{number}"])
        self.network.handle(KAD_PROTOCOL, self._serve)

    @property
    def peer(self) -> str:
        return identity(self.number).peer

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(self.network.run)
            task_status.started()
            async for _ in self.network.peer_events():
                pass

    async def _serve(self, stream: Stream) -> None:
        try:
            while True:
                await self._answer(stream)
        except StreamError:
            await stream.close()

    async def _answer(self, stream: Stream) -> None:
        request = kad.Message.FromString(await stream.read_frame(2**20))
        self.asked.append(request)
        reply = self.lie(request)
        if reply is None:
            await trio.sleep_forever()
        elif isinstance(reply, bytes):
            await stream.write(reply)
        else:
            await stream.write(frame(reply.SerializeToString()))


def entry(number: int, *addresses: str) -> kad.Message.Peer:
    """Somebody as a message names him; at the address of a host of that number, if none is given."""
    told = addresses or (f"/memory/{number}",)
    peer = peer_id.from_text(identity(number).peer)
    return kad.Message.Peer(id=peer, addrs=multiaddrs.all_to_bytes(told))
