"""Certificate, key and token of the control API's port, in a real folder."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from p2pchat.node.adapters import tls_port
from p2pchat.node.adapters.tls_port import PENALTIES_AT_ONCE, PENALTY, SPARE, VALID, Token
from p2pchat.node.errors import ConfigError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LISTEN = "127.0.0.1:7443"


def names(pem: bytes) -> x509.SubjectAlternativeName:
    certificate = x509.load_pem_x509_certificate(pem)
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_what_is_secret_is_for_the_owner_alone(tmp_path: Path) -> None:
    tls_port.tls_port(LISTEN, tmp_path, NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"control.crt": 0o644, "control.key": 0o600, "control.token": 0o600}


def test_the_next_start_has_the_same(tmp_path: Path) -> None:
    first = tls_port.tls_port(LISTEN, tmp_path, NOW)
    token = (tmp_path / "control.token").read_text()
    again = tls_port.tls_port(LISTEN, tmp_path, NOW)
    assert (again.certificate_pem, again.key_pem) == (first.certificate_pem, first.key_pem)
    assert (tmp_path / "control.token").read_text() == token
    assert again.token.fits([("authorization", f"Bearer {token.strip()}")])


def test_two_nodes_have_different_ones(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        tls_port.tls_port(LISTEN, tmp_path / name, NOW)
    for name in ("control.crt", "control.key", "control.token"):
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


def test_secrets_that_others_could_read_are_closed(tmp_path: Path) -> None:
    tls_port.tls_port(LISTEN, tmp_path, NOW)
    for name in ("control.key", "control.token"):
        (tmp_path / name).chmod(0o644)
    tls_port.tls_port(LISTEN, tmp_path, NOW)
    for name in ("control.key", "control.token"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "[::1]:1", "chat.example.org:1", "localhost:1"])
def test_the_certificate_is_for_where_it_listens_and_this_machine(
    tmp_path: Path, listen: str
) -> None:
    found = names(tls_port.tls_port(listen, tmp_path, NOW).certificate_pem)
    addresses = set(map(str, found.get_values_for_type(x509.IPAddress)))
    hosts = set(found.get_values_for_type(x509.DNSName))
    host = listen.rpartition(":")[0].strip("[]")
    assert {host, "localhost", "127.0.0.1", "::1"} == addresses | hosts


def test_a_certificate_for_another_place_is_made_anew(tmp_path: Path) -> None:
    before = tls_port.tls_port(LISTEN, tmp_path, NOW).certificate_pem
    assert tls_port.tls_port("chat.example.org:1", tmp_path, NOW).certificate_pem != before


def test_a_certificate_that_runs_out_is_made_anew(tmp_path: Path) -> None:
    before = tls_port.tls_port(LISTEN, tmp_path, NOW).certificate_pem
    nearly = NOW + VALID - SPARE
    assert tls_port.tls_port(LISTEN, tmp_path, nearly - timedelta(1)).certificate_pem == before
    assert tls_port.tls_port(LISTEN, tmp_path, nearly).certificate_pem != before


@pytest.mark.parametrize("name", ["control.crt", "control.key"])
@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_spoiled_certificate_is_made_anew(tmp_path: Path, name: str, content: bytes) -> None:
    tls_port.tls_port(LISTEN, tmp_path, NOW)
    (tmp_path / name).write_bytes(content)
    again = tls_port.tls_port(LISTEN, tmp_path, NOW)
    assert tls_port.tls_port(LISTEN, tmp_path, NOW).certificate_pem == again.certificate_pem


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"x" * 2000, b"\xff" * 40, b"a\0" * 20])
def test_a_spoiled_token_opens_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "control.token").write_bytes(content)
    with pytest.raises(ConfigError, match="holds no token"):
        tls_port.tls_port(LISTEN, tmp_path, NOW)


@pytest.mark.parametrize("listen", ["", "7443", "localhost", "::1:7443", "a b:1"])
def test_what_is_no_place_is_an_error_for_people(tmp_path: Path, listen: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen on"):
        tls_port.tls_port(listen, tmp_path, NOW)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot listen on"):
        tls_port.tls_port(LISTEN, tmp_path / "nowhere", NOW)


# ---- the token ------------------------------------------------------------------------------------------

SECRET = "s" * 43


@pytest.mark.parametrize(
    ("metadata", "fits"),
    [
        ([("authorization", f"Bearer {SECRET}")], True),
        ([("authorization", f"Bearer {SECRET}".encode())], True),
        ([("other", "x"), ("authorization", f"Bearer {SECRET}")], True),
        ([], False),
        ([("authorization", "")], False),
        ([("authorization", SECRET)], False),
        ([("authorization", f"Bearer {SECRET}x")], False),
        ([("authorization", "Bearer é")], False),
        ([("token", f"Bearer {SECRET}")], False),
        # Guesses by the dozen in one call.
        ([("authorization", "Bearer x"), ("authorization", f"Bearer {SECRET}")], False),
    ],
)
def test_only_the_whole_token_fits(metadata: list[tuple[str, str | bytes]], fits: bool) -> None:
    assert Token(SECRET).fits(metadata) == fits


def test_wrong_tokens_are_counted_and_wait_but_not_too_many_at_once() -> None:
    token = Token(SECRET)
    waiting = [token.penalty() for _ in range(PENALTIES_AT_ONCE + 1)]
    seconds = [each.__enter__() for each in waiting]
    assert seconds == [PENALTY] * PENALTIES_AT_ONCE + [0.0]
    for each in waiting:
        each.__exit__(None, None, None)
    with token.penalty() as again:
        assert again == PENALTY
    assert token.refusals == PENALTIES_AT_ONCE + 2


def test_the_log_does_not_fill_with_them(caplog: pytest.LogCaptureFixture) -> None:
    token = Token(SECRET)
    for _ in range(1000):
        with token.penalty():
            pass
    assert [record.args for record in caplog.records][-1] == (512,)
    assert len(caplog.records) == 10
