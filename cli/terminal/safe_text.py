"""Makes names and texts from strangers harmless to show, whatever they contain."""

from __future__ import annotations

import unicodedata

TAB = "    "
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CONTROL_PICTURES = 0x2400  # the block of visible signs for C0 controls
MARKS_IN_A_ROW = 4  # combining marks on one character; more pile up over other people's lines

_JOINERS = "\u200c\u200d"  # needed inside emoji and in several scripts
# Blank without being spaces or format characters: Hangul fillers and the empty braille pattern.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_REPLACED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def safe_line(text: str) -> str:
    """One line of text without anything that moves the cursor, hides, or turns the reading direction.

    C0 controls become their visible signs (ESC: ␛), other such characters �, tabs four spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > MARKS_IN_A_ROW:
            continue
        if character in _JOINERS and _joins(text, index):
            shown.append(character)
        elif category in _REPLACED or character in _BLANKS:
            shown.append(_visible(character))
        else:
            shown.append(character)
    return "".join(shown)


def safe_lines(text: str) -> list[str]:
    """The lines of a text, each one safe. Only newlines separate lines."""
    return [safe_line(line) for line in text.replace("\r\n", "\n").split("\n")]


def safe_name(name: str, limit: int) -> str:
    """A name on one line, at most `limit` characters; joiners go as well, because names must not look alike."""
    plain = "".join(REPLACEMENT if character in _JOINERS else character for character in name)
    shortened = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    return safe_line(shortened).strip() or "?"


def _visible(character: str) -> str:
    code = ord(character)
    if character == "\t":
        return TAB
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else REPLACEMENT


def _joins(text: str, index: int) -> bool:
    """Whether a joiner stands between two characters that it can join."""
    before, after = text[index - 1 : index] if index else "", text[index + 1 : index + 2]
    return all(
        part and not part.isascii() and unicodedata.category(part)[0] in "LMS"
        for part in (before, after)
    )
