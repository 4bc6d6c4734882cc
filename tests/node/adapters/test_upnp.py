from __future__ import annotations

import threading

import pytest
import trio

from p2pchat.node.adapters import upnp
from p2pchat.node.adapters.upnp import Upnp
from p2pchat.node.errors import NetworkError

PORTS = [("TCP", 4001), ("UDP", 4002)]


class Router:
    """Stands in for libp2p's client: its methods use threads, as that one's do."""

    def __init__(self, ip: str | None = "203.0.113.7", found: bool = True) -> None:
        self.ip = ip
        self.found = found
        self.refused: set[int] = set()
        self.keeps: set[int] = set()  # open, whoever asks
        self.slow: set[int] = set()  # opened, and answered too late
        self.mapped: set[tuple[str, int]] = set()
        self.threads: set[int] = set()
        self.hangs = threading.Event()
        self.hangs.set()

    def make(self) -> Router:
        self.threads.add(threading.get_ident())
        return self

    async def discover(self) -> bool:
        await trio.to_thread.run_sync(self.hangs.wait)
        return self.found

    async def add_port_mapping(self, port: int, protocol: str = "TCP") -> bool:
        await trio.to_thread.run_sync(self.hangs.wait)
        if port in self.refused:
            return False
        self.mapped.add((protocol, port))
        if port in self.slow:
            self.hangs.clear()
            await trio.to_thread.run_sync(self.hangs.wait)
        return True

    async def remove_port_mapping(self, port: int, protocol: str = "TCP") -> bool:
        await trio.to_thread.run_sync(self.hangs.wait)
        if port in self.keeps:
            return False
        self.mapped.discard((protocol, port))
        return True

    def get_external_ip(self) -> str | None:
        return self.ip


async def test_ports_are_mapped_and_given_back() -> None:
    router = Router()
    mapper = Upnp(router.make)
    assert await mapper.map(PORTS) == [
        "/ip4/203.0.113.7/tcp/4001",
        "/ip4/203.0.113.7/udp/4002/quic-v1",
    ]
    assert router.mapped == set(PORTS)
    assert threading.get_ident() not in router.threads
    await mapper.unmap()
    assert router.mapped == set()
    await mapper.unmap()


async def test_what_the_router_lets_through_counts() -> None:
    router = Router()
    router.refused = {4002}
    mapper = Upnp(router.make)
    assert await mapper.map(PORTS) == ["/ip4/203.0.113.7/tcp/4001"]
    router.refused = {4001, 4002}
    with pytest.raises(NetworkError, match="refuses"):
        await mapper.map(PORTS)


@pytest.mark.parametrize(
    ("router", "words"),
    [
        (Router(ip=None, found=False), "No router"),
        (Router(ip=None), "no address"),
        (Router(ip="192.168.178.1"), "another router before it"),
        (Router(ip="100.64.3.4"), "another router before it"),
        (Router(ip="127.0.0.1"), "another router before it"),
    ],
)
async def test_a_router_that_is_of_no_use_is_described(router: Router, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        await Upnp(router.make).map(PORTS)
    assert router.mapped == set()


async def test_addresses_that_only_python_takes_for_private_are_public() -> None:
    """libp2p says then that it has found nothing, and could map all the same."""
    router = Router(found=False)
    assert await Upnp(router.make).map(PORTS) != []


async def test_a_router_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upnp, "STEP_TIMEOUT", 0.05)
    router = Router()
    mapper = Upnp(router.make)
    await mapper.map(PORTS)
    router.hangs.clear()
    try:
        with pytest.raises(NetworkError, match="did not answer"):
            await mapper.map(PORTS)
        await mapper.unmap()  # never raises
        with pytest.raises(NetworkError, match="did not answer"):
            await mapper.map(
                PORTS
            )  # the thread of before holds this one up, and there is only that one
    finally:
        router.hangs.set()


async def test_a_port_whose_mapping_is_answered_too_late_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upnp, "STEP_TIMEOUT", 0.05)
    router = Router()
    router.slow = {4002}
    mapper = Upnp(router.make)
    try:
        with pytest.raises(NetworkError, match="did not answer"):
            await mapper.map(PORTS)
        assert router.mapped == set(PORTS)  # it hangs, and so it closes nothing yet
    finally:
        router.hangs.set()
    monkeypatch.setattr(upnp, "STEP_TIMEOUT", 10.0)
    await mapper.unmap()
    assert router.mapped == set()


async def test_a_port_that_is_mapped_when_another_fails_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    router = Router()

    async def add(port: int, protocol: str = "TCP") -> bool:
        if protocol == "UDP":
            raise OSError("the router is gone")
        router.mapped.add((protocol, port))
        return True

    monkeypatch.setattr(router, "add_port_mapping", add)
    with pytest.raises(NetworkError, match="is gone"):
        await Upnp(router.make).map(PORTS)
    assert router.mapped == set()


async def test_a_port_that_stays_open_is_asked_for_again() -> None:
    router = Router()
    router.keeps = {4001}
    mapper = Upnp(router.make)
    await mapper.map(PORTS)
    await mapper.unmap()
    assert router.mapped == {("TCP", 4001)}
    router.keeps = set()
    await mapper.unmap()
    assert router.mapped == set()


async def test_only_own_ports_are_taken_back() -> None:
    """What is refused may be open for somebody else; what was mapped before is still one's own."""
    router = Router()
    router.refused, router.mapped = {4002}, {("UDP", 4002)}
    mapper = Upnp(router.make)
    await mapper.map(PORTS)
    await mapper.unmap()
    assert router.mapped == {("UDP", 4002)}
    router.refused = set()
    await mapper.map(PORTS)
    router.refused = {4002}
    await mapper.map(PORTS)
    await mapper.unmap()
    assert router.mapped == set()


async def test_no_more_ports_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upnp, "MAX_OPEN", 1)
    router = Router()
    mapper = Upnp(router.make)
    await mapper.map(PORTS)
    await mapper.unmap()
    assert router.mapped == {PORTS[0]}


async def test_foreign_errors_end_here() -> None:
    def fail() -> Router:
        raise ImportError("no module named miniupnpc")

    with pytest.raises(NetworkError, match="miniupnpc"):
        await Upnp(fail).map(PORTS)


async def test_libp2p_has_the_client_that_is_used() -> None:
    client = await trio.to_thread.run_sync(upnp.libp2p_client)
    assert client.get_external_ip() is None
    for method in ("discover", "add_port_mapping", "remove_port_mapping"):
        assert callable(getattr(client, method))
