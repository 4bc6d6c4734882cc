"""Options about files, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pchat.cli.file_options import FileOptions
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.file_policy import FilePolicy


def called(option: str) -> str:
    return f"--{option}"


def test_what_holds_without_options() -> None:
    assert FileOptions().policy(called) == FilePolicy()
    assert FileOptions().folder() is None


def test_sizes_may_have_units() -> None:
    options = FileOptions("contacts", "100MiB", "0", "~/files")
    assert options.policy(called) == FilePolicy("contacts", 100 << 20, 0)
    assert options.folder() == Path("~/files").expanduser()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (FileOptions(accept_files="sometimes"), "--accept-files: 'sometimes' is none of ask"),
        (FileOptions(max_file_size="big"), "--max-file-size"),
        (FileOptions(mailbox_file_size="-1"), "--mailbox-file-size"),
    ],
)
def test_wrong_ones_are_named(options: FileOptions, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        options.policy(called)
