from p2pchat.proto import wire_pb2 as _wire_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RoomRecord(_message.Message):
    __slots__ = ("message", "received_at_ms", "plain")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    message: _wire_pb2.RoomMessage
    received_at_ms: int
    plain: bool
    def __init__(self, message: _Optional[_Union[_wire_pb2.RoomMessage, _Mapping]] = ..., received_at_ms: _Optional[int] = ..., plain: _Optional[bool] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("name", "rooms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    name: str
    rooms: _containers.RepeatedCompositeFieldContainer[RoomEntry]
    def __init__(self, name: _Optional[str] = ..., rooms: _Optional[_Iterable[_Union[RoomEntry, _Mapping]]] = ...) -> None: ...

class RoomEntry(_message.Message):
    __slots__ = ("name", "plain")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    plain: bool
    def __init__(self, name: _Optional[str] = ..., plain: _Optional[bool] = ...) -> None: ...
