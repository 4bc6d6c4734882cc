"""What npm says decides between "not to be had here" and a failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.interop import packages


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands where npm would be found: a shell script, which the test writes."""
    programs = tmp_path / "programs"
    programs.mkdir()
    script = programs / "npm"
    script.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(packages, "INSTALLED", tmp_path)
    return script


def says(npm: Path, words: str) -> None:
    npm.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")


@pytest.mark.parametrize(
    "code",
    [
        "ENOTFOUND",
        "E401",
        "E403",
        "E503",
        "CERT_HAS_EXPIRED",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
)
def test_what_no_package_comes_through_is_no_failure(npm: Path, code: str) -> None:
    says(npm, f"npm error code {code}")
    with pytest.raises(packages.NotHereError, match=code):
        packages.run_npm()
    assert not packages.is_installed()


@pytest.mark.parametrize("code", ["EINTEGRITY", "EUSAGE", "ERESOLVE"])
def test_what_is_wrong_with_the_lock_is_one(npm: Path, code: str) -> None:
    says(npm, f"npm error code {code}")
    with pytest.raises(RuntimeError, match=code):
        packages.run_npm()


def test_an_installation_that_takes_too_long_is_no_failure(
    npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(packages, "PATIENCE", 0.05)
    with pytest.raises(packages.NotHereError, match="within"):
        packages.run_npm()


def test_what_is_installed_is_known(npm: Path) -> None:
    npm.write_text("#!/bin/sh\n")
    packages.run_npm()
    assert packages.is_installed()
