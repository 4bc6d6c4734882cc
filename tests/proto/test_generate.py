from pathlib import Path

import pytest

from p2pchat.proto import generate

SHARED = """syntax = "proto3";
package p2pchat.shared.v1;
message Shared { bytes id = 1; }
"""
SERVED = """syntax = "proto3";
package p2pchat.served.v1;
import "p2pchat/proto/shared.proto";
service Node { rpc Get(p2pchat.shared.v1.Shared) returns (p2pchat.shared.v1.Shared); }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared.proto").write_text(SHARED)
    (tmp_path / "served.proto").write_text(SERVED)
    assert generate.main([], tmp_path) == 0
    return tmp_path


def test_writes_grpc_code_only_for_services(folder: Path) -> None:
    assert sorted(path.name for path in folder.glob("*_pb2*")) == [
        "served_pb2.py",
        "served_pb2.pyi",
        "served_pb2_grpc.py",
        "shared_pb2.py",
        "shared_pb2.pyi",
    ]


def test_files_import_each_other_below_p2pchat(folder: Path) -> None:
    assert "from p2pchat.proto import shared_pb2" in (folder / "served_pb2.py").read_text()


def test_names_no_path_of_this_machine(folder: Path) -> None:
    assert not [path for path in folder.glob("*_pb2*") if str(folder) in path.read_text()]


def test_check_passes_what_was_written(folder: Path) -> None:
    assert generate.main(["--check"], folder) == 0


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("shared_pb2.py", "# old", "proto/shared_pb2.py is stale"),
        ("shared.proto", SHARED.replace("id", "name"), "proto/shared_pb2.pyi is stale"),
        ("new.proto", SHARED.replace("hared", "tray"), "proto/new_pb2.py is missing"),
        ("gone_pb2.py", "", "proto/gone_pb2.py has no .proto any more"),
    ],
)
def test_check_names_what_is_wrong_and_leaves_it(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, said: str
) -> None:
    (folder / file).write_text(text)
    before = {path: path.read_text() for path in folder.iterdir()}
    assert generate.main(["--check"], folder) == 1
    assert said in capsys.readouterr().err
    assert {path: path.read_text() for path in folder.iterdir()} == before


def test_writing_removes_what_has_no_source(folder: Path) -> None:
    (folder / "gone_pb2.pyi").touch()
    assert generate.main([], folder) == 0
    assert not (folder / "gone_pb2.pyi").exists()


def test_bad_source_is_an_error(folder: Path) -> None:
    (folder / "shared.proto").write_text("no")
    assert generate.main([], folder) == 1
