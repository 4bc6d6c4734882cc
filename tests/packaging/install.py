"""Installs p2pchat in every way that is promised, into new environments: `make package-test`.

For each Python: `make setup` in a copy of the tree, and `pip install` of the tree (plain and editable) and of
the source distribution, with the oldest pip that is supported and with the newest. Takes minutes, and the
package index. Pythons are taken from the command line, or else from PATH.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PYTHONS = ("python3.11", "python3.12", "python3.13")
PIPS = ("pip>=23,<24", "pip")

# Run outside the tree, so that nothing is found by standing in the right place.
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for folder in ("node", "relay_mailbox", "proto", "cli"):
    package = importlib.import_module("p2pchat." + folder)
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith(("__main__", "_pb2_grpc")):
            importlib.import_module(found.name)
"""


def main(arguments: list[str]) -> int:
    pythons = arguments or [name for name in PYTHONS if works(name)]
    print("Pythons:", ", ".join(pythons), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        results = [report(*attempt) for attempt in attempts(pythons, Path(scratch))]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


Attempt = tuple[str, Path, list[list[str]]]
"""What it is called, where p2pchat's environment will be, and the commands that make it."""


def attempts(pythons: list[str], scratch: Path) -> Iterator[Attempt]:
    snapshot = copy_tree(scratch / "snapshot")
    source = build(snapshot, scratch)
    for python in pythons:
        name = python.replace("/", "_")
        tree = shutil.copytree(snapshot, scratch / f"{name}-tree")
        setup = ["make", "--no-print-directory", "-C", str(tree), "setup", f"PYTHON={python}"]
        yield f"{python}, make setup", tree / ".venv", [setup]
        for pip in PIPS:
            for kind, target in {
                ".": [str(tree)],
                "-e .": ["-e", str(tree)],
                source.name: [str(source)],
            }.items():
                environment = scratch / "environment"
                yield (
                    f"{python}, {pip}, pip install {kind}",
                    environment,
                    pip_commands(python, pip, environment, target),
                )


def pip_commands(python: str, pip: str, environment: Path, target: list[str]) -> list[list[str]]:
    own = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet"]
    return [
        [python, "-m", "venv", "--clear", str(environment)],
        [*own, "--upgrade", pip],
        [*own, *target],
    ]


def report(name: str, environment: Path, commands: list[list[str]]) -> bool:
    """Runs an attempt and uses what it made; prints one line, and the output only of what failed."""
    start = time.monotonic()
    failure = next(filter(None, map(failed, [*commands, *use(environment)])), None)
    print(f"{'FAIL' if failure else 'ok  '} {time.monotonic() - start:5.1f} s  {name}", flush=True)
    if failure:
        print(failure, flush=True)
    return failure is None


def use(environment: Path) -> list[list[str]]:
    return [
        [str(environment / "bin/python"), "-c", IMPORT_EVERYTHING],
        [str(environment / "bin/p2pchat"), "--version"],
    ]


def failed(command: list[str]) -> str | None:
    """Runs a command; returns what it said if it failed."""
    done = subprocess.run(
        command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    end = "\n    ".join(done.stdout.splitlines()[-5:])
    return f"  {' '.join(command[:2])} ...\n    {end}" if done.returncode else None


def build(tree: Path, to: Path) -> Path:
    """Builds the source distribution with the locked backend."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(to)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    return next(to.glob("*.tar.gz"))


def copy_tree(to: Path) -> Path:
    """Copies what git would commit, so that nothing works only because it lies about here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    return to


def works(python: str) -> bool:
    """Whether the name leads to an interpreter: a version switcher's shim may lead to none."""
    return (
        shutil.which(python) is not None
        and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
