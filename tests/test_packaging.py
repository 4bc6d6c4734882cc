"""What can be checked of the packaging without building anything; `make package-test` does the rest."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
LOCKED = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", LOCK, re.MULTILINE))
FOLDERS = ["node", "relay_mailbox", "proto", "cli"]


def declared() -> list[Requirement]:
    project = PYPROJECT["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PYPROJECT["dependency-groups"].values(),
    ]
    return [Requirement(line) for requirements in lists for line in requirements]


def test_lock_names_no_address() -> None:
    assert "://" not in LOCK
    assert not re.search(r"--(extra-)?index-url|--find-links|\bfile:", LOCK)


def test_lock_holds_every_package_by_hash() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)[1:]
    assert len(entries) == len(LOCKED)
    assert [entry.split("=")[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_lock_fits_what_is_declared(requirement: Requirement) -> None:
    locked = LOCKED.get(canonicalize_name(requirement.name))
    assert locked, f"{requirement.name} is not in requirements.lock: run `make lock`"
    assert requirement.specifier.contains(locked), "run `make lock`"


def test_lock_leaves_out_pdbpp() -> None:
    assert "pdbpp" not in LOCKED


def test_installed_version_is_the_declared_one() -> None:
    assert version("p2pchat-node") == PYPROJECT["project"]["version"], "run `make setup`"


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_is_imported_below_p2pchat(folder: str) -> None:
    spec = find_spec(f"p2pchat.{folder}")
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == ROOT / folder / "__init__.py"
    assert (ROOT / folder / "py.typed").is_file()


def test_wheel_holds_exactly_the_source_folders() -> None:
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["only-include"] == FOLDERS
    assert wheel["sources"] == {folder: f"p2pchat/{folder}" for folder in FOLDERS}


def test_p2pchat_is_a_namespace_package() -> None:
    """A file above the folders would hide them in one of the two kinds of install."""
    spec = find_spec("p2pchat")
    assert spec is not None
    assert spec.origin is None


@pytest.mark.parametrize(
    ("python", "said"), [("no-such-python", "is not installed"), ("fake-python", "and this is 3.9")]
)
def test_setup_says_which_python_it_needs(tmp_path: Path, python: str, said: str) -> None:
    fake = tmp_path / "fake-python"
    # Answers as a Python that is too old would: the check is ours, the version is not.
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{AS_3_9}" "$@"\n')
    fake.chmod(0o755)
    for file in ("Makefile", "pyproject.toml", "requirements.lock", "hatch_build.py"):
        (tmp_path / file).symlink_to(ROOT / file)
    name = str(tmp_path / python)
    made = subprocess.run(
        ["make", "setup", f"PYTHON={name}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert made.returncode != 0
    assert said in made.stderr
    assert "3.11" in made.stderr
    assert not (tmp_path / ".venv").exists()


AS_3_9 = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[2])"
