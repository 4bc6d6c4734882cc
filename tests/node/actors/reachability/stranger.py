"""A peer on the memory network that says what a test wants it to say."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import autonat
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import nat_pb2 as nat
from tests.node.actors.reachability.stage import Node, peer_of


class Stranger:
    """`asked` are the AutoNAT questions that it got, with their times."""

    def __init__(self, hub: MemoryHub, number: int) -> None:
        self.number = number
        self.peer = peer_of(number)
        self.network = MemoryNetwork(hub, self.peer, [f"/memory/{number}"])
        self.asked: list[tuple[float, Sequence[str]]] = []

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await self.network.run(task_status=task_status)

    async def dial(self, node: Node) -> None:
        await self.network.dial(node.peer, [f"/memory/{node.number}"])

    def answers(self, *answers: bytes | None) -> None:
        """To AutoNAT questions, one after the other, the last one from then on. None: not at all."""
        left = list(answers)

        async def answer(stream: Stream) -> None:
            body = await stream.read_frame(autonat.FRAME_LIMIT)
            now = trio.current_time()
            self.asked.append((now, autonat.read_question(body, stream.peer)))
            said = left.pop(0) if len(left) > 1 else left[0]
            if said is None:
                await trio.sleep_forever()
            else:
                await stream.write(frame(said))
                await stream.close()

        self.network.handle(autonat.PROTOCOL, answer)

    async def ask(self, node: Node, *addresses: str) -> nat.Autonat.Status:
        """Whether `node` can dial this peer at these addresses."""
        return await self.send(node, autonat.question(self.peer, addresses))

    async def send(self, node: Node, body: bytes) -> nat.Autonat.Status:
        stream = await self.network.open_stream(node.peer, autonat.PROTOCOL)
        await stream.write(frame(body))
        answer = autonat.read_answer(await stream.read_frame(autonat.FRAME_LIMIT))
        return answer.status


YES = autonat.answer(nat.Autonat.OK)
NO = autonat.answer(nat.Autonat.E_DIAL_ERROR)
BUSY = autonat.answer(nat.Autonat.E_DIAL_REFUSED)
