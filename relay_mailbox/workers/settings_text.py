"""A `MailboxConfig` as text, for another process: JSON, built again from the types of its fields."""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from pathlib import Path
from typing import Any

from p2pchat.relay_mailbox.config import MailboxConfig


def to_text(config: MailboxConfig) -> str:
    return json.dumps(dataclasses.asdict(config), default=str)


def from_text(text: str) -> MailboxConfig:
    """Raises `ValueError` or `TypeError` for what is no such text, and `ConfigError` as `MailboxConfig` does."""
    found = _built(MailboxConfig, json.loads(text))
    assert isinstance(found, MailboxConfig)
    return found


def _built(kind: Any, value: Any) -> Any:
    """`value`, as JSON has it, as what a field of type `kind` holds."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = (one for one in typing.get_args(kind) if one is not types.NoneType)
        return None if value is None else _built(kind, value)
    if typing.get_origin(kind) is tuple:
        (inner, _) = typing.get_args(kind)
        return tuple(_built(inner, one) for one in value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _built(hints[name], one) for name, one in value.items()})
    if kind is Path or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return value  # as it was given; an int is a float for everybody
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
