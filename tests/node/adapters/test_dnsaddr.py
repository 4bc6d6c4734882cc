from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import pytest

from p2pchat.node.adapters import dnsaddr
from p2pchat.node.adapters.dnsaddr import DnsaddrResolver
from p2pchat.node.errors import NetworkError
from p2pchat.node.identity import Identity

PEER = Identity(bytes(32)).peer
OTHER = Identity(bytes([1]) * 32).peer
QUESTION = f"/dnsaddr/example.org/p2p/{PEER}"


class Names:
    """A DNS of a few names; asking for another one fails."""

    def __init__(self, records: Mapping[str, Sequence[str]]) -> None:
        self.asked: list[str] = []
        self._records = records

    def __call__(self, host: str) -> Sequence[str]:
        assert threading.current_thread() is not threading.main_thread()
        self.asked.append(host)
        try:
            return self._records[host]
        except KeyError:
            raise NetworkError(f"{host} does not exist") from None


def at(host: str, peer: str = PEER) -> str:
    return f"/ip4/{host}/tcp/4001/p2p/{peer}"


async def test_a_name_becomes_the_addresses_of_that_peer() -> None:
    names = Names(
        {
            "_dnsaddr.example.org": [
                f"dnsaddr={at('192.0.2.1')}",
                f"dnsaddr={at('192.0.2.9', OTHER)}",
                "v=spf1 -all",
                f"dnsaddr=/ip6/2001:db8::1/tcp/4001/p2p/{PEER}",
            ]
        }
    )
    found = await DnsaddrResolver(names)(QUESTION)
    assert found == [at("192.0.2.1"), f"/ip6/2001:db8::1/tcp/4001/p2p/{PEER}"]


async def test_names_that_lead_to_names_are_followed() -> None:
    names = Names(
        {
            "_dnsaddr.example.org": [
                f"dnsaddr=/dnsaddr/a.example.org/p2p/{PEER}",
                f"dnsaddr=/dnsaddr/b.example.org/p2p/{OTHER}",
            ],
            "_dnsaddr.a.example.org": [f"dnsaddr={at('192.0.2.1')}"],
        }
    )
    assert await DnsaddrResolver(names)(QUESTION) == [at("192.0.2.1")]
    assert "_dnsaddr.b.example.org" not in names.asked


async def test_names_in_a_circle_are_asked_once() -> None:
    names = Names({"_dnsaddr.example.org": [f"dnsaddr={QUESTION}"]})
    with pytest.raises(NetworkError, match="nobody is listed"):
        await DnsaddrResolver(names)(QUESTION)
    assert names.asked == ["_dnsaddr.example.org"]


async def test_an_endless_chain_of_names_comes_to_an_end() -> None:
    asked: list[str] = []

    def next_name(host: str) -> Sequence[str]:
        asked.append(host)
        return [f"dnsaddr=/dnsaddr/n{len(asked)}-{i}.example/p2p/{PEER}" for i in range(50)]

    with pytest.raises(NetworkError):
        await DnsaddrResolver(next_name)(QUESTION)
    assert len(asked) == dnsaddr.MAX_LOOK_UPS


async def test_an_answer_is_cut_to_a_bounded_size() -> None:
    names = Names({"_dnsaddr.example.org": [f"dnsaddr={at(f'192.0.2.{n}')}" for n in range(200)]})
    assert len(await DnsaddrResolver(names)(QUESTION)) == dnsaddr.MAX_ADDRESSES


async def test_no_answer_is_a_network_error_with_the_reason() -> None:
    with pytest.raises(NetworkError, match=r"_dnsaddr\.example\.org does not exist"):
        await DnsaddrResolver(Names({}))(QUESTION)


async def test_one_dead_branch_does_not_cost_the_others() -> None:
    names = Names(
        {
            "_dnsaddr.example.org": [
                f"dnsaddr=/dnsaddr/dead.example.org/p2p/{PEER}",
                f"dnsaddr={at('192.0.2.1')}",
            ]
        }
    )
    assert await DnsaddrResolver(names)(QUESTION) == [at("192.0.2.1")]


async def test_a_name_server_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dnsaddr, "TIMEOUT", 0.01)
    never = threading.Event()

    def hang(host: str) -> Sequence[str]:
        never.wait()
        return []

    try:
        with pytest.raises(NetworkError, match="no answer for"):
            await DnsaddrResolver(hang)(QUESTION)
    finally:
        never.set()


@pytest.mark.parametrize("host", ["", "a" * 300, "a..b", "\udcff"])
def test_a_name_that_is_none_is_a_network_error(host: str) -> None:
    with pytest.raises(NetworkError):
        dnsaddr.look_up_txt(f"_dnsaddr.{host}" if host else "." * 3)
