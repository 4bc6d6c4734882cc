from p2pchat.proto import wire_pb2 as _wire_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Refusal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_UNSPECIFIED: _ClassVar[Refusal]
    FULL: _ClassVar[Refusal]
    TOO_LARGE: _ClassVar[Refusal]
    EXPIRED: _ClassVar[Refusal]
    UNKNOWN_RECIPIENT: _ClassVar[Refusal]
    RATE_LIMITED: _ClassVar[Refusal]
    BLOCKED: _ClassVar[Refusal]
    BAD_INVITE: _ClassVar[Refusal]
    NOT_REGISTERED: _ClassVar[Refusal]
    MALFORMED: _ClassVar[Refusal]
    NOT_OFFERED: _ClassVar[Refusal]
REFUSAL_UNSPECIFIED: Refusal
FULL: Refusal
TOO_LARGE: Refusal
EXPIRED: Refusal
UNKNOWN_RECIPIENT: Refusal
RATE_LIMITED: Refusal
BLOCKED: Refusal
BAD_INVITE: Refusal
NOT_REGISTERED: Refusal
MALFORMED: Refusal
NOT_OFFERED: Refusal

class MailboxRequest(_message.Message):
    __slots__ = ("register", "deposit", "collect", "ack", "lookup", "unregister", "archive")
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_FIELD_NUMBER: _ClassVar[int]
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_FIELD_NUMBER: _ClassVar[int]
    UNREGISTER_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    register: Register
    deposit: Deposit
    collect: Collect
    ack: Ack
    lookup: Lookup
    unregister: Unregister
    archive: Archive
    def __init__(self, register: _Optional[_Union[Register, _Mapping]] = ..., deposit: _Optional[_Union[Deposit, _Mapping]] = ..., collect: _Optional[_Union[Collect, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., lookup: _Optional[_Union[Lookup, _Mapping]] = ..., unregister: _Optional[_Union[Unregister, _Mapping]] = ..., archive: _Optional[_Union[Archive, _Mapping]] = ...) -> None: ...

class MailboxReply(_message.Message):
    __slots__ = ("registered", "custody", "refused", "hand_over", "caught_up", "found", "unregistered", "archived")
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    HAND_OVER_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    UNREGISTERED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    registered: Registered
    custody: Custody
    refused: Refused
    hand_over: HandOver
    caught_up: CaughtUp
    found: Found
    unregistered: Unregistered
    archived: Archived
    def __init__(self, registered: _Optional[_Union[Registered, _Mapping]] = ..., custody: _Optional[_Union[Custody, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., hand_over: _Optional[_Union[HandOver, _Mapping]] = ..., caught_up: _Optional[_Union[CaughtUp, _Mapping]] = ..., found: _Optional[_Union[Found, _Mapping]] = ..., unregistered: _Optional[_Union[Unregistered, _Mapping]] = ..., archived: _Optional[_Union[Archived, _Mapping]] = ...) -> None: ...

class Register(_message.Message):
    __slots__ = ("token", "record")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    token: str
    record: _wire_pb2.MailboxRecord
    def __init__(self, token: _Optional[str] = ..., record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ...) -> None: ...

class Registered(_message.Message):
    __slots__ = ("quota_bytes", "quota_count", "retention_ms")
    QUOTA_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUOTA_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETENTION_MS_FIELD_NUMBER: _ClassVar[int]
    quota_bytes: int
    quota_count: int
    retention_ms: int
    def __init__(self, quota_bytes: _Optional[int] = ..., quota_count: _Optional[int] = ..., retention_ms: _Optional[int] = ...) -> None: ...

class Unregister(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: _wire_pb2.MailboxRecord
    def __init__(self, record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ...) -> None: ...

class Unregistered(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Archive(_message.Message):
    __slots__ = ("room", "stop")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    room: str
    stop: bool
    def __init__(self, room: _Optional[str] = ..., stop: _Optional[bool] = ...) -> None: ...

class Archived(_message.Message):
    __slots__ = ("room", "archiving", "retention_ms", "quota_bytes")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ARCHIVING_FIELD_NUMBER: _ClassVar[int]
    RETENTION_MS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_BYTES_FIELD_NUMBER: _ClassVar[int]
    room: str
    archiving: bool
    retention_ms: int
    quota_bytes: int
    def __init__(self, room: _Optional[str] = ..., archiving: _Optional[bool] = ..., retention_ms: _Optional[int] = ..., quota_bytes: _Optional[int] = ...) -> None: ...

class Deposit(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedCompositeFieldContainer[_wire_pb2.Envelope]
    def __init__(self, envelopes: _Optional[_Iterable[_Union[_wire_pb2.Envelope, _Mapping]]] = ...) -> None: ...

class Custody(_message.Message):
    __slots__ = ("ids", "stored_until_ms", "signature")
    IDS_FIELD_NUMBER: _ClassVar[int]
    STORED_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    stored_until_ms: _containers.RepeatedScalarFieldContainer[int]
    signature: bytes
    def __init__(self, ids: _Optional[_Iterable[bytes]] = ..., stored_until_ms: _Optional[_Iterable[int]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("request", "reason", "retry_after_ms", "ids", "detail")
    class Request(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REQUEST_UNSPECIFIED: _ClassVar[Refused.Request]
        REGISTER: _ClassVar[Refused.Request]
        DEPOSIT: _ClassVar[Refused.Request]
        COLLECT: _ClassVar[Refused.Request]
        ARCHIVE: _ClassVar[Refused.Request]
    REQUEST_UNSPECIFIED: Refused.Request
    REGISTER: Refused.Request
    DEPOSIT: Refused.Request
    COLLECT: Refused.Request
    ARCHIVE: Refused.Request
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    request: Refused.Request
    reason: Refusal
    retry_after_ms: int
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    detail: str
    def __init__(self, request: _Optional[_Union[Refused.Request, str]] = ..., reason: _Optional[_Union[Refusal, str]] = ..., retry_after_ms: _Optional[int] = ..., ids: _Optional[_Iterable[bytes]] = ..., detail: _Optional[str] = ...) -> None: ...

class Collect(_message.Message):
    __slots__ = ("window",)
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    window: int
    def __init__(self, window: _Optional[int] = ...) -> None: ...

class HandOver(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedCompositeFieldContainer[_wire_pb2.Envelope]
    def __init__(self, envelopes: _Optional[_Iterable[_Union[_wire_pb2.Envelope, _Mapping]]] = ...) -> None: ...

class CaughtUp(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Ack(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Lookup(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    def __init__(self, peer: _Optional[bytes] = ...) -> None: ...

class Found(_message.Message):
    __slots__ = ("peer", "record")
    PEER_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    record: _wire_pb2.MailboxRecord
    def __init__(self, peer: _Optional[bytes] = ..., record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ...) -> None: ...
