"""Logging goes to a file or to standard error, never between the lines of a chat."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

from p2pchat.node.errors import ConfigError

FILE_BYTES = 4 * 1024 * 1024  # then the file is put aside
FILES_KEPT = 3  # besides the one being written
TEXT, JSON = "text", "json"  # `settings.LOG_FORMATS`
FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def start(log_file: str, level: str, form: str = TEXT) -> None:
    """The log of a service: to that file, or to standard error when it is empty. Raises `ConfigError`."""
    if log_file:
        log_to_file(Path(log_file).expanduser(), level, form)
    else:
        log_to(logging.StreamHandler(), level, form)


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

    `form`: `TEXT` or `JSON`.
    """
    handler.setFormatter(_JsonLines() if form == JSON else logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # Libraries log a line for every connection at "info": at that level only our own say what they do.
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger("p2pchat").setLevel(chosen)
    logging.getLogger().setLevel(chosen if level == "debug" else max(chosen, logging.WARNING))
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not print tracebacks on the screen
    threading.excepthook = _log_thread_failure
    sys.unraisablehook = _log_unraisable


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
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "?"
    if failure.exc_value is not None:
        logging.getLogger("p2pchat").error("thread %s failed", name, exc_info=failure.exc_value)


def _log_unraisable(failure: sys.UnraisableHookArgs) -> None:
    logging.getLogger("p2pchat").error("ignored in %r", failure.object, exc_info=failure.exc_value)
