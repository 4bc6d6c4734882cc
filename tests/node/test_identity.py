"""The identity file: made once, kept, never silently replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from p2pchat.node import identity
from p2pchat.node.errors import IdentityError
from p2pchat.node.identity import Identity

# The Ed25519 test vector of the libp2p specification (libp2p/specs, peer-ids).
VECTOR = bytes.fromhex(
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "identity.key"


def test_the_format_is_libp2ps() -> None:
    decoded = Identity.decode(VECTOR)
    assert decoded.public_key == VECTOR[-32:]
    assert decoded.encode() == VECTOR
    assert decoded.peer_bytes.endswith(VECTOR[-32:])


def test_py_libp2p_makes_the_same_key_of_the_seed() -> None:
    ed25519 = pytest.importorskip("libp2p.crypto.ed25519")
    made = Identity.generate()
    assert ed25519.create_new_key_pair(made.seed).public_key.to_bytes() == made.public_key


def test_an_identity_is_made_once_and_then_kept(path: Path) -> None:
    first = identity.load_or_create(path)
    assert identity.load_or_create(path) == first
    assert identity.load(path) == first
    assert Identity.generate() != first


def test_of_two_that_make_it_at_once_the_second_takes_the_first_ones(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[Identity] = []
    generate = Identity.generate

    def overtaken() -> Identity:
        monkeypatch.setattr(Identity, "generate", generate)
        first.append(identity.create(path))
        return generate()

    monkeypatch.setattr(Identity, "generate", overtaken)
    assert identity.load_or_create(path) == first[0]


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    previous = os.umask(0)
    try:
        identity.create(path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_the_secret_is_not_shown() -> None:
    made = Identity.generate()
    assert repr(made) == f"<Identity {made.peer}>"
    assert made.seed.hex() not in f"{made!r} {made}"


def test_an_existing_identity_is_replaced_only_on_request(path: Path) -> None:
    first = identity.create(path)
    with pytest.raises(IdentityError, match="There is an identity in"):
        identity.create(path)
    assert identity.load(path) == first
    second = identity.create(path, replace=True)
    assert identity.load(path) == second != first
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        VECTOR[:-1],
        VECTOR + b"\x00",
        b"\x08\x00" + VECTOR[2:],
        VECTOR[:10] + b"\xff" + VECTOR[11:],
        VECTOR[:-1] + b"\x00",
        b"-----BEGIN PRIVATE KEY-----",
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    with pytest.raises(IdentityError, match="is damaged") as caught:
        identity.load_or_create(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == damage


def test_a_dangling_link_is_no_reason_for_a_new_identity(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "on a disk that is not there")
    with pytest.raises(IdentityError, match="Cannot read"):
        identity.load_or_create(path)
    assert path.is_symlink()


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match=r"Cannot read the identity file .* Is a directory"):
        identity.load(tmp_path)
    with pytest.raises(IdentityError, match="No such file"):
        identity.load(tmp_path / "missing")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(IdentityError, match="Cannot write the identity file"):
        identity.create(file / "identity.key")
    assert list(tmp_path.iterdir()) == [file]
