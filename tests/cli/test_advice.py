from __future__ import annotations

import pytest

from p2pchat.cli.advice import in_commands
from p2pchat.node.protocol.contacts import ContactBook, UnknownPeerError
from p2pchat.node.protocol.doctor_company import CHECK_MAILBOX


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("/mailbox list numbers them.", "p2pchat mailboxes numbers them."),
        ("A mailbox (/mailbox add <link>) is.", "A mailbox (p2pchat mailboxes add <link>) is."),
        (
            "You have 3: /mailbox remove one first.",
            "You have 3: p2pchat mailboxes remove one first.",
        ),
        ("That takes /contact add, e.g. now.", "That takes p2pchat contacts add, e.g. now."),
        ("Nobody called '/peers' is known.", "Nobody called '/peers' is known."),
        ("It is in /peers/x and a/peers.", "It is in /peers/x and a/peers."),
        ("Listens on /ip4/127.0.0.1.", "Listens on /ip4/127.0.0.1."),
    ],
)
def test_commands_of_the_chat_become_those_of_the_command_line(sentence: str, shown: str) -> None:
    assert in_commands(sentence) == shown


def test_what_the_node_advises_is_known_here() -> None:
    with pytest.raises(UnknownPeerError) as nobody:
        ContactBook().resolve("x")
    for sentence in (str(nobody.value), CHECK_MAILBOX):
        assert " /" not in in_commands(sentence)
