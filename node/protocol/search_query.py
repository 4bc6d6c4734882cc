"""What somebody looks for, as typed: words, "phrases" in quotes, beginnings of words with a * behind.

Everything else is literal: no sign and no word is an operator. Case and accents do not matter. Texts are made
comparable by `normal` before they are indexed, and so is what is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

MAX_CHARACTERS = 1000  # of a query
MAX_TERMS = 32  # words and phrases of a query
MIN_PREFIX = 2  # characters of a beginning; fewer fit half of all words, and count as a word

NOTHING = "Search for what? At least one word or number, e.g. /search harbour."
TOO_LONG = f"That is too much to look for: at most {MAX_CHARACTERS:,} characters, and {MAX_TERMS} words or phrases."

# Scripts that are written without spaces, or with particles tied to words: a run of them is taken as a phrase of
# single characters, so that parts of it are found. Thai, Lao, Burmese, Khmer, Japanese, Bopomofo, Chinese, Korean.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_TYPED = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')
_QUOTES = str.maketrans("“”„«»", '"""""')  # what phones and word processors make of them


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or several in a row; `prefix`: the last one may go on."""

    text: str  # as `normal` makes it, with at least one token
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A message fits if it contains every term."""

    terms: tuple[Term, ...]


def parse_query(typed: str) -> SearchQuery:
    """Raises `ValueError`, with a sentence, when there is nothing to look for, or too much."""
    if len(typed) > MAX_CHARACTERS:
        raise ValueError(TOO_LONG)
    sound = typed.encode("utf-8", "replace").decode().translate(_QUOTES)
    terms = tuple(dict.fromkeys(_terms(sound)))
    if not terms:
        raise ValueError(NOTHING)
    if len(terms) > MAX_TERMS:
        raise ValueError(TOO_LONG)
    return SearchQuery(terms)


@cache  # made when it is first needed: it takes 5 ms, and this module is imported before there is a prompt
def _unspaced_character() -> re.Pattern[str]:
    return re.compile(f"([{_UNSPACED}])")


@cache
def _token() -> re.Pattern[str]:
    return re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def _terms(typed: str) -> Iterator[Term]:
    for found in _TYPED.finditer(typed):
        phrase, star, word = found.groups()
        text = normal(word if phrase is None else phrase)
        words = [token for _, _, token in tokens(text)]
        if words:
            wants_prefix = star == "*" if word is None else word.endswith("*")
            yield Term(text, wants_prefix and len(words[-1]) >= MIN_PREFIX)


def normal(text: str) -> str:
    """Text in which equal words are made of equal characters but for case and accents, and every word stands alone.

    Compatible forms become one (NFKC: wide letters and narrow ones); characters of scripts without spaces get some.
    """
    if text.isascii():
        return text.replace("\x00", " ")
    return (
        _unspaced_character().sub(r" \1 ", unicodedata.normalize("NFKC", text)).replace("\x00", " ")
    )


def tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each word begins and ends, and the word without case and accents."""
    for found in _token().finditer(text):
        yield found.start(), found.end(), _folded(found[0])


def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).lower()


def fits(query: SearchQuery, text: str) -> bool:
    """Whether a text contains what is looked for; the slow way, and what an index is held against."""
    words = [token for _, _, token in tokens(normal(text))]
    return all(_contains(words, term) for term in query.terms)


def _contains(words: list[str], term: Term) -> bool:
    *firsts, last = [token for _, _, token in tokens(term.text)]
    for at in range(len(words) - len(firsts)):
        end = words[at + len(firsts)]
        if words[at : at + len(firsts)] == firsts and (
            end == last or (term.prefix and end.startswith(last))
        ):
            return True
    return False


def is_wanted(query: SearchQuery, word: str) -> bool:
    """Whether a single word, as `tokens` gives it, is one that is looked for, be it in a phrase."""
    for term in query.terms:
        *firsts, last = [token for _, _, token in tokens(term.text)]
        if word in firsts or word == last or (term.prefix and word.startswith(last)):
            return True
    return False


# ---- where messages are -------------------------------------------------------------------------------------


def room_place(room: str) -> str:
    """The place of all messages of a room."""
    return f"#{room}"


def peer_place(peer: str) -> str:
    """The place of all messages of the conversation with a peer, named in base58."""
    return f"@{peer}"


def room_of(place: str) -> str | None:
    """None for a conversation."""
    return place[1:] if place.startswith("#") else None


def peer_of(place: str) -> str | None:
    """None for a room."""
    return place[1:] if place.startswith("@") else None
