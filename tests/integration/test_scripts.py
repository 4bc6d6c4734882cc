"""The lists of the script commands before real nodes that have something to list, and what an import takes over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.cli import main
from p2pchat.proto import control_pb2 as control
from tests.integration.test_bot import asking, node, until


class Shell:
    """`shell("rooms", "--json")`: what that prints about the node on the folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        self._capsys.readouterr()
        code = main.run([*words, "--data-dir", str(self.folder)])
        out, err = self._capsys.readouterr()
        assert (code, err) == (0, ""), words
        return out


@pytest.fixture
def ada(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """She has written to Bob, whom she has given no name, has sent him a file, and meets him in a room."""
    shell = Shell(tmp_path / "ada", capsys)
    with node(tmp_path / "bob", "none") as address, node(tmp_path / "ada", address):
        shell("rooms", "join", "garden")
        Shell(tmp_path / "bob", capsys)("rooms", "join", "garden")
        until(lambda: "bob" in shell("peers"))
        bob = address.rpartition("/")[2]
        shell("send", "--to", bob, "Hi")
        shell("send", "--room", "#garden", "Hi all")
        (tmp_path / "note.txt").write_text("x" * 1_000)
        shell("send", "--to", bob, "--file", str(tmp_path / "note.txt"))
        until(lambda: "delivered" in shell("history", "--with", bob))
        until(lambda: len(shell("rooms", "members", "garden").splitlines()) == 3)
        yield shell


def test_the_lists_are_tables_for_people(ada: Shell) -> None:
    head, *rows = ada("rooms").splitlines()
    assert head.split()[:2] == ["Room", "Listeners"]
    assert any(row.startswith("#garden ") for row in rows)
    head, peer = ada("peers").splitlines()
    assert (head.split()[0], peer.split()[0]) == ("Peer", "bob")
    head, file = ada("files").splitlines()
    assert head.split()[0] == "Transfer"
    assert "to bob" in file
    assert "note.txt" in file
    head, contact = ada("contacts").splitlines()
    assert (head.split()[0], contact.split()[0]) == ("Contact", "bob")


def test_a_contact_keeps_its_name_over_an_import(
    ada: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text(ada("export"))
    with asking(ada.folder) as running:
        [before] = running.ask(control.ListContactsRequest()).contacts
    assert (before.name, before.nick, before.given_name) == ("bob", "bob", "")
    new = Shell(tmp_path / "new", capsys)
    with node(new.folder, "none"), asking(new.folder) as running:
        main.run(["import", str(file), "--data-dir", str(new.folder)])
        [after] = running.ask(control.ListContactsRequest()).contacts
        assert (after.name, after.nick) == ("bob", "bob")
        assert after.last_message_ms == before.last_message_ms
        assert "Hi" in new("history", "--with", "bob")
