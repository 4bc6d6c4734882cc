"""How the members of a room look: who is there, who came, who went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal import look_alikes
from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import clock, count, hint, note, person
from p2pchat.cli.times import when
from p2pchat.proto import actors_pb2 as actors

NAMED = 5  # people named in one line; the others are counted
LISTED = 200  # members listed by /who; the others are counted
LIKE_YOU = "the same name as you"
LIKE_ANOTHER = "the same name as somebody else here"


def who(room_name: str, me: actors.Member, others: Sequence[actors.Member]) -> Iterator[Line]:
    """This node first, then the others; whoever can be mistaken for somebody is marked."""
    if others:
        number = count(len(others), "other")
        yield note(f"You and {number} are in {room(room_name)}:")
    else:
        yield note(f"You are alone in {room(room_name)}:")
    yield line("  ", Span(person(me.peer, me.name).text, "me"), Span("  you", "dim"))
    twice = look_alikes.ambiguous(each.name for each in others)
    for each in others[:LISTED]:
        yield line("  ", person(each.peer, each.name), *_remarks(each, me.name, twice))
    if len(others) > LISTED:
        yield line(Span(f"  and {count(len(others) - LISTED, 'other')}", "dim"))
    if not others:
        yield hint("Do the others use the same room name?")


def _remarks(member: actors.Member, own_name: str, twice: set[str]) -> Iterator[Span]:
    if not member.connected:
        heard = clock(when(member.seen_ms, None))
        yield Span(f"  not connected, last heard of at {heard}", "dim")
    if not member.name.strip():
        return
    looks = look_alikes.skeleton(member.name)
    if looks == look_alikes.skeleton(own_name):
        yield Span(f"  {LIKE_YOU}", "warning")
    elif looks in twice:
        yield Span(f"  {LIKE_ANOTHER}", "warning")


def here_already(room_name: str, members: Sequence[actors.Member]) -> Line:
    return line(Span(f"* In {room(room_name)}: ", "dim"), *_people(members))


def came(room_name: str, members: Sequence[actors.Member]) -> Line:
    return line("* ", *_people(members), Span(f" joined {room(room_name)}", "dim"))


def went(room_name: str, members: Sequence[actors.Member]) -> Line:
    return line("* ", *_people(members), Span(f" left {room(room_name)}", "dim"))


def _people(members: Sequence[actors.Member]) -> Iterator[Span]:
    """`Ann (…a1B2c3), Bob (…d4E5f6) and 3 others`."""
    named = [person(each.peer, each.name) for each in members[:NAMED]]
    if len(members) > NAMED:
        named.append(Span(count(len(members) - NAMED, "other")))
    for index, each in enumerate(named):
        if index:
            yield Span(" and " if index == len(named) - 1 else ", ", "dim")
        yield each
