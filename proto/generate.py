"""Writes the Python code of every .proto file here, beside it; `--check` only compares.

The generated files are committed, so that installing p2pchat needs no protobuf compiler.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

PACKAGE = "p2pchat/proto"
"""Where the files stand in the import tree: what makes them import each other as p2pchat.proto.x_pb2."""

GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")


def generate(folder: Path) -> dict[str, str]:
    """Returns the text of each generated file by its name; raises CalledProcessError for a bad .proto."""
    names = sorted(f"{PACKAGE}/{path.name}" for path in folder.glob("*.proto"))
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        run_protoc(folder, Path(scratch), names)
        wanted = expected_names(Path(scratch, "descriptors"))
        output = Path(scratch, PACKAGE)
        return {name: (output / name).read_text("utf-8") for name in wanted}


def run_protoc(folder: Path, scratch: Path, names: list[str]) -> None:
    """Runs the compiler of grpcio-tools, in its own process because it keeps global state."""
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc"),
            # A virtual path: file names in the output start at the package, not at this machine's root.
            f"-I{PACKAGE}={folder}",
            f"--python_out={scratch}",
            f"--pyi_out={scratch}",
            f"--grpc_python_out={scratch}",
            f"--descriptor_set_out={scratch / 'descriptors'}",
            *names,
        ],
        check=True,
    )


def expected_names(descriptors: Path) -> list[str]:
    """Returns which files to keep: the compiler writes a gRPC file even where there is no service."""
    names = []
    for file in FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        stem = file.name.removeprefix(f"{PACKAGE}/").removesuffix(".proto")
        names += [f"{stem}_pb2.py", f"{stem}_pb2.pyi"]
        if file.service:
            names.append(f"{stem}_pb2_grpc.py")
    return names


def differences(folder: Path, fresh: dict[str, str]) -> dict[str, str]:
    """Returns what is wrong with each committed file that is not as `fresh` says."""
    committed = {path.name: path for pattern in GENERATED for path in folder.glob(pattern)}
    found = dict.fromkeys(fresh.keys() - committed.keys(), "is missing")
    for name, path in committed.items():
        if name not in fresh:
            found[name] = "has no .proto any more"
        elif path.read_text("utf-8") != fresh[name]:
            found[name] = "is stale"
    return dict(sorted(found.items()))


def write(folder: Path, fresh: dict[str, str]) -> None:
    """Brings the committed files up to date; leaves one alone that already is."""
    for name in differences(folder, fresh):
        if name in fresh:
            (folder / name).write_text(fresh[name], "utf-8")
        else:
            (folder / name).unlink()
        print(f"proto/{name}: {'written' if name in fresh else 'removed'}")


def main(arguments: list[str] | None = None, folder: Path = Path(__file__).parent) -> int:
    """Generates or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args(arguments).check
    try:
        fresh = generate(folder.resolve())
    except subprocess.CalledProcessError:
        return 1  # the compiler has said why
    if not check:
        write(folder, fresh)
        return 0
    wrong = differences(folder, fresh)
    for name, problem in wrong.items():
        print(f"proto/{name} {problem}: run `make proto` and commit the result", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
