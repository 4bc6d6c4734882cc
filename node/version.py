"""Which version of the program this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    try:
        return version("p2pchat-node")
    except PackageNotFoundError:
        return "0"  # run from a source tree that was never installed
