"""Mail survives `kill -9` and full disks: small versions of what `make soak` runs in full (`tests/soak/`)."""

from __future__ import annotations

from pathlib import Path

from tests.soak import crash_scenes
from tests.soak.crash_scenes import Scale

SEED = 7
SMALL = Scale(messages=600, kills=3, patience=120.0)
DISK = Scale(messages=400, kills=1, patience=120.0)


async def test_everything_with_a_receipt_survives_the_mailbox_being_killed(tmp_path: Path) -> None:
    await crash_scenes.mailbox_killed(tmp_path, SMALL, SEED)


async def test_mail_arrives_once_although_its_recipient_is_killed(tmp_path: Path) -> None:
    await crash_scenes.recipient_killed(tmp_path, SMALL, SEED)


async def test_what_was_told_to_be_saved_arrives_although_its_sender_is_killed(
    tmp_path: Path,
) -> None:
    await crash_scenes.sender_killed(tmp_path, SMALL, SEED)


async def test_a_mailbox_on_a_full_disk_refuses_keeps_and_goes_on(tmp_path: Path) -> None:
    await crash_scenes.mailbox_disk_full(tmp_path, DISK, SEED)


async def test_mail_for_a_full_disk_waits_and_comes(tmp_path: Path) -> None:
    await crash_scenes.recipient_disk_full(tmp_path, DISK, SEED)
