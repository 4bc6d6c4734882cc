"""How the screen is to look and behave, and what of it is remembered."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal

Notify = Literal["off", "bell", "desktop"]
NOTIFY: tuple[Notify, ...] = ("off", "bell", "desktop")


@dataclass(frozen=True, slots=True)
class UiSettings:
    dark: bool = True
    notify: Notify = "off"
    color: bool = True  # False: NO_COLOR
    zone: tzinfo | None = None  # None: the computer's own
    path: Path | None = None  # where changes are remembered; None: nowhere


def load(path: Path, *, color: bool = True) -> UiSettings:
    """What was remembered last; the default where that cannot be read."""
    settings = UiSettings(color=color, path=path)
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return settings
    if not isinstance(found, dict):
        return settings
    wanted: list[Notify] = [how for how in NOTIFY if how == found.get("notify")]
    notify = wanted[0] if wanted else "off"
    return replace(settings, dark=found.get("theme") != "light", notify=notify)


def remember(settings: UiSettings) -> None:
    """Not worth an error: the next start asks for the default again."""
    if settings.path is None:
        return
    text = json.dumps({"theme": "dark" if settings.dark else "light", "notify": settings.notify})
    fresh = settings.path.with_suffix(".new")
    with contextlib.suppress(OSError):
        fresh.write_text(text + "\n", "utf-8")
        os.replace(fresh, settings.path)
