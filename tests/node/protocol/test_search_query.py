from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import search_query as search
from p2pchat.node.protocol.search_query import fits, is_wanted, parse_query


def terms(typed: str) -> list[tuple[str, bool]]:
    return [(term.text.strip(), term.prefix) for term in parse_query(typed).terms]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("harbour", [("harbour", False)]),
        ("  two\twords ", [("two", False), ("words", False)]),
        ('"in a row" else', [("in a row", False), ("else", False)]),
        ("“in a row” «else where»", [("in a row", False), ("else where", False)]),
        ('"never closed', [("never closed", False)]),
        ("har*", [("har*", True)]),
        ('"in a ro"*', [("in a ro", True)]),
        ("h*", [("h*", False)]),  # fits too much: the word "h"
        ("twice twice", [("twice", False)]),
        ("AND OR NOT NEAR", [("AND", False), ("OR", False), ("NOT", False), ("NEAR", False)]),
        ("text:x (a -b ^c", [("text:x", False), ("(a", False), ("-b", False), ("^c", False)]),
        ("don't well-known", [("don't", False), ("well-known", False)]),
        ("!!! yes ???", [("yes", False)]),
        ("5", [("5", False)]),
        ("\uff26\uff35ll", [("FUll", False)]),  # wide letters
        ("\uff02quoted", [('"quoted', False)]),
        ("nul\x00l", [("nul l", False)]),
        ("\ud800surrogate", [("?surrogate", False)]),
        ("東京", [("東  京", False)]),
        ("東京*", [("東  京 *", False)]),
    ],
)
def test_what_is_typed_means(typed: str, expected: list[tuple[str, bool]]) -> None:
    assert terms(typed) == expected


@pytest.mark.parametrize("typed", ["", "   ", '"', '""', "***", '"!" -', "\x00", "🦀"])
def test_nothing_to_look_for_is_said(typed: str) -> None:
    with pytest.raises(ValueError, match="At least one word"):
        parse_query(typed)


@pytest.mark.parametrize("typed", ["x" * 1001, " ".join(f"w{n}" for n in range(33))])
def test_too_much_to_look_for_is_said(typed: str) -> None:
    with pytest.raises(ValueError, match="at most 1,000 characters, and 32 words"):
        parse_query(typed)


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        ("harbour", "The HARBOUR!", True),
        ("harbour", "harbours", False),
        ("harb*", "harbours", True),
        ("cafe", "Café", True),
        ("CAFÉ", "cafe", True),
        ("cafe", "Cafe\u0301", True),
        ("a b", "b and a", True),
        ("a b", "a", False),
        ('"a b"', "b a b", True),
        ('"a b"', "a c b", False),
        ('"the har"*', "at the harbour", True),
        ("well-known", "well known", True),
        ("well-known", "known well", False),
        ("東京", "私は東京都に住む", True),
        ("京東", "東京", False),
        ("서울", "서울에서", True),
        ("ｶﾞ", "ガラス", True),
    ],
)
def test_what_fits(typed: str, text: str, found: bool) -> None:
    assert fits(parse_query(typed), text) is found


def test_single_words_to_be_marked() -> None:
    query = parse_query('"in a row" be*')
    marked = [
        word for _, _, word in search.tokens("A row BEGINS in vain") if is_wanted(query, word)
    ]
    assert marked == ["a", "row", "begins", "in"]


def test_tokens_say_where_they_stand() -> None:
    text = "Café_au 東京!"
    assert [text[start:end] for start, end, _ in search.tokens(text)] == ["Café", "au", "東", "京"]


@given(st.text())
def test_anything_is_a_query_or_a_sentence(typed: str) -> None:
    try:
        query = parse_query(typed)
    except ValueError as error:
        sentence = str(error)
    else:
        assert all(list(search.tokens(term.text)) for term in query.terms)
        sentence = "."
    assert sentence.endswith(".")


def test_places_lead_back() -> None:
    assert search.room_of(search.room_place("")) == ""
    assert search.peer_of(search.room_place("@x")) is None
    assert search.peer_of(search.peer_place("12D3")) == "12D3"
    assert search.room_of(search.peer_place("#x")) is None
