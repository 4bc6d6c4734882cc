"""How messages become rows. Everything from others is made harmless and steady here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from p2pchat.cli import times
from p2pchat.cli.tui.cells import steady_line, steady_name, width, wrapped
from p2pchat.cli.tui.conversation import Conversation, Item
from p2pchat.cli.tui.people import People
from p2pchat.cli.tui.rows import Piece, Row, both_ends, plain, row
from p2pchat.proto import control_pb2 as control

INDENT = 2  # columns in front of what is said
GROUP_SPAN = 300.0  # seconds within which somebody's messages stand below one name
ROWS_SHOWN = 24  # rows of one message; the others are behind "show all"
NARROWEST = 12  # columns of text; on a narrower screen rows are cut
BAR = 20  # columns of a progress bar

_UNITS = ("bytes", "KiB", "MiB", "GiB")


class Setting(NamedTuple):
    """Where and for whom it is shown."""

    width: int
    people: People
    zone: tzinfo | None = None  # None: the computer's own
    airy: bool = False  # an empty row between the messages of different people


class Place(NamedTuple):
    """What is above an item, as far as it changes how the item looks."""

    day: date | None = None  # a new one begins here
    head: bool = True  # the sender is named
    new: bool = False  # the unread ones begin here
    first: bool = False


# ---- a conversation -------------------------------------------------------------------------------------


def places(conversation: Conversation, zone: tzinfo | None) -> Iterator[tuple[Item, Place]]:
    """Each item with its place."""
    day: date | None = None
    said: tuple[str, float] | None = None  # by whom, and when its group has begun
    first = True
    for item in conversation.items:
        message = item.message
        if message is None:
            said = None
            yield item, Place(first=first, new=item.key == conversation.new_from)
            first = False
            continue
        at = when(message.sent_at_ms, zone)
        new_day = at.date() if at and at.date() != day else None
        day = at.date() if at else day
        new = item.key == conversation.new_from
        sender, seconds = message.sender or message.name, message.sent_at_ms / 1000
        is_same = said is not None and said[0] == sender and abs(seconds - said[1]) < GROUP_SPAN
        head = not is_same or new_day is not None or new
        if head or said is None:
            said = (sender, seconds)
        yield item, Place(new_day, head, new, first)
        first = False


def item_rows(
    item: Item, place: Place, setting: Setting, transfer: control.Transfer | None = None
) -> list[Row]:
    rows = []
    if place.day:
        rows.append(_rule(f"{place.day:%A}, {place.day.day} {place.day:%B %Y}", "dim", setting))
    if place.new:
        rows.append(_rule("new", "hint", setting))
    if item.message is None:
        return rows + [part for each in item.lines for part in folded(each, setting.width)]
    if place.head and setting.airy and not rows and not place.first:
        rows.append(Row())
    if place.head:
        rows.append(_head(item.message, setting))
    return rows + message_rows(item, item.message, setting, transfer)


def _rule(text: str, style: str, setting: Setting) -> Row:
    """`──── Monday, 2 March 2026 ────`"""
    side = max(1, (setting.width - width(text) - 2) // 2)
    line = "─" * side
    rest = "─" * max(0, setting.width - width(text) - 2 - side)
    return row(Piece(line, "line"), Piece(f" {text} ", style), Piece(rest, "line"))


def _head(message: control.Message, setting: Setting) -> Row:
    name = setting.people.piece(message.sender, message.name)
    at = clock(when(message.sent_at_ms, setting.zone))
    unsigned = (Piece("  unsigned", "dim"),) if message.unsigned else ()
    return row(name, Piece(f"  {at}", "dim"), *unsigned)


# ---- a message ------------------------------------------------------------------------------------------


def message_rows(
    item: Item,
    message: control.Message,
    setting: Setting,
    transfer: control.Transfer | None,
) -> list[Row]:
    columns = max(NARROWEST, setting.width - INDENT)
    indent = " " * INDENT
    if message.retracted:
        rows = [row(indent, Piece("taken back", "faded"))]
    elif message.HasField("file"):
        shown = map(_indented, file_rows(message, transfer))
        rows = [part for each in shown for part in folded(each, setting.width)]
    else:
        rows = list(_text_rows(item, message.text, columns))
        if message.edited_at_ms:
            rows = _ended(rows, Piece(" (edited)", "dim"), setting.width)
    return _with_mark(rows, mark(item, message), setting.width)


def _text_rows(item: Item, text: str, columns: int) -> Iterator[Row]:
    most = 1 << 30 if item.expanded else ROWS_SHOWN
    indent = " " * INDENT
    for number, part in enumerate(_parts(text, columns, most)):
        if number == most:
            size = shown_size(len(text.encode("utf-8", "replace")))
            hint = Piece(f"… show all of it ({size}): click, or ctrl+g", "hint")
            yield row(indent, hint, action=f"expand {item.key}")
            return
        yield row(indent, Piece(part, "text"))


def _parts(text: str, columns: int, most: int) -> Iterator[str]:
    """Rows of a text, of which only what can be shown is looked at: a line may have 64 KiB."""
    for line in text.split("\n", most + 1)[: most + 1]:
        limit = columns * (most + 1)
        yield from wrapped(steady_line(line.removesuffix("\r")[:limit]), columns)


def _ended(rows: list[Row], piece: Piece, columns: int) -> list[Row]:
    """With a piece behind the last row, or below it."""
    last = rows[-1]
    used = sum(width(each.text) for each in last.pieces)
    if used + width(piece.text) <= columns:
        return [*rows[:-1], Row((*last.pieces, piece), last.action)]
    return [*rows, row(" " * INDENT, Piece(piece.text.strip(), piece.style))]


def _with_mark(rows: list[Row], marks: tuple[Piece, ...], columns: int) -> list[Row]:
    """At the right edge of the last row, if it is free, otherwise below."""
    if not marks:
        return rows
    marks = (*marks, Piece(" "))
    last = rows[-1]
    used = sum(width(each.text) for each in last.pieces)
    needed = sum(width(each.text) for each in marks)
    if used + needed + 1 <= columns:
        return [*rows[:-1], both_ends(last.pieces, marks, columns, last.action)]
    if needed <= columns:
        return [*rows, both_ends((), marks, columns)]
    folds = wrapped("".join(each.text for each in marks).strip(), max(NARROWEST, columns - INDENT))
    return [*rows, *(row(" " * INDENT, Piece(each, marks[0].style)) for each in folds)]


def mark(item: Item, message: control.Message) -> tuple[Piece, ...]:
    """Where an own message stands."""
    if item.warning:
        return (Piece(f"✗ not sent: {steady_line(item.warning)}", "warning"),)
    if item.pending:
        return (Piece("… to the node", "dim"),)
    if not message.own or not message.HasField("delivery"):
        return ()
    return delivery_mark(message.delivery)


def delivery_mark(delivery: control.Delivery) -> tuple[Piece, ...]:
    reason = f": {steady_line(delivery.reason)}" if delivery.reason else ""
    stage = delivery.stage
    if stage == control.SENDING:
        return (Piece("↑ sending", "dim"),)
    if stage == control.STORED:
        return (
            Piece(f"✓ stored {delivery.stored}/{max(delivery.mailboxes, delivery.stored)}", "mark"),
        )
    if stage == control.DELIVERED:
        return (Piece("✓✓ delivered", "done"),)
    if stage == control.READ:
        return (Piece("✓✓ read", "done"),)
    if stage == control.REFUSED:
        return (Piece(f"✗ refused{reason}", "warning"),)
    if stage == control.EXPIRED:
        return (Piece(f"✗ expired{reason}", "warning"),)
    return (Piece(f"… waiting{reason}", "dim"),)


# ---- files ----------------------------------------------------------------------------------------------


def file_rows(message: control.Message, transfer: control.Transfer | None) -> list[Row]:
    if transfer is not None:
        return transfer_rows(transfer)
    return [_file(message.file.name, message.file.size)]


def transfer_rows(transfer: control.Transfer) -> list[Row]:
    """`▤ plan.pdf  2.0 MiB`, how far it is, and what can be done about it."""
    rows = [_file(transfer.file_name, transfer.size)]
    end = transfer.id[-6:]
    state = transfer.state
    if state == control.OFFERED and not transfer.outgoing:
        accept = Piece(f"  [ accept ]  /accept {end}", "hint")
        rows.append(row(accept, action=f"command /accept {transfer.id}"))
        decline = Piece(f"  [ decline ] /decline {end}", "dim")
        rows.append(row(decline, action=f"command /decline {transfer.id}"))
    else:
        rows += _progress(transfer, end)
    if transfer.problem:
        style = "warning" if state == control.FAILED else "dim"
        rows.append(row(Piece(f"  {steady_line(transfer.problem)}", style)))
    return rows


def _file(name: str, size: int) -> Row:
    shown = steady_name(name, 48)
    return row(Piece("▤ ", "hint"), Piece(shown, "strong"), Piece(f"  {shown_size(size)}", "dim"))


def _progress(transfer: control.Transfer, end: str) -> list[Row]:
    words = {
        control.OFFERED: "waits for the other side to accept it",
        control.WAITING: "waits for the other side",
        control.RUNNING: "",
        control.DONE: "sent" if transfer.outgoing else "received",
        control.DECLINED: "declined",
        control.CANCELLED: "cancelled",
        control.FAILED: "failed",
    }
    text = words.get(transfer.state, "")
    if transfer.state == control.DONE:
        place = (
            f" into {steady_line(transfer.path)}" if not transfer.outgoing and transfer.path else ""
        )
        return [row(Piece(f"  ✓ {text}{place}", "done"))]
    if transfer.state in (control.DECLINED, control.CANCELLED, control.FAILED):
        return [row(Piece(f"  ✗ {text}", "warning"))]
    return [_bar(transfer, text), row(Piece(f"  /cancel {end}", "dim"))]


def _bar(transfer: control.Transfer, words: str) -> Row:
    part = min(1.0, transfer.done / transfer.size) if transfer.size else 0.0
    full = int(part * BAR)
    speed = f"  {shown_size(int(transfer.bytes_per_second))}/s" if transfer.bytes_per_second else ""
    tail = f"  {words}" if words else ""
    return row(
        "  ",
        Piece("━" * full, "done"),
        Piece("─" * (BAR - full), "line"),
        *(Piece(each, "dim") for each in (f" {part:4.0%}", speed, tail) if each),
    )


def _indented(each: Row) -> Row:
    return Row((Piece(" " * INDENT), *each.pieces), each.action)


def shown_size(octets: int) -> str:
    """`2.0 MiB`, as the line mode writes it."""
    amount, unit = float(octets), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{octets:,} bytes" if not unit else f"{amount:,.1f} {_UNITS[unit]}"


# ---- lines of the program's own -------------------------------------------------------------------------


def gap_row(missing: int, given_up: bool) -> Row:
    what = "1 message is" if missing == 1 else f"{missing:,} messages are"
    why = "nobody who is here has it" if given_up else "it is being asked for"
    return row(Piece(f"  ⋯ {what} missing here: {why}", "hint"))


def folded(line: Row, columns: int) -> Iterable[Row]:
    """A row of the program's own on as many rows as it needs; styles change only between pieces."""
    if sum(width(each.text) for each in line.pieces) <= columns:
        return (line,)
    if any(piece.style == "address" for piece in line.pieces):
        return [*_unbroken(line, columns)]
    rows: list[list[Piece]] = [[]]
    used, indent = 0, _indent(line, columns)
    for piece in line.pieces:
        for index, part in enumerate(_continued(piece.text, columns - used, columns - indent)):
            if index:
                rows.append([Piece(" " * indent)])
                used = indent
            rows[-1].append(Piece(part, piece.style))
            used += width(part)
    return [Row(tuple(each), line.action) for each in rows]


def _indent(line: Row, columns: int) -> int:
    """Of what does not fit on the first row: never to the left of that one."""
    text = plain(line)
    return min(max(4, len(text) - len(text.lstrip())), columns // 2)


def _unbroken(line: Row, columns: int) -> Iterator[Row]:
    """What is to be copied: without indents, and broken only where a row is full."""
    text = "".join(piece.text for piece in line.pieces)
    for start in range(0, len(text), columns):
        yield row(Piece(text[start : start + columns], "address"), action=line.action)


def _continued(text: str, first: int, others: int) -> Sequence[str]:
    """A text in rows, of which the first has less room."""
    if width(text) <= first:
        return [text]
    if first < NARROWEST:
        return ["", *wrapped(text.lstrip(), max(NARROWEST, others))]
    head = wrapped(text, first)[0]
    return [head, *wrapped(text[len(head) :].lstrip(), max(NARROWEST, others))]


# Every frame asks for all that is held of a conversation.
when = lru_cache(maxsize=2048)(times.when)


def clock(at: datetime | None) -> str:
    return f"{at:%H:%M}" if at else "--:--"
