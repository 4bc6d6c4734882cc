"""Frames on a stream: an unsigned varint length, then that many bytes.

Source of the varint: multiformats' unsigned-varint (LEB128, least significant group first, minimal encoding).
A frame is never empty, so that a length of zero can be refused like any other nonsense.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_VARINT_BYTES = 10  # a 64-bit number; whoever sends more sends no length


class FrameError(ValueError):
    """The bytes break the framing: empty or over-long frame, or a malformed length."""


def encode_uvarint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(0x80 | (value & 0x7F))
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def decode_uvarint(data: bytes | bytearray) -> tuple[int, int] | None:
    """The number at the start of `data` and how many bytes it takes; None when its end is missing.

    Raises `FrameError` when it is longer than `MAX_VARINT_BYTES` or not minimal.
    """
    value = 0
    for index, byte in enumerate(data[:MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if byte == 0 and index > 0:
                raise FrameError("a length is not encoded minimally")
            return value, index + 1
    if len(data) >= MAX_VARINT_BYTES:
        raise FrameError(f"a length has more than {MAX_VARINT_BYTES} bytes")
    return None


def frame(body: bytes) -> bytes:
    """Raises `FrameError` for an empty body."""
    if not body:
        raise FrameError("a frame must not be empty")
    return encode_uvarint(len(body)) + body


class FrameDecoder:
    """Cuts a byte stream into frames of at most `limit` bytes each.

    Holds what was fed and not taken yet. A `FrameError` is final: it is raised again from then on.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit  # bytes; may be changed between frames
        self._buffer = bytearray()

    def __len__(self) -> int:
        """Bytes that wait for the rest of their frame, or to be taken."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes in at once; yield the bodies of whole frames, then raise if what follows is broken."""
        self.push(data)
        return iter(self.next_frame, None)

    def push(self, data: bytes) -> None:
        """Take bytes in."""
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """The next whole frame's body; None when more bytes are needed. Raises `FrameError`."""
        header = decode_uvarint(self._buffer)
        if header is None:
            return None
        length, start = header
        if length == 0:
            raise FrameError("a frame is empty")
        if length > self.limit:
            raise FrameError(f"a frame of {length} bytes is longer than {self.limit}")
        if len(self._buffer) < start + length:
            return None
        body = bytes(memoryview(self._buffer)[start : start + length])
        del self._buffer[: start + length]
        return body
