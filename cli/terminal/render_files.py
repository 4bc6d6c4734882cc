"""How files that are sent and offered look. Everything from others passes through `safe_text` here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import hint, note, person, several, size, warning
from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.node.protocol import file_names, peer_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

NAME_WIDTH = 80  # characters of a file's name
END = 6  # digits of an id by which it is named
BAR = 20  # characters of a progress bar
NO_FILES = (
    "No file was sent or offered yet: /send <path> sends one to the person you are writing to."
)

_WORDS = {
    records.OFFERED: "offered",
    records.WAITING: "waiting",
    records.RUNNING: "running",
    records.FINISHED: "done",
    records.DECLINED: "declined",
    records.CANCELLED: "cancelled",
    records.FAILED: "failed",
}


def offered(offer: wire.FileOffer) -> str:
    """A message that offers a file, as one line of text."""
    return f"[file] {name_of(offer)} ({size(offer.size)})"


def name_of(offer: wire.FileOffer) -> str:
    return safe_name(file_names.safe(offer.name), NAME_WIDTH)


def end_of(status: actors.TransferStatus) -> str:
    """What to type for it."""
    return status.record.offer.transfer.hex()[-END:]


def who(status: actors.TransferStatus) -> str:
    return person(peer_id.to_text(status.record.peer), status.name).text


def files(found: Sequence[actors.TransferStatus]) -> Iterator[Line]:
    """Oldest first, so that the newest stands where one looks."""
    if not found:
        yield hint(NO_FILES)
    for status in reversed(found):
        direction = "to" if status.record.outgoing else "from"
        words = f"  {end_of(status)}  {name_of(status.record.offer)} {direction} {who(status)}: "
        yield line(Span(words + state(status)))


def state(status: actors.TransferStatus) -> str:
    """`running, 45 % of 2.0 MB, 12 MB/s`; with why it waits or has failed."""
    record = status.record
    words = _WORDS.get(record.state, "unknown")
    if record.state in (records.WAITING, records.RUNNING):
        words += f", {percent(record)} % of {size(record.offer.size)}"
    else:
        words += f", {size(record.offer.size)}"
    if status.bytes_per_second:
        words += f", {size(round(status.bytes_per_second))}/s"
    if record.by_mailbox and record.state == records.WAITING:
        words += ", in the mailbox"
    return f"{words}: {safe_line(record.problem)}" if record.problem else words


def percent(record: records.TransferRecord) -> int:
    return 100 * record.done // record.offer.size if record.offer.size else 0


def offer_made(status: actors.TransferStatus) -> list[Line]:
    """Somebody offers a file."""
    end = end_of(status)
    text = (
        f"{who(status)} offers {name_of(status.record.offer)} ({size(status.record.offer.size)}): "
    )
    return several(hint, text + f"/accept {end} takes it, /decline {end} does not.")


def sent(status: actors.TransferStatus) -> Line:
    name = name_of(status.record.offer)
    return note(f"{name} ({size(status.record.offer.size)}) is offered to {who(status)}")


def accepted(status: actors.TransferStatus) -> Line:
    name = name_of(status.record.offer)
    return note(f"{name} comes as soon as it can be had from {who(status)}")


def progress(status: actors.TransferStatus) -> Line:
    """`photo.jpg from Bob: [#####---------------] 25 % of 2.0 MB, 12 MB/s`."""
    record = status.record
    direction = "to" if record.outgoing else "from"
    done = percent(record) * BAR // 100
    bar = "#" * done + "-" * (BAR - done)
    text = f"{name_of(record.offer)} {direction} {who(status)}: [{bar}] {percent(record)} %"
    text += f" of {size(record.offer.size)}"
    if status.bytes_per_second:
        text += f", {size(round(status.bytes_per_second))}/s"
    return note(text)


def changed(status: actors.TransferStatus) -> list[Line]:
    """It stands otherwise now."""
    record, name = status.record, name_of(status.record.offer)
    match record.state:
        case records.FINISHED if record.outgoing:
            return [note(f"{who(status)} has {name}")]
        case records.FINISHED:
            return several(note, f"{name} from {who(status)} is in {safe_line(record.path)}")
        case records.WAITING if record.problem:
            return several(warning, f"{name} waits: {safe_line(record.problem)}")
        case records.WAITING if record.by_mailbox and record.outgoing:
            return [note(f"{name} is in the mailbox of {who(status)}")]
        case records.WAITING if record.outgoing:
            return [note(f"{who(status)} wants {name}")]
        case records.DECLINED | records.CANCELLED:
            why = f": {safe_line(record.problem)}" if record.problem else ""
            return several(note, f"{name} ({who(status)}) is {_WORDS[record.state]}{why}")
        case records.FAILED:
            why = safe_line(record.problem)
            return several(warning, f"{name} ({who(status)}) failed: {why}")
    return []
