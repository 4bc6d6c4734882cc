#!/usr/bin/env python3
"""Answers in a room: `!ping`, `!time`, `!help`. Run `p2pchat node --headless`, then `python bot.py ROOM`."""

import json
import subprocess
import sys
import time

ANSWERS = {
    "!ping": lambda: "pong",
    "!time": lambda: time.strftime("It is %H:%M here."),
    "!help": lambda: "I know " + ", ".join(ANSWERS),
}


def p2pchat(*words: str, **options: object) -> subprocess.Popen:
    return subprocess.Popen(["p2pchat", *words], stdout=subprocess.PIPE, text=True, **options)


room = sys.argv[1]
p2pchat("rooms", "join", room).communicate()
tail = p2pchat("tail", "--follow", "--json", "--room", room)
for line in tail.stdout:
    said = json.loads(line)
    is_news = said["type"] == "message" and not said["own"] and not said["late"]
    if is_news and (answer := ANSWERS.get(said["text"].strip())):
        p2pchat("send", "--room", room, stdin=subprocess.PIPE).communicate(answer())
sys.exit(tail.wait())
