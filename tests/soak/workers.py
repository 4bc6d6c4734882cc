"""A mailbox with several workers as a process, and peers that belong to one of them."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Sequence
from pathlib import Path

import trio

from p2pchat.cli import control_client
from p2pchat.node import identity
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import limits, worker_choice
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.links import MailboxLink
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from tests.relay_mailbox.builders import record_of
from tests.soak.processes import MailboxProcess, PersonProcess, free_port

LOOK_AGAIN = 0.05  # seconds between two looks at how a worker is


class WorkersProcess(MailboxProcess):
    """`p2pchat mailbox --workers N`, always on the same ports."""

    def __init__(self, folder: Path, workers: int = 2, *more: str) -> None:
        super().__init__(folder)
        self.address = f"/ip4/127.0.0.1/tcp/{free_ports(workers)}"
        self.more: Sequence[str] = ("--workers", str(workers), *more)

    def command(self) -> Sequence[object]:
        return (*super().command(), *self.more)

    async def described(self) -> actors.MailboxDescription:
        """What the operator sees, without the command's own start."""

        def ask() -> actors.MailboxDescription:
            with control_client.mailbox(self.folder) as running:
                return running.status()

        return await trio.to_thread.run_sync(ask)

    async def worker(self, number: int) -> actors.WorkerDescription:
        """Its `pid` is 0 while there is no process."""
        return (await self.described()).workers[number]

    async def running(self, number: int, restarts: int = 0) -> actors.WorkerDescription:
        """Once it runs, started again so many times."""
        while True:
            worker = await self.worker(number)
            if worker.state == "running" and worker.restarts >= restarts:
                return worker
            await trio.sleep(LOOK_AGAIN)


def free_ports(count: int) -> int:
    """The first of so many in a row."""
    while True:
        first = free_port()
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + number))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return first


def identity_of_worker(link: MailboxLink, number: int) -> Identity:
    """A peer whose mail the worker takes."""
    wanted = worker_choice.workers_of(link)[number].peer
    return next(
        who
        for who in (Identity.generate() for _ in itertools.count())
        if worker_choice.choose(link, who.peer_bytes, ()).peer == wanted
    )


def person_of_worker(
    folder: Path, name: str, text: str, link: MailboxLink, number: int
) -> PersonProcess:
    """A node with such an identity; `text` is the link that it uses."""
    key = folder / f"{name}.key"
    wanted = worker_choice.workers_of(link)[number].peer
    while True:
        who = identity.load_or_create(key)
        if worker_choice.choose(link, who.peer_bytes, ()).peer == wanted:
            return PersonProcess(folder / name, name, [text])
        key.unlink()


async def try_to_register(who: Identity, link: MailboxLink) -> str:
    """At the worker that the link gives it; "registered", or the name of the refusal."""
    chosen = worker_choice.choose(link, who.peer_bytes, ())
    network = Libp2pNetwork(who, ["/ip4/127.0.0.1/tcp/0"])
    register = mailbox.Register(token=link.token, record=record_of(who))
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        await network.dial(chosen.peer, chosen.addresses)
        stream = await network.open_stream(chosen.peer, limits.MAILBOX_PROTOCOL)
        request = mailbox.MailboxRequest(register=register)
        await stream.write(frame(request.SerializeToString()))
        reply = mailbox.MailboxReply.FromString(await stream.read_frame(limits.FRAME_LIMIT))
        nursery.cancel_scope.cancel()
    if reply.HasField("refused"):
        return mailbox.Refusal.Name(reply.refused.reason)
    return str(reply.WhichOneof("reply"))
