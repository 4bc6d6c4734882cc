"""How messages, events and answers look. Everything from others passes through `safe_text` here."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.help import HELP, NOTES
from p2pchat.cli.terminal.lines import HANGING_INDENT, PEER_STYLES, Line, Span, line
from p2pchat.cli.terminal.safe_text import safe_line, safe_lines, safe_name
from p2pchat.cli.terminal.ways import THROUGH_RELAY, way
from p2pchat.cli.terminal.ways import moved as moved_to
from p2pchat.cli.times import when
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import NAME_LIMIT
from p2pchat.node.protocol.own_addresses import relay_of
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ECHO_LIMIT = 200  # characters of a typed command that are shown again


# ---- people, rooms, times -------------------------------------------------------------------------------


def person(peer: str, name: str) -> Span:
    """ "Bob (…a1B2c3)", in a colour of its own. The node calls somebody without a name "…a1B2c3"."""
    end = f"…{peer_id.short(peer)}"
    shown = f"{safe_name(name, NAME_LIMIT)} " if name.strip() and name != end else ""
    return Span(f"{shown}({safe_line(end)})", peer_style(peer))


def peer_style(peer: str) -> str:
    return PEER_STYLES[zlib.crc32(peer.encode()) % len(PEER_STYLES)]


def clock(at: datetime | None) -> str:
    return at.strftime("%H:%M:%S") if at else "--:--:--"


def dated(at: datetime | None, here: datetime | None) -> str:
    """`14:23:15`; with the day, if `here` is on another one."""
    if at is None or here is None or at.date() == here.date():
        return clock(at)
    return f"{at:%a} {at.day} {at:%b %Y} {clock(at)}"


# ---- messages -------------------------------------------------------------------------------------------


class MessageView:
    """Shows room messages to one reader.

    `zone` is None for the computer's own time zone. `known` holds names by peer id, for messages that carry none.
    """

    def __init__(
        self, me: str, zone: tzinfo | None = None, known: Mapping[str, str] | None = None
    ) -> None:
        self._me = me
        self._zone = zone
        self._known = known if known is not None else {}

    def message(
        self, record: records.RoomRecord, *, elsewhere: bool = False, late: bool = False
    ) -> list[Line]:
        """`[14:23:15] Bob (…a1B2c3): Hi`; further lines are indented; `elsewhere` names the room first.

        `late`: with the day, if it was sent on another one than it came.
        """
        message = record.message
        at = when(message.sent_at_ms, self._zone)
        here = when(record.received_at_ms, self._zone) if late and record.received_at_ms else None
        time = dated(at, here)
        who = self.author(record)
        where = (Span(f"{room(message.room)} ", "room"),) if elsewhere else ()
        first, *others = safe_lines(record.alteration.text or message.text)
        head = line(*where, Span(f"[{time}] ", "time"), who, f": {first}")
        lines = [head, *(line(" " * HANGING_INDENT + other) for other in others)]
        return with_mark(lines, record.alteration)

    def author(self, record: records.RoomRecord) -> Span:
        message = record.message
        peer = peer_id.to_text(message.sender)
        who = person(peer, message.nick or self._known.get(peer, ""))
        return Span(who.text, "me") if peer == self._me else who

    def history(self, page: Sequence[records.RoomRecord]) -> Iterator[Line]:
        """Oldest first, with a line where a new day begins."""
        yield from by_day(
            (when(record.message.sent_at_ms, self._zone), self.message(record)) for record in page
        )


def with_mark(lines: Sequence[Line], alteration: records.Alteration) -> list[Line]:
    """Lines of a message, and what has become of it behind them."""
    mark = "(taken back)" if alteration.retracted else "(edited)" if alteration.text else ""
    *others, last = lines
    return [*others, (*last, Span(f" {mark}", "dim"))] if mark else list(lines)


def by_day(messages: Iterable[tuple[datetime | None, Iterable[Line]]]) -> Iterator[Line]:
    """The lines of messages with their times, and a line where a new day begins."""
    day: date | None = None
    for at, lines in messages:
        if at is not None and at.date() != day:
            day = at.date()
            yield line(Span(f"--- {day:%A}, {day.day} {day:%B %Y} ---", "dim"))
        yield from lines


# ---- lines of our own -----------------------------------------------------------------------------------


def note(text: str) -> Line:
    return line(Span(f"* {text}", "dim"))


def hint(text: str) -> Line:
    return line(Span(f"* {text}", "hint"))


def warning(text: str) -> Line:
    return line(Span(f"* {text}", "warning"))


def several(style: Callable[[str], Line], text: str) -> list[Line]:
    """A sentence that may quote a stranger."""
    first, *others = safe_lines(text)
    return [style(first), *(line(" " * HANGING_INDENT + other) for other in others)]


def notice(event: actors.Notice) -> list[Line]:
    style = {actors.Notice.HINT: hint, actors.Notice.WARNING: warning}.get(event.level, note)
    return several(style, event.text)


def connected(peer: str, name: str, *, relayed: bool = False) -> Line:
    how = " connected through a relay" if relayed else " connected"
    return line("* ", person(peer, name), Span(how, "dim"))


def moved(event: actors.PeerMoved, name: str) -> Line:
    return line("* ", person(event.peer, name), Span(f" {moved_to(event)}", "dim"))


def disconnected(peer: str, name: str) -> Line:
    return line("* ", person(peer, name), Span(" disconnected", "dim"))


def renamed(peer: str, previous: str, name: str) -> Line:
    now = safe_name(name, NAME_LIMIT)
    return line("* ", person(peer, previous), Span(f" is now called {now}", "dim"))


def listening(addresses: Iterable[str]) -> list[Line]:
    """Of relays only which ones: their addresses are long, and nobody types them."""
    direct: list[str] = []
    relays: dict[str, None] = {}
    for address in addresses:
        if relay := relay_of(address):
            relays[relay] = None
        else:
            direct.append(address)
    head = Span("* Listening on ", "dim")
    lines = [line(head, Span(safe_line(address), "address")) for address in most_useful(direct)]
    return lines + [note(f"{THROUGH_RELAY} …{peer_id.short(relay)}") for relay in relays]


def most_useful(addresses: Iterable[str]) -> list[str]:
    """Those first that most others can use: IPv4 TCP, IPv6 TCP, QUIC, and what only this machine reaches."""

    def rank(address: str) -> tuple[bool, bool, bool]:
        only_here = address.startswith(("/ip4/127.", "/ip6/::1/"))
        return only_here, "/udp/" in address, address.startswith("/ip6/")

    return sorted(addresses, key=rank)


def joined(name: str, *, plain: bool) -> Line:
    kind = " (plain: unsigned, best effort)" if plain else ""
    return note(f"You are in {room(name)}{kind}")


def also_in(name: str, *, plain: bool) -> Line:
    return note(f"Also in {room(name)}{' (plain)' if plain else ''}")


def echo(prompt: str, typed: str) -> Line:
    """A command as it was typed, because the prompt's own line is wiped; of a long text its beginning."""
    first, *others = safe_lines(typed)
    is_whole = not others and len(first) <= ECHO_LIMIT
    return line(Span(f"{prompt} {first[:ECHO_LIMIT]}{'' if is_whole else '…'}", "dim"))


def help_lines() -> Iterator[Line]:
    width = max(len(usage) for _, group in HELP for usage, _ in group)
    for title, group in HELP:
        yield line(Span(title, "dim"))
        for usage, what in group:
            yield line(Span(f"  {usage:{width}}", "strong"), f"  {what}")
    yield from map(note, NOTES)


# ---- answers --------------------------------------------------------------------------------------------


def peers(
    connections: Sequence[actors.Connection], here: actors.Room | None, known: dict[str, str]
) -> Iterator[Line]:
    """Chat peers first; those that are connected and speak something else are only counted."""
    several = Counter(connection.peer for connection in connections)
    best = _best(connections)
    names = {**known, **{each.peer: each.name for each in connections if each.name}}
    named = [connection for connection in best.values() if connection.name]
    yield _how_many(len(named), len(best) - len(named))
    for connection in sorted(named, key=lambda one: one.name.casefold()):
        yield _connection(connection, several[connection.peer], names)
    if here is not None:
        yield from _subscribers(here, known)


def _best(connections: Sequence[actors.Connection]) -> dict[str, actors.Connection]:
    """Of each peer the connection that its traffic takes: a direct one before a relayed one, else the oldest."""
    ordered = sorted(connections, key=lambda each: each.relayed)
    return {connection.peer: connection for connection in reversed(ordered)}


def _how_many(chatting: int, others: int) -> Line:
    """The head of the list of those that chat."""
    if not chatting and not others:
        return hint("Nobody is connected. Finding each other can take up to a minute.")
    silent = f"{count(others, 'peer')} that {'does' if others == 1 else 'do'} not chat"
    if not chatting:
        return note(f"Connected to {silent}.")
    return note(f"{count(chatting, 'chat peer')} connected{f', and {silent}' if others else ''}:")


def _connection(connection: actors.Connection, of_this_peer: int, names: Mapping[str, str]) -> Line:
    rtt = f"{connection.rtt_ms:.1f} ms" if connection.rtt_ms else "not measured yet"
    direction = "out" if connection.outbound else "in"
    # Of a relayed one it is long, and that of the relay: which relay stands there anyway.
    address = (
        "" if connection.relayed else f"{safe_line(connection.address) or 'address unknown'}  "
    )
    more = f", {count(of_this_peer, 'connection')}" if of_this_peer > 1 else ""
    return line(
        "  ",
        person(connection.peer, connection.name),
        f"  {address}{way(connection, names)}, {safe_line(connection.transport)}, {direction}, "
        f"round trip {rtt}{more}",
    )


def _subscribers(here: actors.Room, known: dict[str, str]) -> Iterator[Line]:
    if not here.subscribers:
        yield hint(f"Nobody else is in {room(here.name)}: do the others use the same room name?")
        return
    yield note(f"{count(len(here.subscribers), 'other peer')} in {room(here.name)}:")
    for peer in here.subscribers:
        yield line("  ", person(peer, known.get(peer, "")))


def rooms(joined_rooms: Sequence[actors.Room], current: str) -> Iterator[Line]:
    if not joined_rooms:
        yield hint("You are in no room: /join <room>.")
    for each in joined_rooms:
        mark = "->" if each.name == current else "  "
        kind = ", plain" if each.plain else ""
        refused = f", {each.refused:,} refused" if each.refused else ""
        yield line(
            f"{mark} ",
            Span(room(each.name), "room"),
            f"  {count(len(each.subscribers), 'other peer')} listening, {each.received:,} received"
            f"{refused}{kind}",
        )


# ---- numbers --------------------------------------------------------------------------------------------


def count(number: int, what: str) -> str:
    ending = "" if number == 1 else "es" if what.endswith(("ss", "x")) else "s"
    return f"{number:,} {what}{ending}"


def size(octets: int) -> str:
    amount = float(octets)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} GiB"


def duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    shown = [f"{value} {unit}" for value, unit in parts if value]
    return " ".join(shown[:2]) or "0 s"
