"""What is kept of a room: here, and in the own mailboxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal import commands
from p2pchat.cli.terminal.front import Front
from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import count, duration, hint, note, person, size
from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.node.errors import AskTimeoutError, P2pchatError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

NO_ROOM = "You are in no room: name it, e.g. /keep 30 lobby."
NO_ANSWER_YET = "No answer yet. It goes on in the background."
NO_MAILBOX = "You have no mailbox that could keep a room: /mailbox add <link> adds one."


class RoomKeeping:
    def __init__(self, front: Front) -> None:
        self._front = front

    async def carry_out(self, command: commands.KeepingCommand, current: str) -> None:
        """`current`: the room that the user is in, or empty. Raises `P2pchatError` with a sentence."""
        try:
            match command:
                case commands.KeepRoom(days, name):
                    await self._keep(name or current, days)
                case commands.ForgetRoom(name):
                    question = actors.ForgetRoom(room=name)
                    deleted = await self._front.ask(question, actors.RoomTrimmed)
                    await self._front.show([forgotten(name, deleted)])
                case commands.ArchiveRoom(name, stop):
                    archive = actors.ArchiveRoom(room=name, stop=stop)
                    status = await self._front.ask(archive, actors.ArchiveStatus)
                    await self._front.show(archived(status, stop=stop))
        except AskTimeoutError:
            await self._front.show([hint(NO_ANSWER_YET)])

    async def _keep(self, name: str, days: int | None) -> None:
        if not name:
            await self._front.show([hint(NO_ROOM)])
            return
        question = actors.KeepRoom(room=name, keep_days=days)
        await self._front.show([kept(name, await self._front.ask(question, records.RoomSettings))])

    async def usage(self) -> Sequence[actors.RoomUsage]:
        """What is stored of each room; nothing when the store has no answer now."""
        try:
            found = await self._front.ask(actors.ListStoredRooms(), actors.RoomUsageList)
        except P2pchatError:
            return ()
        return found.rooms


def kept(name: str, settings: records.RoomSettings) -> Line:
    if not settings.HasField("keep_days"):
        return note(f"Messages of {room(name)} are kept here as long as this node is set to")
    if not settings.keep_days:
        return note(f"Messages of {room(name)} are kept here for ever")
    days = count(settings.keep_days, "day")
    return note(f"Messages of {room(name)} are deleted here after {days}; others keep theirs")


def forgotten(name: str, deleted: actors.RoomTrimmed) -> Line:
    more = ", and more are being deleted" if deleted.more else ""
    what = f"{count(deleted.messages, 'message')} of {room(name)}"
    were = "was" if deleted.messages == 1 else "were"
    ahead = ". What is dated ahead of this computer's clock has stayed" if deleted.ahead else ""
    return note(f"{what} {were} deleted here{more}; others keep theirs{ahead}")


def archived(status: actors.ArchiveStatus, *, stop: bool) -> Iterator[Line]:
    """One line for each mailbox: `* (…a1B2c3) keeps #den for 30 d, up to 64.0 MiB`."""
    if not status.answers:
        yield hint(NO_MAILBOX)
    for answer in status.answers:
        yield line("* ", person(answer.mailbox, ""), _answer(answer, room(status.room), stop))


def _answer(answer: actors.ArchiveStatus.Answer, name: str, stop: bool) -> Span:
    if answer.problem:
        return Span(f" - {safe_line(answer.problem)}", "warning")
    if not answer.archiving:
        return Span(f" does not keep {name}{' for you any more' if stop else ''}", "dim")
    if stop:
        return Span(f" goes on keeping {name}: somebody else wants it kept, too", "dim")
    limits = []
    if answer.retention_ms:
        limits.append(f" for {duration(answer.retention_ms // 1000)}")
    if answer.quota_bytes:
        limits.append(f" up to {size(answer.quota_bytes)}")
    return Span(f" keeps {name} for its members{','.join(limits)}", "dim")
