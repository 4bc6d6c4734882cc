"""What people do about files, in simulations."""

from __future__ import annotations

import trio

from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.nodes import SimulatedNode

PATH = "/home/alice/holiday.jpg"
DATA = bytes(range(256)) * 8192 + b"end"  # 2 MiB and a little


async def say_offer(sender: SimulatedNode, peer: str, path: str = PATH) -> str:
    """Returns the transfer's id."""
    question = actors.OfferFile(text=peer, path=path)
    status = await sender.ui.request(question, actors.TransferStatus)
    return status.record.offer.transfer.hex()


async def offer(sender: SimulatedNode, recipient: SimulatedNode, path: str = PATH) -> str:
    """Returns the transfer's id once the recipient knows of it."""
    transfer = await say_offer(sender, recipient.identity.peer, path)
    while not any(s.record.offer.transfer.hex() == transfer for s in await transfers(recipient)):
        await trio.sleep(0.05)
    return transfer


async def transfers(node: SimulatedNode) -> list[actors.TransferStatus]:
    listed = await node.ui.ask(actors.ListTransfers(), actors.TransferList)
    return list(listed.transfers)


async def until(
    node: SimulatedNode, transfer: str, state: records.TransferState
) -> actors.TransferStatus:
    while True:
        for status in await transfers(node):
            if status.record.offer.transfer.hex() == transfer and status.record.state == state:
                return status
        await trio.sleep(0.05)


async def accept(node: SimulatedNode, transfer: str) -> None:
    await node.ui.ask(actors.AcceptFile(transfer=transfer), actors.TransferStatus)
