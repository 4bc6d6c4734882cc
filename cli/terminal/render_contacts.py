"""How contacts, the own link, and mailboxes look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import count, duration, hint, note, person, size
from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import NAME_LIMIT
from p2pchat.node.protocol.safety_number import in_groups
from p2pchat.proto import actors_pb2 as actors

NO_CONTACTS = (
    "You have no contacts yet: /contact add <link> keeps somebody who gave you a link, /contact link shows "
    "yours for others."
)
GROUPS_IN_ROW = 4  # of the twelve groups of a safety number
COMPARE = (
    "Compare it with what the other side sees with /verify, in person or in a call where you know each other: not "
    "in this chat."
)
NO_MAILBOXES = (
    "You have no mailbox, so messages reach you only while you are online: /mailbox add <link>."
)


# ---- contacts -------------------------------------------------------------------------------------------


def contacts(found: Sequence[actors.ContactStatus]) -> Iterator[Line]:
    if not found:
        yield hint(NO_CONTACTS)
        return
    yield note(f"{count(len(found), 'contact')}:")
    for number, each in enumerate(found, 1):
        yield line(f"{number:3}  ", *contact(each))


def contact(status: actors.ContactStatus) -> Iterator[Span]:
    """`Bob (…a1B2c3)  connected, 1 mailbox, 2 messages not delivered yet`."""
    yield person(peer_id.to_text(status.contact.peer), status.name)
    mailboxes = len(status.contact.record.mailboxes)
    parts = ["connected" if status.connected else "not connected"]
    parts.append(count(mailboxes, "mailbox") if mailboxes else "no mailbox")
    if status.contact.verified_at_ms:
        parts.append("verified")
    if status.waiting:
        parts.append(f"{count(status.waiting, 'message')} not delivered yet")
    if status.missed:
        parts.append(f"{count(status.missed, 'message')} not seen")
    if status.contact.name and status.contact.nick not in ("", status.contact.name):
        parts.append(f"calls itself {safe_name(status.contact.nick, NAME_LIMIT)}")
    if not status.contact.added:
        parts.append("not added by you")
    yield Span("  " + ", ".join(parts))


def missed(status: actors.ContactStatus) -> Line:
    """What came while nobody looked, and how to read it."""
    peer = peer_id.to_text(status.contact.peer)
    are = "is" if status.missed == 1 else "are"
    return line(
        Span(f"* There {are} {count(status.missed, 'message')} from ", "dim"),
        person(peer, status.name),
        Span(f" that you have not seen: /history …{peer_id.short(peer)}", "dim"),
    )


def added(status: actors.ContactStatus) -> Line:
    return line(Span("* Now among your contacts: ", "dim"), *contact(status))


def named(status: actors.ContactStatus) -> Line:
    who = person(peer_id.to_text(status.contact.peer), status.name)
    return line(Span("* For you this is now ", "dim"), who)


def removed(name: str) -> Line:
    return note(f"{name} is no longer among your contacts; the messages stay")


def safety_number(found: actors.SafetyNumber) -> Iterator[Line]:
    """Three rows of four groups, as people read them out, and what to do with them."""
    name = safe_name(found.name, NAME_LIMIT)
    yield line(
        Span("* Safety number with ", "dim"), person(found.peer, found.name), Span(":", "dim")
    )
    groups = in_groups(found.digits)
    for start in range(0, len(groups), GROUPS_IN_ROW):
        yield line("      ", "  ".join(groups[start : start + GROUPS_IN_ROW]))
    yield hint(COMPARE)
    peer = f"…{peer_id.short(found.peer)}"
    if found.verified:
        yield note(f"You have verified {name}; /verify {peer} no takes that back")
    else:
        yield hint(f"All twelve groups are the same there? /verify {peer} yes notes it.")


def verified(name: str, is_verified: bool) -> Line:
    if is_verified:
        return note(f"{name} is verified from now on: /contacts shows it")
    return note(f"{name} is not verified any more")


def own_link(link: str) -> Iterator[Line]:
    """The link stands alone, and is left to the terminal to break: so it can be copied in one piece."""
    yield note("Whoever has this link can write to you (/contact add); it is all one line:")
    yield line(Span(safe_line(link), "address"))


# ---- mailboxes ------------------------------------------------------------------------------------------


def mailboxes(found: Sequence[actors.MailboxStatus]) -> Iterator[Line]:
    if not found:
        yield hint(NO_MAILBOXES)
        return
    yield note(f"{count(len(found), 'mailbox')}:")
    for number, each in enumerate(found, 1):
        yield line(f"{number:3}  ", *mailbox(each))
        for address in each.addresses:
            yield line("     ", Span(safe_line(address), "address"))


def mailbox(status: actors.MailboxStatus) -> Iterator[Span]:
    """`(…a1B2c3)  registered, connected, keeps 10,000 messages and 64.0 MiB for 30 d`."""
    yield person(status.peer, "")
    if status.workers:
        yield Span(f"  one of {status.workers:,} workers of ")
        yield person(status.of, "")
    waits = "not registered" if status.problem else "not registered yet"
    parts = ["registered" if status.registered else waits]
    parts.append("connected" if status.connected else "not connected")
    if status.collecting:
        parts.append("hands over mail")
    if status.registered and status.quota_count:
        parts.append(
            f"keeps {count(status.quota_count, 'message')} and {size(status.quota_bytes)} "
            f"for {duration(status.retention_ms // 1000)}"
        )
    yield Span("  " + ", ".join(parts))
    if status.problem:
        yield Span(f" - {safe_line(status.problem)}", "warning")


def mailbox_added(status: actors.MailboxStatus) -> Line:
    head = "* Your mailbox: " if status.registered else "* Noted, and tried again: "
    return line(Span(head, "dim"), *mailbox(status))


def mailbox_removed(which: str) -> Line:
    return note(f"Mailbox {safe_line(which)} is not used any more")
