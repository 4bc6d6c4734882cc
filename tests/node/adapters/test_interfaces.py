from __future__ import annotations

import ipaddress

import ifaddr
import pytest

from p2pchat.node.adapters import interfaces


def test_the_own_addresses_are_plain_ip_addresses_and_loopback_is_one() -> None:
    found = interfaces.addresses()
    assert "127.0.0.1" in found
    assert all(ipaddress.ip_address(text) for text in found)
    assert not any("%" in text for text in found)


def test_a_system_that_does_not_say_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("no rights")

    monkeypatch.setattr(ifaddr, "get_adapters", refuse)
    assert interfaces.addresses() == frozenset()
