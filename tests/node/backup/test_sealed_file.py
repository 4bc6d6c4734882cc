from __future__ import annotations

import io
import random
import tracemalloc

import pytest

from p2pchat.node.backup.sealed_file import SealedReader, SealedWriter
from p2pchat.node.protocol import age
from p2pchat.node.protocol.age import AgeError

PASSPHRASE = b"correct horse"
CHUNK = age.CHUNK_BYTES
SEED = 8


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "WORK_FACTOR", 4)


def written(data: bytes, piece: int = 10_000) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, PASSPHRASE)
    for start in range(0, len(data), piece):
        writer.write(data[start : start + piece])
    writer.finish()
    return file.getvalue()


def read(file: bytes) -> bytes:
    reader = SealedReader(io.BytesIO(file), PASSPHRASE)
    return b"".join(iter(lambda: reader.read(777), b""))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 200_000])
def test_what_was_written_is_read(size: int) -> None:
    data = random.Random(SEED).randbytes(size)
    assert read(written(data)) == data


def test_a_file_changed_anywhere_is_noticed() -> None:
    file = written(random.Random(SEED).randbytes(3 * CHUNK))
    rng = random.Random(SEED)
    regions = [*range(0, 200, 7), *(rng.randrange(len(file)) for _ in range(100)), len(file) - 1]
    for position in regions:
        changed = bytearray(file)
        changed[position] ^= 1 << rng.randrange(8)
        with pytest.raises(AgeError):
            read(bytes(changed))


def test_a_file_that_ends_early_is_noticed_wherever_it_ends() -> None:
    file = written(random.Random(SEED).randbytes(2 * CHUNK + 5))
    header = age.parse_header(file[: age.MAX_HEADER_BYTES]).length
    whole_chunks = [header + 16 + n * age.SEALED_CHUNK_BYTES for n in range(3)]
    for length in (*range(0, 200, 5), *whole_chunks, len(file) - 1):
        with pytest.raises(AgeError):
            read(file[:length])


def test_something_behind_the_end_is_noticed() -> None:
    file = written(b"short")
    with pytest.raises(AgeError):
        read(file + b"x")
    reader = SealedReader(io.BytesIO(written(b"tar" + bytes(100) + b"more")), PASSPHRASE)
    assert reader.read(3) == b"tar"
    with pytest.raises(AgeError, match="behind"):
        reader.finish()


def test_a_big_file_needs_little_memory() -> None:
    class Sink(io.BytesIO):
        size = 0

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.size += len(data)
            return len(data)

    sink, piece = Sink(), bytes(1 << 20)
    writer = SealedWriter(sink, PASSPHRASE)
    tracemalloc.start()
    try:
        for _ in range(64):
            writer.write(piece)
        writer.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sink.size > 64 << 20
    assert peak < 8 << 20
