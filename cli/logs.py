"""Logging goes to a file or to standard error, never between the lines of a chat."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

from p2pchat.cli import systemd
from p2pchat.cli.discreet_log import discreet
from p2pchat.node.errors import ConfigError

FILE_BYTES = 4 * 1024 * 1024  # then the file is put aside
FILES_KEPT = 3  # besides the one being written
TEXT, JSON = "text", "json"  # `settings.LOG_FORMATS`
FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
JOURNAL_FORMAT = "%(name)s: %(message)s"


def start(log_file: str, level: str, form: str = TEXT) -> None:
    """The log of a service: to that file, or to standard error when it is empty. Raises `ConfigError`.

    To systemd's journal, if that is where standard error goes.
    """
    if log_file:
        log_to_file(Path(log_file).expanduser(), level, form)
        return
    handler = logging.StreamHandler()
    log_to(handler, level, form)
    if _goes_to_journal():
        handler.setFormatter(discreet(_JournalLines(form), level))


def for_journal(error: str) -> str:
    """What a service says at its end on standard error: with its level, if systemd's journal reads it there."""
    return systemd.with_level(error, logging.ERROR) if _goes_to_journal() else error


def _goes_to_journal() -> bool:
    try:
        return systemd.is_journal(os.environ, sys.stderr.fileno())
    except (AttributeError, OSError):
        return False  # there is none, or it is no file


def log_to_file(path: Path, level: str, form: str = TEXT, *, late: bool = False) -> None:
    """As `log_to`, to a file that is put aside when it is full; made `late`: once there is something to write.

    Raises `ConfigError`.
    """
    from logging.handlers import RotatingFileHandler

    try:
        handler = RotatingFileHandler(
            path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=late
        )
    except OSError as error:
        raise ConfigError(f"Cannot write the log file {path}: {error.strerror}.") from error
    log_to(handler, level, form)


def log_to(handler: logging.Handler, level: str, form: str = TEXT) -> None:
    """Everything that p2pchat and its libraries log, warn of or fail with in a thread.

    `form`: `TEXT` or `JSON`. Peers are named at the level "debug" only.
    """
    formatter = _JsonLines() if form == JSON else logging.Formatter(FORMAT)
    handler.setFormatter(discreet(formatter, level))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # Libraries log a line for every connection at "info": at that level only our own say what they do.
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger("p2pchat").setLevel(chosen)
    logging.getLogger().setLevel(chosen if level == "debug" else max(chosen, logging.WARNING))
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not print tracebacks on the screen
    threading.excepthook = _log_thread_failure
    sys.unraisablehook = _log_unraisable


class _JournalLines(logging.Formatter):
    """With each line's level; as text without the time, which the journal has itself."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._inner = _JsonLines() if form == JSON else logging.Formatter(JOURNAL_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        return systemd.with_level(self._inner.format(record), record.levelno)


class _JsonLines(logging.Formatter):
    """One object a line: time (RFC 3339, UTC), level, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        import json
        from datetime import UTC, datetime

        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if hasattr(record, "worker"):  # of a mailbox with several processes
            said["worker"] = str(record.worker)
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "?"
    if failure.exc_value is not None:
        logging.getLogger("p2pchat").error("thread %s failed", name, exc_info=failure.exc_value)


def _log_unraisable(failure: sys.UnraisableHookArgs) -> None:
    logging.getLogger("p2pchat").error("ignored in %r", failure.object, exc_info=failure.exc_value)
