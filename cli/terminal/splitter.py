"""Bytes from a pipe, as lines."""

from __future__ import annotations

from p2pchat.cli.terminal.console import Typed
from p2pchat.node.protocol.names import TEXT_LIMIT

LINE_LIMIT = (
    TEXT_LIMIT + 1
)  # bytes: the longest text, and the second slash of one that begins with a slash


class LineSplitter:
    """Collects bytes into lines; keeps no more than `LINE_LIMIT` of an unfinished one."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipped = 0  # bytes of an over-long line that were thrown away
        self._number = 0

    def feed(self, data: bytes) -> list[Typed]:
        *ended, rest = data.split(b"\n")
        lines = [self._end(part) for part in ended]
        self._add(rest)
        return lines

    def finish(self) -> list[Typed]:
        """The last line, if it lacks its newline."""
        return [self._end(b"")] if self._rest or self._skipped else []

    def _add(self, part: bytes) -> None:
        if self._skipped or len(self._rest) + len(part) > LINE_LIMIT + 1:  # + 1: a carriage return
            self._skipped += len(self._rest) + len(part)
            self._rest.clear()
        else:
            self._rest += part

    def _end(self, part: bytes) -> Typed:
        self._add(part)
        self._number += 1
        if self._skipped:
            remark = (
                f"Line {self._number:,} has {self._skipped:,} bytes, a message has at most {TEXT_LIMIT:,}: "
                "it was not sent."
            )
            self._skipped = 0
            return Typed(remark=remark)
        whole = bytes(self._rest).removesuffix(b"\r")
        self._rest.clear()
        return _decoded(whole, self._number)


def _decoded(whole: bytes, number: int) -> Typed:
    try:
        return Typed(whole.decode())
    except UnicodeDecodeError:
        remark = f"Line {number:,} is not valid UTF-8: what cannot be read was replaced by �."
        return Typed(whole.decode(errors="replace"), remark)
