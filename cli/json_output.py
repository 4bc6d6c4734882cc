"""Messages as JSON for scripts: every field is there, under its name in the .proto file, and numbers are numbers.

(protobuf's own JSON writes 64-bit numbers as texts and leaves out what is empty.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from p2pchat.node.protocol.doctor import is_well
from p2pchat.proto.actors_pb2 import Check

Enums = Callable[[FieldDescriptor, int], Any]


def by_name(field: FieldDescriptor, number: int) -> Any:
    """As in the .proto file; a number that this version does not know stays one."""
    known = field.enum_type.values_by_number.get(number) if field.enum_type else None
    return known.name if known else number


def in_lower_case(field: FieldDescriptor, number: int) -> Any:
    """`"delivered"`; null for the value that stands for none."""
    name = by_name(field, number)
    if not isinstance(name, str):
        return name
    return None if name.endswith("_UNSPECIFIED") else name.lower()


def as_data(message: Message, enums: Enums = by_name) -> dict[str, Any]:
    """Dictionaries, lists, texts, numbers; null for what is absent and can be; bytes in hexadecimal."""
    fields = cast("Iterable[FieldDescriptor]", message.DESCRIPTOR.fields)
    return {field.name: _field(message, field, enums) for field in fields}


def control_data(message: Message) -> dict[str, Any]:
    """What a node answers, for scripts: docs/scripting.md."""
    return as_data(message, in_lower_case)


def diagnosis(checks: Sequence[Check]) -> dict[str, Any]:
    """Of `p2pchat doctor`; `ok`: nothing has failed."""
    return {"checks": [as_data(check) for check in checks], "ok": is_well(checks)}


def _field(message: Message, field: FieldDescriptor, enums: Enums) -> Any:
    value = getattr(message, field.name)
    if isinstance(value, Mapping):
        return {str(key): _value(field, value[key], enums) for key in sorted(value)}
    if field.is_repeated:
        return [_value(field, each, enums) for each in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _value(field, value, enums)


def _value(field: FieldDescriptor, value: Any, enums: Enums) -> Any:
    if isinstance(value, Message):
        return as_data(value, enums)
    if isinstance(value, bytes):
        return value.hex()
    return value if field.enum_type is None else enums(field, value)
