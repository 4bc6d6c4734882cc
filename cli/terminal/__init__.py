"""The line mode: a prompt, commands, and a scrolling conversation.

Start and end: `program`, `greeting`, `outcome`. A terminal or a pipe: `console` (what is needed of both), `screen` and
`prompt`, `plain` and `splitter`. What is typed: `commands`, `parsing` and its relatives, `completion`, `help`. What is
shown: `render` and its relatives on top of `lines` and `safe_text`.

`session` holds it together. Below it `rooms`, `contacts` and `conversations` ask the node through `front`, `posts`
sends texts, and `event_lines` turns events into lines. `room_keeping` and `bookmarks` are about what is stored.
Logic without I/O or clock: `deliveries` and `read_marks` of direct messages, `company` of who comes and goes,
`catching_up` of what is missing and comes late, `look_alikes` of names.
"""
