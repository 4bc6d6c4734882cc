"""`p2pchat:` links, by which people hand over peers and mailboxes outside of the program.

`p2pchat:peer/<peer id>?n=<name>&a=<multiaddr>&a=...&r=<base64url of the mailbox record without its seal key>`
`p2pchat:mailbox/<peer id>?a=<multiaddr>&a=...&t=<invite token>&w=<peer id>@<multiaddr>,<multiaddr>...&w=...`

A mailbox with several workers names each further one with `w`; see `worker_choice`. A comma inside of one of their
multiaddrs would be taken for the end of it, so such an address is left out.
Escaped as RFC 3986 says, with "/" and ":" left readable; base64url without padding (RFC 4648). Every field may be
absent, unknown ones are passed over.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from p2pchat.node.protocol import mailbox_record, names, peer_id
from p2pchat.proto import wire_pb2 as wire

SCHEME = "p2pchat:"
LINK_LIMIT = 8192  # characters; the longest that `format_link` makes has about 7,600
MAX_ADDRESSES = 8
MAX_WORKERS = 16  # of one mailbox
MAX_TOKEN_CHARACTERS = 128

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class LinkError(ValueError):
    """The message is a sentence for whoever pasted it."""


@dataclass(frozen=True, slots=True)
class ContactLink:
    """A peer that can be reached, and be written to while it is away."""

    peer: str  # base58 peer id
    name: str = ""  # as its owner wishes to be called; "" when it is not said
    addresses: tuple[str, ...] = ()  # multiaddrs, circuit addresses among them
    record: wire.MailboxRecord | None = None  # valid and of this peer; without the seal key


@dataclass(frozen=True, slots=True)
class MailboxWorker:
    """One process of a mailbox that has several."""

    peer: str  # base58 peer id
    addresses: tuple[str, ...]  # multiaddrs


@dataclass(frozen=True, slots=True)
class MailboxLink:
    """A mailbox that may be asked to take mail."""

    peer: str  # base58 peer id
    addresses: tuple[str, ...] = ()  # multiaddrs
    token: str = ""  # of the invite; "" when none is needed
    workers: tuple[MailboxWorker, ...] = ()  # besides the one of `peer`


def format_link(link: ContactLink | MailboxLink) -> str:
    """The link as text, at most `LINK_LIMIT` characters, without spaces.

    Leaves out a name that nobody can have, addresses that are none, and those after the eighth; with many workers,
    further ones. Raises `ValueError` for a peer id, a record, a token or workers that `parse_link` would refuse.
    """
    _check(_is_peer(link.peer), f"{link.peer!r} is no Ed25519 peer id")
    if isinstance(link, MailboxLink):
        return _format_mailbox(link)
    addresses = _address_fields(link.addresses, MAX_ADDRESSES)
    fields = [("n", _usable_name(link.name)), *addresses]
    if link.record is not None:
        _check(_is_record_of(link.record, link.peer), "the record is not valid for this peer")
        fields.append(("r", _encode_record(link.record)))
    return _joined("peer", link.peer, fields)


def parse_link(text: str) -> ContactLink | MailboxLink:
    """Raises `LinkError`. White space is taken out first: terminals break long links when they are copied."""
    link = "".join(text.split())
    if link[: len(SCHEME)].lower() != SCHEME:
        raise LinkError(f'A p2pchat link begins with "{SCHEME}", and this text does not.')
    if len(link) > LINK_LIMIT:
        raise LinkError(
            f"A p2pchat link has at most {LINK_LIMIT:,} characters, this one has {len(link):,}."
        )
    kind, _, rest = link[len(SCHEME) :].partition("/")
    if kind not in ("peer", "mailbox"):
        raise LinkError(
            "This p2pchat link is of a kind that this version does not know, or its end is missing."
        )
    peer, _, query = rest.partition("?")
    if not _is_peer(peer):
        raise _damaged("its peer id is wrong or not complete")
    fields = _split(query)
    addresses = _addresses(fields.get("a", []))
    if kind == "mailbox":
        workers = _workers(peer, fields.get("w", []))
        return MailboxLink(peer, addresses, _token(fields.get("t", [""])[0]), workers)
    name = _usable_name(fields.get("n", [""])[0])
    record = _decode_record(fields["r"][0], peer) if "r" in fields else None
    return ContactLink(peer, name, addresses, record)


def _format_mailbox(link: MailboxLink) -> str:
    _check(_is_token(link.token), "no such token")
    peers = [link.peer, *(worker.peer for worker in link.workers)]
    _check(all(map(_is_peer, peers)), "the peer id of a worker is no Ed25519 peer id")
    _check(len(set(peers)) == len(peers) <= MAX_WORKERS, "too many workers, or one of them twice")
    # With one address for each, the longest is within the limit.
    texts = (_mailbox_text(link, addresses) for addresses in range(MAX_ADDRESSES, 0, -1))
    return next(text for text in texts if len(text) <= LINK_LIMIT)


def _mailbox_text(link: MailboxLink, most: int) -> str:
    """`most`: addresses of each worker."""
    workers = []
    for worker in link.workers:
        usable = [a for a in worker.addresses if mailbox_record.is_address(a) and "," not in a]
        _check(bool(usable), "a worker without an address")
        workers.append(("w", f"{worker.peer}@{','.join(usable[:most])}"))
    addresses = _address_fields(link.addresses, most)
    return _joined("mailbox", link.peer, [*addresses, ("t", link.token), *workers])


def _address_fields(addresses: Sequence[str], most: int) -> list[tuple[str, str]]:
    return [("a", a) for a in addresses if mailbox_record.is_address(a)][:most]


def _joined(kind: str, peer: str, fields: list[tuple[str, str]]) -> str:
    query = "&".join(f"{key}={quote(value, safe='/:@,')}" for key, value in fields if value)
    return f"{SCHEME}{kind}/{peer}" + (f"?{query}" if query else "")


def _split(query: str) -> dict[str, list[str]]:
    """The values of each key, in order. Not `parse_qs`: that takes "+" for a space, as only forms do."""
    if _BAD_ESCAPE.search(query):
        raise _damaged("a part of it is missing")
    fields: dict[str, list[str]] = {}
    for field in query.split("&"):
        key, _, value = field.partition("=")
        try:
            fields.setdefault(key, []).append(unquote(value, errors="strict"))
        except UnicodeDecodeError:
            raise _damaged("it contains something that is no text") from None
    return fields


def _addresses(values: list[str]) -> tuple[str, ...]:
    if len(values) > MAX_ADDRESSES:
        raise _damaged(f"it names more than {MAX_ADDRESSES} addresses")
    if not all(map(mailbox_record.is_address, values)):
        raise _damaged("one of its addresses is none")
    return tuple(values)


def _workers(first: str, values: list[str]) -> tuple[MailboxWorker, ...]:
    if len(values) >= MAX_WORKERS:
        raise _damaged(f"it names more than {MAX_WORKERS} workers")
    found = []
    for value in values:
        peer, _, addresses = value.partition("@")
        if not _is_peer(peer):
            raise _damaged("the peer id of one of its workers is wrong or not complete")
        found.append(MailboxWorker(peer, _addresses(addresses.split(","))))
    if len({first, *(worker.peer for worker in found)}) <= len(found):
        raise _damaged("it names a worker twice")
    return tuple(found)


def _token(value: str) -> str:
    if not _is_token(value):
        raise _damaged("its invite token is none")
    return value


def _is_token(text: str) -> bool:
    return len(text) <= MAX_TOKEN_CHARACTERS and text.isascii() and text.isprintable()


def _usable_name(name: str) -> str:
    return "" if names.name_problem(name) else name


def _is_peer(text: str) -> bool:
    try:
        return peer_id.public_key_of(peer_id.from_text(text)) is not None
    except ValueError:
        return False


def _is_record_of(record: wire.MailboxRecord, peer: str) -> bool:
    return record.peer == peer_id.from_text(peer) and mailbox_record.valid(record)


def _encode_record(record: wire.MailboxRecord) -> str:
    short = mailbox_record.without_key(record)
    short.DiscardUnknownFields()  # not signed, and perhaps long
    return base64.urlsafe_b64encode(short.SerializeToString()).decode("ascii").rstrip("=")


def _decode_record(text: str, peer: str) -> wire.MailboxRecord:
    record = wire.MailboxRecord()
    try:
        padding = "=" * (-len(text) % 4)
        record.ParseFromString(base64.b64decode(text + padding, altchars=b"-_", validate=True))
    except Exception:  # no base64; protobuf's DecodeError; upb also raises UnicodeDecodeError
        raise _damaged("its mailbox record is not complete") from None
    if record.peer and record.peer != peer_id.from_text(peer):
        raise LinkError(
            "The mailbox record in this p2pchat link is somebody else's: do not trust the link."
        )
    if not mailbox_record.valid(record):
        raise LinkError(
            "The mailbox record in this p2pchat link is not signed by the peer that the link names: "
            "it was changed or is not complete."
        )
    return record


def _damaged(why: str) -> LinkError:
    return LinkError(
        f"This p2pchat link is damaged: {why}. Copy it again, from its first character to its last."
    )


def _check(holds: bool, complaint: str) -> None:
    if not holds:
        raise ValueError(complaint)
