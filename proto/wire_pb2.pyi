from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    ACCEPTED: _ClassVar[Verdict]
    DUPLICATE: _ClassVar[Verdict]
    MALFORMED: _ClassVar[Verdict]
    WRONG_RECIPIENT: _ClassVar[Verdict]
    UNKNOWN_SCHEME: _ClassVar[Verdict]
    BAD_SEAL: _ClassVar[Verdict]
    BAD_SIGNATURE: _ClassVar[Verdict]
    EXPIRED: _ClassVar[Verdict]
    TRY_LATER: _ClassVar[Verdict]
    BLOCKED: _ClassVar[Verdict]
VERDICT_UNSPECIFIED: Verdict
ACCEPTED: Verdict
DUPLICATE: Verdict
MALFORMED: Verdict
WRONG_RECIPIENT: Verdict
UNKNOWN_SCHEME: Verdict
BAD_SEAL: Verdict
BAD_SIGNATURE: Verdict
EXPIRED: Verdict
TRY_LATER: Verdict
BLOCKED: Verdict

class RoomMessage(_message.Message):
    __slots__ = ("id", "room", "sender", "nick", "sent_at_ms", "lamport", "parents", "text", "signature", "target", "retraction")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    RETRACTION_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    room: str
    sender: bytes
    nick: str
    sent_at_ms: int
    lamport: int
    parents: _containers.RepeatedScalarFieldContainer[bytes]
    text: str
    signature: bytes
    target: bytes
    retraction: bool
    def __init__(self, id: _Optional[bytes] = ..., room: _Optional[str] = ..., sender: _Optional[bytes] = ..., nick: _Optional[str] = ..., sent_at_ms: _Optional[int] = ..., lamport: _Optional[int] = ..., parents: _Optional[_Iterable[bytes]] = ..., text: _Optional[str] = ..., signature: _Optional[bytes] = ..., target: _Optional[bytes] = ..., retraction: _Optional[bool] = ...) -> None: ...

class RoomBatch(_message.Message):
    __slots__ = ("messages", "presences")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    PRESENCES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[RoomMessage]
    presences: _containers.RepeatedCompositeFieldContainer[Presence]
    def __init__(self, messages: _Optional[_Iterable[_Union[RoomMessage, _Mapping]]] = ..., presences: _Optional[_Iterable[_Union[Presence, _Mapping]]] = ...) -> None: ...

class Presence(_message.Message):
    __slots__ = ("room", "peer", "nick", "sequence", "valid_seconds", "signature")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VALID_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: bytes
    nick: str
    sequence: int
    valid_seconds: int
    signature: bytes
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[bytes] = ..., nick: _Optional[str] = ..., sequence: _Optional[int] = ..., valid_seconds: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("nick", "agent", "record", "addresses", "now_ms")
    NICK_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    NOW_MS_FIELD_NUMBER: _ClassVar[int]
    nick: str
    agent: str
    record: MailboxRecord
    addresses: _containers.RepeatedScalarFieldContainer[str]
    now_ms: int
    def __init__(self, nick: _Optional[str] = ..., agent: _Optional[str] = ..., record: _Optional[_Union[MailboxRecord, _Mapping]] = ..., addresses: _Optional[_Iterable[str]] = ..., now_ms: _Optional[int] = ...) -> None: ...

class PeersRequest(_message.Message):
    __slots__ = ("room", "limit")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    room: str
    limit: int
    def __init__(self, room: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class PeersReply(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[RoomPeer]
    def __init__(self, peers: _Optional[_Iterable[_Union[RoomPeer, _Mapping]]] = ...) -> None: ...

class RoomPeer(_message.Message):
    __slots__ = ("peer", "addresses")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[bytes] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class MailboxRecord(_message.Message):
    __slots__ = ("peer", "seal_key", "seal_key_hash", "mailboxes", "sequence", "expires_at_ms", "signature")
    PEER_FIELD_NUMBER: _ClassVar[int]
    SEAL_KEY_FIELD_NUMBER: _ClassVar[int]
    SEAL_KEY_HASH_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    seal_key: bytes
    seal_key_hash: bytes
    mailboxes: _containers.RepeatedCompositeFieldContainer[MailboxAddress]
    sequence: int
    expires_at_ms: int
    signature: bytes
    def __init__(self, peer: _Optional[bytes] = ..., seal_key: _Optional[bytes] = ..., seal_key_hash: _Optional[bytes] = ..., mailboxes: _Optional[_Iterable[_Union[MailboxAddress, _Mapping]]] = ..., sequence: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class MailboxAddress(_message.Message):
    __slots__ = ("peer", "addresses")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[bytes] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("version", "recipient", "scheme", "ciphertext", "expires_at_ms")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    CIPHERTEXT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    version: int
    recipient: bytes
    scheme: int
    ciphertext: bytes
    expires_at_ms: int
    def __init__(self, version: _Optional[int] = ..., recipient: _Optional[bytes] = ..., scheme: _Optional[int] = ..., ciphertext: _Optional[bytes] = ..., expires_at_ms: _Optional[int] = ...) -> None: ...

class SignedContent(_message.Message):
    __slots__ = ("sender", "content", "signature")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    sender: bytes
    content: bytes
    signature: bytes
    def __init__(self, sender: _Optional[bytes] = ..., content: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Content(_message.Message):
    __slots__ = ("id", "sent_at_ms", "lamport", "parents", "nick", "record", "text", "receipts", "edit", "retraction", "file", "file_answer", "file_part")
    ID_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    EDIT_FIELD_NUMBER: _ClassVar[int]
    RETRACTION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    FILE_ANSWER_FIELD_NUMBER: _ClassVar[int]
    FILE_PART_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    sent_at_ms: int
    lamport: int
    parents: _containers.RepeatedScalarFieldContainer[bytes]
    nick: str
    record: MailboxRecord
    text: Text
    receipts: Receipts
    edit: Edit
    retraction: Retraction
    file: FileOffer
    file_answer: FileAnswer
    file_part: FilePart
    def __init__(self, id: _Optional[bytes] = ..., sent_at_ms: _Optional[int] = ..., lamport: _Optional[int] = ..., parents: _Optional[_Iterable[bytes]] = ..., nick: _Optional[str] = ..., record: _Optional[_Union[MailboxRecord, _Mapping]] = ..., text: _Optional[_Union[Text, _Mapping]] = ..., receipts: _Optional[_Union[Receipts, _Mapping]] = ..., edit: _Optional[_Union[Edit, _Mapping]] = ..., retraction: _Optional[_Union[Retraction, _Mapping]] = ..., file: _Optional[_Union[FileOffer, _Mapping]] = ..., file_answer: _Optional[_Union[FileAnswer, _Mapping]] = ..., file_part: _Optional[_Union[FilePart, _Mapping]] = ...) -> None: ...

class Edit(_message.Message):
    __slots__ = ("target", "text")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    target: bytes
    text: str
    def __init__(self, target: _Optional[bytes] = ..., text: _Optional[str] = ...) -> None: ...

class Retraction(_message.Message):
    __slots__ = ("target",)
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: bytes
    def __init__(self, target: _Optional[bytes] = ...) -> None: ...

class FileOffer(_message.Message):
    __slots__ = ("name", "size", "digest", "transfer")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    name: str
    size: int
    digest: bytes
    transfer: bytes
    def __init__(self, name: _Optional[str] = ..., size: _Optional[int] = ..., digest: _Optional[bytes] = ..., transfer: _Optional[bytes] = ...) -> None: ...

class FileAnswer(_message.Message):
    __slots__ = ("transfer", "kind", "by_mailbox")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[FileAnswer.Kind]
        WANTED: _ClassVar[FileAnswer.Kind]
        NOT_WANTED: _ClassVar[FileAnswer.Kind]
        WITHDRAWN: _ClassVar[FileAnswer.Kind]
        RECEIVED: _ClassVar[FileAnswer.Kind]
    KIND_UNSPECIFIED: FileAnswer.Kind
    WANTED: FileAnswer.Kind
    NOT_WANTED: FileAnswer.Kind
    WITHDRAWN: FileAnswer.Kind
    RECEIVED: FileAnswer.Kind
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BY_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    transfer: bytes
    kind: FileAnswer.Kind
    by_mailbox: int
    def __init__(self, transfer: _Optional[bytes] = ..., kind: _Optional[_Union[FileAnswer.Kind, str]] = ..., by_mailbox: _Optional[int] = ...) -> None: ...

class FilePart(_message.Message):
    __slots__ = ("transfer", "offset", "data")
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    transfer: bytes
    offset: int
    data: bytes
    def __init__(self, transfer: _Optional[bytes] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class FileRequest(_message.Message):
    __slots__ = ("transfer", "offset")
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    transfer: bytes
    offset: int
    def __init__(self, transfer: _Optional[bytes] = ..., offset: _Optional[int] = ...) -> None: ...

class FileChunk(_message.Message):
    __slots__ = ("data", "last", "problem")
    DATA_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    last: bool
    problem: str
    def __init__(self, data: _Optional[bytes] = ..., last: _Optional[bool] = ..., problem: _Optional[str] = ...) -> None: ...

class Text(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Receipts(_message.Message):
    __slots__ = ("delivered", "read")
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    delivered: _containers.RepeatedScalarFieldContainer[bytes]
    read: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, delivered: _Optional[_Iterable[bytes]] = ..., read: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Deliver(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedCompositeFieldContainer[Envelope]
    def __init__(self, envelopes: _Optional[_Iterable[_Union[Envelope, _Mapping]]] = ...) -> None: ...

class DeliverAnswer(_message.Message):
    __slots__ = ("verdicts",)
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedScalarFieldContainer[Verdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[Verdict, str]]] = ...) -> None: ...
