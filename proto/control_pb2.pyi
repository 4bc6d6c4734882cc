from p2pchat.proto import actors_pb2 as _actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as _mailbox_actors_pb2
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
    DONE: _ClassVar[TransferState]
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
DONE: TransferState
DECLINED: TransferState
CANCELLED: TransferState
FAILED: TransferState

class Conversation(_message.Message):
    __slots__ = ("room", "peer")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("stage", "stored", "mailboxes", "reason", "changed_at_ms")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    stage: Stage
    stored: int
    mailboxes: int
    reason: str
    changed_at_ms: int
    def __init__(self, stage: _Optional[_Union[Stage, str]] = ..., stored: _Optional[int] = ..., mailboxes: _Optional[int] = ..., reason: _Optional[str] = ..., changed_at_ms: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("conversation", "id", "sender", "name", "own", "text", "sent_at_ms", "received_at_ms", "lamport", "delivery", "read", "edited_at_ms", "retracted", "file", "unsigned", "expires_at_ms")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWN_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    EDITED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    UNSIGNED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    id: str
    sender: str
    name: str
    own: bool
    text: str
    sent_at_ms: int
    received_at_ms: int
    lamport: int
    delivery: Delivery
    read: bool
    edited_at_ms: int
    retracted: bool
    file: File
    unsigned: bool
    expires_at_ms: int
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., id: _Optional[str] = ..., sender: _Optional[str] = ..., name: _Optional[str] = ..., own: _Optional[bool] = ..., text: _Optional[str] = ..., sent_at_ms: _Optional[int] = ..., received_at_ms: _Optional[int] = ..., lamport: _Optional[int] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ..., read: _Optional[bool] = ..., edited_at_ms: _Optional[int] = ..., retracted: _Optional[bool] = ..., file: _Optional[_Union[File, _Mapping]] = ..., unsigned: _Optional[bool] = ..., expires_at_ms: _Optional[int] = ...) -> None: ...

class File(_message.Message):
    __slots__ = ("transfer", "name", "size")
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    name: str
    size: int
    def __init__(self, transfer: _Optional[str] = ..., name: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class ConversationStatus(_message.Message):
    __slots__ = ("conversation", "name", "unread", "muted", "joined", "plain", "connected", "waiting", "last_message_ms", "blocked", "verified", "added")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_MS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    name: str
    unread: int
    muted: bool
    joined: bool
    plain: bool
    connected: bool
    waiting: int
    last_message_ms: int
    blocked: bool
    verified: bool
    added: bool
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., name: _Optional[str] = ..., unread: _Optional[int] = ..., muted: _Optional[bool] = ..., joined: _Optional[bool] = ..., plain: _Optional[bool] = ..., connected: _Optional[bool] = ..., waiting: _Optional[int] = ..., last_message_ms: _Optional[int] = ..., blocked: _Optional[bool] = ..., verified: _Optional[bool] = ..., added: _Optional[bool] = ...) -> None: ...

class Room(_message.Message):
    __slots__ = ("name", "plain", "joined", "listeners", "messages", "bytes", "keep_days", "muted")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LISTENERS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    name: str
    plain: bool
    joined: bool
    listeners: int
    messages: int
    bytes: int
    keep_days: int
    muted: bool
    def __init__(self, name: _Optional[str] = ..., plain: _Optional[bool] = ..., joined: _Optional[bool] = ..., listeners: _Optional[int] = ..., messages: _Optional[int] = ..., bytes: _Optional[int] = ..., keep_days: _Optional[int] = ..., muted: _Optional[bool] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("peer", "name", "connected", "seen_ms", "self")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    SEEN_MS_FIELD_NUMBER: _ClassVar[int]
    SELF_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    connected: bool
    seen_ms: int
    self: bool
    def __init__(self_, peer: _Optional[str] = ..., name: _Optional[str] = ..., connected: _Optional[bool] = ..., seen_ms: _Optional[int] = ..., self: _Optional[bool] = ...) -> None: ...

class Peer(_message.Message):
    __slots__ = ("peer", "name", "address", "transport", "outbound", "rtt_ms", "relayed", "relay", "punched", "agent")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    RTT_MS_FIELD_NUMBER: _ClassVar[int]
    RELAYED_FIELD_NUMBER: _ClassVar[int]
    RELAY_FIELD_NUMBER: _ClassVar[int]
    PUNCHED_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    address: str
    transport: str
    outbound: bool
    rtt_ms: float
    relayed: bool
    relay: str
    punched: bool
    agent: str
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., transport: _Optional[str] = ..., outbound: _Optional[bool] = ..., rtt_ms: _Optional[float] = ..., relayed: _Optional[bool] = ..., relay: _Optional[str] = ..., punched: _Optional[bool] = ..., agent: _Optional[str] = ...) -> None: ...

class Contact(_message.Message):
    __slots__ = ("peer", "name", "given_name", "nick", "added", "connected", "waiting", "missed", "last_message_ms", "mailboxes", "blocked", "verified", "muted")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GIVEN_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_MS_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    given_name: str
    nick: str
    added: bool
    connected: bool
    waiting: int
    missed: int
    last_message_ms: int
    mailboxes: int
    blocked: bool
    verified: bool
    muted: bool
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., given_name: _Optional[str] = ..., nick: _Optional[str] = ..., added: _Optional[bool] = ..., connected: _Optional[bool] = ..., waiting: _Optional[int] = ..., missed: _Optional[int] = ..., last_message_ms: _Optional[int] = ..., mailboxes: _Optional[int] = ..., blocked: _Optional[bool] = ..., verified: _Optional[bool] = ..., muted: _Optional[bool] = ...) -> None: ...

class OwnMailbox(_message.Message):
    __slots__ = ("peer", "addresses", "connected", "registered", "collecting", "problem", "quota_bytes", "quota_count", "retention_ms", "of", "workers")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    COLLECTING_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    QUOTA_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUOTA_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETENTION_MS_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    connected: bool
    registered: bool
    collecting: bool
    problem: str
    quota_bytes: int
    quota_count: int
    retention_ms: int
    of: str
    workers: int
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., connected: _Optional[bool] = ..., registered: _Optional[bool] = ..., collecting: _Optional[bool] = ..., problem: _Optional[str] = ..., quota_bytes: _Optional[int] = ..., quota_count: _Optional[int] = ..., retention_ms: _Optional[int] = ..., of: _Optional[str] = ..., workers: _Optional[int] = ...) -> None: ...

class Transfer(_message.Message):
    __slots__ = ("id", "peer", "name", "outgoing", "file_name", "size", "done", "state", "problem", "path", "bytes_per_second", "by_mailbox", "offered_at_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTGOING_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BY_MAILBOX_FIELD_NUMBER: _ClassVar[int]
    OFFERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    peer: str
    name: str
    outgoing: bool
    file_name: str
    size: int
    done: int
    state: TransferState
    problem: str
    path: str
    bytes_per_second: float
    by_mailbox: bool
    offered_at_ms: int
    def __init__(self, id: _Optional[str] = ..., peer: _Optional[str] = ..., name: _Optional[str] = ..., outgoing: _Optional[bool] = ..., file_name: _Optional[str] = ..., size: _Optional[int] = ..., done: _Optional[int] = ..., state: _Optional[_Union[TransferState, str]] = ..., problem: _Optional[str] = ..., path: _Optional[str] = ..., bytes_per_second: _Optional[float] = ..., by_mailbox: _Optional[bool] = ..., offered_at_ms: _Optional[int] = ...) -> None: ...

class GetInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetInfoResponse(_message.Message):
    __slots__ = ("peer", "name", "version", "data_dir", "uptime_ms", "addresses", "reachability", "connections", "outbox", "mailboxes", "mailboxes_connected", "details")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    UPTIME_MS_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    OUTBOX_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    version: str
    data_dir: str
    uptime_ms: int
    addresses: _containers.RepeatedScalarFieldContainer[str]
    reachability: str
    connections: int
    outbox: int
    mailboxes: int
    mailboxes_connected: int
    details: _actors_pb2.NodeDescription
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., data_dir: _Optional[str] = ..., uptime_ms: _Optional[int] = ..., addresses: _Optional[_Iterable[str]] = ..., reachability: _Optional[str] = ..., connections: _Optional[int] = ..., outbox: _Optional[int] = ..., mailboxes: _Optional[int] = ..., mailboxes_connected: _Optional[int] = ..., details: _Optional[_Union[_actors_pb2.NodeDescription, _Mapping]] = ...) -> None: ...

class SetNameRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class SetNameResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLinkRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLinkResponse(_message.Message):
    __slots__ = ("link",)
    LINK_FIELD_NUMBER: _ClassVar[int]
    link: str
    def __init__(self, link: _Optional[str] = ...) -> None: ...

class DiagnoseRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiagnoseResponse(_message.Message):
    __slots__ = ("diagnosis",)
    DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    diagnosis: _actors_pb2.Diagnosis
    def __init__(self, diagnosis: _Optional[_Union[_actors_pb2.Diagnosis, _Mapping]] = ...) -> None: ...

class MakeCheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MakeCheckpointResponse(_message.Message):
    __slots__ = ("path", "stores")
    class StoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PATH_FIELD_NUMBER: _ClassVar[int]
    STORES_FIELD_NUMBER: _ClassVar[int]
    path: str
    stores: _containers.ScalarMap[str, str]
    def __init__(self, path: _Optional[str] = ..., stores: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: str
    def __init__(self, after: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("cursor", "at_ms", "subscribed", "fell_behind", "messages_arrived", "messages_changed", "deliveries_changed", "unread_changed", "room_joined", "room_left", "members_changed", "room_gap", "sync_progressed", "peer_connected", "peer_disconnected", "peer_named", "peer_moved", "reachability_changed", "listening", "notice", "transfer_changed", "contacts_changed", "conversation_changed")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    FELL_BEHIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_ARRIVED_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_CHANGED_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_CHANGED_FIELD_NUMBER: _ClassVar[int]
    UNREAD_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ROOM_JOINED_FIELD_NUMBER: _ClassVar[int]
    ROOM_LEFT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ROOM_GAP_FIELD_NUMBER: _ClassVar[int]
    SYNC_PROGRESSED_FIELD_NUMBER: _ClassVar[int]
    PEER_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    PEER_DISCONNECTED_FIELD_NUMBER: _ClassVar[int]
    PEER_NAMED_FIELD_NUMBER: _ClassVar[int]
    PEER_MOVED_FIELD_NUMBER: _ClassVar[int]
    REACHABILITY_CHANGED_FIELD_NUMBER: _ClassVar[int]
    LISTENING_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_CHANGED_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_CHANGED_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    at_ms: int
    subscribed: Subscribed
    fell_behind: FellBehind
    messages_arrived: MessagesArrived
    messages_changed: MessagesChanged
    deliveries_changed: DeliveriesChanged
    unread_changed: UnreadChanged
    room_joined: RoomJoined
    room_left: RoomLeft
    members_changed: MembersChanged
    room_gap: RoomGap
    sync_progressed: SyncProgressed
    peer_connected: PeerConnected
    peer_disconnected: PeerDisconnected
    peer_named: PeerNamed
    peer_moved: PeerMoved
    reachability_changed: ReachabilityChanged
    listening: Listening
    notice: Notice
    transfer_changed: TransferChanged
    contacts_changed: ContactsChanged
    conversation_changed: ConversationChanged
    def __init__(self, cursor: _Optional[str] = ..., at_ms: _Optional[int] = ..., subscribed: _Optional[_Union[Subscribed, _Mapping]] = ..., fell_behind: _Optional[_Union[FellBehind, _Mapping]] = ..., messages_arrived: _Optional[_Union[MessagesArrived, _Mapping]] = ..., messages_changed: _Optional[_Union[MessagesChanged, _Mapping]] = ..., deliveries_changed: _Optional[_Union[DeliveriesChanged, _Mapping]] = ..., unread_changed: _Optional[_Union[UnreadChanged, _Mapping]] = ..., room_joined: _Optional[_Union[RoomJoined, _Mapping]] = ..., room_left: _Optional[_Union[RoomLeft, _Mapping]] = ..., members_changed: _Optional[_Union[MembersChanged, _Mapping]] = ..., room_gap: _Optional[_Union[RoomGap, _Mapping]] = ..., sync_progressed: _Optional[_Union[SyncProgressed, _Mapping]] = ..., peer_connected: _Optional[_Union[PeerConnected, _Mapping]] = ..., peer_disconnected: _Optional[_Union[PeerDisconnected, _Mapping]] = ..., peer_named: _Optional[_Union[PeerNamed, _Mapping]] = ..., peer_moved: _Optional[_Union[PeerMoved, _Mapping]] = ..., reachability_changed: _Optional[_Union[ReachabilityChanged, _Mapping]] = ..., listening: _Optional[_Union[Listening, _Mapping]] = ..., notice: _Optional[_Union[Notice, _Mapping]] = ..., transfer_changed: _Optional[_Union[TransferChanged, _Mapping]] = ..., contacts_changed: _Optional[_Union[ContactsChanged, _Mapping]] = ..., conversation_changed: _Optional[_Union[ConversationChanged, _Mapping]] = ...) -> None: ...

class Subscribed(_message.Message):
    __slots__ = ("resumed",)
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    resumed: bool
    def __init__(self, resumed: _Optional[bool] = ...) -> None: ...

class FellBehind(_message.Message):
    __slots__ = ("reason", "missed")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    reason: str
    missed: int
    def __init__(self, reason: _Optional[str] = ..., missed: _Optional[int] = ...) -> None: ...

class MessagesArrived(_message.Message):
    __slots__ = ("conversation", "messages", "late")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    late: bool
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., late: _Optional[bool] = ...) -> None: ...

class MessagesChanged(_message.Message):
    __slots__ = ("conversation", "messages", "deleted")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    deleted: _containers.RepeatedCompositeFieldContainer[DeletedMessage]
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., deleted: _Optional[_Iterable[_Union[DeletedMessage, _Mapping]]] = ...) -> None: ...

class DeletedMessage(_message.Message):
    __slots__ = ("sender", "id")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    sender: str
    id: str
    def __init__(self, sender: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class DeliveriesChanged(_message.Message):
    __slots__ = ("conversation", "changes")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    changes: _containers.RepeatedCompositeFieldContainer[DeliveryChange]
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[DeliveryChange, _Mapping]]] = ...) -> None: ...

class DeliveryChange(_message.Message):
    __slots__ = ("id", "delivery")
    ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    id: str
    delivery: Delivery
    def __init__(self, id: _Optional[str] = ..., delivery: _Optional[_Union[Delivery, _Mapping]] = ...) -> None: ...

class UnreadChanged(_message.Message):
    __slots__ = ("conversation", "unread")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    unread: int
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., unread: _Optional[int] = ...) -> None: ...

class RoomJoined(_message.Message):
    __slots__ = ("room", "plain")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    room: str
    plain: bool
    def __init__(self, room: _Optional[str] = ..., plain: _Optional[bool] = ...) -> None: ...

class RoomLeft(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class MembersChanged(_message.Message):
    __slots__ = ("room", "joined", "left", "first")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    room: str
    joined: _containers.RepeatedCompositeFieldContainer[Member]
    left: _containers.RepeatedCompositeFieldContainer[Member]
    first: bool
    def __init__(self, room: _Optional[str] = ..., joined: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., left: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., first: _Optional[bool] = ...) -> None: ...

class RoomGap(_message.Message):
    __slots__ = ("room", "missing", "given_up")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    GIVEN_UP_FIELD_NUMBER: _ClassVar[int]
    room: str
    missing: int
    given_up: bool
    def __init__(self, room: _Optional[str] = ..., missing: _Optional[int] = ..., given_up: _Optional[bool] = ...) -> None: ...

class SyncProgressed(_message.Message):
    __slots__ = ("room", "peer", "fetched", "expected", "done", "broken")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    FETCHED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    BROKEN_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    fetched: int
    expected: int
    done: bool
    broken: bool
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., fetched: _Optional[int] = ..., expected: _Optional[int] = ..., done: _Optional[bool] = ..., broken: _Optional[bool] = ...) -> None: ...

class PeerConnected(_message.Message):
    __slots__ = ("peer", "address", "transport", "outbound", "relayed")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    RELAYED_FIELD_NUMBER: _ClassVar[int]
    peer: str
    address: str
    transport: str
    outbound: bool
    relayed: bool
    def __init__(self, peer: _Optional[str] = ..., address: _Optional[str] = ..., transport: _Optional[str] = ..., outbound: _Optional[bool] = ..., relayed: _Optional[bool] = ...) -> None: ...

class PeerDisconnected(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class PeerNamed(_message.Message):
    __slots__ = ("peer", "name", "previous")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    previous: str
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., previous: _Optional[str] = ...) -> None: ...

class PeerMoved(_message.Message):
    __slots__ = ("peer", "address", "transport", "relayed", "punched")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    RELAYED_FIELD_NUMBER: _ClassVar[int]
    PUNCHED_FIELD_NUMBER: _ClassVar[int]
    peer: str
    address: str
    transport: str
    relayed: bool
    punched: bool
    def __init__(self, peer: _Optional[str] = ..., address: _Optional[str] = ..., transport: _Optional[str] = ..., relayed: _Optional[bool] = ..., punched: _Optional[bool] = ...) -> None: ...

class ReachabilityChanged(_message.Message):
    __slots__ = ("reachability", "addresses")
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    reachability: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reachability: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class Listening(_message.Message):
    __slots__ = ("addresses",)
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("level", "text")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    level: str
    text: str
    def __init__(self, level: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class TransferChanged(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: Transfer
    def __init__(self, transfer: _Optional[_Union[Transfer, _Mapping]] = ...) -> None: ...

class ContactsChanged(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class ConversationChanged(_message.Message):
    __slots__ = ("conversation", "muted")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    muted: bool
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., muted: _Optional[bool] = ...) -> None: ...

class ListConversationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListConversationsResponse(_message.Message):
    __slots__ = ("conversations",)
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    conversations: _containers.RepeatedCompositeFieldContainer[ConversationStatus]
    def __init__(self, conversations: _Optional[_Iterable[_Union[ConversationStatus, _Mapping]]] = ...) -> None: ...

class MarkReadRequest(_message.Message):
    __slots__ = ("conversation", "ids")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class MarkReadResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MuteRequest(_message.Message):
    __slots__ = ("conversation", "muted")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    muted: bool
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., muted: _Optional[bool] = ...) -> None: ...

class MuteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SendMessageRequest(_message.Message):
    __slots__ = ("room", "who", "text")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    room: str
    who: str
    text: str
    def __init__(self, room: _Optional[str] = ..., who: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class SendMessageResponse(_message.Message):
    __slots__ = ("message", "listeners")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LISTENERS_FIELD_NUMBER: _ClassVar[int]
    message: Message
    listeners: int
    def __init__(self, message: _Optional[_Union[Message, _Mapping]] = ..., listeners: _Optional[int] = ...) -> None: ...

class EditMessageRequest(_message.Message):
    __slots__ = ("conversation", "id", "text")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    id: str
    text: str
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class EditMessageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RetractMessageRequest(_message.Message):
    __slots__ = ("conversation", "id")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    id: str
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class RetractMessageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteMessageRequest(_message.Message):
    __slots__ = ("conversation", "sender", "id")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    sender: str
    id: str
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., sender: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class DeleteMessageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReadHistoryRequest(_message.Message):
    __slots__ = ("room", "who", "limit", "before")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    room: str
    who: str
    limit: int
    before: str
    def __init__(self, room: _Optional[str] = ..., who: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[str] = ...) -> None: ...

class ReadHistoryResponse(_message.Message):
    __slots__ = ("conversation", "messages", "cursor")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    cursor: str
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("words", "limit", "before", "room", "who")
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    words: str
    limit: int
    before: str
    room: str
    who: str
    def __init__(self, words: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[str] = ..., room: _Optional[str] = ..., who: _Optional[str] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("messages", "cursor", "waiting")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    cursor: str
    waiting: int
    def __init__(self, messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., cursor: _Optional[str] = ..., waiting: _Optional[int] = ...) -> None: ...

class ExportRecordsRequest(_message.Message):
    __slots__ = ("conversation", "plain", "limit", "before")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    plain: bool
    limit: int
    before: str
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., plain: _Optional[bool] = ..., limit: _Optional[int] = ..., before: _Optional[str] = ...) -> None: ...

class ExportRecordsResponse(_message.Message):
    __slots__ = ("records", "cursor")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[ExportedRecord]
    cursor: str
    def __init__(self, records: _Optional[_Iterable[_Union[ExportedRecord, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class ExportedRecord(_message.Message):
    __slots__ = ("message", "record")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    message: Message
    record: bytes
    def __init__(self, message: _Optional[_Union[Message, _Mapping]] = ..., record: _Optional[bytes] = ...) -> None: ...

class ImportRecordsRequest(_message.Message):
    __slots__ = ("room_records", "direct_records")
    ROOM_RECORDS_FIELD_NUMBER: _ClassVar[int]
    DIRECT_RECORDS_FIELD_NUMBER: _ClassVar[int]
    room_records: _containers.RepeatedScalarFieldContainer[bytes]
    direct_records: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, room_records: _Optional[_Iterable[bytes]] = ..., direct_records: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ImportRecordsResponse(_message.Message):
    __slots__ = ("imported", "known", "refused", "refused_records")
    IMPORTED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    imported: int
    known: int
    refused: int
    refused_records: _containers.RepeatedCompositeFieldContainer[RefusedRecord]
    def __init__(self, imported: _Optional[int] = ..., known: _Optional[int] = ..., refused: _Optional[int] = ..., refused_records: _Optional[_Iterable[_Union[RefusedRecord, _Mapping]]] = ...) -> None: ...

class RefusedRecord(_message.Message):
    __slots__ = ("direct", "index", "reason")
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    direct: bool
    index: int
    reason: str
    def __init__(self, direct: _Optional[bool] = ..., index: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class FlushRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FlushResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRoomsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRoomsResponse(_message.Message):
    __slots__ = ("rooms",)
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[Room]
    def __init__(self, rooms: _Optional[_Iterable[_Union[Room, _Mapping]]] = ...) -> None: ...

class JoinRoomRequest(_message.Message):
    __slots__ = ("room", "plain")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    room: str
    plain: bool
    def __init__(self, room: _Optional[str] = ..., plain: _Optional[bool] = ...) -> None: ...

class JoinRoomResponse(_message.Message):
    __slots__ = ("room", "already")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ALREADY_FIELD_NUMBER: _ClassVar[int]
    room: str
    already: bool
    def __init__(self, room: _Optional[str] = ..., already: _Optional[bool] = ...) -> None: ...

class LeaveRoomRequest(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class LeaveRoomResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class ListMembersResponse(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ...) -> None: ...

class KeepRoomRequest(_message.Message):
    __slots__ = ("room", "keep_days")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    room: str
    keep_days: int
    def __init__(self, room: _Optional[str] = ..., keep_days: _Optional[int] = ...) -> None: ...

class KeepRoomResponse(_message.Message):
    __slots__ = ("keep_days",)
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    keep_days: int
    def __init__(self, keep_days: _Optional[int] = ...) -> None: ...

class ForgetRoomRequest(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class ForgetRoomResponse(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: int
    def __init__(self, messages: _Optional[int] = ...) -> None: ...

class ArchiveRoomRequest(_message.Message):
    __slots__ = ("room", "mailbox", "stop")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    room: str
    mailbox: str
    stop: bool
    def __init__(self, room: _Optional[str] = ..., mailbox: _Optional[str] = ..., stop: _Optional[bool] = ...) -> None: ...

class ArchiveRoomResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _actors_pb2.ArchiveStatus
    def __init__(self, status: _Optional[_Union[_actors_pb2.ArchiveStatus, _Mapping]] = ...) -> None: ...

class ListPeersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPeersResponse(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[Peer]
    def __init__(self, peers: _Optional[_Iterable[_Union[Peer, _Mapping]]] = ...) -> None: ...

class ResolvePeerRequest(_message.Message):
    __slots__ = ("who",)
    WHO_FIELD_NUMBER: _ClassVar[int]
    who: str
    def __init__(self, who: _Optional[str] = ...) -> None: ...

class ResolvePeerResponse(_message.Message):
    __slots__ = ("peer", "name")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListContactsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListContactsResponse(_message.Message):
    __slots__ = ("contacts",)
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[Contact]
    def __init__(self, contacts: _Optional[_Iterable[_Union[Contact, _Mapping]]] = ...) -> None: ...

class AddContactRequest(_message.Message):
    __slots__ = ("who", "name", "last_message_ms")
    WHO_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_MS_FIELD_NUMBER: _ClassVar[int]
    who: str
    name: str
    last_message_ms: int
    def __init__(self, who: _Optional[str] = ..., name: _Optional[str] = ..., last_message_ms: _Optional[int] = ...) -> None: ...

class AddContactResponse(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...

class RenameContactRequest(_message.Message):
    __slots__ = ("who", "name")
    WHO_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    who: str
    name: str
    def __init__(self, who: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RenameContactResponse(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...

class RemoveContactRequest(_message.Message):
    __slots__ = ("who",)
    WHO_FIELD_NUMBER: _ClassVar[int]
    who: str
    def __init__(self, who: _Optional[str] = ...) -> None: ...

class RemoveContactResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlockPeerRequest(_message.Message):
    __slots__ = ("who",)
    WHO_FIELD_NUMBER: _ClassVar[int]
    who: str
    def __init__(self, who: _Optional[str] = ...) -> None: ...

class BlockPeerResponse(_message.Message):
    __slots__ = ("peer", "name")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class UnblockPeerRequest(_message.Message):
    __slots__ = ("who",)
    WHO_FIELD_NUMBER: _ClassVar[int]
    who: str
    def __init__(self, who: _Optional[str] = ...) -> None: ...

class UnblockPeerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBlockedPeersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBlockedPeersResponse(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[BlockedPeer]
    def __init__(self, peers: _Optional[_Iterable[_Union[BlockedPeer, _Mapping]]] = ...) -> None: ...

class BlockedPeer(_message.Message):
    __slots__ = ("peer", "name", "since_ms")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    since_ms: int
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., since_ms: _Optional[int] = ...) -> None: ...

class GetSafetyNumberRequest(_message.Message):
    __slots__ = ("who",)
    WHO_FIELD_NUMBER: _ClassVar[int]
    who: str
    def __init__(self, who: _Optional[str] = ...) -> None: ...

class GetSafetyNumberResponse(_message.Message):
    __slots__ = ("peer", "name", "digits", "verified")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    digits: str
    verified: bool
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., digits: _Optional[str] = ..., verified: _Optional[bool] = ...) -> None: ...

class SetVerifiedRequest(_message.Message):
    __slots__ = ("who", "verified")
    WHO_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    who: str
    verified: bool
    def __init__(self, who: _Optional[str] = ..., verified: _Optional[bool] = ...) -> None: ...

class SetVerifiedResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SendFileRequest(_message.Message):
    __slots__ = ("who", "path")
    WHO_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    who: str
    path: str
    def __init__(self, who: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class SendFileResponse(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: Transfer
    def __init__(self, transfer: _Optional[_Union[Transfer, _Mapping]] = ...) -> None: ...

class ListTransfersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTransfersResponse(_message.Message):
    __slots__ = ("transfers",)
    TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    transfers: _containers.RepeatedCompositeFieldContainer[Transfer]
    def __init__(self, transfers: _Optional[_Iterable[_Union[Transfer, _Mapping]]] = ...) -> None: ...

class AcceptFileRequest(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    def __init__(self, transfer: _Optional[str] = ...) -> None: ...

class AcceptFileResponse(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: Transfer
    def __init__(self, transfer: _Optional[_Union[Transfer, _Mapping]] = ...) -> None: ...

class DeclineFileRequest(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    def __init__(self, transfer: _Optional[str] = ...) -> None: ...

class DeclineFileResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CancelTransferRequest(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    def __init__(self, transfer: _Optional[str] = ...) -> None: ...

class CancelTransferResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMailboxesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMailboxesResponse(_message.Message):
    __slots__ = ("mailboxes",)
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[OwnMailbox]
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[OwnMailbox, _Mapping]]] = ...) -> None: ...

class AddMailboxRequest(_message.Message):
    __slots__ = ("link",)
    LINK_FIELD_NUMBER: _ClassVar[int]
    link: str
    def __init__(self, link: _Optional[str] = ...) -> None: ...

class AddMailboxResponse(_message.Message):
    __slots__ = ("mailbox",)
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    mailbox: OwnMailbox
    def __init__(self, mailbox: _Optional[_Union[OwnMailbox, _Mapping]] = ...) -> None: ...

class RemoveMailboxRequest(_message.Message):
    __slots__ = ("which",)
    WHICH_FIELD_NUMBER: _ClassVar[int]
    which: str
    def __init__(self, which: _Optional[str] = ...) -> None: ...

class RemoveMailboxResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RedeemInviteRequest(_message.Message):
    __slots__ = ("token", "peer")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    token: str
    peer: bytes
    def __init__(self, token: _Optional[str] = ..., peer: _Optional[bytes] = ...) -> None: ...

class RedeemInviteResponse(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("mailbox",)
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    mailbox: _mailbox_actors_pb2.MailboxDescription
    def __init__(self, mailbox: _Optional[_Union[_mailbox_actors_pb2.MailboxDescription, _Mapping]] = ...) -> None: ...

class ListInvitesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListInvitesResponse(_message.Message):
    __slots__ = ("invites",)
    INVITES_FIELD_NUMBER: _ClassVar[int]
    invites: _containers.RepeatedCompositeFieldContainer[_mailbox_actors_pb2.InviteDescription]
    def __init__(self, invites: _Optional[_Iterable[_Union[_mailbox_actors_pb2.InviteDescription, _Mapping]]] = ...) -> None: ...

class MakeInviteRequest(_message.Message):
    __slots__ = ("uses", "label")
    USES_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    uses: int
    label: str
    def __init__(self, uses: _Optional[int] = ..., label: _Optional[str] = ...) -> None: ...

class MakeInviteResponse(_message.Message):
    __slots__ = ("invite",)
    INVITE_FIELD_NUMBER: _ClassVar[int]
    invite: _mailbox_actors_pb2.InviteDescription
    def __init__(self, invite: _Optional[_Union[_mailbox_actors_pb2.InviteDescription, _Mapping]] = ...) -> None: ...

class RevokeInviteRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class RevokeInviteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlockRequest(_message.Message):
    __slots__ = ("peer", "note")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    note: str
    def __init__(self, peer: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class BlockResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UnblockRequest(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class UnblockResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBlocksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBlocksResponse(_message.Message):
    __slots__ = ("blocks",)
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[_mailbox_actors_pb2.BlockDescription]
    def __init__(self, blocks: _Optional[_Iterable[_Union[_mailbox_actors_pb2.BlockDescription, _Mapping]]] = ...) -> None: ...
