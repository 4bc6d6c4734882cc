"""Messages as JSON for scripts: every field is there, under its name in the .proto file, and numbers are numbers.

(protobuf's own JSON writes 64-bit numbers as texts and leaves out what is empty.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from p2pchat.node.protocol.doctor import is_well
from p2pchat.proto.actors_pb2 import Check


def as_data(message: Message) -> dict[str, Any]:
    """Dictionaries, lists, texts, numbers, null for messages that are absent; bytes in hexadecimal, enums by name."""
    fields = cast("Iterable[FieldDescriptor]", message.DESCRIPTOR.fields)
    return {field.name: _field(message, field) for field in fields}


def diagnosis(checks: Sequence[Check]) -> dict[str, Any]:
    """Of `p2pchat doctor`; `ok`: nothing has failed."""
    return {"checks": [as_data(check) for check in checks], "ok": is_well(checks)}


def _field(message: Message, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if isinstance(value, Mapping):
        return {str(key): _value(field, value[key]) for key in sorted(value)}
    if field.is_repeated:
        return [_value(field, each) for each in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    return _value(field, value)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Message):
        return as_data(value)
    if isinstance(value, bytes):
        return value.hex()
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return value
