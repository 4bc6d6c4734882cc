"""The example configurations name every option once, and what they call its default is it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import mailbox, mailbox_settings, main, node

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
OPTION = re.compile(r"^# (?=([a-z0-9-]+) = )", re.MULTILINE)

Run = Callable[[str, list[str]], tuple[Any, ...]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """With what a role would be started by a command line."""
    for name in [name for name in os.environ if name.startswith("P2PCHAT_")] + ["DATA_DIR"]:
        monkeypatch.delenv(name, raising=False)
    started: list[tuple[Any, ...]] = []

    def start(*arguments: Any) -> int:
        started.append(arguments)
        return 0

    def run(role: str, arguments: list[str]) -> tuple[Any, ...]:
        assert main.run([role, *arguments]) == 0
        return started.pop()

    monkeypatch.setattr(mailbox, "start", start)
    monkeypatch.setattr(node, "start", start)
    monkeypatch.setattr(mailbox_settings, "_has_ip6", lambda: True)
    return run


def uncommented(name: str, folder: Path) -> str:
    path = folder / name
    path.write_text(OPTION.sub("", (DEPLOY / name).read_text()))
    return str(path)


@pytest.mark.parametrize(
    ("name", "keys"), [("mailbox.toml", mailbox.FILE_KEYS), ("node.toml", node.FILE_KEYS)]
)
def test_every_option_is_there_once_and_nothing_else(name: str, keys: dict[str, Any]) -> None:
    assert sorted(OPTION.findall((DEPLOY / name).read_text())) == sorted(keys)


@pytest.mark.parametrize(("role", "name"), [("mailbox", "mailbox.toml"), ("node", "node.toml")])
def test_as_it_is_it_changes_nothing(role: str, name: str, run: Run) -> None:
    given = run(role, ["--config", str(DEPLOY / name)])
    assert without_origin(given) == without_origin(run(role, []))


def test_what_it_calls_the_default_of_a_mailbox_is_it(run: Run, tmp_path: Path) -> None:
    given, *others = run("mailbox", ["--config", uncommented("mailbox.toml", tmp_path)])
    plain, *plain_others = run("mailbox", [])
    assert len(given.node.origins) == len(mailbox.FILE_KEYS)
    assert mailbox_settings.mailbox_config(given) == mailbox_settings.mailbox_config(plain)
    assert (given.announce, given.node.log_level) == (plain.announce, plain.node.log_level)
    assert others == plain_others


def test_what_it_calls_the_default_of_a_node_is_it(run: Run, tmp_path: Path) -> None:
    given = run("node", ["--config", uncommented("node.toml", tmp_path)])
    assert without_origin(given) == without_origin(run("node", []))


def without_origin(started: tuple[Any, ...]) -> tuple[Any, ...]:
    """Without the words of the command line, and where each value came from."""
    first, second, *others = started
    if hasattr(second, "arguments"):
        second = replace(second, arguments=())
    elif hasattr(first, "node"):
        first = replace(first, node=replace(first.node, origins={}))
    return (first, second, *others)
