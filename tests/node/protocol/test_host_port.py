from __future__ import annotations

import pytest

from p2pchat.node.protocol.host_port import host_and_port


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:7443", "127.0.0.1", 7443),
        ("[::1]:0", "::1", 0),
        ("chat.example.org:65535", "chat.example.org", 65535),
    ],
)
def test_places(text: str, host: str, port: int) -> None:
    assert host_and_port(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", ":1", "a", "a:", "a:b", "a:65536", "a:99999999999", "a:-1", "a:\u0661"),
        *(
            "::1:1",
            "[]:1",
            "[::1:1",
            "a b:1",
            "a/b:1",
            "a,b:1",
            "%61:1",
            "\u00e4:1",
            "a\n:1",
            "http://a:1",
        ),
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|brackets"):
        host_and_port(text)
