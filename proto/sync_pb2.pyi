from p2pchat.proto import wire_pb2 as _wire_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SyncRequest(_message.Message):
    __slots__ = ("room", "compare", "fetch_items", "fetch_range", "push")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    FETCH_ITEMS_FIELD_NUMBER: _ClassVar[int]
    FETCH_RANGE_FIELD_NUMBER: _ClassVar[int]
    PUSH_FIELD_NUMBER: _ClassVar[int]
    room: str
    compare: Ranges
    fetch_items: Items
    fetch_range: Interval
    push: Push
    def __init__(self, room: _Optional[str] = ..., compare: _Optional[_Union[Ranges, _Mapping]] = ..., fetch_items: _Optional[_Union[Items, _Mapping]] = ..., fetch_range: _Optional[_Union[Interval, _Mapping]] = ..., push: _Optional[_Union[Push, _Mapping]] = ...) -> None: ...

class SyncReply(_message.Message):
    __slots__ = ("compared", "messages", "pushed", "declined")
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    PUSHED_FIELD_NUMBER: _ClassVar[int]
    DECLINED_FIELD_NUMBER: _ClassVar[int]
    compared: Ranges
    messages: Messages
    pushed: Pushed
    declined: Declined
    def __init__(self, compared: _Optional[_Union[Ranges, _Mapping]] = ..., messages: _Optional[_Union[Messages, _Mapping]] = ..., pushed: _Optional[_Union[Pushed, _Mapping]] = ..., declined: _Optional[_Union[Declined, _Mapping]] = ...) -> None: ...

class Ranges(_message.Message):
    __slots__ = ("lower", "ranges")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    lower: Bound
    ranges: _containers.RepeatedCompositeFieldContainer[Range]
    def __init__(self, lower: _Optional[_Union[Bound, _Mapping]] = ..., ranges: _Optional[_Iterable[_Union[Range, _Mapping]]] = ...) -> None: ...

class Bound(_message.Message):
    __slots__ = ("lamport", "tag")
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    lamport: int
    tag: bytes
    def __init__(self, lamport: _Optional[int] = ..., tag: _Optional[bytes] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("step", "tag", "fingerprint", "list", "items")
    STEP_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    step: int
    tag: bytes
    fingerprint: Fingerprint
    list: bool
    items: Items
    def __init__(self, step: _Optional[int] = ..., tag: _Optional[bytes] = ..., fingerprint: _Optional[_Union[Fingerprint, _Mapping]] = ..., list: _Optional[bool] = ..., items: _Optional[_Union[Items, _Mapping]] = ...) -> None: ...

class Fingerprint(_message.Message):
    __slots__ = ("count", "hash")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    count: int
    hash: bytes
    def __init__(self, count: _Optional[int] = ..., hash: _Optional[bytes] = ...) -> None: ...

class Items(_message.Message):
    __slots__ = ("steps", "tags")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedScalarFieldContainer[int]
    tags: bytes
    def __init__(self, steps: _Optional[_Iterable[int]] = ..., tags: _Optional[bytes] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("lower", "upper")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    lower: Bound
    upper: Bound
    def __init__(self, lower: _Optional[_Union[Bound, _Mapping]] = ..., upper: _Optional[_Union[Bound, _Mapping]] = ...) -> None: ...

class Messages(_message.Message):
    __slots__ = ("messages", "more")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[_wire_pb2.RoomMessage]
    more: bool
    def __init__(self, messages: _Optional[_Iterable[_Union[_wire_pb2.RoomMessage, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class Push(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[_wire_pb2.RoomMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[_wire_pb2.RoomMessage, _Mapping]]] = ...) -> None: ...

class Pushed(_message.Message):
    __slots__ = ("fresh",)
    FRESH_FIELD_NUMBER: _ClassVar[int]
    fresh: int
    def __init__(self, fresh: _Optional[int] = ...) -> None: ...

class Declined(_message.Message):
    __slots__ = ("reason", "retry_after_ms")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[Declined.Reason]
        NOT_A_MEMBER: _ClassVar[Declined.Reason]
        BUSY: _ClassVar[Declined.Reason]
        NO_SPACE: _ClassVar[Declined.Reason]
    REASON_UNSPECIFIED: Declined.Reason
    NOT_A_MEMBER: Declined.Reason
    BUSY: Declined.Reason
    NO_SPACE: Declined.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    reason: Declined.Reason
    retry_after_ms: int
    def __init__(self, reason: _Optional[_Union[Declined.Reason, str]] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...
