"""Logging goes to a file or to standard error, never between the lines of a chat."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

from p2pchat.node.errors import ConfigError

FILE_BYTES = 4 * 1024 * 1024  # then the file is put aside
FILES_KEPT = 3  # besides the one being written
FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def log_to_file(path: Path, level: str) -> None:
    """As `log_to`, to a file that is put aside when it is full. Raises `ConfigError`."""
    from logging.handlers import RotatingFileHandler

    try:
        handler = RotatingFileHandler(
            path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
        )
    except OSError as error:
        raise ConfigError(f"Cannot write the log file {path}: {error.strerror}.") from error
    log_to(handler, level)


def log_to(handler: logging.Handler, level: str) -> None:
    """Everything that p2pchat and its libraries log, warn of or fail with in a thread."""
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # Libraries log a line for every connection at "info": at that level only our own say what they do.
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger("p2pchat").setLevel(chosen)
    logging.getLogger().setLevel(chosen if level == "debug" else max(chosen, logging.WARNING))
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not print tracebacks on the screen
    threading.excepthook = _log_thread_failure
    sys.unraisablehook = _log_unraisable


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "?"
    if failure.exc_value is not None:
        logging.getLogger("p2pchat").error("thread %s failed", name, exc_info=failure.exc_value)


def _log_unraisable(failure: sys.UnraisableHookArgs) -> None:
    logging.getLogger("p2pchat").error("ignored in %r", failure.object, exc_info=failure.exc_value)
