"""The full crash runs, some minutes together; `tests/integration/test_mailbox_crash.py` has small ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import crash_scenes
from tests.soak.crash_scenes import Report, Scale

pytestmark = pytest.mark.soak

SEED = 2026
FULL = Scale(messages=5_000, kills=20, patience=900.0)
DISK = Scale(messages=1_000, kills=1, patience=600.0)


def tell(capsys: pytest.CaptureFixture[str], report: Report) -> None:
    with capsys.disabled():
        print(f"\n{report}")


async def test_the_mailbox_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(capsys, await crash_scenes.mailbox_killed(tmp_path, FULL, SEED))


async def test_the_recipient_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(capsys, await crash_scenes.recipient_killed(tmp_path, FULL, SEED))


async def test_the_sender_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(capsys, await crash_scenes.sender_killed(tmp_path, FULL, SEED))


async def test_the_disk_of_the_mailbox_is_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(capsys, await crash_scenes.mailbox_disk_full(tmp_path, DISK, SEED))


async def test_the_disk_of_the_recipient_is_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(capsys, await crash_scenes.recipient_disk_full(tmp_path, DISK, SEED))
