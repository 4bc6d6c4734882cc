"""A ui actor's half for single messages and for hearing less, played."""

from __future__ import annotations

from google.protobuf.message import Message

from p2pchat.node.protocol import peer_id
from p2pchat.node.runtime import Actor, handles
from p2pchat.proto import actors_pb2 as actors


class PlayedAltering(Actor):
    """Remembers what it was asked; `answer` is the next answer to a change, if it is not Done."""

    asked: list[Message]
    answer: actors.Rejected | None = None

    def note(self, message: Message) -> actors.Done | actors.Rejected:
        vars(self).setdefault("asked", []).append(message)
        return self.answer or actors.Done()

    @handles(actors.MarkRoomSeen)
    async def _seen(self, command: actors.MarkRoomSeen) -> Message:
        return self.note(command)

    @handles(actors.AlterMessage)
    async def _alter(self, command: actors.AlterMessage) -> Message:
        return self.note(command)

    @handles(actors.DeleteMessage)
    async def _delete(self, command: actors.DeleteMessage) -> Message:
        return self.note(command)

    @handles(actors.Mute)
    async def _mute(self, command: actors.Mute) -> Message:
        return self.note(command)

    @handles(actors.BlockPeer)
    async def _block(self, command: actors.BlockPeer) -> Message:
        self.note(command)
        return actors.PeerResolved(peer=command.text)

    @handles(actors.UnblockPeer)
    async def _unblock(self, command: actors.UnblockPeer) -> Message:
        self.note(command)
        return actors.PeerResolved(peer=command.text)

    @handles(actors.ListBlocked)
    async def _blocked(self, _: actors.ListBlocked) -> Message:
        blocked = [m.text for m in vars(self).get("asked", []) if isinstance(m, actors.BlockPeer)]
        return actors.BlockedList(
            peers=(
                actors.BlockedPeer(peer=peer, name="Bob\x1b[31m", blocked_at_ms=1_790_000_000_000)
                for peer in blocked
                if peer_id.from_text(peer)
            )
        )
