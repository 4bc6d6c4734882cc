"""The side of AutoNAT that dials back."""

from __future__ import annotations

import logging
from collections import Counter

import trio

from p2pchat.node.actors.reachability.ways import Ways
from p2pchat.node.errors import DialError
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import autonat
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import nat_pb2 as nat

log = logging.getLogger(__name__)

READ_TIMEOUT = 5.0  # seconds for the question, and for the answer to be taken
DIAL_TIMEOUT = 10.0  # seconds for all addresses of one question


class Answering:
    """Serves AutoNAT while it is told to."""

    def __init__(self, network: Network, ways: Ways, counters: Counter[str]) -> None:
        self._network = network
        self._ways = ways
        self._counters = counters
        self._door = autonat.Doorkeeper(trio.current_time())
        self._serves = False

    def begin(self) -> None:
        """What a former incarnation served, it serves no longer."""
        self._network.stop_handling(autonat.PROTOCOL)

    def serve(self, serves: bool) -> None:
        """From now on, or no longer."""
        if serves and not self._serves:
            self._network.handle(autonat.PROTOCOL, self.answer)
        if self._serves and not serves:
            self._network.stop_handling(autonat.PROTOCOL)
        self._serves = serves

    async def answer(self, stream: Stream) -> None:
        """One question. Raises `StreamError` and `TooSlowError`, which reset the stream."""
        with trio.fail_after(READ_TIMEOUT):
            body = await stream.read_frame(autonat.FRAME_LIMIT)
        answer = await self._look(stream.peer, body)
        with trio.fail_after(READ_TIMEOUT):
            await stream.write(frame(answer))
            await stream.close()

    async def _look(self, peer: str, body: bytes) -> bytes:
        try:
            asked = autonat.read_question(body, peer)
        except ValueError as error:
            return self._refuse(nat.Autonat.E_BAD_REQUEST, str(error))
        connected_from = [connection.address for connection in self._ways.direct(peer)]
        addresses = autonat.may_be_dialled(asked, connected_from)
        if not addresses:
            return self._refuse(nat.Autonat.E_DIAL_REFUSED, "no address where you are seen")
        if why := self._door.admit(peer, trio.current_time()):
            return self._refuse(nat.Autonat.E_DIAL_REFUSED, why)
        try:
            return await self._dial_back(peer, addresses)
        finally:
            self._door.leave(peer)

    async def _dial_back(self, peer: str, addresses: list[str]) -> bytes:
        self._counters["autonat_dialled_back"] += 1
        try:
            with trio.move_on_after(DIAL_TIMEOUT):
                worked = await self._network.probe(peer, addresses)
                return autonat.answer(nat.Autonat.OK, address=worked)
        except (DialError, ValueError) as error:
            log.debug("%s cannot be dialled back: %s", peer, error)
        return autonat.answer(nat.Autonat.E_DIAL_ERROR, "no address led there")

    def _refuse(self, status: nat.Autonat.Status, why: str) -> bytes:
        self._counters["autonat_refused"] += 1
        return autonat.answer(status, why)
