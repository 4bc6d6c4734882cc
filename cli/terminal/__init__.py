"""The line mode: a prompt, commands, and a scrolling conversation.

Start and end: `program`, `greeting`, `outcome`. A terminal or a pipe: `console` (what is needed of both), `screen` and
`prompt`, `plain` and `splitter`. What is typed: `commands`, `parsing`, `parsing_people`, `completion`, `help`. What is
shown: `render` and its relatives on top of `lines` and `safe_text`.

`session` holds it together. Below it `rooms`, `contacts` and `conversations` ask the node through `front`, `posts`
sends texts, and `event_lines` turns events into lines. `deliveries` and `read_marks` are the logic of direct messages,
without I/O or clock.
"""
