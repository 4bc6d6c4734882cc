from __future__ import annotations

import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from p2pchat.node.backup import making, restoring
from p2pchat.node.backup.failing import BackupError
from p2pchat.node.errors import ConfigError
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import age
from tests.node.backup.folders import (
    MADE_AT_MS,
    MARK,
    PASSPHRASE,
    make_node,
    opened_store,
    seal_tar,
    stores,
    texts,
)

BIG = 48 << 20  # bytes
KEY = ("identity.key", Identity(bytes(32)).encode())


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "WORK_FACTOR", 4)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "node"
    make_node(folder)
    target = tmp_path / "b.age"
    making.make(folder, stores(folder), target, PASSPHRASE, made_at_ms=MADE_AT_MS)
    return target


def test_everything_is_as_it_was(backup: Path, tmp_path: Path) -> None:
    found = restoring.restore(backup, tmp_path / "new" / "node", PASSPHRASE)
    old, new = tmp_path / "node", tmp_path / "new" / "node"
    assert found == restoring.Restored(_peer(old), MADE_AT_MS, is_mailbox=False)
    assert (new / "identity.key").read_bytes() == (old / "identity.key").read_bytes()
    assert texts(new) == texts(old)
    assert new.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in new.iterdir())
    store = opened_store(new)
    assert [record.id for record in store.outbox(10, b"").records] == [(1).to_bytes(16, "big")]
    store.close()


def test_the_node_will_sign_a_newer_record_of_its_mailboxes(backup: Path, tmp_path: Path) -> None:
    restoring.restore(backup, tmp_path / "new", PASSPHRASE)
    store = opened_store(tmp_path / "new")
    own = store.load_own_mailboxes()
    store.close()
    assert own.restored
    assert own.record_sequence == 7
    assert len(own.mailboxes) == 1


def test_an_empty_folder_is_filled_and_one_that_is_not_is_left_alone(
    backup: Path, tmp_path: Path
) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "dear").write_text("x")
    restoring.restore(backup, empty, PASSPHRASE)
    assert (empty / "identity.key").exists()
    with pytest.raises(ConfigError, match="not empty"):
        restoring.restore(backup, full, PASSPHRASE)
    assert os.listdir(full) == ["dear"]


def test_a_big_store_needs_little_memory(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    make_node(folder)
    (folder / "mail").mkdir()
    with (folder / "mail" / "000001.sst").open("wb") as file:
        file.truncate(BIG)
    both = {**stores(folder), "mail": folder / "mail"}
    tracemalloc.start()
    try:
        making.make(folder, both, tmp_path / "b.age", PASSPHRASE, made_at_ms=MADE_AT_MS)
        restoring.restore(tmp_path / "b.age", tmp_path / "new", PASSPHRASE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "new" / "mail" / "000001.sst").stat().st_size == BIG
    assert peak < BIG // 4


def test_a_wrong_passphrase_is_called_that(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="The passphrase does not open"):
        restoring.restore(backup, tmp_path / "new", b"incorrect horse")
    assert _beside(tmp_path) == ["b.age", "node"]


def test_of_a_damaged_backup_nothing_is_put_in_place(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    in_the_middle = whole[: len(whole) // 2] + b"?" + whole[len(whole) // 2 + 1 :]
    for wrong in (whole[:-1], whole[:-100], in_the_middle, whole + b"x", whole[:500], b""):
        backup.write_bytes(wrong)
        with pytest.raises(BackupError):
            restoring.restore(backup, tmp_path / "new", PASSPHRASE)
        assert _beside(tmp_path) == ["b.age", "node"]


def special(kind: bytes, name: str = "link", target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


HOSTILE: list[tuple[str | tarfile.TarInfo, bytes]] = [
    ("../outside", b"x"),
    ("/tmp/outside", b"x"),
    ("store/../../outside", b"x"),
    ("store/sub/file", b"x"),
    ("other/file", b"x"),
    (".profile", b"x"),
    ("store/.hidden", b"x"),
    ("store", b"x"),
    ("identity.key", b"a second one"),
    ("a\nb", b"x"),
    ("x" * 200, b"x"),
    MARK,
    (special(tarfile.SYMTYPE), b""),
    (special(tarfile.SYMTYPE, "store", "/tmp"), b""),
    (special(tarfile.LNKTYPE), b""),
    (special(tarfile.FIFOTYPE), b""),
    (special(tarfile.CHRTYPE), b""),
    (special(tarfile.DIRTYPE, "mail"), b""),
    (special(tarfile.GNUTYPE_SPARSE), b""),
]


@pytest.mark.parametrize("member", HOSTILE, ids=[str(number) for number in range(len(HOSTILE))])
def test_nothing_but_files_of_a_node_comes_out(
    member: tuple[str | tarfile.TarInfo, bytes], tmp_path: Path
) -> None:
    seal_tar(tmp_path / "b.age", MARK, KEY, member)
    with pytest.raises(BackupError):
        restoring.restore(tmp_path / "b.age", tmp_path / "sub" / "new", PASSPHRASE)
    assert _beside(tmp_path) == ["b.age", "sub"]
    assert _beside(tmp_path / "sub") == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((KEY,), "something else"),
        ((MARK,), "no identity"),
        ((MARK, ("identity.key", b"no key")), "no identity"),
        (((MARK[0], b"{}"), KEY), "does not say what it is"),
        (((MARK[0], b'{"form": 1e999, "made_at_ms": 1}'), KEY), "does not say what it is"),
        (((MARK[0], b"[" * 4000), KEY), "does not say what it is"),
        (((MARK[0], b'{"form": 1, "made_at_ms": 1e30}'), KEY), "does not say when"),
        (((MARK[0], b'{"form": 2, "made_at_ms": 1}'), KEY), "newer version"),
        ((MARK, KEY, ("store/CURRENT", b"MANIFEST-1\n")), "store in it is damaged"),
    ],
)
def test_what_is_no_whole_node_is_refused_in_words(
    entries: tuple[tuple[str, bytes], ...], words: str, tmp_path: Path
) -> None:
    seal_tar(tmp_path / "b.age", *entries)
    with pytest.raises(BackupError, match=words):
        restoring.restore(tmp_path / "b.age", tmp_path / "new", PASSPHRASE)
    assert _beside(tmp_path) == ["b.age"]


def test_a_name_that_no_file_can_have_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="too long"):
        restoring.check_place(tmp_path / ("x" * 300))


def test_a_node_that_was_never_started_has_an_identity_and_is_restored(tmp_path: Path) -> None:
    seal_tar(tmp_path / "b.age", MARK, KEY)
    found = restoring.restore(tmp_path / "b.age", tmp_path / "new", PASSPHRASE)
    assert found.peer == Identity(bytes(32)).peer
    assert os.listdir(tmp_path / "new") == ["identity.key"]


def test_a_file_that_is_no_backup_is_known_before_a_passphrase_is_asked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "x").write_text("hello")
    with pytest.raises(BackupError, match="it is no backup"):
        restoring.check_source(tmp_path / "x")
    with pytest.raises(BackupError, match="No such file"):
        restoring.check_source(tmp_path / "y")


def _peer(folder: Path) -> str:
    return Identity.decode((folder / "identity.key").read_bytes()).peer


def _beside(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))
