"""Names that others offer: no path, nothing hidden, no trap for a file system."""

from __future__ import annotations

import random
import unicodedata

import pytest

from p2pchat.node.protocol import file_names


@pytest.mark.parametrize(
    ("offered", "name"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("Grüße aus Köln.txt", "Grüße aus Köln.txt"),
        ("日本語.pdf", "日本語.pdf"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\autoexec.bat", "autoexec.bat"),
        ("C:\\x.txt", "x.txt"),
        ("C:x.txt", "C_x.txt"),
        ("folder/", "folder"),
        ("..", "file"),
        ("../..", "file"),
        ("...", "file"),
        ("", "file"),
        (" / ", "file"),
        (".bashrc", "bashrc"),
        (".partial", "partial"),
        ("-rf", "rf"),
        ("--help", "help"),
        ("~root", "root"),
        ("a\x00b", "a_b"),
        ("a\nb\tc\x1b[31m", "a_b_c_[31m"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("a\u200bb\ufeff", "a_b_"),
        ("a\ud800b", "a_b"),
        ('what?*<>|".txt', "what______.txt"),
        ("trailing. . ", "trailing"),
        ("many   spaces .txt", "many spaces .txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("LPT¹", "_LPT¹"),
        ("nul .txt", "_nul .txt"),
        ("console.txt", "console.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
    ],
)
def test_what_becomes_of_a_name(offered: str, name: str) -> None:
    assert file_names.safe(offered) == name


@pytest.mark.parametrize(
    "offered", ["x" * 500 + ".jpeg", "日" * 300 + ".jpeg", "." * 300 + "x" * 300]
)
def test_a_long_name_is_cut_and_keeps_its_extension(offered: str) -> None:
    name = file_names.safe(offered)
    assert len(name.encode()) <= file_names.NAME_BYTES
    assert name.endswith(offered[-4:])


def test_whatever_is_offered_the_name_is_a_harmless_one() -> None:
    rng = random.Random(1)
    letters = "/\\.:-~ aA1\x00\x1f\x7f\u202e\u2066\u200d\u0301é日😀CONulpt\ud8ff"
    for _ in range(3000):
        name = file_names.safe("".join(rng.choices(letters, k=rng.randrange(40))))
        assert name == file_names.safe(name)
        assert not set(name) & set('/\\:*?"<>|\x00')
        assert name[0] not in ".-~ "
        assert name[-1] not in ". "
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in name)


def test_a_taken_name_gets_a_number() -> None:
    assert file_names.unique("a.txt", []) == "a.txt"
    assert file_names.unique("a.txt", ["a.txt", "a (1).txt"]) == "a (2).txt"
    assert file_names.unique("Makefile", ["Makefile"]) == "Makefile (1)"


def test_names_that_some_file_system_takes_for_the_same_are_taken() -> None:
    assert file_names.unique("README.txt", ["readme.TXT"]) == "README (1).txt"
    assert file_names.unique("\u00e9", ["e\u0301"]) == "\u00e9 (1)"
    assert file_names.unique("straße", ["STRASSE"]) == "straße (1)"


def test_an_own_name_is_told_as_text_of_bounded_length() -> None:
    assert file_names.to_offer("ok.txt") == "ok.txt"
    assert file_names.to_offer("caf\udce9.txt") == "caf?.txt"
    assert len(file_names.to_offer("é" * 200 + ".txt").encode()) <= file_names.OFFERED_BYTES
