from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli.terminal.console import Typed
from p2pchat.cli.terminal.splitter import LineSplitter
from p2pchat.node.protocol.names import TEXT_LIMIT


def _all(*chunks: bytes) -> list[Typed]:
    splitter = LineSplitter()
    return [typed for chunk in chunks for typed in splitter.feed(chunk)] + splitter.finish()


def test_lines_across_chunks() -> None:
    assert _all(b"on", b"e\ntwo\r\n", b"\nfour") == [
        Typed("one"),
        Typed("two"),
        Typed(""),
        Typed("four"),
    ]


def test_what_is_no_utf_8_is_replaced_and_remarked() -> None:
    first, second = _all(b"fine\nbad \xff byte\n")
    assert first == Typed("fine")
    assert second.text == "bad � byte"
    assert "Line 2" in second.remark


def test_a_character_may_be_split_between_chunks() -> None:
    assert _all(b"\xe4\xb8", b"\x96\n") == [Typed("世")]


def test_the_longest_line_passes() -> None:
    assert _all(b"x" * TEXT_LIMIT + b"\r\n") == [Typed("x" * TEXT_LIMIT)]


def test_a_longer_line_is_refused_and_the_next_one_is_read() -> None:
    size = TEXT_LIMIT * 3
    refused, after = _all(*[b"x" * 1000] * (size // 1000), b"x" * (size % 1000), b"\nnext\n")
    assert refused.text == ""
    assert f"{size:,} bytes" in refused.remark
    assert after == Typed("next")


@given(st.binary(), st.lists(st.integers(0, 200)))
def test_chunks_do_not_matter(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[a:b] for a, b in pairwise(edges)]
    assert _all(*chunks) == _all(data)
