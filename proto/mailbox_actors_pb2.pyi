from p2pchat.proto import actors_pb2 as _actors_pb2
from p2pchat.proto import mailbox_pb2 as _mailbox_pb2
from p2pchat.proto import records_pb2 as _records_pb2
from p2pchat.proto import wire_pb2 as _wire_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    KEPT: _ClassVar[Outcome]
    KEPT_BEFORE: _ClassVar[Outcome]
    QUOTA_BYTES: _ClassVar[Outcome]
    QUOTA_COUNT: _ClassVar[Outcome]
    SHARE_BYTES: _ClassVar[Outcome]
    SHARE_COUNT: _ClassVar[Outcome]
    TOTAL_BYTES: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
KEPT: Outcome
KEPT_BEFORE: Outcome
QUOTA_BYTES: Outcome
QUOTA_COUNT: Outcome
SHARE_BYTES: Outcome
SHARE_COUNT: Outcome
TOTAL_BYTES: Outcome

class DescribeMailbox(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MailboxDescription(_message.Message):
    __slots__ = ("peer", "addresses", "link", "uptime_ms", "registration", "registered", "invites", "blocked", "streams", "collecting", "held_envelopes", "held_bytes", "store", "relay", "limits", "counters", "actors", "archives", "latencies", "tasks", "transport", "workers", "dht", "reachability", "sync", "rooms", "fullest_recipient")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class LatenciesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _actors_pb2.Histogram
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_actors_pb2.Histogram, _Mapping]] = ...) -> None: ...
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    UPTIME_MS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    INVITES_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    COLLECTING_FIELD_NUMBER: _ClassVar[int]
    HELD_ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    HELD_BYTES_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    RELAY_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    ACTORS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    DHT_FIELD_NUMBER: _ClassVar[int]
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    SYNC_FIELD_NUMBER: _ClassVar[int]
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    FULLEST_RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    link: str
    uptime_ms: int
    registration: str
    registered: int
    invites: int
    blocked: int
    streams: int
    collecting: int
    held_envelopes: int
    held_bytes: int
    store: _actors_pb2.StoreDescription
    relay: RelayDescription
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    counters: _containers.ScalarMap[str, int]
    actors: _containers.RepeatedCompositeFieldContainer[_actors_pb2.ActorStatus]
    archives: _containers.RepeatedCompositeFieldContainer[ArchiveDescription]
    latencies: _containers.MessageMap[str, _actors_pb2.Histogram]
    tasks: int
    transport: _actors_pb2.TransportDescription
    workers: _containers.RepeatedCompositeFieldContainer[WorkerDescription]
    dht: _actors_pb2.DhtDescription
    reachability: _actors_pb2.ReachabilityDescription
    sync: _actors_pb2.SyncDescription
    rooms: _actors_pb2.StoreDescription
    fullest_recipient: float
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., link: _Optional[str] = ..., uptime_ms: _Optional[int] = ..., registration: _Optional[str] = ..., registered: _Optional[int] = ..., invites: _Optional[int] = ..., blocked: _Optional[int] = ..., streams: _Optional[int] = ..., collecting: _Optional[int] = ..., held_envelopes: _Optional[int] = ..., held_bytes: _Optional[int] = ..., store: _Optional[_Union[_actors_pb2.StoreDescription, _Mapping]] = ..., relay: _Optional[_Union[RelayDescription, _Mapping]] = ..., limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., counters: _Optional[_Mapping[str, int]] = ..., actors: _Optional[_Iterable[_Union[_actors_pb2.ActorStatus, _Mapping]]] = ..., archives: _Optional[_Iterable[_Union[ArchiveDescription, _Mapping]]] = ..., latencies: _Optional[_Mapping[str, _actors_pb2.Histogram]] = ..., tasks: _Optional[int] = ..., transport: _Optional[_Union[_actors_pb2.TransportDescription, _Mapping]] = ..., workers: _Optional[_Iterable[_Union[WorkerDescription, _Mapping]]] = ..., dht: _Optional[_Union[_actors_pb2.DhtDescription, _Mapping]] = ..., reachability: _Optional[_Union[_actors_pb2.ReachabilityDescription, _Mapping]] = ..., sync: _Optional[_Union[_actors_pb2.SyncDescription, _Mapping]] = ..., rooms: _Optional[_Union[_actors_pb2.StoreDescription, _Mapping]] = ..., fullest_recipient: _Optional[float] = ...) -> None: ...

class WorkerDescription(_message.Message):
    __slots__ = ("number", "state", "restarts", "pid", "mailbox", "last_end")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    LAST_END_FIELD_NUMBER: _ClassVar[int]
    number: int
    state: str
    restarts: int
    pid: int
    mailbox: MailboxDescription
    last_end: str
    def __init__(self, number: _Optional[int] = ..., state: _Optional[str] = ..., restarts: _Optional[int] = ..., pid: _Optional[int] = ..., mailbox: _Optional[_Union[MailboxDescription, _Mapping]] = ..., last_end: _Optional[str] = ...) -> None: ...

class ArchiveDescription(_message.Message):
    __slots__ = ("usage", "by_operator", "clients", "members", "joined", "deleted_at_ms")
    USAGE_FIELD_NUMBER: _ClassVar[int]
    BY_OPERATOR_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    usage: _actors_pb2.RoomUsage
    by_operator: bool
    clients: int
    members: int
    joined: bool
    deleted_at_ms: int
    def __init__(self, usage: _Optional[_Union[_actors_pb2.RoomUsage, _Mapping]] = ..., by_operator: _Optional[bool] = ..., clients: _Optional[int] = ..., members: _Optional[int] = ..., joined: _Optional[bool] = ..., deleted_at_ms: _Optional[int] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("name", "value", "unit", "bitten")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    BITTEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    unit: str
    bitten: int
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., bitten: _Optional[int] = ...) -> None: ...

class ListInvites(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InviteList(_message.Message):
    __slots__ = ("invites",)
    INVITES_FIELD_NUMBER: _ClassVar[int]
    invites: _containers.RepeatedCompositeFieldContainer[InviteDescription]
    def __init__(self, invites: _Optional[_Iterable[_Union[InviteDescription, _Mapping]]] = ...) -> None: ...

class InviteDescription(_message.Message):
    __slots__ = ("invite", "link")
    INVITE_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    invite: _records_pb2.Invite
    link: str
    def __init__(self, invite: _Optional[_Union[_records_pb2.Invite, _Mapping]] = ..., link: _Optional[str] = ...) -> None: ...

class MakeInvite(_message.Message):
    __slots__ = ("uses", "label")
    USES_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    uses: int
    label: str
    def __init__(self, uses: _Optional[int] = ..., label: _Optional[str] = ...) -> None: ...

class RevokeInvite(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class BlockPeer(_message.Message):
    __slots__ = ("peer", "note")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    note: str
    def __init__(self, peer: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class UnblockPeer(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class ListBlocks(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlockList(_message.Message):
    __slots__ = ("blocks",)
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[BlockDescription]
    def __init__(self, blocks: _Optional[_Iterable[_Union[BlockDescription, _Mapping]]] = ...) -> None: ...

class BlockDescription(_message.Message):
    __slots__ = ("peer", "blocked_at_ms", "note")
    PEER_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    blocked_at_ms: int
    note: str
    def __init__(self, peer: _Optional[str] = ..., blocked_at_ms: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class RedeemInvite(_message.Message):
    __slots__ = ("token", "peer")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    token: str
    peer: bytes
    def __init__(self, token: _Optional[str] = ..., peer: _Optional[bytes] = ...) -> None: ...

class InviteRedeemed(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DescribeRelay(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RelayDescription(_message.Message):
    __slots__ = ("serving", "reservations", "circuits", "most_reservations", "most_circuits", "counters")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    SERVING_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    CIRCUITS_FIELD_NUMBER: _ClassVar[int]
    MOST_RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    MOST_CIRCUITS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    serving: bool
    reservations: int
    circuits: int
    most_reservations: int
    most_circuits: int
    counters: _containers.ScalarMap[str, int]
    def __init__(self, serving: _Optional[bool] = ..., reservations: _Optional[int] = ..., circuits: _Optional[int] = ..., most_reservations: _Optional[int] = ..., most_circuits: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ...) -> None: ...

class DescribeService(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MailboxReport(_message.Message):
    __slots__ = ("registered", "invites", "blocked", "streams", "collecting", "counters", "latencies")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class LatenciesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _actors_pb2.Histogram
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_actors_pb2.Histogram, _Mapping]] = ...) -> None: ...
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    INVITES_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    COLLECTING_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    registered: int
    invites: int
    blocked: int
    streams: int
    collecting: int
    counters: _containers.ScalarMap[str, int]
    latencies: _containers.MessageMap[str, _actors_pb2.Histogram]
    def __init__(self, registered: _Optional[int] = ..., invites: _Optional[int] = ..., blocked: _Optional[int] = ..., streams: _Optional[int] = ..., collecting: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., latencies: _Optional[_Mapping[str, _actors_pb2.Histogram]] = ...) -> None: ...

class AskForArchive(_message.Message):
    __slots__ = ("peer", "archive")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    archive: _mailbox_pb2.Archive
    def __init__(self, peer: _Optional[bytes] = ..., archive: _Optional[_Union[_mailbox_pb2.Archive, _Mapping]] = ...) -> None: ...

class EndWishes(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    def __init__(self, peer: _Optional[bytes] = ...) -> None: ...

class TrimArchives(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeArchives(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ArchiveReport(_message.Message):
    __slots__ = ("archives",)
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    archives: _containers.RepeatedCompositeFieldContainer[ArchiveDescription]
    def __init__(self, archives: _Optional[_Iterable[_Union[ArchiveDescription, _Mapping]]] = ...) -> None: ...

class KeepMail(_message.Message):
    __slots__ = ("mail",)
    MAIL_FIELD_NUMBER: _ClassVar[int]
    mail: _containers.RepeatedCompositeFieldContainer[NewMail]
    def __init__(self, mail: _Optional[_Iterable[_Union[NewMail, _Mapping]]] = ...) -> None: ...

class NewMail(_message.Message):
    __slots__ = ("id", "size", "held")
    ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    size: int
    held: _records_pb2.HeldEnvelope
    def __init__(self, id: _Optional[bytes] = ..., size: _Optional[int] = ..., held: _Optional[_Union[_records_pb2.HeldEnvelope, _Mapping]] = ...) -> None: ...

class MailKept(_message.Message):
    __slots__ = ("outcomes", "stored_until_ms", "sequences")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    STORED_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[Outcome]
    stored_until_ms: _containers.RepeatedScalarFieldContainer[int]
    sequences: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, str]]] = ..., stored_until_ms: _Optional[_Iterable[int]] = ..., sequences: _Optional[_Iterable[int]] = ...) -> None: ...

class ReadMail(_message.Message):
    __slots__ = ("recipient", "after", "limit", "max_bytes")
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    recipient: bytes
    after: int
    limit: int
    max_bytes: int
    def __init__(self, recipient: _Optional[bytes] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ..., max_bytes: _Optional[int] = ...) -> None: ...

class MailPage(_message.Message):
    __slots__ = ("mail", "more", "end")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    mail: _containers.RepeatedCompositeFieldContainer[StoredMail]
    more: bool
    end: int
    def __init__(self, mail: _Optional[_Iterable[_Union[StoredMail, _Mapping]]] = ..., more: _Optional[bool] = ..., end: _Optional[int] = ...) -> None: ...

class StoredMail(_message.Message):
    __slots__ = ("sequence", "id", "size", "envelope", "deposited_at_ms")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    DEPOSITED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    id: bytes
    size: int
    envelope: _wire_pb2.Envelope
    deposited_at_ms: int
    def __init__(self, sequence: _Optional[int] = ..., id: _Optional[bytes] = ..., size: _Optional[int] = ..., envelope: _Optional[_Union[_wire_pb2.Envelope, _Mapping]] = ..., deposited_at_ms: _Optional[int] = ...) -> None: ...

class ForgetMail(_message.Message):
    __slots__ = ("recipient", "ids")
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    recipient: bytes
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, recipient: _Optional[bytes] = ..., ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SweepMail(_message.Message):
    __slots__ = ("now_ms", "limit")
    NOW_MS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    now_ms: int
    limit: int
    def __init__(self, now_ms: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class MailSwept(_message.Message):
    __slots__ = ("envelopes", "tombstones", "more")
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    envelopes: int
    tombstones: int
    more: bool
    def __init__(self, envelopes: _Optional[int] = ..., tombstones: _Optional[int] = ..., more: _Optional[bool] = ...) -> None: ...

class ReadRegistry(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RegistryRecords(_message.Message):
    __slots__ = ("registrations", "invites", "blocks", "depositor_secret", "archived")
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    INVITES_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    DEPOSITOR_SECRET_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    registrations: _containers.RepeatedCompositeFieldContainer[_records_pb2.Registration]
    invites: _containers.RepeatedCompositeFieldContainer[_records_pb2.Invite]
    blocks: _containers.RepeatedCompositeFieldContainer[_records_pb2.Block]
    depositor_secret: bytes
    archived: _containers.RepeatedCompositeFieldContainer[_records_pb2.ArchivedRoom]
    def __init__(self, registrations: _Optional[_Iterable[_Union[_records_pb2.Registration, _Mapping]]] = ..., invites: _Optional[_Iterable[_Union[_records_pb2.Invite, _Mapping]]] = ..., blocks: _Optional[_Iterable[_Union[_records_pb2.Block, _Mapping]]] = ..., depositor_secret: _Optional[bytes] = ..., archived: _Optional[_Iterable[_Union[_records_pb2.ArchivedRoom, _Mapping]]] = ...) -> None: ...

class ChangeRegistry(_message.Message):
    __slots__ = ("registration", "invite", "block", "revoked", "unblocked", "unregistered", "archived", "unarchived")
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    UNBLOCKED_FIELD_NUMBER: _ClassVar[int]
    UNREGISTERED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    UNARCHIVED_FIELD_NUMBER: _ClassVar[int]
    registration: _records_pb2.Registration
    invite: _records_pb2.Invite
    block: _records_pb2.Block
    revoked: str
    unblocked: bytes
    unregistered: _containers.RepeatedScalarFieldContainer[bytes]
    archived: _containers.RepeatedCompositeFieldContainer[_records_pb2.ArchivedRoom]
    unarchived: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, registration: _Optional[_Union[_records_pb2.Registration, _Mapping]] = ..., invite: _Optional[_Union[_records_pb2.Invite, _Mapping]] = ..., block: _Optional[_Union[_records_pb2.Block, _Mapping]] = ..., revoked: _Optional[str] = ..., unblocked: _Optional[bytes] = ..., unregistered: _Optional[_Iterable[bytes]] = ..., archived: _Optional[_Iterable[_Union[_records_pb2.ArchivedRoom, _Mapping]]] = ..., unarchived: _Optional[_Iterable[str]] = ...) -> None: ...

class SelectWithoutMail(_message.Message):
    __slots__ = ("recipients",)
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    recipients: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, recipients: _Optional[_Iterable[bytes]] = ...) -> None: ...

class WithoutMail(_message.Message):
    __slots__ = ("recipients",)
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    recipients: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, recipients: _Optional[_Iterable[bytes]] = ...) -> None: ...

class DescribeMail(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MailDescription(_message.Message):
    __slots__ = ("held_envelopes", "held_bytes", "store", "fullest_recipient")
    HELD_ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    HELD_BYTES_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    FULLEST_RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    held_envelopes: int
    held_bytes: int
    store: _actors_pb2.StoreDescription
    fullest_recipient: float
    def __init__(self, held_envelopes: _Optional[int] = ..., held_bytes: _Optional[int] = ..., store: _Optional[_Union[_actors_pb2.StoreDescription, _Mapping]] = ..., fullest_recipient: _Optional[float] = ...) -> None: ...
