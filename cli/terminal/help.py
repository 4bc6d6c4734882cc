"""The list of commands, as /help shows it."""

from __future__ import annotations

HISTORY_LINES = 50  # messages shown by /history alone

# Groups of (how it is written, what it does).
HELP = (
    (
        "Rooms",
        (
            ("/join <room> [--plain]", "go to a room, join it before; --plain: for other programs"),
            ("/room <room>", "go to a room that you have joined"),
            ("/rooms", "the rooms you have joined"),
            ("/leave [room]", "leave this room, or another one"),
            ("/who [room]", "who is in this room now, or in another one"),
            ("/keep <days|forever|default> [room]", "how long messages of a room are kept here"),
            ("/forget <room>", "delete what is kept of a room here; others keep theirs"),
        ),
    ),
    (
        "People",
        (
            ("/msg <peer> <text>", 'write to one person; names with spaces in quotes: "Ann Lee"'),
            ("/dm <peer>", "write only to this person from now on; /dm alone: back to the room"),
            ("/contacts", "people you can write to by name"),
            ("/contact add <link or peer> [name]", "keep somebody, under a name of your choice"),
            ("/contact rename <who> <name>", "call somebody something else, for yourself"),
            ("/contact remove <who>", "keep somebody no longer; the messages stay"),
            ("/contact link", "your own link, for others to write to you"),
            ("/verify <who>", "the safety number that both of you see, to be compared"),
            ("/verify <who> <yes|no>", "note whether it was the same"),
        ),
    ),
    (
        "Messages, counted from the last one, which is 1",
        (
            ("/edit [n] <text>", "change what your last message here says, or your nth last"),
            ("/retract [n]", "take your last message back, or your nth last"),
            ("/delete <n>", "delete the nth last message here, whoever wrote it; others keep it"),
        ),
    ),
    (
        "Hearing less",
        (
            ("/block <who>, /unblock <who>", "see and hear nothing of somebody, or again"),
            ("/blocked", "whom you have blocked"),
            ("/mute [who or #room], /unmute", "no notifications of a person or a room, or again"),
        ),
    ),
    (
        "Files",
        (
            ("/send <path>", "offer a file to the person you are writing to"),
            ("/send <peer> <path>", "offer a file to somebody"),
            ("/accept [id], /decline [id]", "take a file that is offered, or do not"),
            ("/cancel [id]", "stop a file, from whichever side"),
            ("/files", "what was sent and offered, and how far it is"),
        ),
    ),
    (
        "Mailboxes, which take messages while you are away",
        (
            ("/mailbox add <link>", "have a mailbox keep your mail"),
            ("/mailbox list", "your mailboxes, and how they stand"),
            ("/mailbox remove <number or peer>", "use a mailbox no longer"),
            ("/mailbox archive <room> [stop]", "have them keep a room for its members, or stop it"),
        ),
    ),
    (
        "Everything else",
        (
            ("/history [n]", f"the last n messages ({HISTORY_LINES}) of this room or conversation"),
            ("/history <peer> [n]", "the last n messages with somebody"),
            ("/history [peer] more [n]", "those before what /history showed last"),
            ("/search [#room] <words>", 'messages with all of them; "in a row", beginn* of words'),
            ("/search more", "older ones with the same words"),
            ("/peers", "who is connected, and who is in this room"),
            ("/name <name>", "call yourself something else"),
            ("/info", "how this node is doing"),
            ("/doctor", "what may keep others from reaching you, and what to do about it"),
            ("/help", "this list"),
            ("/quit, /exit", "stop; so do Ctrl-D, and Ctrl-C on an empty line"),
            ("//text", "send a text that begins with a slash"),
        ),
    ),
)

NOTES = (
    "A peer is a contact's name, the name of somebody who is connected, a peer id or its last six "
    "characters, or a p2pchat: link.",
    "Behind your own messages to one person stands how far they are: waiting, sending, stored 1/2 (one of "
    "two mailboxes keeps it), delivered, read; or refused or expired, with the reason.",
)
