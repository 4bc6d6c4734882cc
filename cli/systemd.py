"""Tells systemd how a service stands: sd_notify(3), one datagram for each word, without its library.

And whether the log goes to its journal, which takes a line's level from its beginning: sd-daemon(3).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"
# syslog(3)'s, by the lowest level of `logging` that gets it.
_PRIORITIES = {0: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
_SHARE = (
    0.5  # of the watchdog's time between two signs of life, as sd_watchdog_enabled(3) recommends
)


def is_journal(environment: Mapping[str, str], descriptor: int) -> bool:
    """Whether what is written there goes to the journal: $JOURNAL_STREAM of systemd.exec(5) names its device and inode.

    The variable alone says nothing: a child inherits it, and its output may have been sent elsewhere.
    """
    try:
        there = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def with_level(text: str, level: int) -> str:
    """Each line with its level, one of the `logging` module's, as the journal reads it."""
    prefix = f"<{_PRIORITIES[max(known for known in _PRIORITIES if known <= level)]}>"
    return "\n".join(f"{prefix}{line}" for line in text.split("\n"))


@dataclass(frozen=True, slots=True)
class Systemd:
    """Who started the process, if it was systemd; else everything does nothing."""

    address: str = ""  # of its socket; a leading @ stands for the 0 byte of an abstract one
    interval: float = 0.0  # seconds between two signs of life; 0: it does not look for any

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> Systemd:
        """`pid`: of this process; what was meant for a parent is left alone."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        is_ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        microseconds = environment.get("WATCHDOG_USEC", "") if is_ours else ""
        usable = microseconds.isascii() and microseconds.isdigit()
        return cls(address, _SHARE * int(microseconds[:18]) / 1e6 if usable else 0.0)

    def tell(self, word: str) -> None:
        """Never raises and never waits: whether somebody listens changes nothing."""
        if not self.address:
            return
        place = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with (
            contextlib.suppress(OSError, ValueError),
            contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender,
        ):
            sender.setblocking(False)
            sender.sendto(word.encode(), os.fsencode(place))
