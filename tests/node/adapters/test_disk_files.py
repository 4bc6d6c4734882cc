"""What only a real disk has: links, pipes, modes, a download folder with traps in it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from p2pchat.node.adapters.disk_files import PARTIAL_FOLDER, DiskFiles
from p2pchat.node.errors import FileChangedError, FileError
from p2pchat.node.protocol import file_names

PARTIAL = "0123.12D3KooW"


@pytest.fixture
def files(tmp_path: Path) -> DiskFiles:
    return DiskFiles(tmp_path / "downloads")


@pytest.fixture
def partials(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / PARTIAL_FOLDER


def test_only_the_owner_can_read_what_is_taken(files: DiskFiles, tmp_path: Path) -> None:
    files.write(PARTIAL, 0, b"x", sync=True)
    assert files.publish(PARTIAL, files.free_path("a"))
    downloads = tmp_path / "downloads"
    for path, mode in ((downloads, 0o700), (downloads / "a", 0o600)):
        assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("special", ["folder", "pipe", "device"])
def test_only_regular_files_are_sent(files: DiskFiles, tmp_path: Path, special: str) -> None:
    path = tmp_path / "special"
    if special == "folder":
        path.mkdir()
    elif special == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/zero")
    with pytest.raises(FileError, match="no regular file"):
        files.describe(str(path))


def test_a_link_to_an_own_file_is_followed_when_it_is_offered(
    files: DiskFiles, tmp_path: Path
) -> None:
    (tmp_path / "real.txt").write_bytes(b"real")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    facts = files.describe(str(tmp_path / "link.txt"))
    assert (facts.name, facts.path) == ("link.txt", str(tmp_path / "real.txt"))


def test_a_file_that_was_only_touched_counts_as_changed(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"same")
    facts = files.describe(str(path))
    os.utime(path, ns=(1, 1))
    with pytest.raises(FileChangedError):
        files.read(facts, 0, 10)


def test_a_null_character_in_a_path_is_said_in_a_sentence(files: DiskFiles) -> None:
    with pytest.raises(FileError):
        files.describe("/tmp/a\x00b")


def test_a_link_in_place_of_a_partial_is_not_written_through(
    files: DiskFiles, partials: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    partials.mkdir(parents=True)
    (partials / PARTIAL).symlink_to(victim)
    with pytest.raises(FileError):
        files.write(PARTIAL, 0, b"attack", sync=True)
    assert victim.read_bytes() == b"precious"


def test_a_link_in_place_of_the_folder_of_partials_is_not_used(
    files: DiskFiles, partials: Path, tmp_path: Path
) -> None:
    partials.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    partials.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="leads elsewhere"):
        files.write(PARTIAL, 0, b"attack", sync=True)
    assert not os.listdir(tmp_path / "elsewhere")


def test_nothing_in_another_folder_counts_as_a_partial(
    files: DiskFiles, partials: Path, tmp_path: Path
) -> None:
    """They would be deleted at the next start."""
    partials.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "thesis.tex").write_text("precious")
    partials.symlink_to(tmp_path / "elsewhere")
    assert not files.partials()


def test_a_link_with_the_name_of_a_file_is_left_alone(files: DiskFiles, tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "downloads" / "a.txt"
    files.write(PARTIAL, 0, b"new", sync=True)
    target.symlink_to(victim)  # leads nowhere yet
    assert files.free_path("a.txt") == str(target.with_name("a (1).txt"))
    assert not files.publish(PARTIAL, str(target))
    assert not victim.exists()


@pytest.mark.parametrize("name", ["../escape", "", ".", "..", "a/b"])
def test_a_partial_has_no_path(files: DiskFiles, name: str) -> None:
    with pytest.raises(FileError, match="no name"):
        files.write(name, 0, b"x", sync=False)


def test_a_crash_between_both_names_is_seen(files: DiskFiles, partials: Path) -> None:
    files.write(PARTIAL, 0, b"whole", sync=True)
    path = files.free_path("a")
    os.link(partials / PARTIAL, path)
    assert files.publish(PARTIAL, path)
    assert not files.partials()
    assert Path(path).read_bytes() == b"whole"


def test_file_systems_without_second_names_work_as_well(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    files.write(PARTIAL, 0, b"whole", sync=True)
    path = files.free_path("a")
    assert files.publish(PARTIAL, path)
    assert Path(path).read_bytes() == b"whole"
    files.write(PARTIAL, 0, b"other", sync=True)
    assert not files.publish(PARTIAL, path)


def test_a_full_disk_is_said_in_plain_words(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(FileError, match=r"The disk is full\."):
        files.write(PARTIAL, 0, b"x", sync=True)


@pytest.mark.parametrize(
    "offered",
    [
        "../../escape",
        "/etc/passwd",
        "..",
        ".partial",
        "-rf",
        "a/../../b",
        "x" * 1000,
        "\u202e\x1b",
        "~",
    ],
)
def test_whatever_is_offered_stays_in_the_folder(
    files: DiskFiles, tmp_path: Path, offered: str
) -> None:
    for number in range(2):
        files.write(PARTIAL, 0, bytes([number]), sync=True)
        path = Path(files.free_path(file_names.safe(offered)))
        assert files.publish(PARTIAL, str(path))
        assert path.resolve().parent == (tmp_path / "downloads").resolve()
        assert path.read_bytes() == bytes([number])
    assert os.listdir(tmp_path) == ["downloads"]


def test_two_nodes_may_share_a_download_folder(tmp_path: Path) -> None:
    one, other = (
        DiskFiles(tmp_path / "downloads", owner) for owner in ("12D3KooWone", "12D3KooWtwo")
    )
    one.write(PARTIAL, 0, b"half", sync=True)
    assert not other.partials()
    assert list(one.partials()) == [PARTIAL]
