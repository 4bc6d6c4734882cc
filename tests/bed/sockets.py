"""Plain sockets inside namespaces: what the bed is measured by, without anything of p2pchat."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from tests.bed.namespaces import PUBLIC
from tests.bed.space import Space

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
ASKED = 3478  # port of the public host that says from where it is asked
OWN = 40_000  # port that the hosts send from
PATIENCE = 2.0  # seconds for one answer
PUNCHING = 4.0  # seconds; the kernel sends the opening of a connection again after 1 and 3
LOOK = 0.1  # seconds

Address = tuple[str, int]
Answerer = Callable[[socket.socket], None]


def open_socket(
    space: Space, kind: socket.SocketKind, address: str = "", port: int = 0
) -> socket.socket:
    """It shares its port with others, as those of a node do."""
    with space.entered():
        made = socket.socket(socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.settimeout(PATIENCE)
    made.bind((address, port))
    return made


@contextlib.contextmanager
def telling_where_from(pub: Space) -> Iterator[None]:
    """At both public addresses, by UDP and by TCP, each caller is told its address as seen from there."""
    with contextlib.ExitStack() as stack:
        for address in PUBLIC:
            for kind, answer in (
                (UDP, _answer_datagram),
                (TCP, _answer_call),
            ):
                asked = stack.enter_context(open_socket(pub, kind, address, ASKED))
                stack.enter_context(_answering(asked, answer))
        yield


@contextlib.contextmanager
def _answering(asked: socket.socket, answer: Answerer) -> Iterator[None]:
    asked.settimeout(LOOK)
    if asked.type is TCP:
        asked.listen()
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                answer(asked)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _answer_datagram(asked: socket.socket) -> None:
    _, whence = asked.recvfrom(1)
    asked.sendto(_text(whence), whence)


def _answer_call(asked: socket.socket) -> None:
    call, whence = asked.accept()
    with call:
        call.sendall(_text(whence))


def _text(address: Address) -> bytes:
    return f"{address[0]} {address[1]}".encode()


def seen(host: Space, kind: socket.SocketKind, by: str) -> Address:
    """From where a packet comes that the host sends from its port to that public address."""
    with open_socket(host, kind, port=OWN) as asking:
        asking.connect((by, ASKED))
        asking.send(b"?") if kind is UDP else None
        address, port = asking.recv(100).decode().split()
    return address, int(port)


# ---- holes ----------------------------------------------------------------------------------------------


def punched(one: Space, to_one: Address, other: Space, to_other: Address) -> bool:
    """Whether both get one and the same TCP connection by opening it to each other at about the same time."""
    with _calling(one, to_other) as first, _calling(other, to_one) as second:
        deadline = time.monotonic() + PUNCHING
        return _is_through(first, second, deadline) and _is_through(second, first, deadline)


def _calling(host: Space, whom: Address) -> socket.socket:
    calling = open_socket(host, TCP, port=OWN)
    calling.setblocking(False)
    calling.connect_ex(whom)
    return calling


def _is_through(sender: socket.socket, receiver: socket.socket, deadline: float) -> bool:
    """Whether a byte arrives."""
    is_sent = False
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # not open yet, or never
            is_sent = is_sent or sender.send(b"!") == 1
            if receiver.recv(1):
                return True
        time.sleep(LOOK)
    return False
