from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol.framing import (
    MAX_VARINT_BYTES,
    FrameDecoder,
    FrameError,
    decode_uvarint,
    encode_uvarint,
    frame,
)

LIMIT = 300  # bytes; over 127, so that lengths of one and of two bytes occur

bodies = st.lists(st.binary(min_size=1, max_size=LIMIT), max_size=8)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(bodies, st.lists(st.integers(min_value=0), max_size=12))
def test_frames_come_out_whole_however_the_bytes_are_cut(
    sent: list[bytes], cuts: list[int]
) -> None:
    decoder = FrameDecoder(LIMIT)
    stream = b"".join(frame(body) for body in sent)
    received = [body for piece in pieces(stream, cuts) for body in decoder.feed(piece)]
    assert received == sent
    assert len(decoder) == 0


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_a_number_survives_its_encoding(value: int) -> None:
    encoded = encode_uvarint(value)
    assert len(encoded) <= MAX_VARINT_BYTES
    assert decode_uvarint(encoded + b"rest") == (value, len(encoded))


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_half_a_number_is_no_number_yet(value: int) -> None:
    assert decode_uvarint(encode_uvarint(value)[:-1]) is None


@given(st.binary(max_size=64))
def test_any_bytes_give_frames_within_the_limit_or_a_frame_error(data: bytes) -> None:
    decoder = FrameDecoder(8)
    try:
        frames = list(decoder.feed(data))
    except FrameError:
        return
    assert all(1 <= len(body) <= 8 for body in frames)
    assert sum(map(len, frames)) + len(frames) + len(decoder) == len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00", "empty"),
        (encode_uvarint(LIMIT + 1), "longer than 300"),
        (b"\x81\x00", "minimally"),
        (b"\x80\x00", "minimally"),
        (b"\x80" * MAX_VARINT_BYTES, "more than 10 bytes"),
        (b"\xff" * 64, "more than 10 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n" * 20, "empty|longer|minimally|bytes"),
    ],
)
def test_a_broken_frame_is_refused_for_good(data: bytes, words: str) -> None:
    decoder = FrameDecoder(LIMIT if b"GET" not in data else 8)
    with pytest.raises(FrameError, match=words):
        list(decoder.feed(data))
    with pytest.raises(FrameError, match=words):
        list(decoder.feed(frame(b"fine")))


def test_an_overlong_frame_is_refused_before_its_body_is_held() -> None:
    decoder = FrameDecoder(LIMIT)
    with pytest.raises(FrameError):
        list(decoder.feed(encode_uvarint(10**9)))
    assert len(decoder) < MAX_VARINT_BYTES


def test_frames_before_a_broken_one_are_delivered() -> None:
    decoder = FrameDecoder(LIMIT)
    frames = decoder.feed(frame(b"one") + frame(b"two") + b"\x00")
    assert [next(frames), next(frames)] == [b"one", b"two"]
    with pytest.raises(FrameError):
        next(frames)


def test_the_limit_may_change_between_frames() -> None:
    decoder = FrameDecoder(1)
    decoder.push(frame(b"a") + frame(b"longer"))
    assert decoder.next_frame() == b"a"
    decoder.limit = 6
    assert decoder.next_frame() == b"longer"
    assert decoder.next_frame() is None


def test_an_empty_body_cannot_be_framed() -> None:
    with pytest.raises(FrameError):
        frame(b"")
