"""Keys that Textual does not know from terminals without the kitty keyboard protocol."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase
from types import SimpleNamespace
from typing import Any, cast

# Escape in front is what such terminals send for alt; Textual would take it for a plain enter, and send the text.
# Letters with alt come in the same way; Textual would take them for the letters alone. Two that have a meaning already
# (alt+b, alt+f: a word to the left or right) keep it. Of the large ones only the one that is bound: others begin
# sequences of their own.
SEQUENCES = {
    "\x1b\r": "alt+enter",
    "\x1b\n": "alt+enter",
    "\x1bA": "alt+a",
    **{f"\x1b{letter}": f"alt+{letter}" for letter in ascii_lowercase if letter not in "bf"},
}


def learn() -> None:
    from textual import _ansi_sequences

    known = cast(dict[str, Any], _ansi_sequences.ANSI_SEQUENCES_KEYS)
    known.update(_as_keys(SEQUENCES))


def _as_keys(sequences: Mapping[str, str]) -> dict[str, tuple[SimpleNamespace, ...]]:
    """Textual takes of its keys only their value."""
    return {sequence: (SimpleNamespace(value=key),) for sequence, key in sequences.items()}
