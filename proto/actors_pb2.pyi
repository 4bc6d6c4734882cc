from p2pchat.proto import records_pb2 as _records_pb2
from p2pchat.proto import sync_pb2 as _sync_pb2
from p2pchat.proto import wire_pb2 as _wire_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    TOO_LONG: _ClassVar[Reason]
    EMPTY: _ClassVar[Reason]
    INVALID: _ClassVar[Reason]
    NOT_JOINED: _ClassVar[Reason]
    STORE_FAILED: _ClassVar[Reason]
    UNAVAILABLE: _ClassVar[Reason]
    NETWORK_FAILED: _ClassVar[Reason]
    TOO_MANY: _ClassVar[Reason]
    UNKNOWN_PEER: _ClassVar[Reason]
    AMBIGUOUS: _ClassVar[Reason]
    REFUSED: _ClassVar[Reason]

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    BOOTSTRAP: _ClassVar[Source]
    MDNS: _ClassVar[Source]
    INBOUND: _ClassVar[Source]
    USER: _ClassVar[Source]
    CONTACT: _ClassVar[Source]
    REMEMBERED: _ClassVar[Source]
    ROOM: _ClassVar[Source]
    DHT: _ClassVar[Source]

class Reachability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN: _ClassVar[Reachability]
    PUBLIC: _ClassVar[Reachability]
    PRIVATE: _ClassVar[Reachability]
REASON_UNSPECIFIED: Reason
TOO_LONG: Reason
EMPTY: Reason
INVALID: Reason
NOT_JOINED: Reason
STORE_FAILED: Reason
UNAVAILABLE: Reason
NETWORK_FAILED: Reason
TOO_MANY: Reason
UNKNOWN_PEER: Reason
AMBIGUOUS: Reason
REFUSED: Reason
SOURCE_UNSPECIFIED: Source
BOOTSTRAP: Source
MDNS: Source
INBOUND: Source
USER: Source
CONTACT: Source
REMEMBERED: Source
ROOM: Source
DHT: Source
UNKNOWN: Reachability
PUBLIC: Reachability
PRIVATE: Reachability

class Done(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Histogram(_message.Message):
    __slots__ = ("bounds", "counts", "sum")
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    bounds: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    sum: float
    def __init__(self, bounds: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., sum: _Optional[float] = ...) -> None: ...

class Rejected(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: Reason
    detail: str
    def __init__(self, reason: _Optional[_Union[Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class SaveRoomMessages(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.RoomRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.RoomRecord, _Mapping]]] = ...) -> None: ...

class RoomMessagesSaved(_message.Message):
    __slots__ = ("fresh", "altered")
    FRESH_FIELD_NUMBER: _ClassVar[int]
    ALTERED_FIELD_NUMBER: _ClassVar[int]
    fresh: _containers.RepeatedScalarFieldContainer[bool]
    altered: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, fresh: _Optional[_Iterable[bool]] = ..., altered: _Optional[_Iterable[bool]] = ...) -> None: ...

class ReadHistory(_message.Message):
    __slots__ = ("room", "limit", "before")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    room: str
    limit: int
    before: bytes
    def __init__(self, room: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[bytes] = ...) -> None: ...

class HistoryPage(_message.Message):
    __slots__ = ("records", "first")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.RoomRecord]
    first: bytes
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.RoomRecord, _Mapping]]] = ..., first: _Optional[bytes] = ...) -> None: ...

class ReadRoomState(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class RoomState(_message.Message):
    __slots__ = ("lamport", "parents", "settings")
    LAMPORT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    lamport: int
    parents: _containers.RepeatedScalarFieldContainer[bytes]
    settings: _records_pb2.RoomSettings
    def __init__(self, lamport: _Optional[int] = ..., parents: _Optional[_Iterable[bytes]] = ..., settings: _Optional[_Union[_records_pb2.RoomSettings, _Mapping]] = ...) -> None: ...

class FindUnknown(_message.Message):
    __slots__ = ("room", "ids")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    room: str
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, room: _Optional[str] = ..., ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class UnknownIds(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SaveRoomSettings(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: _records_pb2.RoomSettings
    def __init__(self, settings: _Optional[_Union[_records_pb2.RoomSettings, _Mapping]] = ...) -> None: ...

class TrimRoom(_message.Message):
    __slots__ = ("room", "limit")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    room: str
    limit: int
    def __init__(self, room: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class RoomTrimmed(_message.Message):
    __slots__ = ("messages", "more", "ahead")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    messages: int
    more: bool
    ahead: bool
    def __init__(self, messages: _Optional[int] = ..., more: _Optional[bool] = ..., ahead: _Optional[bool] = ...) -> None: ...

class FindFloor(_message.Message):
    __slots__ = ("room", "bytes")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    room: str
    bytes: int
    def __init__(self, room: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class RoomFloor(_message.Message):
    __slots__ = ("floor",)
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    floor: int
    def __init__(self, floor: _Optional[int] = ...) -> None: ...

class ListStoredRooms(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RoomUsage(_message.Message):
    __slots__ = ("room", "messages", "bytes", "settings", "newest_lamport")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_LAMPORT_FIELD_NUMBER: _ClassVar[int]
    room: str
    messages: int
    bytes: int
    settings: _records_pb2.RoomSettings
    newest_lamport: int
    def __init__(self, room: _Optional[str] = ..., messages: _Optional[int] = ..., bytes: _Optional[int] = ..., settings: _Optional[_Union[_records_pb2.RoomSettings, _Mapping]] = ..., newest_lamport: _Optional[int] = ...) -> None: ...

class RoomUsageList(_message.Message):
    __slots__ = ("rooms",)
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[RoomUsage]
    def __init__(self, rooms: _Optional[_Iterable[_Union[RoomUsage, _Mapping]]] = ...) -> None: ...

class CompareRanges(_message.Message):
    __slots__ = ("room", "asked", "reply", "horizon")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    room: str
    asked: _sync_pb2.Ranges
    reply: _sync_pb2.Ranges
    horizon: int
    def __init__(self, room: _Optional[str] = ..., asked: _Optional[_Union[_sync_pb2.Ranges, _Mapping]] = ..., reply: _Optional[_Union[_sync_pb2.Ranges, _Mapping]] = ..., horizon: _Optional[int] = ...) -> None: ...

class RangesCompared(_message.Message):
    __slots__ = ("ask", "need", "have", "need_all", "have_all", "differing")
    ASK_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    NEED_ALL_FIELD_NUMBER: _ClassVar[int]
    HAVE_ALL_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    ask: _containers.RepeatedCompositeFieldContainer[_sync_pb2.Ranges]
    need: _sync_pb2.Items
    have: _sync_pb2.Items
    need_all: _containers.RepeatedCompositeFieldContainer[CountedInterval]
    have_all: _containers.RepeatedCompositeFieldContainer[CountedInterval]
    differing: int
    def __init__(self, ask: _Optional[_Iterable[_Union[_sync_pb2.Ranges, _Mapping]]] = ..., need: _Optional[_Union[_sync_pb2.Items, _Mapping]] = ..., have: _Optional[_Union[_sync_pb2.Items, _Mapping]] = ..., need_all: _Optional[_Iterable[_Union[CountedInterval, _Mapping]]] = ..., have_all: _Optional[_Iterable[_Union[CountedInterval, _Mapping]]] = ..., differing: _Optional[int] = ...) -> None: ...

class CountedInterval(_message.Message):
    __slots__ = ("interval", "count")
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    interval: _sync_pb2.Interval
    count: int
    def __init__(self, interval: _Optional[_Union[_sync_pb2.Interval, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class AnswerRanges(_message.Message):
    __slots__ = ("room", "ranges")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    room: str
    ranges: _sync_pb2.Ranges
    def __init__(self, room: _Optional[str] = ..., ranges: _Optional[_Union[_sync_pb2.Ranges, _Mapping]] = ...) -> None: ...

class ReadItems(_message.Message):
    __slots__ = ("room", "items")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    room: str
    items: _sync_pb2.Items
    def __init__(self, room: _Optional[str] = ..., items: _Optional[_Union[_sync_pb2.Items, _Mapping]] = ...) -> None: ...

class ReadRange(_message.Message):
    __slots__ = ("room", "interval", "limit", "max_bytes")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    room: str
    interval: _sync_pb2.Interval
    limit: int
    max_bytes: int
    def __init__(self, room: _Optional[str] = ..., interval: _Optional[_Union[_sync_pb2.Interval, _Mapping]] = ..., limit: _Optional[int] = ..., max_bytes: _Optional[int] = ...) -> None: ...

class RoomPage(_message.Message):
    __slots__ = ("records", "more")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.RoomRecord]
    more: bool
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.RoomRecord, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class SearchHistory(_message.Message):
    __slots__ = ("words", "limit", "before", "room", "peer")
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    words: str
    limit: int
    before: bytes
    room: str
    peer: str
    def __init__(self, words: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[bytes] = ..., room: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class SearchHit(_message.Message):
    __slots__ = ("room_message", "direct")
    ROOM_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    room_message: _records_pb2.RoomRecord
    direct: _records_pb2.DirectRecord
    def __init__(self, room_message: _Optional[_Union[_records_pb2.RoomRecord, _Mapping]] = ..., direct: _Optional[_Union[_records_pb2.DirectRecord, _Mapping]] = ...) -> None: ...

class SearchPage(_message.Message):
    __slots__ = ("hits", "last", "waiting")
    HITS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    last: bytes
    waiting: int
    def __init__(self, hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., last: _Optional[bytes] = ..., waiting: _Optional[int] = ...) -> None: ...

class ReadProfile(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SaveProfile(_message.Message):
    __slots__ = ("profile",)
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    profile: _records_pb2.Profile
    def __init__(self, profile: _Optional[_Union[_records_pb2.Profile, _Mapping]] = ...) -> None: ...

class DescribeStore(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StoreDescription(_message.Message):
    __slots__ = ("path", "size_bytes", "messages", "schema_version", "free_bytes", "commits")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    path: str
    size_bytes: int
    messages: int
    schema_version: int
    free_bytes: int
    commits: Histogram
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., messages: _Optional[int] = ..., schema_version: _Optional[int] = ..., free_bytes: _Optional[int] = ..., commits: _Optional[_Union[Histogram, _Mapping]] = ...) -> None: ...

class SaveDirect(_message.Message):
    __slots__ = ("saves",)
    SAVES_FIELD_NUMBER: _ClassVar[int]
    saves: _containers.RepeatedCompositeFieldContainer[DirectSave]
    def __init__(self, saves: _Optional[_Iterable[_Union[DirectSave, _Mapping]]] = ...) -> None: ...

class DirectSave(_message.Message):
    __slots__ = ("record", "envelope", "record_sequence", "receipt_due", "spooled", "transfer", "past")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    RECORD_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_DUE_FIELD_NUMBER: _ClassVar[int]
    SPOOLED_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    PAST_FIELD_NUMBER: _ClassVar[int]
    record: _records_pb2.DirectRecord
    envelope: _wire_pb2.Envelope
    record_sequence: int
    receipt_due: bool
    spooled: bytes
    transfer: _records_pb2.TransferRecord
    past: bool
    def __init__(self, record: _Optional[_Union[_records_pb2.DirectRecord, _Mapping]] = ..., envelope: _Optional[_Union[_wire_pb2.Envelope, _Mapping]] = ..., record_sequence: _Optional[int] = ..., receipt_due: _Optional[bool] = ..., spooled: _Optional[bytes] = ..., transfer: _Optional[_Union[_records_pb2.TransferRecord, _Mapping]] = ..., past: _Optional[bool] = ...) -> None: ...

class DirectSaved(_message.Message):
    __slots__ = ("fresh", "altered")
    FRESH_FIELD_NUMBER: _ClassVar[int]
    ALTERED_FIELD_NUMBER: _ClassVar[int]
    fresh: _containers.RepeatedScalarFieldContainer[bool]
    altered: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, fresh: _Optional[_Iterable[bool]] = ..., altered: _Optional[_Iterable[bool]] = ...) -> None: ...

class Spool(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedCompositeFieldContainer[_wire_pb2.Envelope]
    def __init__(self, envelopes: _Optional[_Iterable[_Union[_wire_pb2.Envelope, _Mapping]]] = ...) -> None: ...

class ReadSpool(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class SpoolPage(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedCompositeFieldContainer[_wire_pb2.Envelope]
    def __init__(self, envelopes: _Optional[_Iterable[_Union[_wire_pb2.Envelope, _Mapping]]] = ...) -> None: ...

class DropSpooled(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class UpdateOutbox(_message.Message):
    __slots__ = ("updates",)
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    updates: _containers.RepeatedCompositeFieldContainer[OutboxUpdate]
    def __init__(self, updates: _Optional[_Iterable[_Union[OutboxUpdate, _Mapping]]] = ...) -> None: ...

class OutboxUpdated(_message.Message):
    __slots__ = ("changed",)
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    changed: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, changed: _Optional[_Iterable[bool]] = ...) -> None: ...

class OutboxUpdate(_message.Message):
    __slots__ = ("peer", "id", "delivery", "envelope", "record_sequence", "finished")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    RECORD_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    peer: str
    id: bytes
    delivery: _records_pb2.Delivery
    envelope: _wire_pb2.Envelope
    record_sequence: int
    finished: bool
    def __init__(self, peer: _Optional[str] = ..., id: _Optional[bytes] = ..., delivery: _Optional[_Union[_records_pb2.Delivery, _Mapping]] = ..., envelope: _Optional[_Union[_wire_pb2.Envelope, _Mapping]] = ..., record_sequence: _Optional[int] = ..., finished: _Optional[bool] = ...) -> None: ...

class ReadOutbox(_message.Message):
    __slots__ = ("limit", "after")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    limit: int
    after: bytes
    def __init__(self, limit: _Optional[int] = ..., after: _Optional[bytes] = ...) -> None: ...

class OutboxPage(_message.Message):
    __slots__ = ("records", "last")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.OutboxRecord]
    last: bytes
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.OutboxRecord, _Mapping]]] = ..., last: _Optional[bytes] = ...) -> None: ...

class ReadOutboxEntries(_message.Message):
    __slots__ = ("peer", "ids")
    PEER_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, peer: _Optional[str] = ..., ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class OutboxEntries(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[OutboxEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[OutboxEntry, _Mapping]]] = ...) -> None: ...

class OutboxEntry(_message.Message):
    __slots__ = ("outbox", "record")
    OUTBOX_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    outbox: _records_pb2.OutboxRecord
    record: _records_pb2.DirectRecord
    def __init__(self, outbox: _Optional[_Union[_records_pb2.OutboxRecord, _Mapping]] = ..., record: _Optional[_Union[_records_pb2.DirectRecord, _Mapping]] = ...) -> None: ...

class ReadDirectHistory(_message.Message):
    __slots__ = ("peer", "limit", "before")
    PEER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    limit: int
    before: bytes
    def __init__(self, peer: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[bytes] = ...) -> None: ...

class DirectHistoryPage(_message.Message):
    __slots__ = ("records", "first")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.DirectRecord]
    first: bytes
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.DirectRecord, _Mapping]]] = ..., first: _Optional[bytes] = ...) -> None: ...

class ReadConversation(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class ReadDueReceipts(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class DueReceipts(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerReceipts]
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerReceipts, _Mapping]]] = ...) -> None: ...

class PeerReceipts(_message.Message):
    __slots__ = ("peer", "delivered", "read")
    PEER_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    peer: str
    delivered: _containers.RepeatedScalarFieldContainer[bytes]
    read: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, peer: _Optional[str] = ..., delivered: _Optional[_Iterable[bytes]] = ..., read: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SettleReceipts(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: PeerReceipts
    def __init__(self, receipts: _Optional[_Union[PeerReceipts, _Mapping]] = ...) -> None: ...

class MarkRead(_message.Message):
    __slots__ = ("peer", "ids", "receipt_due")
    PEER_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_DUE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    receipt_due: bool
    def __init__(self, peer: _Optional[str] = ..., ids: _Optional[_Iterable[bytes]] = ..., receipt_due: _Optional[bool] = ...) -> None: ...

class MarkedRead(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ReadContacts(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ContactList(_message.Message):
    __slots__ = ("contacts",)
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[_records_pb2.Contact]
    def __init__(self, contacts: _Optional[_Iterable[_Union[_records_pb2.Contact, _Mapping]]] = ...) -> None: ...

class SaveContact(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: _records_pb2.Contact
    def __init__(self, contact: _Optional[_Union[_records_pb2.Contact, _Mapping]] = ...) -> None: ...

class DeleteContact(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class ReadOwnMailboxes(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SaveOwnMailboxes(_message.Message):
    __slots__ = ("own",)
    OWN_FIELD_NUMBER: _ClassVar[int]
    own: _records_pb2.OwnMailboxes
    def __init__(self, own: _Optional[_Union[_records_pb2.OwnMailboxes, _Mapping]] = ...) -> None: ...

class ReadKnownPeers(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SaveKnownPeers(_message.Message):
    __slots__ = ("known",)
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    known: _records_pb2.KnownPeers
    def __init__(self, known: _Optional[_Union[_records_pb2.KnownPeers, _Mapping]] = ...) -> None: ...

class Connect(_message.Message):
    __slots__ = ("peer", "addresses", "look_up", "passing")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    LOOK_UP_FIELD_NUMBER: _ClassVar[int]
    PASSING_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    look_up: bool
    passing: bool
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., look_up: _Optional[bool] = ..., passing: _Optional[bool] = ...) -> None: ...

class UseRelays(_message.Message):
    __slots__ = ("relays",)
    RELAYS_FIELD_NUMBER: _ClassVar[int]
    relays: _containers.RepeatedCompositeFieldContainer[RelayEntry]
    def __init__(self, relays: _Optional[_Iterable[_Union[RelayEntry, _Mapping]]] = ...) -> None: ...

class RelayEntry(_message.Message):
    __slots__ = ("peer", "addresses")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordChanged(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: _wire_pb2.MailboxRecord
    def __init__(self, record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ...) -> None: ...

class RecordHeard(_message.Message):
    __slots__ = ("peer", "record")
    PEER_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    peer: str
    record: _wire_pb2.MailboxRecord
    def __init__(self, peer: _Optional[str] = ..., record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ...) -> None: ...

class PeerFound(_message.Message):
    __slots__ = ("peer", "addresses", "source")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    source: Source
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., source: _Optional[_Union[Source, str]] = ...) -> None: ...

class ListConnections(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Connection(_message.Message):
    __slots__ = ("peer", "name", "address", "transport", "outbound", "rtt_ms", "agent", "record", "relayed", "relay", "punched", "clock_ms", "has_clock")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    RTT_MS_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    RELAYED_FIELD_NUMBER: _ClassVar[int]
    RELAY_FIELD_NUMBER: _ClassVar[int]
    PUNCHED_FIELD_NUMBER: _ClassVar[int]
    CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    HAS_CLOCK_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    address: str
    transport: str
    outbound: bool
    rtt_ms: float
    agent: str
    record: _wire_pb2.MailboxRecord
    relayed: bool
    relay: str
    punched: bool
    clock_ms: int
    has_clock: bool
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., transport: _Optional[str] = ..., outbound: _Optional[bool] = ..., rtt_ms: _Optional[float] = ..., agent: _Optional[str] = ..., record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ..., relayed: _Optional[bool] = ..., relay: _Optional[str] = ..., punched: _Optional[bool] = ..., clock_ms: _Optional[int] = ..., has_clock: _Optional[bool] = ...) -> None: ...

class ConnectionList(_message.Message):
    __slots__ = ("connections",)
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.RepeatedCompositeFieldContainer[Connection]
    def __init__(self, connections: _Optional[_Iterable[_Union[Connection, _Mapping]]] = ...) -> None: ...

class DescribeTransport(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TransportDescription(_message.Message):
    __slots__ = ("peer", "addresses", "counters", "known_peers", "dialing", "unreached", "clock_ms", "clocks", "connections")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_PEERS_FIELD_NUMBER: _ClassVar[int]
    DIALING_FIELD_NUMBER: _ClassVar[int]
    UNREACHED_FIELD_NUMBER: _ClassVar[int]
    CLOCK_MS_FIELD_NUMBER: _ClassVar[int]
    CLOCKS_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    counters: _containers.ScalarMap[str, int]
    known_peers: int
    dialing: int
    unreached: _containers.RepeatedCompositeFieldContainer[RememberedPeer]
    clock_ms: int
    clocks: int
    connections: _containers.RepeatedCompositeFieldContainer[ConnectionCount]
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., counters: _Optional[_Mapping[str, int]] = ..., known_peers: _Optional[int] = ..., dialing: _Optional[int] = ..., unreached: _Optional[_Iterable[_Union[RememberedPeer, _Mapping]]] = ..., clock_ms: _Optional[int] = ..., clocks: _Optional[int] = ..., connections: _Optional[_Iterable[_Union[ConnectionCount, _Mapping]]] = ...) -> None: ...

class ConnectionCount(_message.Message):
    __slots__ = ("transport", "outbound", "relayed", "count")
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    RELAYED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    transport: str
    outbound: bool
    relayed: bool
    count: int
    def __init__(self, transport: _Optional[str] = ..., outbound: _Optional[bool] = ..., relayed: _Optional[bool] = ..., count: _Optional[int] = ...) -> None: ...

class RememberedPeer(_message.Message):
    __slots__ = ("peer", "addresses", "source", "failures", "problem")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    source: Source
    failures: int
    problem: str
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., source: _Optional[_Union[Source, str]] = ..., failures: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class NameChanged(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class NetworkStarted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

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

class PeerIdentified(_message.Message):
    __slots__ = ("peer", "protocols", "addresses", "observed", "outbound")
    PEER_FIELD_NUMBER: _ClassVar[int]
    PROTOCOLS_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    peer: str
    protocols: _containers.RepeatedScalarFieldContainer[str]
    addresses: _containers.RepeatedScalarFieldContainer[str]
    observed: str
    outbound: bool
    def __init__(self, peer: _Optional[str] = ..., protocols: _Optional[_Iterable[str]] = ..., addresses: _Optional[_Iterable[str]] = ..., observed: _Optional[str] = ..., outbound: _Optional[bool] = ...) -> None: ...

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

class Listening(_message.Message):
    __slots__ = ("peer", "addresses")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeDiscovery(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiscoveryDescription(_message.Message):
    __slots__ = ("bootstrap_peers", "mdns", "mdns_found", "mdns_problem", "exchanged", "bootstrap_connected", "bootstrap_public")
    BOOTSTRAP_PEERS_FIELD_NUMBER: _ClassVar[int]
    MDNS_FIELD_NUMBER: _ClassVar[int]
    MDNS_FOUND_FIELD_NUMBER: _ClassVar[int]
    MDNS_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    EXCHANGED_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_PUBLIC_FIELD_NUMBER: _ClassVar[int]
    bootstrap_peers: int
    mdns: bool
    mdns_found: int
    mdns_problem: str
    exchanged: int
    bootstrap_connected: int
    bootstrap_public: bool
    def __init__(self, bootstrap_peers: _Optional[int] = ..., mdns: _Optional[bool] = ..., mdns_found: _Optional[int] = ..., mdns_problem: _Optional[str] = ..., exchanged: _Optional[int] = ..., bootstrap_connected: _Optional[int] = ..., bootstrap_public: _Optional[bool] = ...) -> None: ...

class RoomsChanged(_message.Message):
    __slots__ = ("rooms",)
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[RoomTopic]
    def __init__(self, rooms: _Optional[_Iterable[_Union[RoomTopic, _Mapping]]] = ...) -> None: ...

class RoomTopic(_message.Message):
    __slots__ = ("room", "topic")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    room: str
    topic: str
    def __init__(self, room: _Optional[str] = ..., topic: _Optional[str] = ...) -> None: ...

class ListAddresses(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peers: _Optional[_Iterable[str]] = ...) -> None: ...

class AddressList(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerAddresses]
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerAddresses, _Mapping]]] = ...) -> None: ...

class NetworkChanged(_message.Message):
    __slots__ = ("why",)
    WHY_FIELD_NUMBER: _ClassVar[int]
    why: str
    def __init__(self, why: _Optional[str] = ...) -> None: ...

class ReachabilityChanged(_message.Message):
    __slots__ = ("reachability", "addresses")
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    reachability: Reachability
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reachability: _Optional[_Union[Reachability, str]] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class AddressesChanged(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeReachability(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReachabilityDescription(_message.Message):
    __slots__ = ("reachability", "observed", "yes", "no", "reservations", "wants_relays", "punches", "punched", "upnp", "mapped", "upnp_problem", "counters", "relays")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    YES_FIELD_NUMBER: _ClassVar[int]
    NO_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    WANTS_RELAYS_FIELD_NUMBER: _ClassVar[int]
    PUNCHES_FIELD_NUMBER: _ClassVar[int]
    PUNCHED_FIELD_NUMBER: _ClassVar[int]
    UPNP_FIELD_NUMBER: _ClassVar[int]
    MAPPED_FIELD_NUMBER: _ClassVar[int]
    UPNP_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    RELAYS_FIELD_NUMBER: _ClassVar[int]
    reachability: Reachability
    observed: _containers.RepeatedScalarFieldContainer[str]
    yes: int
    no: int
    reservations: _containers.RepeatedCompositeFieldContainer[Reservation]
    wants_relays: bool
    punches: int
    punched: int
    upnp: bool
    mapped: _containers.RepeatedScalarFieldContainer[str]
    upnp_problem: str
    counters: _containers.ScalarMap[str, int]
    relays: bool
    def __init__(self, reachability: _Optional[_Union[Reachability, str]] = ..., observed: _Optional[_Iterable[str]] = ..., yes: _Optional[int] = ..., no: _Optional[int] = ..., reservations: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ..., wants_relays: _Optional[bool] = ..., punches: _Optional[int] = ..., punched: _Optional[int] = ..., upnp: _Optional[bool] = ..., mapped: _Optional[_Iterable[str]] = ..., upnp_problem: _Optional[str] = ..., counters: _Optional[_Mapping[str, int]] = ..., relays: _Optional[bool] = ...) -> None: ...

class Reservation(_message.Message):
    __slots__ = ("relay", "mailbox", "connected", "held", "seconds_left", "problem")
    RELAY_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    relay: str
    mailbox: bool
    connected: bool
    held: bool
    seconds_left: int
    problem: str
    def __init__(self, relay: _Optional[str] = ..., mailbox: _Optional[bool] = ..., connected: _Optional[bool] = ..., held: _Optional[bool] = ..., seconds_left: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class FindPeer(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class PeerAddresses(_message.Message):
    __slots__ = ("peer", "addresses")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    peer: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class FindProviders(_message.Message):
    __slots__ = ("topic", "limit")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    topic: str
    limit: int
    def __init__(self, topic: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Providers(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerAddresses]
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerAddresses, _Mapping]]] = ...) -> None: ...

class ProvideTopics(_message.Message):
    __slots__ = ("topics",)
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, topics: _Optional[_Iterable[str]] = ...) -> None: ...

class PublishRecord(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: _wire_pb2.MailboxRecord
    def __init__(self, record: _Optional[_Union[_wire_pb2.MailboxRecord, _Mapping]] = ...) -> None: ...

class FindRecord(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class DescribeDht(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DhtDescription(_message.Message):
    __slots__ = ("server", "table", "buckets", "records", "provided", "refreshed_ms", "topics", "record", "counters")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    SERVER_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    PROVIDED_FIELD_NUMBER: _ClassVar[int]
    REFRESHED_MS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    server: bool
    table: int
    buckets: int
    records: int
    provided: int
    refreshed_ms: int
    topics: int
    record: bool
    counters: _containers.ScalarMap[str, int]
    def __init__(self, server: _Optional[bool] = ..., table: _Optional[int] = ..., buckets: _Optional[int] = ..., records: _Optional[int] = ..., provided: _Optional[int] = ..., refreshed_ms: _Optional[int] = ..., topics: _Optional[int] = ..., record: _Optional[bool] = ..., counters: _Optional[_Mapping[str, int]] = ...) -> None: ...

class Diagnose(_message.Message):
    __slots__ = ("wait",)
    WAIT_FIELD_NUMBER: _ClassVar[int]
    wait: bool
    def __init__(self, wait: _Optional[bool] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("name", "verdict", "finding", "advice")
    class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OK: _ClassVar[Check.Verdict]
        HINT: _ClassVar[Check.Verdict]
        WARNING: _ClassVar[Check.Verdict]
        FAILED: _ClassVar[Check.Verdict]
    OK: Check.Verdict
    HINT: Check.Verdict
    WARNING: Check.Verdict
    FAILED: Check.Verdict
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    name: str
    verdict: Check.Verdict
    finding: str
    advice: str
    def __init__(self, name: _Optional[str] = ..., verdict: _Optional[_Union[Check.Verdict, str]] = ..., finding: _Optional[str] = ..., advice: _Optional[str] = ...) -> None: ...

class Diagnosis(_message.Message):
    __slots__ = ("checks",)
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    def __init__(self, checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ...) -> None: ...

class JoinRoom(_message.Message):
    __slots__ = ("room", "plain")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    room: str
    plain: bool
    def __init__(self, room: _Optional[str] = ..., plain: _Optional[bool] = ...) -> None: ...

class RoomJoined(_message.Message):
    __slots__ = ("room", "already", "plain")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ALREADY_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    room: str
    already: bool
    plain: bool
    def __init__(self, room: _Optional[str] = ..., already: _Optional[bool] = ..., plain: _Optional[bool] = ...) -> None: ...

class LeaveRoom(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class RoomLeft(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class ListRooms(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Room(_message.Message):
    __slots__ = ("name", "plain", "subscribers", "received", "duplicates", "refused")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBERS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    name: str
    plain: bool
    subscribers: _containers.RepeatedScalarFieldContainer[str]
    received: int
    duplicates: int
    refused: int
    def __init__(self, name: _Optional[str] = ..., plain: _Optional[bool] = ..., subscribers: _Optional[_Iterable[str]] = ..., received: _Optional[int] = ..., duplicates: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...

class RoomList(_message.Message):
    __slots__ = ("rooms",)
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[Room]
    def __init__(self, rooms: _Optional[_Iterable[_Union[Room, _Mapping]]] = ...) -> None: ...

class DescribePubsub(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PubsubDescription(_message.Message):
    __slots__ = ("rooms", "neighbours", "said", "received", "duplicates", "refused")
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURS_FIELD_NUMBER: _ClassVar[int]
    SAID_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    rooms: int
    neighbours: int
    said: int
    received: int
    duplicates: int
    refused: int
    def __init__(self, rooms: _Optional[int] = ..., neighbours: _Optional[int] = ..., said: _Optional[int] = ..., received: _Optional[int] = ..., duplicates: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...

class PostText(_message.Message):
    __slots__ = ("room", "text")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Posted(_message.Message):
    __slots__ = ("record", "listeners")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    LISTENERS_FIELD_NUMBER: _ClassVar[int]
    record: _records_pb2.RoomRecord
    listeners: int
    def __init__(self, record: _Optional[_Union[_records_pb2.RoomRecord, _Mapping]] = ..., listeners: _Optional[int] = ...) -> None: ...

class FlushRooms(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RoomMessagesArrived(_message.Message):
    __slots__ = ("room", "records", "late")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    room: str
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.RoomRecord]
    late: bool
    def __init__(self, room: _Optional[str] = ..., records: _Optional[_Iterable[_Union[_records_pb2.RoomRecord, _Mapping]]] = ..., late: _Optional[bool] = ...) -> None: ...

class TakeIn(_message.Message):
    __slots__ = ("room", "messages")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    room: str
    messages: _containers.RepeatedCompositeFieldContainer[_wire_pb2.RoomMessage]
    def __init__(self, room: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_wire_pb2.RoomMessage, _Mapping]]] = ...) -> None: ...

class TakenIn(_message.Message):
    __slots__ = ("fresh",)
    FRESH_FIELD_NUMBER: _ClassVar[int]
    fresh: int
    def __init__(self, fresh: _Optional[int] = ...) -> None: ...

class RoomCompared(_message.Message):
    __slots__ = ("room", "began")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BEGAN_FIELD_NUMBER: _ClassVar[int]
    room: str
    began: float
    def __init__(self, room: _Optional[str] = ..., began: _Optional[float] = ...) -> None: ...

class RoomGap(_message.Message):
    __slots__ = ("room", "missing", "given_up")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    GIVEN_UP_FIELD_NUMBER: _ClassVar[int]
    room: str
    missing: int
    given_up: bool
    def __init__(self, room: _Optional[str] = ..., missing: _Optional[int] = ..., given_up: _Optional[bool] = ...) -> None: ...

class ListMembers(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("peer", "name", "connected", "seen_ms")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    SEEN_MS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    connected: bool
    seen_ms: int
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., connected: _Optional[bool] = ..., seen_ms: _Optional[int] = ...) -> None: ...

class MemberList(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ...) -> None: ...

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

class KeepRoom(_message.Message):
    __slots__ = ("room", "keep_days")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    room: str
    keep_days: int
    def __init__(self, room: _Optional[str] = ..., keep_days: _Optional[int] = ...) -> None: ...

class ForgetRoom(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class RoomOpened(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class RoomClosed(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class RoomGapFound(_message.Message):
    __slots__ = ("room", "peer")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class RoomStirred(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

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

class DescribeSync(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SyncDescription(_message.Message):
    __slots__ = ("rooms", "counters")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[RoomSync]
    counters: _containers.ScalarMap[str, int]
    def __init__(self, rooms: _Optional[_Iterable[_Union[RoomSync, _Mapping]]] = ..., counters: _Optional[_Mapping[str, int]] = ...) -> None: ...

class RoomSync(_message.Message):
    __slots__ = ("room", "last_ms", "compared", "fetched", "running")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    LAST_MS_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    FETCHED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    room: str
    last_ms: int
    compared: int
    fetched: int
    running: bool
    def __init__(self, room: _Optional[str] = ..., last_ms: _Optional[int] = ..., compared: _Optional[int] = ..., fetched: _Optional[int] = ..., running: _Optional[bool] = ...) -> None: ...

class SendDirect(_message.Message):
    __slots__ = ("peer", "text", "transfer")
    PEER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    text: str
    transfer: _records_pb2.TransferRecord
    def __init__(self, peer: _Optional[str] = ..., text: _Optional[str] = ..., transfer: _Optional[_Union[_records_pb2.TransferRecord, _Mapping]] = ...) -> None: ...

class DirectSent(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: _records_pb2.DirectRecord
    def __init__(self, record: _Optional[_Union[_records_pb2.DirectRecord, _Mapping]] = ...) -> None: ...

class DirectArrived(_message.Message):
    __slots__ = ("peer", "name", "records")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.DirectRecord]
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., records: _Optional[_Iterable[_Union[_records_pb2.DirectRecord, _Mapping]]] = ...) -> None: ...

class DeliveriesChanged(_message.Message):
    __slots__ = ("peer", "name", "changes")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    changes: _containers.RepeatedCompositeFieldContainer[DeliveryChange]
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[DeliveryChange, _Mapping]]] = ...) -> None: ...

class DeliveryChange(_message.Message):
    __slots__ = ("id", "delivery")
    ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    delivery: _records_pb2.Delivery
    def __init__(self, id: _Optional[bytes] = ..., delivery: _Optional[_Union[_records_pb2.Delivery, _Mapping]] = ...) -> None: ...

class MarkShown(_message.Message):
    __slots__ = ("peer", "ids")
    PEER_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, peer: _Optional[str] = ..., ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ResolvePeer(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class PeerResolved(_message.Message):
    __slots__ = ("peer", "name", "addresses")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class ListContacts(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ContactStatus(_message.Message):
    __slots__ = ("contact", "name", "connected", "waiting", "missed")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    contact: _records_pb2.Contact
    name: str
    connected: bool
    waiting: int
    missed: int
    def __init__(self, contact: _Optional[_Union[_records_pb2.Contact, _Mapping]] = ..., name: _Optional[str] = ..., connected: _Optional[bool] = ..., waiting: _Optional[int] = ..., missed: _Optional[int] = ...) -> None: ...

class ContactStatusList(_message.Message):
    __slots__ = ("contacts",)
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[ContactStatus]
    def __init__(self, contacts: _Optional[_Iterable[_Union[ContactStatus, _Mapping]]] = ...) -> None: ...

class AddContact(_message.Message):
    __slots__ = ("text", "name", "last_message_ms")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_MS_FIELD_NUMBER: _ClassVar[int]
    text: str
    name: str
    last_message_ms: int
    def __init__(self, text: _Optional[str] = ..., name: _Optional[str] = ..., last_message_ms: _Optional[int] = ...) -> None: ...

class RenameContact(_message.Message):
    __slots__ = ("text", "name")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    text: str
    name: str
    def __init__(self, text: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RemoveContact(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class AddMailbox(_message.Message):
    __slots__ = ("link",)
    LINK_FIELD_NUMBER: _ClassVar[int]
    link: str
    def __init__(self, link: _Optional[str] = ...) -> None: ...

class RemoveMailbox(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class ListMailboxes(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ArchiveRoom(_message.Message):
    __slots__ = ("room", "mailbox", "stop")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    room: str
    mailbox: str
    stop: bool
    def __init__(self, room: _Optional[str] = ..., mailbox: _Optional[str] = ..., stop: _Optional[bool] = ...) -> None: ...

class ArchiveStatus(_message.Message):
    __slots__ = ("room", "answers")
    class Answer(_message.Message):
        __slots__ = ("mailbox", "archiving", "problem", "retention_ms", "quota_bytes")
        MAILBOX_FIELD_NUMBER: _ClassVar[int]
        ARCHIVING_FIELD_NUMBER: _ClassVar[int]
        PROBLEM_FIELD_NUMBER: _ClassVar[int]
        RETENTION_MS_FIELD_NUMBER: _ClassVar[int]
        QUOTA_BYTES_FIELD_NUMBER: _ClassVar[int]
        mailbox: str
        archiving: bool
        problem: str
        retention_ms: int
        quota_bytes: int
        def __init__(self, mailbox: _Optional[str] = ..., archiving: _Optional[bool] = ..., problem: _Optional[str] = ..., retention_ms: _Optional[int] = ..., quota_bytes: _Optional[int] = ...) -> None: ...
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    room: str
    answers: _containers.RepeatedCompositeFieldContainer[ArchiveStatus.Answer]
    def __init__(self, room: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[ArchiveStatus.Answer, _Mapping]]] = ...) -> None: ...

class MailboxStatus(_message.Message):
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

class MailboxStatusList(_message.Message):
    __slots__ = ("mailboxes",)
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[MailboxStatus]
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[MailboxStatus, _Mapping]]] = ...) -> None: ...

class DescribeSelf(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Link(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class DescribeDelivery(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeliveryDescription(_message.Message):
    __slots__ = ("outbox", "due_receipts", "counters", "mailboxes", "states", "reached", "latencies", "received")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class StatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class ReachedEntry(_message.Message):
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
        value: Histogram
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Histogram, _Mapping]] = ...) -> None: ...
    OUTBOX_FIELD_NUMBER: _ClassVar[int]
    DUE_RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    REACHED_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    outbox: int
    due_receipts: int
    counters: _containers.ScalarMap[str, int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[MailboxStatus]
    states: _containers.ScalarMap[str, int]
    reached: _containers.ScalarMap[str, int]
    latencies: _containers.MessageMap[str, Histogram]
    received: int
    def __init__(self, outbox: _Optional[int] = ..., due_receipts: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., mailboxes: _Optional[_Iterable[_Union[MailboxStatus, _Mapping]]] = ..., states: _Optional[_Mapping[str, int]] = ..., reached: _Optional[_Mapping[str, int]] = ..., latencies: _Optional[_Mapping[str, Histogram]] = ..., received: _Optional[int] = ...) -> None: ...

class ListConversations(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConversationStatus(_message.Message):
    __slots__ = ("room", "peer", "name", "unread", "muted", "joined", "plain", "contact", "last_message_ms")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_MS_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    name: str
    unread: int
    muted: bool
    joined: bool
    plain: bool
    contact: ContactStatus
    last_message_ms: int
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., name: _Optional[str] = ..., unread: _Optional[int] = ..., muted: _Optional[bool] = ..., joined: _Optional[bool] = ..., plain: _Optional[bool] = ..., contact: _Optional[_Union[ContactStatus, _Mapping]] = ..., last_message_ms: _Optional[int] = ...) -> None: ...

class ConversationList(_message.Message):
    __slots__ = ("conversations",)
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    conversations: _containers.RepeatedCompositeFieldContainer[ConversationStatus]
    def __init__(self, conversations: _Optional[_Iterable[_Union[ConversationStatus, _Mapping]]] = ...) -> None: ...

class MarkRoomSeen(_message.Message):
    __slots__ = ("room", "seen_ms")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    SEEN_MS_FIELD_NUMBER: _ClassVar[int]
    room: str
    seen_ms: int
    def __init__(self, room: _Optional[str] = ..., seen_ms: _Optional[int] = ...) -> None: ...

class Mute(_message.Message):
    __slots__ = ("room", "peer", "muted")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    muted: bool
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., muted: _Optional[bool] = ...) -> None: ...

class UnreadChanged(_message.Message):
    __slots__ = ("room", "peer", "unread")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    unread: int
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., unread: _Optional[int] = ...) -> None: ...

class ReadUnread(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UnreadCounts(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[UnreadChanged]
    def __init__(self, counts: _Optional[_Iterable[_Union[UnreadChanged, _Mapping]]] = ...) -> None: ...

class BlockPeer(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class UnblockPeer(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class ListBlocked(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlockedPeer(_message.Message):
    __slots__ = ("peer", "name", "blocked_at_ms")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    blocked_at_ms: int
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., blocked_at_ms: _Optional[int] = ...) -> None: ...

class BlockedList(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[BlockedPeer]
    def __init__(self, peers: _Optional[_Iterable[_Union[BlockedPeer, _Mapping]]] = ...) -> None: ...

class BlocksChanged(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peers: _Optional[_Iterable[str]] = ...) -> None: ...

class ContactChanged(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class ConversationChanged(_message.Message):
    __slots__ = ("room", "peer", "muted")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    muted: bool
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., muted: _Optional[bool] = ...) -> None: ...

class FindMessages(_message.Message):
    __slots__ = ("room", "peer", "names")
    class Name(_message.Message):
        __slots__ = ("sender", "id")
        SENDER_FIELD_NUMBER: _ClassVar[int]
        ID_FIELD_NUMBER: _ClassVar[int]
        sender: bytes
        id: bytes
        def __init__(self, sender: _Optional[bytes] = ..., id: _Optional[bytes] = ...) -> None: ...
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    names: _containers.RepeatedCompositeFieldContainer[FindMessages.Name]
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., names: _Optional[_Iterable[_Union[FindMessages.Name, _Mapping]]] = ...) -> None: ...

class MessagesFound(_message.Message):
    __slots__ = ("room_records", "direct_records")
    ROOM_RECORDS_FIELD_NUMBER: _ClassVar[int]
    DIRECT_RECORDS_FIELD_NUMBER: _ClassVar[int]
    room_records: _containers.RepeatedCompositeFieldContainer[_records_pb2.RoomRecord]
    direct_records: _containers.RepeatedCompositeFieldContainer[_records_pb2.DirectRecord]
    def __init__(self, room_records: _Optional[_Iterable[_Union[_records_pb2.RoomRecord, _Mapping]]] = ..., direct_records: _Optional[_Iterable[_Union[_records_pb2.DirectRecord, _Mapping]]] = ...) -> None: ...

class AlterMessage(_message.Message):
    __slots__ = ("room", "peer", "id", "text", "retract")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RETRACT_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    id: bytes
    text: str
    retract: bool
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., id: _Optional[bytes] = ..., text: _Optional[str] = ..., retract: _Optional[bool] = ...) -> None: ...

class DeleteMessage(_message.Message):
    __slots__ = ("room", "peer", "sender", "id")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    sender: bytes
    id: bytes
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., sender: _Optional[bytes] = ..., id: _Optional[bytes] = ...) -> None: ...

class MessagesAltered(_message.Message):
    __slots__ = ("room", "peer", "room_records", "direct_records")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ROOM_RECORDS_FIELD_NUMBER: _ClassVar[int]
    DIRECT_RECORDS_FIELD_NUMBER: _ClassVar[int]
    room: str
    peer: str
    room_records: _containers.RepeatedCompositeFieldContainer[_records_pb2.RoomRecord]
    direct_records: _containers.RepeatedCompositeFieldContainer[_records_pb2.DirectRecord]
    def __init__(self, room: _Optional[str] = ..., peer: _Optional[str] = ..., room_records: _Optional[_Iterable[_Union[_records_pb2.RoomRecord, _Mapping]]] = ..., direct_records: _Optional[_Iterable[_Union[_records_pb2.DirectRecord, _Mapping]]] = ...) -> None: ...

class MakeCheckpoint(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckpointMade(_message.Message):
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

class DescribeSafety(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class SafetyNumber(_message.Message):
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

class SetVerified(_message.Message):
    __slots__ = ("text", "verified")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    text: str
    verified: bool
    def __init__(self, text: _Optional[str] = ..., verified: _Optional[bool] = ...) -> None: ...

class OfferFile(_message.Message):
    __slots__ = ("text", "path")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    text: str
    path: str
    def __init__(self, text: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class AcceptFile(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    def __init__(self, transfer: _Optional[str] = ...) -> None: ...

class DeclineFile(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    def __init__(self, transfer: _Optional[str] = ...) -> None: ...

class CancelTransfer(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: str
    def __init__(self, transfer: _Optional[str] = ...) -> None: ...

class ListTransfers(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TransferList(_message.Message):
    __slots__ = ("transfers",)
    TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    transfers: _containers.RepeatedCompositeFieldContainer[TransferStatus]
    def __init__(self, transfers: _Optional[_Iterable[_Union[TransferStatus, _Mapping]]] = ...) -> None: ...

class TransferStatus(_message.Message):
    __slots__ = ("record", "name", "bytes_per_second")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    record: _records_pb2.TransferRecord
    name: str
    bytes_per_second: float
    def __init__(self, record: _Optional[_Union[_records_pb2.TransferRecord, _Mapping]] = ..., name: _Optional[str] = ..., bytes_per_second: _Optional[float] = ...) -> None: ...

class DescribeFiles(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FilesDescription(_message.Message):
    __slots__ = ("transfers",)
    TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    transfers: _containers.RepeatedCompositeFieldContainer[TransferCount]
    def __init__(self, transfers: _Optional[_Iterable[_Union[TransferCount, _Mapping]]] = ...) -> None: ...

class TransferCount(_message.Message):
    __slots__ = ("outgoing", "state", "count")
    OUTGOING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    outgoing: bool
    state: _records_pb2.TransferState
    count: int
    def __init__(self, outgoing: _Optional[bool] = ..., state: _Optional[_Union[_records_pb2.TransferState, str]] = ..., count: _Optional[int] = ...) -> None: ...

class TransferChanged(_message.Message):
    __slots__ = ("transfer",)
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    transfer: TransferStatus
    def __init__(self, transfer: _Optional[_Union[TransferStatus, _Mapping]] = ...) -> None: ...

class FileOffered(_message.Message):
    __slots__ = ("record", "chosen", "name")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    record: _records_pb2.TransferRecord
    chosen: bool
    name: str
    def __init__(self, record: _Optional[_Union[_records_pb2.TransferRecord, _Mapping]] = ..., chosen: _Optional[bool] = ..., name: _Optional[str] = ...) -> None: ...

class SendFileNote(_message.Message):
    __slots__ = ("peer", "id", "answer", "part")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    peer: str
    id: bytes
    answer: _wire_pb2.FileAnswer
    part: _wire_pb2.FilePart
    def __init__(self, peer: _Optional[str] = ..., id: _Optional[bytes] = ..., answer: _Optional[_Union[_wire_pb2.FileAnswer, _Mapping]] = ..., part: _Optional[_Union[_wire_pb2.FilePart, _Mapping]] = ...) -> None: ...

class FileNoteSettled(_message.Message):
    __slots__ = ("id", "taken")
    ID_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    taken: bool
    def __init__(self, id: _Optional[bytes] = ..., taken: _Optional[bool] = ...) -> None: ...

class FileNoteHeard(_message.Message):
    __slots__ = ("peer", "answer", "part", "name")
    PEER_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    peer: str
    answer: _wire_pb2.FileAnswer
    part: _wire_pb2.FilePart
    name: str
    def __init__(self, peer: _Optional[str] = ..., answer: _Optional[_Union[_wire_pb2.FileAnswer, _Mapping]] = ..., part: _Optional[_Union[_wire_pb2.FilePart, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class SaveTransfer(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: _records_pb2.TransferRecord
    def __init__(self, record: _Optional[_Union[_records_pb2.TransferRecord, _Mapping]] = ...) -> None: ...

class DeleteTransfers(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.TransferRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.TransferRecord, _Mapping]]] = ...) -> None: ...

class ReadTransfers(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StoredTransfers(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_records_pb2.TransferRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[_records_pb2.TransferRecord, _Mapping]]] = ...) -> None: ...

class SetName(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DescribeNode(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ActorStatus(_message.Message):
    __slots__ = ("name", "state", "restarts", "drops", "queue", "handled", "stalls")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    DROPS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    HANDLED_FIELD_NUMBER: _ClassVar[int]
    STALLS_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: str
    restarts: int
    drops: int
    queue: int
    handled: int
    stalls: int
    def __init__(self, name: _Optional[str] = ..., state: _Optional[str] = ..., restarts: _Optional[int] = ..., drops: _Optional[int] = ..., queue: _Optional[int] = ..., handled: _Optional[int] = ..., stalls: _Optional[int] = ...) -> None: ...

class NodeDescription(_message.Message):
    __slots__ = ("peer", "name", "addresses", "uptime_ms", "actors", "store", "transport", "discovery", "data_dir", "delivery", "sync", "reachability", "dht", "tasks", "pubsub", "files")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    UPTIME_MS_FIELD_NUMBER: _ClassVar[int]
    ACTORS_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    SYNC_FIELD_NUMBER: _ClassVar[int]
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    DHT_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    PUBSUB_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    uptime_ms: int
    actors: _containers.RepeatedCompositeFieldContainer[ActorStatus]
    store: StoreDescription
    transport: TransportDescription
    discovery: DiscoveryDescription
    data_dir: str
    delivery: DeliveryDescription
    sync: SyncDescription
    reachability: ReachabilityDescription
    dht: DhtDescription
    tasks: int
    pubsub: PubsubDescription
    files: FilesDescription
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., uptime_ms: _Optional[int] = ..., actors: _Optional[_Iterable[_Union[ActorStatus, _Mapping]]] = ..., store: _Optional[_Union[StoreDescription, _Mapping]] = ..., transport: _Optional[_Union[TransportDescription, _Mapping]] = ..., discovery: _Optional[_Union[DiscoveryDescription, _Mapping]] = ..., data_dir: _Optional[str] = ..., delivery: _Optional[_Union[DeliveryDescription, _Mapping]] = ..., sync: _Optional[_Union[SyncDescription, _Mapping]] = ..., reachability: _Optional[_Union[ReachabilityDescription, _Mapping]] = ..., dht: _Optional[_Union[DhtDescription, _Mapping]] = ..., tasks: _Optional[int] = ..., pubsub: _Optional[_Union[PubsubDescription, _Mapping]] = ..., files: _Optional[_Union[FilesDescription, _Mapping]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("level", "text")
    class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        INFO: _ClassVar[Notice.Level]
        HINT: _ClassVar[Notice.Level]
        WARNING: _ClassVar[Notice.Level]
    INFO: Notice.Level
    HINT: Notice.Level
    WARNING: Notice.Level
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    level: Notice.Level
    text: str
    def __init__(self, level: _Optional[_Union[Notice.Level, str]] = ..., text: _Optional[str] = ...) -> None: ...
