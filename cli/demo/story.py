"""The story: what is told, who types what, and which line each program must then print."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

TITLE = "a message for somebody who is away"
INTRO = (
    "Three real programs run on this computer: a mailbox, Alice and Bob. Nothing leaves it. Behind > stands what is "
    "typed; the other lines are what the programs print, with long links cut short."
)

GREETING = "Hi Bob! Dinner on Friday?"
ANSWER = "Gladly!"
LETTER = "At eight, then. I bring the wine."

STORED = "stored 1/1"
DELIVERED = "delivered"


class Program(Protocol):
    """One of the processes. Each method raises a `P2pchatError` when it does not go as told."""

    async def start(self) -> None: ...

    async def types(self, text: str) -> None:
        """Type a line."""

    async def shows(self, *parts: str) -> str:
        """Wait for the line that has all of `parts` in it, tell it and return it."""

    async def is_killed(self) -> None: ...

    async def leaves(self) -> None: ...


class Teller(Protocol):
    async def chapter(self, title: str, text: str) -> None: ...

    def remark(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Cast:
    mailbox: Program
    alice: Program
    bob: Program


Chapter = Callable[[Cast, Teller], Awaitable[None]]


async def play(cast: Cast, teller: Teller) -> None:
    """Expects everybody to be started."""
    for chapter in CHAPTERS:
        await chapter(cast, teller)


async def bob_gets_a_mailbox(cast: Cast, teller: Teller) -> None:
    await teller.chapter(
        "Bob gets a mailbox",
        "A mailbox is a small program on a machine that is always on. It keeps messages for people who are away, and "
        "cannot read them: they are sealed for the recipient. Its link invites Bob.",
    )
    link = link_in(await cast.mailbox.shows("Link: p2pchat:mailbox/"))
    await cast.bob.types(f"/mailbox add {link}")
    await cast.bob.shows("Your mailbox:", " registered,")


async def they_talk(cast: Cast, teller: Teller) -> None:
    await teller.chapter(
        "Alice and Bob talk",
        "Bob gives Alice his link: who he is, where he is, and which mailbox he has. Both are there now, so "
        "their messages go straight from one to the other.",
    )
    await cast.bob.types("/contact link")
    link = link_in(await cast.bob.shows("p2pchat:peer/"))
    await cast.alice.types(f"/contact add {link} Bob")
    await cast.alice.shows("Now among your contacts: Bob", "1 mailbox")
    await cast.alice.types(f"/msg Bob {GREETING}")
    await sees_how_it_goes(cast.alice, "Bob", GREETING, DELIVERED)
    await cast.bob.shows("Alice", "to you", GREETING)
    await cast.bob.types(f"/msg Alice {ANSWER}")
    await sees_how_it_goes(cast.bob, "Alice", ANSWER, DELIVERED)
    await cast.alice.shows("Bob", "to you", ANSWER)


async def bob_is_gone(cast: Cast, teller: Teller) -> None:
    await teller.chapter(
        "Bob is gone",
        "No goodbye: his program is killed with kill -9. A power cut would look like that.",
    )
    await cast.bob.is_killed()


async def alice_writes_to_him(cast: Cast, teller: Teller) -> None:
    await teller.chapter(
        "Alice writes to him all the same",
        "Bob does not answer, so her message goes to his mailbox. Then she leaves as well.",
    )
    await cast.alice.types(f"/msg Bob {LETTER}")
    await sees_how_it_goes(cast.alice, "Bob", LETTER, STORED)
    teller.remark(
        f'"{STORED}" is a promise: 1 of his 1 mailboxes has it on its disk, and has signed for that.'
    )
    await cast.alice.leaves()


async def bob_comes_back(cast: Cast, teller: Teller) -> None:
    await teller.chapter(
        "Bob comes back",
        "Alice is not there, and need not be: his mailbox hands over what came while he was away.",
    )
    await cast.bob.start()
    await cast.bob.shows("Alice", "to you", LETTER)


async def alice_comes_back(cast: Cast, teller: Teller) -> None:
    await teller.chapter(
        "Alice comes back",
        "She does not have to wonder whether it got lost: Bob's program tells hers that he has it.",
    )
    await cast.alice.start()
    await cast.alice.shows("* Bob has ", DELIVERED)
    await cast.alice.types("/history Bob")
    await cast.alice.shows("you to Bob", GREETING, DELIVERED)
    await cast.alice.shows("Bob", "to you", ANSWER)
    await cast.alice.shows("you to Bob", LETTER, DELIVERED)


CHAPTERS: Sequence[Chapter] = (
    bob_gets_a_mailbox,
    they_talk,
    bob_is_gone,
    alice_writes_to_him,
    bob_comes_back,
    alice_comes_back,
)


async def sees_how_it_goes(sender: Program, recipient: str, text: str, state: str) -> None:
    """The state stands behind the text if it came at once, or has a line of its own."""
    line = await sender.shows(f"you to {recipient}", text)
    if not line.endswith(f"- {state}"):
        await sender.shows(f"* {recipient}", f"- {state}")


def link_in(line: str) -> str:
    """The p2pchat link in a line that has one."""
    found = re.search(r"p2pchat:\S+", line)
    assert found is not None, line
    return found.group()
