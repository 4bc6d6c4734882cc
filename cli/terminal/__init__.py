"""The line mode: a prompt, commands, and a scrolling conversation."""
