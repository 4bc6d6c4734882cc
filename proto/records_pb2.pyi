from p2pchat.proto import wire_pb2 as _wire_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    QUEUED: _ClassVar[Stage]
    SENDING: _ClassVar[Stage]
    REFUSED: _ClassVar[Stage]
    STORED: _ClassVar[Stage]
    EXPIRED: _ClassVar[Stage]
    DELIVERED: _ClassVar[Stage]
    READ: _ClassVar[Stage]

class TransferState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSFER_STATE_UNSPECIFIED: _ClassVar[TransferState]
    OFFERED: _ClassVar[TransferState]
    WAITING: _ClassVar[TransferState]
    RUNNING: _ClassVar[TransferState]
    FINISHED: _ClassVar[TransferState]
    DECLINED: _ClassVar[TransferState]
    CANCELLED: _ClassVar[TransferState]
    FAILED: _ClassVar[TransferState]
STAGE_UNSPECIFIED: Stage
QUEUED: Stage
SENDING: Stage
REFUSED: Stage
STORED: Stage
EXPIRED: Stage
DELIVERED: Stage
READ: Stage
TRANSFER_STATE_UNSPECIFIED: TransferState
OFFERED: TransferState
WAITING: TransferState
RUNNING: TransferState
FINISHED: TransferState
DECLINED: TransferState
CANCELLED: TransferState
FAILED: TransferState

class RoomRecord(_message.Message):
    __slots__ = ("message", "received_at_ms", "plain", "alteration", "unseen")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    ALTERATION_FIELD_NUMBER: _ClassVar[int]
    UNSEEN_FIELD_NUMBER: _ClassVar[int]
    message: _wire_pb2.RoomMessage
    received_at_ms: int
    plain: bool
    alteration: Alteration
    unseen: bool
    def __init__(self, message: _Optional[_Union[_wire_pb2.RoomMessage, _Mapping]] = ..., received_at_ms: _Optional[int] = ..., plain: _Optional[bool] = ..., alteration: _Optional[_Union[Alteration, _Mapping]] = ..., unseen: _Optional[bool] = ...) -> None: ...

class Alteration(_message.Message):
    __slots__ = ("text", "edited_at_ms", "retracted", "deleted", "lamport", "id")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EDITED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    text: str
    edited_at_ms: int
    retracted: bool
    deleted: bool
    lamport: int
    id: bytes
    def __init__(self, text: _Optional[str] = ..., edited_at_ms: _Optional[int] = ..., retracted: _Optional[bool] = ..., deleted: _Optional[bool] = ..., lamport: _Optional[int] = ..., id: _Optional[bytes] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("name", "rooms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    name: str
    rooms: _containers.RepeatedCompositeFieldContainer[RoomEntry]
    def __init__(self, name: _Optional[str] = ..., rooms: _Optional[_Iterable[_Union[RoomEntry, _Mapping]]] = ...) -> None: ...

class OwnMailboxes(_message.Message):
    __slots__ = ("mailboxes", "record_sequence", "restored")
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    RECORD_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESTORED_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[OwnMailbox]
    record_sequence: int
    restored: bool
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[OwnMailbox, _Mapping]]] = ..., record_sequence: _Optional[int] = ..., restored: _Optional[bool] = ...) -> None: ...

class OwnMailbox(_message.Message):
    __slots__ = ("address", "token", "registered", "leaving_since_ms", "of", "workers")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    LEAVING_SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    address: _wire_pb2.MailboxAddress
    token: str
    registered: bool
    leaving_since_ms: int
    of: bytes
    workers: int
    def __init__(self, address: _Optional[_Union[_wire_pb2.MailboxAddress, _Mapping]] = ..., token: _Optional[str] = ..., registered: _Optional[bool] = ..., leaving_since_ms: _Optional[int] = ..., of: _Optional[bytes] = ..., workers: _Optional[int] = ...) -> None: ...

class RoomSettings(_message.Message):
    __slots__ = ("room", "floor", "keep_days", "forgotten", "muted", "seen_ms")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    FORGOTTEN_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    SEEN_MS_FIELD_NUMBER: _ClassVar[int]
    room: str
    floor: int
    keep_days: int
    forgotten: _containers.RepeatedScalarFieldContainer[bytes]
    muted: bool
    seen_ms: int
    def __init__(self, room: _Optional[str] = ..., floor: _Optional[int] = ..., keep_days: _Optional[int] = ..., forgotten: _Optional[_Iterable[bytes]] = ..., muted: _Optional[bool] = ..., seen_ms: _Optional[int] = ...) -> None: ...

class RoomEntry(_message.Message):
    __slots__ = ("name", "plain")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    plain: bool
    def __init__(self, name: _Optional[str] = ..., plain: _Optional[bool] = ...) -> None: ...

class KnownPeers(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[KnownPeer]
    def __init__(self, peers: _Optional[_Iterable[_Union[KnownPeer, _Mapping]]] = ...) -> None: ...

class KnownPeer(_message.Message):
    __slots__ = ("peer", "addresses", "connected_at_ms")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedCompositeFieldContainer[KnownAddress]
    connected_at_ms: int
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[_Union[KnownAddress, _Mapping]]] = ..., connected_at_ms: _Optional[int] = ...) -> None: ...

class KnownAddress(_message.Message):
    __slots__ = ("address", "success_at_ms")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_AT_MS_FIELD_NUMBER: _ClassVar[int]
    address: str
    success_at_ms: int
    def __init__(self, address: _Optional[str] = ..., success_at_ms: _Optional[int] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("stage", "stored_at", "mailboxes", "reason", "changed_at_ms", "stored_until_ms")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STORED_AT_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    STORED_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    stage: Stage
    stored_at: _containers.RepeatedScalarFieldContainer[bytes]
    mailboxes: int
    reason: str
    changed_at_ms: int
    stored_until_ms: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, stage: _Optional[_Union[Stage, str]] = ..., stored_at: _Optional[_Iterable[bytes]] = ..., mailboxes: _Optional[int] = ..., reason: _Optional[str] = ..., changed_at_ms: _Optional[int] = ..., stored_until_ms: _Optional[_Iterable[int]] = ...) -> None: ...

class DirectRecord(_message.Message):
    __slots__ = ("peer", "outgoing", "id", "sent_at_ms", "lamport", "parents", "nick", "text", "received_at_ms", "expires_at_ms", "delivery", "read", "target", "retraction", "alteration", "file")
    PEER_FIELD_NUMBER: _ClassVar[int]
    OUTGOING_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    RETRACTION_FIELD_NUMBER: _ClassVar[int]
    ALTERATION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    outgoing: bool
    id: bytes
    sent_at_ms: int
    lamport: int
    parents: _containers.RepeatedScalarFieldContainer[bytes]
    nick: str
    text: str
    received_at_ms: int
    expires_at_ms: int
    delivery: Delivery
    read: bool
    target: bytes
    retraction: bool
    alteration: Alteration
    file: _wire_pb2.FileOffer
    def __init__(self, peer: _Optional[bytes] = ..., outgoing: _Optional[bool] = ..., id: _Optional[bytes] = ..., sent_at_ms: _Optional[int] = ..., lamport: _Optional[int] = ..., parents: _Optional[_Iterable[bytes]] = ..., nick: _Optional[str] = ..., text: _Optional[str] = ..., received_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ..., read: _Optional[bool] = ..., target: _Optional[bytes] = ..., retraction: _Optional[bool] = ..., alteration: _Optional[_Union[Alteration, _Mapping]] = ..., file: _Optional[_Union[_wire_pb2.FileOffer, _Mapping]] = ...) -> None: ...

class OutboxRecord(_message.Message):
    __slots__ = ("peer", "id", "lamport", "expires_at_ms", "delivery", "envelope", "record_sequence", "alteration")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    RECORD_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ALTERATION_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    id: bytes
    lamport: int
    expires_at_ms: int
    delivery: Delivery
    envelope: _wire_pb2.Envelope
    record_sequence: int
    alteration: bool
    def __init__(self, peer: _Optional[bytes] = ..., id: _Optional[bytes] = ..., lamport: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ..., envelope: _Optional[_Union[_wire_pb2.Envelope, _Mapping]] = ..., record_sequence: _Optional[int] = ..., alteration: _Optional[bool] = ...) -> None: ...

class Contact(_message.Message):
    __slots__ = ("peer", "name", "nick", "addresses", "record", "added", "last_message_ms", "muted", "blocked_at_ms", "verified_at_ms")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_MS_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    name: str
    nick: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    record: _wire_pb2.MailboxRecord
    added: bool
    last_message_ms: int
    muted: bool
    blocked_at_ms: int
    verified_at_ms: int
    def __init__(self, peer: _Optional[bytes] = ..., name: _Optional[str] = ..., nick: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ..., added: _Optional[bool] = ..., last_message_ms: _Optional[int] = ..., muted: _Optional[bool] = ..., blocked_at_ms: _Optional[int] = ..., verified_at_ms: _Optional[int] = ...) -> None: ...

class TransferRecord(_message.Message):
    __slots__ = ("peer", "outgoing", "offer", "state", "done", "path", "problem", "offered_at_ms", "modified_ns", "by_mailbox", "answer_due", "parts", "taken_by_mailbox")
    PEER_FIELD_NUMBER: _ClassVar[int]
    OUTGOING_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    OFFERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_NS_FIELD_NUMBER: _ClassVar[int]
    BY_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    ANSWER_DUE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BY_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    outgoing: bool
    offer: _wire_pb2.FileOffer
    state: TransferState
    done: int
    path: str
    problem: str
    offered_at_ms: int
    modified_ns: int
    by_mailbox: bool
    answer_due: _wire_pb2.FileAnswer.Kind
    parts: _containers.RepeatedScalarFieldContainer[int]
    taken_by_mailbox: int
    def __init__(self, peer: _Optional[bytes] = ..., outgoing: _Optional[bool] = ..., offer: _Optional[_Union[_wire_pb2.FileOffer, _Mapping]] = ..., state: _Optional[_Union[TransferState, str]] = ..., done: _Optional[int] = ..., path: _Optional[str] = ..., problem: _Optional[str] = ..., offered_at_ms: _Optional[int] = ..., modified_ns: _Optional[int] = ..., by_mailbox: _Optional[bool] = ..., answer_due: _Optional[_Union[_wire_pb2.FileAnswer.Kind, str]] = ..., parts: _Optional[_Iterable[int]] = ..., taken_by_mailbox: _Optional[int] = ...) -> None: ...

class HeldEnvelope(_message.Message):
    __slots__ = ("envelope", "sender", "stored_until_ms", "deposited_at_ms")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    STORED_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    DEPOSITED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    envelope: _wire_pb2.Envelope
    sender: bytes
    stored_until_ms: int
    deposited_at_ms: int
    def __init__(self, envelope: _Optional[_Union[_wire_pb2.Envelope, _Mapping]] = ..., sender: _Optional[bytes] = ..., stored_until_ms: _Optional[int] = ..., deposited_at_ms: _Optional[int] = ...) -> None: ...

class Registration(_message.Message):
    __slots__ = ("peer", "record", "registered_at_ms", "invite", "left")
    PEER_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    record: _wire_pb2.MailboxRecord
    registered_at_ms: int
    invite: str
    left: bool
    def __init__(self, peer: _Optional[bytes] = ..., record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ..., registered_at_ms: _Optional[int] = ..., invite: _Optional[str] = ..., left: _Optional[bool] = ...) -> None: ...

class Invite(_message.Message):
    __slots__ = ("id", "token", "uses_left", "used", "made_at_ms", "label", "elsewhere")
    ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USES_LEFT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    ELSEWHERE_FIELD_NUMBER: _ClassVar[int]
    id: str
    token: str
    uses_left: int
    used: int
    made_at_ms: int
    label: str
    elsewhere: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, id: _Optional[str] = ..., token: _Optional[str] = ..., uses_left: _Optional[int] = ..., used: _Optional[int] = ..., made_at_ms: _Optional[int] = ..., label: _Optional[str] = ..., elsewhere: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ArchivedRoom(_message.Message):
    __slots__ = ("room", "peers", "since_ms")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    room: str
    peers: _containers.RepeatedScalarFieldContainer[bytes]
    since_ms: int
    def __init__(self, room: _Optional[str] = ..., peers: _Optional[_Iterable[bytes]] = ..., since_ms: _Optional[int] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("peer", "blocked_at_ms", "note")
    PEER_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    blocked_at_ms: int
    note: str
    def __init__(self, peer: _Optional[bytes] = ..., blocked_at_ms: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...
