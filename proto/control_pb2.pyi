from p2pchat.proto import actors_pb2 as _actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as _mailbox_actors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DiagnoseRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiagnoseResponse(_message.Message):
    __slots__ = ("diagnosis",)
    DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    diagnosis: _actors_pb2.Diagnosis
    def __init__(self, diagnosis: _Optional[_Union[_actors_pb2.Diagnosis, _Mapping]] = ...) -> None: ...

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
