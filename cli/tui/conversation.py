"""What is held of one conversation: its messages in their order, with notes and gaps between them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from p2pchat.cli.tui.opening import conversation_key
from p2pchat.cli.tui.rows import Row

if TYPE_CHECKING:
    from p2pchat.proto import control_pb2 as control

# Items of a conversation that nobody scrolls in; older ones are read again when they are wanted.
ITEMS_KEPT = 400
ITEMS_MOST = 5_000  # items of a conversation in which somebody has scrolled up

Order = tuple[int, str, int]


@dataclass(slots=True)
class Item:
    """A message, or a text that was not sent yet, or lines of the program's own."""

    key: str
    order: Order
    message: control.Message | None = None
    lines: tuple[Row, ...] = ()  # of the program's own
    warning: str = ""  # why a text was not sent
    pending: bool = False  # not yet taken by the node
    version: int = 0  # counts up with every change
    expanded: bool = False

    @property
    def is_unsent(self) -> bool:
        """The node does not have it: it waits, or was refused."""
        return self.pending or bool(self.warning)

    @property
    def is_kept(self) -> bool:
        """A message that the node has."""
        return self.message is not None and not self.is_unsent


@dataclass(slots=True)
class Conversation:
    key: str
    status: control.ConversationStatus
    items: list[Item] = field(default_factory=list)
    cursor: str | None = None  # for what is older; "": there is nothing; None: never read
    new_from: str = ""  # the item above which the unread ones begin
    held: bool = False  # somebody has scrolled up: keep what is old
    catching_up: tuple[int, int] | None = None  # messages fetched, and expected
    _by_key: dict[str, Item] = field(default_factory=dict)
    _serial: int = 0

    @property
    def is_room(self) -> bool:
        return bool(self.status.conversation.room)

    @property
    def draws_attention(self) -> bool:
        return bool(self.status.unread) and not self.status.muted and not self.status.blocked

    def find(self, key: str) -> Item | None:
        return self._by_key.get(key)

    def messages(self) -> Iterable[control.Message]:
        return (each.message for each in self.items if each.message is not None)

    def said(self, *, own: bool = False) -> list[Item]:
        """What is a message or is to be one, oldest first; all of it, or only the own."""
        found = ((each, each.message) for each in self.items)
        return [each for each, message in found if message and (message.own or not own)]

    # ---- messages ---------------------------------------------------------------------------------------

    def put(self, message: control.Message) -> bool:
        """Whether it is new. One that is there already is replaced."""
        key = message_key(message.sender, message.id)
        item = self._by_key.get(key)
        if item is not None:
            if item.message != message:
                item.message, item.version = message, item.version + 1
            return False
        if message.file.transfer:
            self.remove(transfer_key(message.file.transfer))
        self._insert(Item(key, _order(message), message))
        return True

    def put_page(self, page: Sequence[control.Message]) -> int:
        """How many were not there before."""
        return sum([self.put(message) for message in page])

    def deliver(self, message_id: str, sender: str, delivery: control.Delivery) -> bool:
        item = self._by_key.get(message_key(sender, message_id))
        if item is None or item.message is None:
            return False
        item.message.delivery.CopyFrom(delivery)
        item.version += 1
        return True

    def remove(self, key: str) -> bool:
        item = self._by_key.pop(key, None)
        if item is not None:
            self.items.remove(item)
        return item is not None

    def touch_transfer(self, transfer: str) -> bool:
        """Whether a message here offers that file."""
        found = [
            item for item in self.items if item.message and item.message.file.transfer == transfer
        ]
        for item in found:
            item.version += 1
        return bool(found)

    def read_newest(self, page: Sequence[control.Message], cursor: str) -> None:
        """The end of the conversation, as the node has it. Where it does not reach what is held, that is let go."""
        keys = {message_key(each.sender, each.id) for each in page}
        orders = sorted(map(_order, page))
        held = [each for each in self.items if each.is_kept]
        reaches = not held or any(each.key in keys for each in held)
        for item in held if orders else ():
            is_gone = orders[0] <= item.order <= orders[-1]  # deleted while nobody told
            is_cut_off = not reaches and item.order < orders[0]
            if item.key not in keys and (is_gone or is_cut_off):
                self.remove(item.key)
        is_edge = not any(item.order < orders[0] for item in self.items if item.is_kept and orders)
        self.put_page(page)
        self.cursor = cursor if is_edge or not cursor else self.cursor

    def clear_messages(self) -> None:
        """Before everything is read anew; what was typed and not sent stays."""
        self.items = [each for each in self.items if not each.is_kept]
        self._by_key = {each.key: each for each in self.items}
        self.cursor = None

    # ---- what is not from the node ----------------------------------------------------------------------

    def note(self, lines: Iterable[Row], key: str = "") -> Item:
        """Below everything else. One whose key is there already is replaced where it stands."""
        self._serial += 1
        key = key or f"note {self._serial}"
        known = self._by_key.get(key)
        if known is not None:
            known.lines, known.version = tuple(lines), known.version + 1
            return known
        item = Item(key, self._last_order(), lines=tuple(lines))
        self._insert(item)
        return item

    def pend(self, message: control.Message) -> Item:
        self._serial += 1
        key = f"pending {self._serial}"
        item = Item(key, (1 << 63, "", self._serial), message, pending=True)
        self._insert(item)
        return item

    def fail(self, item: Item, reason: str) -> None:
        """It was not sent, and stays where it is in time: what is newer goes below."""
        self.remove(item.key)
        item.pending, item.warning, item.version = False, reason, item.version + 1
        item.order = self._last_order()
        self._insert(item)

    def unread_begins(self, unread: int) -> None:
        """Marks where the last `unread` messages of others begin."""
        others = [each for each in self.items if each.message and not each.message.own]
        self.new_from = others[-unread].key if 0 < unread <= len(others) else ""

    # ---- order and bound --------------------------------------------------------------------------------

    def _insert(self, item: Item) -> None:
        if not self.items or self.items[-1].order <= item.order:
            self.items.append(item)
        else:
            self.items.insert(bisect_right(self.items, item.order, key=_order_of), item)
        self._by_key[item.key] = item
        self._trim()

    def _last_order(self) -> Order:
        last = next((each.order for each in reversed(self.items) if not each.pending), (0, "", 0))
        return (last[0], last[1], last[2] + 1)

    def _trim(self) -> None:
        most = ITEMS_MOST if self.held else ITEMS_KEPT
        surplus = len(self.items) - most - most // 10  # a tenth at a time, not one by one
        if surplus > 0:
            for item in self.items[: surplus + most // 10]:
                del self._by_key[item.key]
            del self.items[: surplus + most // 10]
            self.cursor = None  # where it pointed is no longer the edge


def _order_of(item: Item) -> Order:
    return item.order


def _order(message: control.Message) -> Order:
    """What is said in plain rooms has no order of its own but that of its coming."""
    return (message.lamport or message.received_at_ms or message.sent_at_ms, message.id, 0)


def transfer_key(transfer: str) -> str:
    """Of the note about a file whose message has not come."""
    return f"transfer {transfer}"


def message_key(sender: str, message_id: str) -> str:
    return f"{sender}/{message_id}"


def key_of(message: control.Message) -> str:
    return conversation_key(message.conversation)
