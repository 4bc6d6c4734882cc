"""What can be asked of a session: one type for each command. `parsing` makes them of typed lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that cannot be carried out, and a sentence that says why."""

    problem: str
    is_text: bool = False  # somebody wrote it to be read: worth mending


@dataclass(frozen=True, slots=True)
class Say:
    """To the room, or to the person of the conversation."""

    text: str


# ---- rooms ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShowRooms:
    pass


@dataclass(frozen=True, slots=True)
class Join:
    room: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    room: str


@dataclass(frozen=True, slots=True)
class Leave:
    room: str  # empty: the current one


@dataclass(frozen=True, slots=True)
class ShowMembers:
    room: str  # empty: the current one


# ---- what is kept of a room -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeepRoom:
    days: int | None  # None: as the node is set; 0: for ever
    room: str = ""  # empty: the current one


@dataclass(frozen=True, slots=True)
class ForgetRoom:
    room: str


@dataclass(frozen=True, slots=True)
class ArchiveRoom:
    """In the own mailboxes."""

    room: str
    stop: bool = False


# ---- people: `who` is whatever the node resolves, see ResolvePeer in actors.proto -------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """One direct message."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Converse:
    """What is typed from now on goes to `who`; empty: to the room again."""

    who: str


@dataclass(frozen=True, slots=True)
class ShowHistory:
    limit: int
    who: str = ""  # empty: of the room or conversation that is open
    more: bool = False  # what stands before the page that was shown last


@dataclass(frozen=True, slots=True)
class Search:
    words: str
    room: str = ""  # empty: everywhere


@dataclass(frozen=True, slots=True)
class SearchOn:
    """What is older than what the last search has shown."""


@dataclass(frozen=True, slots=True)
class ShowContacts:
    pass


@dataclass(frozen=True, slots=True)
class AddContact:
    who: str
    name: str = ""  # empty: as the peer calls itself


@dataclass(frozen=True, slots=True)
class RenameContact:
    who: str
    name: str


@dataclass(frozen=True, slots=True)
class RemoveContact:
    who: str


@dataclass(frozen=True, slots=True)
class ShowSafetyNumber:
    who: str


@dataclass(frozen=True, slots=True)
class SetVerified:
    who: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ShowOwnLink:
    pass


# ---- single messages: `nth` counts from the last one, which is 1 -------------------------------------------


@dataclass(frozen=True, slots=True)
class EditMessage:
    """The nth last own one of what is open."""

    text: str
    nth: int = 1


@dataclass(frozen=True, slots=True)
class RetractMessage:
    nth: int = 1


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    """Whoever wrote it, and only here."""

    nth: int


@dataclass(frozen=True, slots=True)
class Block:
    who: str
    undo: bool = False


@dataclass(frozen=True, slots=True)
class ShowBlocked:
    pass


@dataclass(frozen=True, slots=True)
class Mute:
    """What is open, if neither is given."""

    who: str = ""
    room: str = ""
    undo: bool = False


# ---- files: `which` is an id or the end of it; empty: the only one there is --------------------------------


@dataclass(frozen=True, slots=True)
class SendFile:
    """What was typed names a file of the open conversation (`whole`), or somebody and a file."""

    whole: str
    who: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class AcceptFile:
    which: str = ""


@dataclass(frozen=True, slots=True)
class DeclineFile:
    which: str = ""


@dataclass(frozen=True, slots=True)
class CancelFile:
    which: str = ""


@dataclass(frozen=True, slots=True)
class ShowFiles:
    pass


# ---- mailboxes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShowMailboxes:
    pass


@dataclass(frozen=True, slots=True)
class AddMailbox:
    link: str


@dataclass(frozen=True, slots=True)
class RemoveMailbox:
    which: str  # its number in the list, or its peer id or the end of that


# ---- this node ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShowHelp:
    pass


@dataclass(frozen=True, slots=True)
class ShowPeers:
    pass


@dataclass(frozen=True, slots=True)
class ShowInfo:
    pass


@dataclass(frozen=True, slots=True)
class Examine:
    """Look for what keeps this node from being reached."""


@dataclass(frozen=True, slots=True)
class Rename:
    name: str


@dataclass(frozen=True, slots=True)
class Quit:
    pass


RoomCommand = ShowRooms | Join | Switch | Leave
SearchCommand = Search | SearchOn
FileCommand = SendFile | AcceptFile | DeclineFile | CancelFile | ShowFiles
AlteringCommand = EditMessage | RetractMessage | DeleteMessage | Block | ShowBlocked | Mute
KeepingCommand = KeepRoom | ForgetRoom | ArchiveRoom
ContactCommand = (
    ShowContacts
    | AddContact
    | RenameContact
    | RemoveContact
    | ShowSafetyNumber
    | SetVerified
    | ShowOwnLink
    | ShowMailboxes
    | AddMailbox
    | RemoveMailbox
)
Command = (
    Nothing
    | Mistake
    | Say
    | Write
    | Converse
    | ShowHistory
    | SearchCommand
    | RoomCommand
    | ShowMembers
    | KeepingCommand
    | ContactCommand
    | FileCommand
    | AlteringCommand
    | ShowHelp
    | ShowPeers
    | ShowInfo
    | Examine
    | Rename
    | Quit
)
