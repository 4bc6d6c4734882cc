from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2pchat.node.protocol import age
from p2pchat.node.protocol.age import AgeError, ChunkOpener, ChunkSealer, WrongPassphraseError

PASSPHRASE = b"correct horse"
KEY, SALT, NONCE = b"k" * 16, b"s" * 16, b"n" * 16
WORK = 4  # log2; nothing is kept secret here
HEADER = age.make_header(PASSPHRASE, KEY, SALT, WORK)
VECTOR = json.loads((Path(__file__).parent / "vectors" / "age_v1.json").read_text("utf-8"))
FULL = bytes(age.CHUNK_BYTES)


def sealed(*chunks: bytes) -> list[bytes]:
    sealer = ChunkSealer(KEY, NONCE)
    return [
        sealer.seal(chunk, last=number == len(chunks)) for number, chunk in enumerate(chunks, 1)
    ]


def opened(chunks: list[bytes]) -> list[bytes]:
    opener = ChunkOpener(KEY, NONCE)
    return [
        opener.open(chunk, last=number == len(chunks)) for number, chunk in enumerate(chunks, 1)
    ]


def test_what_another_program_has_written_is_read() -> None:
    file = bytes.fromhex(VECTOR["file_hex"])
    header = age.parse_header(file[: age.MAX_HEADER_BYTES])
    key = age.open_header(header, VECTOR["passphrase"].encode())
    nonce, chunk = file[header.length :][:16], file[header.length + 16 :]
    assert ChunkOpener(key, nonce).open(chunk, last=True) == VECTOR["plaintext"].encode()


def test_a_header_gives_the_file_key_to_who_knows_the_passphrase() -> None:
    header = age.parse_header(HEADER + NONCE + b"and so on")
    assert header.length == len(HEADER)
    assert age.open_header(header, PASSPHRASE) == KEY
    with pytest.raises(WrongPassphraseError):
        age.open_header(header, b"incorrect horse")


@pytest.mark.parametrize("position", range(len(HEADER)))
def test_a_header_with_any_byte_changed_is_refused(position: int) -> None:
    changed = bytearray(HEADER)
    changed[position] ^= 1
    with pytest.raises(AgeError):
        age.open_header(age.parse_header(bytes(changed) + NONCE), PASSPHRASE)


@pytest.mark.parametrize("length", range(len(HEADER)))
def test_a_header_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(AgeError):
        age.parse_header(HEADER[:length])


def test_a_header_that_asks_for_too_much_memory_is_refused_before_anything_is_computed() -> None:
    greedy = HEADER.replace(b" 4\n", b" 21\n")
    with pytest.raises(AgeError, match="memory"):
        age.parse_header(greedy)


@pytest.mark.parametrize("last", [b"", b"x", FULL])
def test_chunks_come_out_as_they_went_in(last: bytes) -> None:
    chunks = [FULL, FULL, last] if last else [last]
    assert opened(sealed(*chunks)) == chunks


def test_only_the_last_chunk_is_shorter() -> None:
    sealer = ChunkSealer(KEY, NONCE)
    with pytest.raises(ValueError, match="shorter"):
        sealer.seal(b"short", last=False)
    with pytest.raises(ValueError, match="shorter"):
        sealer.seal(FULL + b"x", last=True)


def test_chunks_that_are_missing_added_or_elsewhere_are_noticed() -> None:
    first, second, third = sealed(FULL, FULL[:-1] + b"2", b"end")
    for wrong in (
        [first, second],
        [first, third],
        [second, first, third],
        [first, second, third, third],
        [first, first, second, third],
    ):
        with pytest.raises(AgeError):
            opened(wrong)


def test_an_empty_chunk_behind_others_is_refused() -> None:
    with pytest.raises(AgeError):
        opened(sealed(FULL, b""))
