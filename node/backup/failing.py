"""What goes wrong with files, in a sentence for people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from p2pchat.node.errors import UserError


class BackupError(UserError):
    """A backup cannot be written, read or put in place."""


@contextlib.contextmanager
def in_words(what: str) -> Iterator[None]:
    """`what`, and why: "Cannot write the backup /mnt/x: No space left on device."."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise BackupError(f"{what}: {reason}.") from error
