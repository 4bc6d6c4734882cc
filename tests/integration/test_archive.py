"""Two members that are never online together, and a real mailbox that archives their room."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.room_process import PATIENCE, ROOM, Member

P2PCHAT = Path(sys.executable).with_name("p2pchat")
ALONE = ("--bootstrap", "none", "--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0")


class Mailbox:
    """The program itself."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = ("--data-dir", str(folder))
        command = [str(P2PCHAT), "mailbox", *self._folder, *ALONE, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def command(self, *words: str) -> str:
        """What a command of its operator answers, as soon as there is a mailbox to answer it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            run = [str(P2PCHAT), "mailbox", *words, *self._folder]
            done = subprocess.run(run, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.1)

    def link(self) -> str:
        made = self.command("invites", "--new", "--uses", "5")
        found = re.search(r"p2pchat:\S+", made)
        assert found, made
        return found.group()

    def archived(self) -> dict[str, int]:
        """Messages by room."""
        status = json.loads(self.command("status", "--json"))
        return {
            each["usage"]["room"]: int(each["usage"].get("messages", 0))
            for each in status.get("archives", [])
        }

    def until_archived(self, messages: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while (found := self.archived()).get(ROOM, -1) != messages:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


@contextmanager
def mailbox(folder: Path, *options: str) -> Iterator[Mailbox]:
    running = Mailbox(folder, *options)
    try:
        yield running
    finally:
        running.end()


@contextmanager
def member(folder: Path, link: str) -> Iterator[Member]:
    running = Member(folder, [], "--mailbox", link)
    try:
        yield running
    finally:
        running.end()


def until_agreed(asking: Member) -> None:
    """The mailbox has to be connected and registered at first."""
    deadline = time.monotonic() + PATIENCE
    while (answers := asking.ask("archive", "archive")) != [[True, ""]]:
        assert time.monotonic() < deadline, answers
        time.sleep(0.2)


@pytest.mark.parametrize(
    "by_invitation",
    [pytest.param(False, marks=pytest.mark.soak, id="operator"), pytest.param(True, id="member")],
)
def test_members_that_never_meet_exchange_a_room_through_an_archive(
    tmp_path: Path, by_invitation: bool
) -> None:
    options = () if by_invitation else ("--archive-room", ROOM)
    with mailbox(tmp_path / "mailbox", *options) as kept:
        with member(tmp_path / "alice", kept.link()) as alice:
            if by_invitation:
                until_agreed(alice)
            alice.until_members(1)
            alice.ask("burst 300", "said")
            kept.until_archived(300)
            expected = alice.digest()
        with member(tmp_path / "bob", kept.link()) as bob:
            assert bob.until_count(300) == expected
            bob.ask("say an answer for Alice", "said")
            kept.until_archived(301)
            expected = bob.digest()
        with member(tmp_path / "alice", kept.link()) as alice:
            assert alice.until_count(301) == expected


def test_an_archive_is_kept_over_a_kill(tmp_path: Path) -> None:
    with mailbox(tmp_path / "mailbox", "--archive-room", ROOM) as kept:
        with member(tmp_path / "alice", kept.link()) as alice:
            alice.until_members(1)
            alice.ask("burst 200", "said")
            kept.until_archived(200)
            expected = alice.digest()
        kept.process.kill()
        kept.process.communicate()
    with (
        mailbox(tmp_path / "mailbox", "--archive-room", ROOM) as kept,
        member(tmp_path / "bob", kept.link()) as bob,
    ):
        assert bob.until_count(200) == expected
