"""Messages in which everything is set, and every text is somebody's or some place."""

from __future__ import annotations

from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

TELLTALE = "12D3KooWSecret/home/ada#harbour"
NUMBER = 3
DEEP = 6  # messages inside of each other; a worker has a mailbox that has workers

M = TypeVar("M", bound=Message)

_SCALARS: dict[int, Any] = {
    FieldDescriptor.CPPTYPE_STRING: TELLTALE,
    FieldDescriptor.CPPTYPE_BOOL: True,
    FieldDescriptor.CPPTYPE_ENUM: 1,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.5,
}


def filled(message: M, depth: int = 0) -> M:
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field, depth)
        elif field.message_type is not None:
            if depth < DEEP:
                value = getattr(message, field.name)
                filled(value.add() if field.is_repeated else value, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).append(_scalar(field))
        else:
            setattr(message, field.name, _scalar(field))
    if message.DESCRIPTOR.name == "Histogram":
        message.counts.append(NUMBER)  # type: ignore[attr-defined]
    return message


def _fill_map(values: Any, field: Any, depth: int) -> None:
    value = field.message_type.fields_by_name["value"]
    if value.message_type is None:
        values[TELLTALE] = _scalar(value)
    else:
        filled(values[TELLTALE], depth + 1)


def _scalar(field: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return TELLTALE.encode()
    return _SCALARS.get(field.cpp_type, NUMBER)
