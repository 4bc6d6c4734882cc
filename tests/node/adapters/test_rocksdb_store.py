"""What only a store on a real disk can do wrong. What all stores do is in `test_message_store_contract.py`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from p2pchat.node.adapters.history_keys import cell_key, room_prefix
from p2pchat.node.adapters.rocksdb_database import META
from p2pchat.node.adapters.rocksdb_room_entries import ROOM_CELLS, ROOM_MESSAGES
from p2pchat.node.adapters.rocksdb_store import FAMILIES, SCHEMA_VERSION, RocksdbStore
from p2pchat.node.errors import StoreError, StoreInUseError, StoreTooNewError
from p2pchat.node.protocol.items import START
from p2pchat.node.protocol.summary import LEVELS
from p2pchat.proto import records_pb2 as records
from tests import store_process
from tests.builders import ROOM, room_record
from tests.failing_disk import FailingSync, no_file_longer_than
from tests.room_recount import END, assert_sums_are_right

COARSEST = len(LEVELS) - 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store"


@pytest.fixture
def store(path: Path) -> Iterator[RocksdbStore]:
    made = RocksdbStore(path)
    made.open()
    yield made
    made.close()


@contextmanager
def raw(path: Path, *families: str) -> Iterator[Rdict]:
    """The database without our code around it."""
    options = Options(raw_mode=True)
    options.create_missing_column_families(True)
    database = Rdict(str(path), options, dict.fromkeys((*FAMILIES, META, *families), options))
    yield database
    database.close()


def put_raw(path: Path, family: str, key: bytes, value: bytes) -> None:
    with raw(path) as database:
        column = database.get_column_family(family)
        column[key] = value
        column.close()


def refused(path: Path, kind: type[StoreError] = StoreError) -> str:
    """The sentence with which opening is refused; it names the folder."""
    with pytest.raises(kind) as caught:
        RocksdbStore(path).open()
    assert type(caught.value) is kind
    sentence = str(caught.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    return sentence


def lamports(store: RocksdbStore) -> list[int]:
    return [record.message.lamport for record in store.history(ROOM, 1000).records]


# ---- opening ---------------------------------------------------------------------------------------


def test_the_folder_is_made_and_is_for_its_owner_alone(store: RocksdbStore, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o700


def test_importing_the_module_does_not_load_rocksdb() -> None:
    code = "import sys, p2pchat.node.adapters.rocksdb_store; print('rocksdict' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_newer_schema_is_refused_and_left_alone(store: RocksdbStore, path: Path) -> None:
    store.close()
    put_raw(path, META, b"schema_version", (SCHEMA_VERSION + 1).to_bytes(4, "big"))
    for _ in range(2):
        sentence = refused(path, StoreTooNewError)
        assert f"newer version of p2pchat (schema {SCHEMA_VERSION + 1}" in sentence
    put_raw(path, META, b"schema_version", SCHEMA_VERSION.to_bytes(4, "big"))
    store.open()


def test_a_newer_schema_may_have_column_families_of_its_own(
    store: RocksdbStore, path: Path
) -> None:
    store.close()
    with raw(path, "of a later schema"):
        pass
    store.open()
    store.close()
    with raw(path, "of a later schema") as database:
        column = database.get_column_family(META)
        column[b"schema_version"] = (7).to_bytes(4, "big")
        column.close()
    assert "schema 7" in refused(path, StoreTooNewError)


def test_a_store_in_use_by_this_process_is_refused(store: RocksdbStore, path: Path) -> None:
    refused(path, StoreInUseError)
    store.append([room_record(1)])


def test_a_store_in_use_by_another_process_is_refused_until_that_ends(path: Path) -> None:
    with store_process.start("hold", path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        assert "in use by another process" in refused(path, StoreInUseError)
        other.communicate("")
    store = RocksdbStore(path)
    store.open()
    store.close()


@pytest.mark.parametrize("existing", [False, True])
def test_a_folder_without_write_rights_is_refused(path: Path, existing: bool) -> None:
    store = RocksdbStore(path)
    if existing:
        store.open()
        store.close()
    else:
        path.parent.mkdir(mode=0o500)
    with store_process.start("visit", path) as visitor:
        answer = visitor.communicate()[0]
    assert answer.startswith(f"StoreError: No right to write to the message store in {path}")


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(tmp_path / "file")
    refused(tmp_path / "file" / "store")


# ---- damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
@pytest.mark.parametrize("damage", [b"", b"garbage\n" * 100])
def test_a_damaged_store_is_refused_with_what_to_do(
    store: RocksdbStore, path: Path, name: str, damage: bytes
) -> None:
    store.append([room_record(1)])
    store.close()
    (file,) = path.glob(name)
    file.write_bytes(damage)
    sentence = refused(path)
    assert "is damaged" in sentence
    assert "move it away" in sentence
    assert "your identity stays" in sentence


def test_a_missing_table_is_damage(store: RocksdbStore, path: Path) -> None:
    store.append([room_record(1)])
    store.close()
    for table in path.glob("*.sst"):
        table.unlink()
    assert "is damaged" in refused(path)


def test_damage_that_is_found_while_reading_is_said_then(store: RocksdbStore, path: Path) -> None:
    store.append([room_record(number, text="x" * 2000) for number in range(500)])
    store.close()
    largest = max(path.glob("*.sst"), key=lambda table: table.stat().st_size)
    with largest.open("r+b") as file:
        file.write(b"garbage!" * 1000)
    store.open()
    with pytest.raises(StoreError, match="is damaged"):
        store.history(ROOM, 1000)


def test_a_record_that_cannot_be_parsed_is_damage(store: RocksdbStore, path: Path) -> None:
    store.append([room_record(1)])
    first = store.history(ROOM, 1).first
    store.close()
    put_raw(path, ROOM_MESSAGES, room_prefix(ROOM) + first, b"\xff\xff\xff")
    store.open()
    with pytest.raises(StoreError, match="is damaged"):
        store.history(ROOM, 1)


def test_a_cell_that_cannot_be_read_is_damage(store: RocksdbStore, path: Path) -> None:
    store.append([room_record(1)])
    store.close()
    put_raw(path, ROOM_CELLS, cell_key(room_prefix(ROOM), COARSEST, 0), b"short")
    store.open()
    with pytest.raises(StoreError, match="is damaged"):
        store.item_set(ROOM).summarize(START, END)
    with pytest.raises(StoreError, match="is damaged"):
        store.append([room_record(2)])
    assert lamports(store) == [1]


def test_a_torn_end_of_the_log_costs_only_what_was_not_finished(
    store: RocksdbStore, path: Path, tmp_path: Path
) -> None:
    for number in range(10):
        store.append([room_record(number), room_record(number, sender=1)])
    copy = tmp_path / "as after a power cut"
    shutil.copytree(path, copy)
    log = max(copy.glob("*.log"))
    log.write_bytes(log.read_bytes().rstrip(b"\x00")[:-5])
    crashed = RocksdbStore(copy)
    crashed.open()
    assert lamports(crashed) == [n for n in range(9) for _ in range(2)]
    assert crashed.append([room_record(9)]) == [True]
    crashed.close()


# ---- a disk that fails -----------------------------------------------------------------------------


def test_nothing_of_a_batch_that_does_not_fit_is_kept(store: RocksdbStore) -> None:
    store.append([room_record(1)])
    large = [room_record(number, text="x" * 60_000) for number in range(2, 40)]
    with no_file_longer_than(1 << 20):
        for _ in range(3):
            with pytest.raises(StoreError, match="The disk is full"):
                store.append(large)
        assert lamports(store) == [1]
        assert store.append([room_record(50)]) == [True]
    assert all(store.append(large))
    store.close()
    store.open()
    assert lamports(store) == [*range(1, 40), 50]


def test_a_full_disk_refuses_until_there_is_room_again(tmp_path: Path) -> None:
    inside = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    mount = 'mount -t tmpfs -o size=24m none "$0"'
    if subprocess.run([*inside, mount, str(tmp_path)], capture_output=True).returncode:
        pytest.skip("needs a mount namespace, for a small file system")
    command = (*inside, f'{mount} && exec "$@"', str(tmp_path))
    with store_process.start("fill", tmp_path, before=command) as child:
        lines = child.communicate()[0].splitlines()
    full = f"The disk is full: nothing can be saved in {tmp_path}/store until there is space again."
    assert lines == [
        f"refused 3 {full}",
        "kept [1]",
        f"with little room {full}",
        "with room [True]",
        "kept [1, 2]",
    ]


def test_a_write_that_fails_once_is_tried_again(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    FailingSync(monkeypatch, failures=1)
    assert store.append([room_record(1)]) == [True]
    assert lamports(store) == [1]


def test_a_write_whose_sync_failed_is_taken_back_before_the_next_one(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = FailingSync(monkeypatch, failures=0)
    store.append([room_record(1)])
    store.save_profile(records.Profile(name="Ada"))
    sync.failures = 3  # the first try, the undoing and so the second try
    with pytest.raises(StoreError, match="Input/output error"):
        store.append([room_record(2)])
    assert store.append([room_record(2), room_record(3)]) == [True, True]
    sync.failures = 3
    with pytest.raises(StoreError, match="Input/output error"):
        store.save_profile(records.Profile(name="Eve"))
    store.append([room_record(4)])
    assert store.load_profile().name == "Ada"
    assert lamports(store) == [1, 2, 3, 4]


def test_what_was_left_to_take_back_is_taken_back_when_it_is_opened_again(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    FailingSync(monkeypatch, failures=3)
    with pytest.raises(StoreError, match="Input/output error"):
        store.append([room_record(2)])
    store.close()
    store.open()
    assert lamports(store) == []


@pytest.mark.parametrize("failures", [1, 3])
def test_a_write_that_failed_leaves_no_wrong_sum(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    sync = FailingSync(monkeypatch, failures=0)
    store.append([room_record(n) for n in range(20)])
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=10))

    def append(number: int) -> None:
        store.append([room_record(number)])

    def trim(_: int) -> None:
        store.trim_room(ROOM, 2)

    for number in range(20, 24):
        for step in (append, trim):
            sync.failures = failures
            with pytest.raises(StoreError) if failures == 3 else nullcontext():
                step(number)
            store.save_profile(records.Profile())  # takes back what failed
            assert_sums_are_right(store, ROOM)
            step(number)
            assert_sums_are_right(store, ROOM)


def test_opening_again_does_not_lose_what_trimming_has_still_to_do(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = FailingSync(monkeypatch, failures=0)
    store.append([room_record(n) for n in range(6)])
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=5))
    assert store.trim_room(ROOM, 2) == (2, True)
    sync.failures = 3
    with pytest.raises(StoreError):
        store.trim_room(ROOM, 2)
    assert store.trim_room(ROOM, 2) == (2, True)
    store.open()
    assert store.trim_room(ROOM, 2) == (1, False)
    assert lamports(store) == [5]


def test_damaged_known_peers_are_forgotten_and_said_so(
    store: RocksdbStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    peers = records.KnownPeers(peers=[records.KnownPeer(peer="bob")])
    store.save_known_peers(peers)
    store.close()
    put_raw(path, META, b"known_peers", b"\xff" * 20)
    store.open()
    assert store.load_known_peers() == records.KnownPeers()
    assert "known peers cannot be read" in caplog.text
    store.save_known_peers(peers)
    assert store.load_known_peers() == peers


def test_known_peers_survive_the_death_of_the_process(path: Path) -> None:
    script = (
        "import os, pathlib, sys\n"
        "from p2pchat.node.adapters.rocksdb_store import RocksdbStore\n"
        "from p2pchat.proto import records_pb2 as records\n"
        "store = RocksdbStore(pathlib.Path(sys.argv[1]))\n"
        "store.open()\n"
        "store.save_known_peers(records.KnownPeers(peers=[records.KnownPeer(peer='bob')]))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    assert ended.returncode == -9
    store = RocksdbStore(path)
    store.open()
    assert [peer.peer for peer in store.load_known_peers().peers] == ["bob"]
    store.close()
