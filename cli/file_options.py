"""The options about files of others, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from p2pchat.cli import options
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.file_policy import ACCEPTANCES, MAX_SIZE, FilePolicy

FILE_KEYS: options.FileKeys = {
    "accept-files": str,
    "max-file-size": str,
    "mailbox-file-size": str,
    "download-dir": str,
}

AcceptFiles = Annotated[
    str,
    typer.Option(
        envvar="P2PCHAT_ACCEPT_FILES",
        metavar="WHEN",
        help="Take files of others: ask each time, contacts (theirs without asking), or never.",
    ),
]
MaxFileSize = Annotated[
    str,
    typer.Option(
        envvar="P2PCHAT_MAX_FILE_SIZE",
        metavar="SIZE",
        help="Decline larger files of others, e.g. 100MiB.",
    ),
]
MailboxFileSize = Annotated[
    str,
    typer.Option(
        envvar="P2PCHAT_MAILBOX_FILE_SIZE",
        metavar="SIZE",
        help="Send and take files up to this size by mailbox while the other side is away; 0: never.",
    ),
]
DownloadDir = Annotated[
    str,
    typer.Option(
        envvar="P2PCHAT_DOWNLOAD_DIR",
        metavar="FOLDER",
        help="Where files of others go.",
        show_default="downloads in the data folder",
    ),
]


@dataclass(frozen=True, slots=True)
class FileOptions:
    """As they were given."""

    accept_files: str = "ask"
    max_file_size: str = "1GiB"
    mailbox_file_size: str = "1MiB"
    download_dir: str = ""

    def policy(self, called: Callable[[str], str]) -> FilePolicy:
        """`called` says what the user knows an option by. Raises `ConfigError`."""
        if self.accept_files not in ACCEPTANCES:
            choices = ", ".join(ACCEPTANCES)
            raise ConfigError(
                f"{called('accept-files')}: {self.accept_files!r} is none of {choices}."
            )
        return FilePolicy(
            accept=self.accept_files,
            max_size=_size(self.max_file_size, called("max-file-size")),
            by_mailbox=_size(self.mailbox_file_size, called("mailbox-file-size")),
        )

    def folder(self) -> Path | None:
        """None: the usual one."""
        return Path(self.download_dir).expanduser().absolute() if self.download_dir else None


def _size(text: str, called: str) -> int:
    return min(options.size(text, called), MAX_SIZE)
