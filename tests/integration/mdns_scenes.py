"""Scenes for test_mdns.py: a program that runs one of them by name, inside a network namespace of its own.

Nothing here may run outside one: multicasts must not leave this machine.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import trio
from zeroconf import (  # type: ignore[attr-defined]  # public, but missing from its __all__
    DNSIncoming,
    DNSOutgoing,
    DNSPointer,
    DNSQuestion,
    DNSText,
)

from p2pchat.node.adapters import mdns
from p2pchat.node.adapters.mdns import Mdns
from p2pchat.node.identity import Identity

PATIENCE = 20.0  # seconds for a whole scene
GROUP = ("224.0.0.251", 5353)
SERVICE = "_p2p._udp.local."
PTR, TXT, CLASS_IN, RESPONSE = 12, 16, 1, 0x8400  # RFC 1035, RFC 6762 section 18
OWN, PEER, OTHER = (Identity(bytes([n]) * 32).peer for n in range(3))

Finds = trio.MemoryReceiveChannel[tuple[str, Sequence[str]]]


def at(number: int, peer: str = PEER) -> str:
    return f"/ip4/192.0.2.{number}/tcp/4001/p2p/{peer}"


def bring_loopback_up() -> None:
    set_flags, interface_up, running = 0x8914, 0x1, 0x40  # <linux/sockios.h>, <linux/if.h>
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", interface_up | running)
        fcntl.ioctl(any_socket, set_flags, request)


def assert_isolated() -> None:
    """Only loopback may be there."""
    names = [name for _, name in socket.if_nameindex()]
    assert names == ["lo"], names


# ---- what the scenes are made of ------------------------------------------------------------------------


class Listener:
    """A running adapter, what it found and what it reported."""

    def __init__(self, peer: str, *addresses: str) -> None:
        self.reports: list[str] = []
        self.adapter = Mdns()
        self.adapter.announce(addresses)
        self._peer = peer
        self._send, self.finds = trio.open_memory_channel[tuple[str, Sequence[str]]](100)

    async def run(self) -> None:
        await self.adapter.run(
            self._peer, lambda *find: self._send.send_nowait(find), self.reports.append
        )

    async def reported(self, problem: str) -> None:
        while self.reports[-1:] != [problem]:
            await trio.sleep(0.01)


@contextmanager
def multicaster() -> Iterator[socket.socket]:
    """A bare socket that speaks and hears mDNS on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        loopback = socket.inet_aton("127.0.0.1")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("", GROUP[1]))
        membership = socket.inet_aton(GROUP[0]) + loopback
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
        sock.settimeout(PATIENCE)
        yield sock


def strings(*values: str | bytes) -> bytes:
    raw = [value.encode() if isinstance(value, str) else value for value in values]
    return b"".join(bytes([len(value)]) + value for value in raw)


def answer(instance: str, texts: Iterable[bytes], ttl: int = 120) -> list[bytes]:
    """What js-libp2p sends: PTR and TXT records, no SRV, no A."""
    packet = DNSOutgoing(RESPONSE)
    name = f"{instance}.{SERVICE}"
    packet.add_answer_at_time(DNSPointer(SERVICE, PTR, CLASS_IN, ttl, name), 0)
    for text in texts:
        packet.add_answer_at_time(DNSText(name, TXT, CLASS_IN, ttl, text), 0)
    return packet.packets()


# ---- scenes ---------------------------------------------------------------------------------------------


async def two_processes_find_each_other(nursery: trio.Nursery) -> None:
    here = Listener(OWN, at(1, OWN))
    nursery.start_soon(here.run)
    other = await nursery.start(
        trio.run_process, [sys.executable, "-W", "error", __file__, "be_found"]
    )
    assert await here.finds.receive() == (PEER, [at(2)])
    assert await other.wait() == 0


async def be_found(nursery: trio.Nursery) -> None:
    """The other process of the scene above."""
    there = Listener(PEER, at(2))
    nursery.start_soon(there.run)
    assert await there.finds.receive() == (OWN, [at(1, OWN)])


async def an_answer_without_an_address_record_is_understood(nursery: trio.Nursery) -> None:
    here = Listener(OWN)
    nursery.start_soon(here.run)
    await here.reported("")
    with multicaster() as network:
        js = [strings(f"dnsaddr={at(1)}"), strings(f"dnsaddr={at(2)}")]
        for packet in answer("j" * 32, js):
            network.sendto(packet, GROUP)
        assert await here.finds.receive() == (PEER, [at(1), at(2)])
        py = [strings(f"dnsaddr={at(3, OTHER)}", f"dnsaddr2={at(4, OTHER)}", "id=1")]
        for packet in answer("p" * 32, py):
            network.sendto(packet, GROUP)
        assert await here.finds.receive() == (OTHER, [at(3, OTHER), at(4, OTHER)])


async def nonsense_goodbyes_and_the_own_echo_are_ignored(nursery: trio.Nursery) -> None:
    here = Listener(OWN, at(1, OWN))
    nursery.start_soon(here.run)
    await here.reported("")
    with multicaster() as network:
        hostile = [
            b"",
            b"\xff" * 1000,
            answer("h" * 32, [b"\xff" * 200])[0][:-100],
            *answer("h" * 32, [strings(b"\x00" * 200, b"dnsaddr=" + b"\xff" * 200)]),
            *answer("own" * 11, [strings(f"dnsaddr={at(9, OWN)}")]),
            *answer("gone" * 8, [strings(f"dnsaddr={at(9, OTHER)}")], ttl=0),
        ]
        for packet in [*hostile, *answer("g" * 32, [strings(f"dnsaddr={at(1)}")])]:
            network.sendto(packet, GROUP)
    assert await here.finds.receive() == (PEER, [at(1)])


async def new_addresses_are_announced(nursery: trio.Nursery) -> None:
    here, there = Listener(OWN), Listener(PEER, at(1))
    nursery.start_soon(here.run)
    nursery.start_soon(there.run)
    assert await here.finds.receive() == (PEER, [at(1)])
    there.adapter.announce([at(2), at(3)])
    assert await here.finds.receive() == (PEER, [at(2), at(3)])


async def a_question_gets_what_libp2p_expects(nursery: trio.Nursery) -> None:
    here = Listener(OWN, at(1, OWN), at(2, OWN))
    nursery.start_soon(here.run)
    await here.reported("")
    question = DNSOutgoing(0)
    question.add_question(DNSQuestion(SERVICE, PTR, CLASS_IN))
    with multicaster() as network:
        network.sendto(question.packets()[0], GROUP)
        while not (records := await trio.to_thread.run_sync(hear_answer, network)):
            pass
    [pointer] = [record for record in records if isinstance(record, DNSPointer)]
    [text] = [record for record in records if isinstance(record, DNSText)]
    assert pointer.name == SERVICE
    assert pointer.alias == text.name
    assert 32 <= len(text.name.removesuffix(f".{SERVICE}")) <= 63
    assert OWN not in text.name
    assert text.text == strings(f"dnsaddr={at(1, OWN)}", f"dnsaddr={at(2, OWN)}")


def hear_answer(network: socket.socket) -> list[object]:
    """The records of the next packet, if it is an answer."""
    packet = DNSIncoming(network.recv(9000))
    return list(packet.answers()) if packet.is_response() else []


async def a_network_that_comes_up_later_is_used(nursery: trio.Nursery) -> None:
    mdns.CHECK_EVERY = 0.05
    here, there = Listener(OWN), Listener(PEER, at(1))
    nursery.start_soon(here.run)
    nursery.start_soon(there.run)
    await here.reported(mdns.NO_INTERFACE)
    bring_loopback_up()
    assert await here.finds.receive() == (PEER, [at(1)])
    await here.reported("")


async def whoever_comes_back_is_found_again(nursery: trio.Nursery) -> None:
    here = Listener(OWN)
    nursery.start_soon(here.run)
    for number in (1, 2):
        there = Listener(PEER, at(number))
        async with trio.open_nursery() as life:
            life.start_soon(there.run)
            assert await here.finds.receive() == (PEER, [at(number)])
            life.cancel_scope.cancel()


SCENES = {
    scene.__name__: scene
    for scene in (
        two_processes_find_each_other,
        an_answer_without_an_address_record_is_understood,
        nonsense_goodbyes_and_the_own_echo_are_ignored,
        new_addresses_are_announced,
        a_question_gets_what_libp2p_expects,
        a_network_that_comes_up_later_is_used,
        whoever_comes_back_is_found_again,
    )
}


async def play(name: str) -> None:
    assert_isolated()
    if name != a_network_that_comes_up_later_is_used.__name__:
        bring_loopback_up()
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            await {**SCENES, be_found.__name__: be_found}[name](nursery)
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(play, sys.argv[1])
