"""The bed itself: its NATs are what they are said to be."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.bed import sockets
from tests.bed.namespaces import HOME, OUTSIDE, OUTSIDE_AFTER, PUBLIC, Bed, Nat, bed
from tests.bed.sockets import TCP, UDP
from tests.bed.space import Space

pytestmark = pytest.mark.bed

SLOW = 0.04  # seconds each way


def seen_by_both(host: Space, kind: socket.SocketKind) -> list[sockets.Address]:
    return [sockets.seen(host, kind, address) for address in PUBLIC]


def is_let_in(whence: Space, address: str, kind: socket.SocketKind) -> bool:
    """Whether there is any answer at all, a refusal included, to what nobody has asked for."""
    with sockets.open_socket(whence, kind) as calling:
        calling.settimeout(0.5)  # seconds
        try:
            calling.connect((address, sockets.OWN))
            calling.send(b"?")
            calling.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True
    return True


@pytest.fixture(params=[(Nat.CONE, Nat.SYMMETRIC)], ids=["cone, symmetric"])
def mixed(request: pytest.FixtureRequest) -> Iterator[Bed]:
    with bed(*request.param) as made, sockets.telling_where_from(made.pub):
        yield made


def test_homes_reach_the_public_and_nobody_reaches_them(mixed: Bed) -> None:
    for side, other in (("a", "b"), ("b", "a")):
        assert all(mixed.host(side).reaches(address) for address in PUBLIC)
        for whence in (mixed.pub, mixed.host(other)):
            assert not whence.reaches(mixed.homes[side].address())
            for kind in (TCP, UDP):
                with sockets.open_socket(mixed.host(side), kind, port=sockets.OWN) as listener:
                    if kind is TCP:
                        listener.listen()
                    assert not is_let_in(whence, OUTSIDE[side], kind)


@pytest.mark.parametrize("kind", [TCP, UDP], ids=["TCP", "UDP"])
def test_a_cone_keeps_the_port_and_a_symmetric_one_changes_it_each_time(
    mixed: Bed, kind: socket.SocketKind
) -> None:
    kept = seen_by_both(mixed.host("a"), kind)
    assert kept == [(OUTSIDE["a"], sockets.OWN)] * 2
    changed = seen_by_both(mixed.host("b"), kind)
    assert {address for address, _ in changed} == {OUTSIDE["b"]}
    assert len({sockets.OWN, *(port for _, port in changed)}) == 3


def test_without_udp_there_is_tcp() -> None:
    with bed(Nat.NO_UDP) as made, sockets.telling_where_from(made.pub):
        assert sockets.seen(made.host("a"), TCP, PUBLIC[0]) == (OUTSIDE["a"], sockets.OWN)
        with pytest.raises(TimeoutError):
            sockets.seen(made.host("a"), UDP, PUBLIC[0])
        assert sockets.seen(made.host("b"), UDP, PUBLIC[0]) == (OUTSIDE["b"], sockets.OWN)


@pytest.mark.parametrize(
    ("a", "b", "possible"),
    [
        (Nat.CONE, Nat.CONE, True),
        (Nat.CONE, Nat.SYMMETRIC, False),
        (Nat.SYMMETRIC, Nat.SYMMETRIC, False),
    ],
)
def test_holes_for_tcp(a: Nat, b: Nat, possible: bool) -> None:
    with bed(a, b) as made, sockets.telling_where_from(made.pub):
        one, other = made.host("a"), made.host("b")
        # What one comes too early with must not spoil it for both.
        assert not is_let_in(one, OUTSIDE["b"], TCP)
        to_one, to_other = (sockets.seen(host, TCP, PUBLIC[0]) for host in (one, other))
        assert sockets.punched(one, to_one, other, to_other) == possible


def test_hosts_of_one_home_reach_each_other(mixed: Bed) -> None:
    first, second = mixed.host("a"), mixed.host("a", 1)
    assert first.reaches(mixed.homes["a"].address(1))
    assert second.reaches(PUBLIC[0])
    assert not second.reaches(f"{HOME['b']}.10")


def test_a_cut_is_silent_and_can_be_healed(mixed: Bed) -> None:
    with sockets.open_socket(mixed.host("a"), TCP) as calling:
        calling.connect((PUBLIC[0], sockets.ASKED))
        mixed.cut("a")
        assert not mixed.host("a").reaches(PUBLIC[0])
        assert mixed.host("b").reaches(PUBLIC[0])
        calling.sendall(b"nobody says that this is lost")
        mixed.heal("a")
        assert mixed.host("a").reaches(PUBLIC[0])


def test_a_router_that_reboots_knows_no_connection_any_more() -> None:
    with bed() as made, sockets.open_socket(made.pub, TCP, PUBLIC[0], sockets.ASKED) as listener:
        listener.listen()
        with sockets.open_socket(made.host("a"), TCP) as calling:
            calling.connect((PUBLIC[0], sockets.ASKED))
            answering, _ = listener.accept()
            with answering:
                made.reboot("a", seconds=0)
                assert made.host("a").reaches(PUBLIC[0], patience=3)
                answering.settimeout(1)  # seconds
                calling.sendall(b"?")
                with pytest.raises(TimeoutError):
                    answering.recv(1)
        with sockets.open_socket(made.host("a"), TCP, port=sockets.OWN) as again:
            again.connect((PUBLIC[0], sockets.ASKED))
            assert listener.accept()[1] == (OUTSIDE_AFTER["a"], sockets.OWN)


@pytest.mark.usefixtures("_wires")
def test_wires_take_time_and_lose_some() -> None:
    with bed(delay=SLOW) as made, sockets.telling_where_from(made.pub):
        sockets.seen(made.host("a"), UDP, PUBLIC[0])  # now everybody knows where everybody is
        start = time.monotonic()
        sockets.seen(made.host("a"), UDP, PUBLIC[0])
        assert time.monotonic() - start >= 2 * SLOW
    with bed(loss=0.3) as made:
        assert any(made.host("a").reaches(PUBLIC[0]) for _ in range(50))
        assert not all(made.host("a").reaches(PUBLIC[0]) for _ in range(50))
    with bed(loss=1) as made:
        assert not made.host("a").reaches(PUBLIC[0])
