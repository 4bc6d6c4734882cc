from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Autonat(_message.Message):
    __slots__ = ("type", "dial", "dial_response")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DIAL: _ClassVar[Autonat.Type]
        DIAL_RESPONSE: _ClassVar[Autonat.Type]
    DIAL: Autonat.Type
    DIAL_RESPONSE: Autonat.Type
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OK: _ClassVar[Autonat.Status]
        E_DIAL_ERROR: _ClassVar[Autonat.Status]
        E_DIAL_REFUSED: _ClassVar[Autonat.Status]
        E_BAD_REQUEST: _ClassVar[Autonat.Status]
        E_INTERNAL_ERROR: _ClassVar[Autonat.Status]
    OK: Autonat.Status
    E_DIAL_ERROR: Autonat.Status
    E_DIAL_REFUSED: Autonat.Status
    E_BAD_REQUEST: Autonat.Status
    E_INTERNAL_ERROR: Autonat.Status
    class Peer(_message.Message):
        __slots__ = ("id", "addrs")
        ID_FIELD_NUMBER: _ClassVar[int]
        ADDRS_FIELD_NUMBER: _ClassVar[int]
        id: bytes
        addrs: _containers.RepeatedScalarFieldContainer[bytes]
        def __init__(self, id: _Optional[bytes] = ..., addrs: _Optional[_Iterable[bytes]] = ...) -> None: ...
    class Dial(_message.Message):
        __slots__ = ("peer",)
        PEER_FIELD_NUMBER: _ClassVar[int]
        peer: Autonat.Peer
        def __init__(self, peer: _Optional[_Union[Autonat.Peer, _Mapping]] = ...) -> None: ...
    class DialResponse(_message.Message):
        __slots__ = ("status", "status_text", "addr")
        STATUS_FIELD_NUMBER: _ClassVar[int]
        STATUS_TEXT_FIELD_NUMBER: _ClassVar[int]
        ADDR_FIELD_NUMBER: _ClassVar[int]
        status: Autonat.Status
        status_text: str
        addr: bytes
        def __init__(self, status: _Optional[_Union[Autonat.Status, str]] = ..., status_text: _Optional[str] = ..., addr: _Optional[bytes] = ...) -> None: ...
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIAL_FIELD_NUMBER: _ClassVar[int]
    DIAL_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    type: Autonat.Type
    dial: Autonat.Dial
    dial_response: Autonat.DialResponse
    def __init__(self, type: _Optional[_Union[Autonat.Type, str]] = ..., dial: _Optional[_Union[Autonat.Dial, _Mapping]] = ..., dial_response: _Optional[_Union[Autonat.DialResponse, _Mapping]] = ...) -> None: ...

class HolePunch(_message.Message):
    __slots__ = ("type", "obs_addrs")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNUSED: _ClassVar[HolePunch.Type]
        CONNECT: _ClassVar[HolePunch.Type]
        SYNC: _ClassVar[HolePunch.Type]
    UNUSED: HolePunch.Type
    CONNECT: HolePunch.Type
    SYNC: HolePunch.Type
    TYPE_FIELD_NUMBER: _ClassVar[int]
    OBS_ADDRS_FIELD_NUMBER: _ClassVar[int]
    type: HolePunch.Type
    obs_addrs: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, type: _Optional[_Union[HolePunch.Type, str]] = ..., obs_addrs: _Optional[_Iterable[bytes]] = ...) -> None: ...
