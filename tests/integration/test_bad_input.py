"""What a user may get wrong: a clear line and exit code 2, never a traceback, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pchat.node import identity

P2PCHAT = Path(sys.executable).with_name("p2pchat")
ALONE = ("--bootstrap", "none", "--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0")
TIMEOUT = 60.0  # seconds


def node(
    folder: Path, *options: str, said: bytes = b"", user: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [str(P2PCHAT), "node", "--data-dir", str(folder), *ALONE, *options]
    return subprocess.run(
        command, input=said, capture_output=True, timeout=TIMEOUT, check=False, user=user
    )


def assert_refused(done: subprocess.CompletedProcess[bytes], *words: str) -> None:
    shown = done.stderr.decode()
    assert done.returncode == 2, shown
    assert "Traceback" not in shown
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/ip4/192.0.2.77/tcp/0", "no address 192.0.2.77"),
        ("nonsense", "nonsense"),
        ("/ip4/127.0.0.1/tcp/99999", "99999"),
        ("/ip4/127.0.0.1/sctp/1", "sctp"),
    ],
)
def test_a_listen_address_that_cannot_be_used(tmp_path: Path, address: str, words: str) -> None:
    assert_refused(node(tmp_path / "a", "--listen", address), words)


def test_a_damaged_identity_is_left_alone(tmp_path: Path) -> None:
    key = tmp_path / "identity.key"
    key.write_bytes(b"not a key")
    assert_refused(node(tmp_path), str(key), "damaged")
    assert key.read_bytes() == b"not a key"


def test_an_identity_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "identity.key").mkdir()
    assert_refused(node(tmp_path), "identity.key")


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(node(tmp_path / "file"), str(tmp_path / "file"))


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else for a moment")
def test_a_data_folder_without_write_rights() -> None:
    # Somebody else can neither write to /proc nor, on most machines, read where this project lies.
    done = subprocess.run(
        [P2PCHAT, "node", "--data-dir", "/proc/p2pchat", *ALONE],
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert_refused(done, "/proc/p2pchat")


def truncate_manifest(store: Path) -> None:
    for manifest in store.glob("MANIFEST-*"):
        manifest.write_bytes(b"garbage")


def replace_by_file(store: Path) -> None:
    for entry in store.iterdir():
        entry.unlink()
    store.rmdir()
    store.write_text("I am no store")


def name_a_manifest_that_is_not_there(store: Path) -> None:
    (store / "CURRENT").write_bytes(b"MANIFEST-999999\n")


@pytest.mark.parametrize(
    "damage", [truncate_manifest, replace_by_file, name_a_manifest_that_is_not_there]
)
def test_a_damaged_store(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    assert node(tmp_path, said=b"/quit\n").returncode == 0
    damage(tmp_path / "store")
    before = identity.load(tmp_path / "identity.key")
    assert_refused(node(tmp_path, said=b"hello\n"), str(tmp_path / "store"))
    assert identity.load(tmp_path / "identity.key") == before


def test_bytes_that_are_no_text_are_shown_harmlessly(tmp_path: Path) -> None:
    evil = b"caf\xc3\xa9 \xff\xfe \x1b[2J\x1b]0;owned\x07 \xe2\x80\xae end\n"
    done = node(tmp_path, "--name", "Ada", said=evil)
    assert done.returncode == 1  # nobody was there to hear it
    shown = done.stdout
    assert "café".encode() in shown
    assert b"end" in shown
    for forbidden in (b"\x1b", b"\x07", b"\xff", "\u202e".encode()):
        assert forbidden not in shown


def test_a_name_with_escape_sequences_is_refused(tmp_path: Path) -> None:
    assert_refused(node(tmp_path, "--name", "\x1b[31mred"))


def test_a_text_that_is_too_long_is_refused_and_the_rest_is_sent(tmp_path: Path) -> None:
    said = b"x" * 70_000 + b"\nshort enough\n"
    done = node(tmp_path, "--name", "Ada", said=said)
    assert done.returncode == 1  # nobody was there to hear it
    assert b"65,536" in done.stdout + done.stderr
    assert b"): short enough" in done.stdout


def test_the_same_history_after_a_pipe(tmp_path: Path) -> None:
    node(tmp_path, "--name", "Ada", said=b"one\ntwo\n")
    done = node(tmp_path, said=b"/history\n/quit\n")
    assert done.stdout.index(b"): one") < done.stdout.index(b"): two")
