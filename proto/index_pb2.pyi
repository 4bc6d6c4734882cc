from p2pchat.proto import actors_pb2 as _actors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Spot(_message.Message):
    __slots__ = ("place", "key")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    place: str
    key: bytes
    def __init__(self, place: _Optional[str] = ..., key: _Optional[bytes] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("spot", "text", "deleted")
    SPOT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    spot: Spot
    text: str
    deleted: bool
    def __init__(self, spot: _Optional[_Union[Spot, _Mapping]] = ..., text: _Optional[str] = ..., deleted: _Optional[bool] = ...) -> None: ...

class Changes(_message.Message):
    __slots__ = ("changes", "last", "waiting")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    last: bytes
    waiting: int
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., last: _Optional[bytes] = ..., waiting: _Optional[int] = ...) -> None: ...

class ReadFollower(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Follower(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class SetFollower(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class ReadArrivals(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class DropArrivals(_message.Message):
    __slots__ = ("last",)
    LAST_FIELD_NUMBER: _ClassVar[int]
    last: bytes
    def __init__(self, last: _Optional[bytes] = ...) -> None: ...

class ScanMessages(_message.Message):
    __slots__ = ("limit", "after")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    limit: int
    after: bytes
    def __init__(self, limit: _Optional[int] = ..., after: _Optional[bytes] = ...) -> None: ...

class ReadSpots(_message.Message):
    __slots__ = ("spots",)
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    spots: _containers.RepeatedCompositeFieldContainer[Spot]
    def __init__(self, spots: _Optional[_Iterable[_Union[Spot, _Mapping]]] = ...) -> None: ...

class SpotsRead(_message.Message):
    __slots__ = ("hits",)
    HITS_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[_actors_pb2.SearchHit]
    def __init__(self, hits: _Optional[_Iterable[_Union[_actors_pb2.SearchHit, _Mapping]]] = ...) -> None: ...

class IndexSome(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IndexedSome(_message.Message):
    __slots__ = ("more", "failed", "never")
    MORE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    NEVER_FIELD_NUMBER: _ClassVar[int]
    more: bool
    failed: bool
    never: bool
    def __init__(self, more: _Optional[bool] = ..., failed: _Optional[bool] = ..., never: _Optional[bool] = ...) -> None: ...

class StoredArrival(_message.Message):
    __slots__ = ("rooms", "direct", "rooms_gone", "direct_gone")
    class Gone(_message.Message):
        __slots__ = ("key", "text")
        KEY_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        key: bytes
        text: str
        def __init__(self, key: _Optional[bytes] = ..., text: _Optional[str] = ...) -> None: ...
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    ROOMS_GONE_FIELD_NUMBER: _ClassVar[int]
    DIRECT_GONE_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedScalarFieldContainer[bytes]
    direct: _containers.RepeatedScalarFieldContainer[bytes]
    rooms_gone: _containers.RepeatedCompositeFieldContainer[StoredArrival.Gone]
    direct_gone: _containers.RepeatedCompositeFieldContainer[StoredArrival.Gone]
    def __init__(self, rooms: _Optional[_Iterable[bytes]] = ..., direct: _Optional[_Iterable[bytes]] = ..., rooms_gone: _Optional[_Iterable[_Union[StoredArrival.Gone, _Mapping]]] = ..., direct_gone: _Optional[_Iterable[_Union[StoredArrival.Gone, _Mapping]]] = ...) -> None: ...
