from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RoomMessage(_message.Message):
    __slots__ = ("id", "room", "sender", "nick", "sent_at_ms", "lamport", "parents", "text", "signature")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    room: str
    sender: bytes
    nick: str
    sent_at_ms: int
    lamport: int
    parents: _containers.RepeatedScalarFieldContainer[bytes]
    text: str
    signature: bytes
    def __init__(self, id: _Optional[bytes] = ..., room: _Optional[str] = ..., sender: _Optional[bytes] = ..., nick: _Optional[str] = ..., sent_at_ms: _Optional[int] = ..., lamport: _Optional[int] = ..., parents: _Optional[_Iterable[bytes]] = ..., text: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class RoomBatch(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[RoomMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[RoomMessage, _Mapping]]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("nick", "agent")
    NICK_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    nick: str
    agent: str
    def __init__(self, nick: _Optional[str] = ..., agent: _Optional[str] = ...) -> None: ...
