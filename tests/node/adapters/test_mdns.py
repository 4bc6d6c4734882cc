"""The mDNS adapter without a network; tests/integration/test_mdns.py has one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters import mdns, mdns_responder
from p2pchat.node.adapters.mdns import Finds, Mdns
from p2pchat.node.errors import NetworkError
from p2pchat.node.identity import Identity

PATIENCE = 20.0  # seconds
OWN, PEER, OTHER = (Identity(bytes([n]) * 32).peer for n in range(3))


def at(number: int, peer: str = PEER) -> str:
    return f"/ip4/192.0.2.{number}/tcp/4001/p2p/{peer}"


def txt(*addresses: str) -> list[bytes]:
    return [bytes([len(f"dnsaddr={a}")]) + f"dnsaddr={a}".encode() for a in addresses]


# ---- what was heard -------------------------------------------------------------------------------------


async def heard(finds: Finds, *addresses: str) -> None:
    """As zeroconf's thread would say it."""
    await trio.to_thread.run_sync(finds.hear, txt(*addresses))
    await trio.testing.wait_all_tasks_blocked()


async def test_a_peer_is_told_when_it_is_new_or_has_changed() -> None:
    told: list[Sequence[str]] = []
    finds = Finds(OWN, lambda _, addresses: told.append(addresses))
    for addresses in ([at(1)], [at(1)], [at(1), at(2)], [at(1)], [at(9, OWN)], []):
        await heard(finds, *addresses)
    assert told == [[at(1)], [at(1), at(2)], [at(1)]]


async def test_a_peer_that_stays_is_told_again_after_a_while(autojump_clock: MockClock) -> None:
    told: list[str] = []
    finds = Finds(OWN, lambda peer, _: told.append(peer))
    for _ in range(4):
        finds.hear(txt(at(1)))
        await trio.sleep(mdns.REPEAT_AFTER / 2)
    assert told == [PEER, PEER]


async def test_a_flood_is_cut_to_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "MAX_WAITING", 3)
    monkeypatch.setattr(mdns, "MAX_REMEMBERED", 2)
    told: list[str] = []
    finds = Finds(OWN, lambda peer, _: told.append(peer))
    strangers = [Identity(bytes([n]) * 32).peer for n in range(10, 20)]
    for peer in strangers:
        finds.hear(txt(at(1, peer)))
    await trio.testing.wait_all_tasks_blocked()
    assert told == strangers[:3]
    await heard(finds, at(1, strangers[0]))
    assert told == [*strangers[:3], strangers[0]]  # it was forgotten


def test_hearing_somebody_after_the_end_is_harmless() -> None:
    async def make() -> Finds:
        return Finds(OWN, lambda *_: None)

    trio.run(make).hear(txt(at(1)))


# ---- its life -------------------------------------------------------------------------------------------


class FakeResponder:
    """Stands for a zeroconf instance; class attributes, because the adapter makes its own."""

    failures = 0
    opened: list[FakeResponder]

    def __init__(
        self, name: str, interfaces: Sequence[str | int], hear: Callable[..., None]
    ) -> None:
        assert threading.current_thread() is not threading.main_thread()
        if FakeResponder.failures:
            FakeResponder.failures -= 1
            raise NetworkError("Multicast does not work.")
        self.name = name
        self.interfaces = interfaces
        self.announced: list[Sequence[str]] = []
        self.closed = False
        self.opened.append(self)

    def announce(self, addresses: Sequence[str]) -> None:
        self.announced.append(addresses)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _no_real_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns_responder, "Responder", FakeResponder)
    monkeypatch.setattr(FakeResponder, "opened", [], raising=False)
    monkeypatch.setattr(FakeResponder, "failures", 0)
    monkeypatch.setattr(mdns, "CHECK_EVERY", 0.01)


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE):
        while not condition():
            await trio.sleep(0.005)


async def test_it_opens_announces_and_closes(nursery: trio.Nursery) -> None:
    adapter, reports = Mdns(lambda: ("192.0.2.1",)), list[str]()
    adapter.announce([at(1, OWN)])
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as life:
            life.start_soon(adapter.run, OWN, lambda *_: None, reports.append)
            await until(lambda: bool(FakeResponder.opened))
            [responder] = FakeResponder.opened
            await until(lambda: (at(1, OWN),) in responder.announced)
            adapter.announce([at(2, OWN)])
            await until(lambda: (at(2, OWN),) in responder.announced)
            scope.cancel()
    assert responder.closed
    assert FakeResponder.opened == [responder]
    assert set(reports) == {""}


async def test_other_interfaces_are_a_new_start_under_the_same_name(nursery: trio.Nursery) -> None:
    interfaces: list[str | int] = ["192.0.2.1", 3]
    adapter = Mdns(lambda: tuple(interfaces))
    nursery.start_soon(adapter.run, OWN, lambda *_: None, lambda _: None)
    await until(lambda: len(FakeResponder.opened) == 1)
    interfaces.reverse()  # the same ones
    interfaces[:] = ["192.0.2.2"]
    await until(lambda: len(FakeResponder.opened) == 2)
    first, second = FakeResponder.opened
    assert first.closed
    assert second.interfaces == ("192.0.2.2",)
    assert first.name == second.name
    assert len(first.name) == mdns.NAME_LENGTH


async def test_no_network_is_reported_and_tried_again(nursery: trio.Nursery) -> None:
    interfaces: list[str | int] = []
    FakeResponder.failures = 1
    reports: list[str] = []
    adapter = Mdns(lambda: tuple(interfaces))
    nursery.start_soon(adapter.run, OWN, lambda *_: None, reports.append)
    await until(lambda: mdns.NO_INTERFACE in reports)
    interfaces.append("192.0.2.1")
    await until(lambda: "" in reports)
    assert list(dict.fromkeys(reports)) == [mdns.NO_INTERFACE, "Multicast does not work.", ""]
    interfaces.clear()
    await until(lambda: FakeResponder.opened[-1].closed)


def test_there_is_an_interface_to_multicast_on() -> None:
    assert all(isinstance(interface, str | int) for interface in mdns.multicast_interfaces())
