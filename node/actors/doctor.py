"""Looks a node over for whoever asks: at once, or until there is nothing better to be expected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.parts import ask_part
from p2pchat.node.errors import ActorStoppedError
from p2pchat.node.protocol import doctor
from p2pchat.node.protocol.doctor_facts import Facts
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

SETTLING = 20.0  # seconds after the start in which a node still finds out how it stands
LOOK = 1.0  # seconds between two looks at a node that has just started
AT_ONCE = 8  # questions that wait for a node to settle; more wait behind them


class Doctor:
    """Made when the actor starts that has it; a lane of a `Desk` begins with `begin`."""

    def __init__(
        self,
        describe: Callable[[], Awaitable[actors.NodeDescription]],
        transport: ActorRef | None,
        *,
        mailbox: bool = False,
        dht: bool = True,
    ) -> None:
        """`transport` lists connections; None: that is not known. `dht`: it is switched on."""
        self._describe = describe
        self._transport = transport
        self._mailbox = mailbox
        self._dht = dht
        self._settled_at = trio.current_time() + SETTLING
        self._looking: set[trio.CancelScope] = set()  # one for each question

    def stop(self) -> None:
        """Whoever waits is told at once that there will be no answer."""
        for scope in self._looking:
            scope.cancel()

    async def begin(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.Diagnose)
        return partial(self._diagnose, wait=message.wait)

    async def _diagnose(self, *, wait: bool) -> actors.Diagnosis:
        with trio.CancelScope() as scope:
            self._looking.add(scope)
            try:
                return await self._look(wait=wait)
            finally:
                self._looking.discard(scope)
        raise ActorStoppedError("the program is stopping")

    async def _look(self, *, wait: bool) -> actors.Diagnosis:
        while True:
            facts = await self._facts()
            found = doctor.diagnose(facts)
            is_over = not wait or trio.current_time() >= self._settled_at
            if is_over or doctor.is_settled(facts, found):
                return found
            await trio.sleep(LOOK)

    async def _facts(self) -> Facts:
        listed = None
        if self._transport is not None:
            question = actors.ListConnections()
            listed = await ask_part(self._transport, question, actors.ConnectionList)
        connections = None if listed is None else listed.connections
        return Facts(await self._describe(), connections, mailbox=self._mailbox, dht=self._dht)
