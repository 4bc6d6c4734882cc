"""The node's advice names commands of the chat; here it is given in the words of the command line."""

from __future__ import annotations

import re

_COMMANDS = {
    "/contact add": "p2pchat contacts add",
    "/contacts": "p2pchat contacts",
    "/mailbox add": "p2pchat mailboxes add",
    "/mailbox list": "p2pchat mailboxes",
    "/mailbox remove": "p2pchat mailboxes remove",
    "/peers": "p2pchat peers",
    "/search": "p2pchat search",
}
# Not behind a quotation mark: there stands what somebody has typed.
_IN_CHAT = re.compile(rf"(?<![^\s(])({'|'.join(map(re.escape, _COMMANDS))})(?![\w/])")


def in_commands(sentence: str) -> str:
    """`/peers lists them` becomes `p2pchat peers lists them`."""
    return _IN_CHAT.sub(lambda found: _COMMANDS[found[1]], sentence)
