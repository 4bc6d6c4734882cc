import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli.terminal.safe_text import safe_line, safe_lines, safe_name

HARMFUL = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})


def _is_harmless(text: str) -> bool:
    return not any(
        unicodedata.category(character) in HARMFUL
        or (unicodedata.category(character) == "Cf" and character not in "\u200c\u200d")
        for character in text
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße, 世界 👋🏽", "Grüße, 世界 👋🏽"),
        ("\x1b[2J", "␛[2J"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x9b31m", "�31m"),
        ("a\tb", "a    b"),
        ("a\rb", "a␍b"),
        ("a\x7fb", "a␡b"),
        ("\u202eabc\u202c", "�abc�"),
        ("a\u2066b\u2069", "a�b�"),
        ("zero\u200bwidth", "zero�width"),
        ("a\u200db", "a�b"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("क्\u200dष", "क्\u200dष"),
        ("\u2028\u2029\x85", "���"),
        ("\ufeff\u00ad\U000e0041\u3164\u2800", "�����"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 4),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert safe_line(text) == shown


def test_only_newlines_separate_lines() -> None:
    assert safe_lines("a\r\nb\nc\rd\x0be\u2028f") == ["a", "b", "c␍d␋e�f"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bob", "Bob"),
        ("", "?"),
        ("   ", "?"),
        ("a\nb", "a␊b"),
        ("a\u200db", "a�b"),
        ("👩\u200d💻", "👩�💻"),
        ("x" * 40, "x" * 31 + "…"),
        ("\x1b[31mred", "␛[31mred"),
    ],
)
def test_names(name: str, shown: str) -> None:
    assert safe_name(name, 32) == shown


@given(st.text(st.characters()))
def test_no_text_does_harm(text: str) -> None:
    assert _is_harmless(safe_line(text))
    assert all(_is_harmless(line) for line in safe_lines(text))


@given(st.text(st.characters()))
def test_no_name_does_harm(name: str) -> None:
    shown = safe_name(name, 32)
    assert _is_harmless(shown)
    assert 1 <= len(shown) <= 32 * 4  # tabs grow
