"""Where the values of options come from: the environment, and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pchat.cli import node, options
from p2pchat.node.errors import ConfigError


def test_lists_in_the_environment() -> None:
    assert options.from_environment(["a,b", "c"]) == ["a", "b", "c"]
    assert options.from_environment([" a ,  b\n"]) == ["a", "b"]


# ---- configuration file ---------------------------------------------------------------------------------


def _file(folder: Path, text: str) -> Path:
    path = folder / "chat.toml"
    path.write_text(text)
    return path


def test_a_file_may_hold_every_option(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        """
        name = "Ada"
        room = ["lobby", "garden"]
        plain = false
        plain-room = "attic"
        headless = true
        log-format = "json"
        listen = "/ip4/127.0.0.1/tcp/0"
        mdns = false
        data-dir = "here"
        log_level = "debug"
        mailbox = "p2pchat:mailbox/x"
        read-receipts = false
        message_days = 7
        """,
    )
    assert options.read_file(path, node.FILE_KEYS) == {
        "name": "Ada",
        "room": ["lobby", "garden"],
        "plain": False,
        "plain_room": ["attic"],
        "headless": True,
        "log_format": "json",
        "listen": ["/ip4/127.0.0.1/tcp/0"],
        "mdns": False,
        "data_dir": "here",
        "log_level": "debug",
        "mailbox": ["p2pchat:mailbox/x"],
        "read_receipts": False,
        "message_days": 7,
    }


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("nmae = 'Ada'", "did you mean 'name'"),
        ("rooms = ['lobby']", "did you mean 'room'"),
        ("xyzzy = 1", "there are data-dir"),
        ("name = 7", "must be a text"),
        ("mdns = 'yes'", "must be true or false"),
        ("mdns = 1", "must be true or false"),
        ("room = [1]", "must be a list of texts"),
        ("message-days = true", "must be a whole number"),
        ("message-days = '7'", "must be a whole number"),
        ("name = ", "not valid TOML"),
        ("[node]\nname = 'Ada'", "without sections; leave out the line .node."),
        ("[room]\nname = 'Ada'", "without sections; leave out the line .room."),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        options.read_file(_file(tmp_path, text), node.FILE_KEYS)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot read"):
        options.read_file(tmp_path / "nothing.toml", node.FILE_KEYS)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        options.read_file(tmp_path / "binary.toml", node.FILE_KEYS)
