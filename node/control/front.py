"""What all groups of the control API share: the actor that is asked, and what people are called."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import Message

from p2pchat.node.errors import P2pchatError
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.owner_names import Names
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

R = TypeVar("R", bound=Message)


class Front:
    """Each method raises what `ActorRef.ask` raises."""

    def __init__(self, ref: ActorRef, peer: str) -> None:
        """`peer` is the node's own id."""
        self.ref = ref
        self.names = Names(peer)

    async def ask(self, question: Message, answer: type[R]) -> R:
        return await self.ref.ask(question, answer)

    async def wait_for(self, question: Message, answer: type[R]) -> R:
        """The same, for what may take its time: as long as the caller waits."""
        return await self.ref.request(question, answer)

    async def do(self, command: Message) -> None:
        await self.ref.ask(command, actors.Done)

    async def resolve(self, who: str) -> actors.PeerResolved:
        """Whom a person means by that."""
        return await self.ask(actors.ResolvePeer(text=who), actors.PeerResolved)

    async def learn_names(self) -> None:
        """As far as somebody answers: without, people are called what they call themselves."""
        try:
            listed = await self.ask(actors.ListContacts(), actors.ContactStatusList)
        except P2pchatError:
            return
        self.names.learn(listed.contacts)

    async def stored(self, room: str) -> str:
        """What the store calls this room. A joined one counts before one that something is merely kept of."""
        joined = await self.ask(actors.ListRooms(), actors.RoomList)
        for each in joined.rooms:
            if each.name == room:
                return stored_room(room, each.plain)
        kept = await self.ask(actors.ListStoredRooms(), actors.RoomUsageList)
        names = {each.room for each in kept.rooms}
        return stored_room(room, room not in names and stored_room(room, True) in names)
