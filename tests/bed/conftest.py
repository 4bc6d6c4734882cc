"""Whether there can be a bed here, and at the end what the scenes have measured."""

from __future__ import annotations

import functools

import pytest

from tests.bed import figures, wire
from tests.bed.namespaces import missing_right


@functools.cache
def why_not() -> str:
    return missing_right()


@pytest.fixture(autouse=True)
def _rights() -> None:
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture
def _wires() -> None:
    """For the scenes with a delay or losses."""
    if reason := wire.why_not():
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.measured:
        figures.save()
        terminalreporter.section("seconds")
    for what, seconds in figures.measured.items():
        terminalreporter.write_line(f"{seconds:6.1f}  {what}")
