"""AutoNAT v1: somebody else dials us, and says whether that worked.

Source: https://github.com/libp2p/specs/blob/master/autonat/autonat-v1.md. One frame each way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from p2pchat.node.protocol import endpoints, multiaddrs, peer_id
from p2pchat.node.protocol.allowances import Allowances
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.proto import nat_pb2 as nat

PROTOCOL = "/libp2p/autonat/1.0.0"
FRAME_LIMIT = 4096  # bytes; the specification does not say, and 8 addresses have 500
MAX_ASKED = 8  # addresses in a question of ours
MAX_READ = 32  # addresses of somebody else's question that are looked at
MAX_DIALLED = 3  # of them that are dialled

PEER_RATE, PEER_BURST = 0.1, 3  # questions of one peer a second, and at once
RATE, BURST = 1.0, 10  # of all together
AT_ONCE = 4  # dials back at a time

Status = nat.Autonat.Status


@dataclass(frozen=True, slots=True)
class Answer:
    """`address`: the one that worked; empty: not told."""

    status: Status
    address: str = ""


def question(peer: str, addresses: Iterable[str]) -> bytes:
    """Can you dial us at one of these?"""
    asked = nat.Autonat.Peer(
        id=peer_id.from_text(peer), addrs=multiaddrs.all_to_bytes(addresses)[:MAX_ASKED]
    )
    message = nat.Autonat(type=nat.Autonat.DIAL, dial=nat.Autonat.Dial(peer=asked))
    return message.SerializeToString()


def read_question(body: bytes, peer: str) -> list[str]:
    """The addresses in a question of `peer`. Raises `ValueError` for what is none, or about somebody else."""
    message = _read(body)
    if message.type != nat.Autonat.DIAL or not message.HasField("dial"):
        raise ValueError("no question")
    asked = message.dial.peer
    own = peer_id.from_text(peer)
    if asked.id and asked.id != own:
        raise ValueError("a question about somebody else")
    return multiaddrs.all_from_bytes(asked.addrs[:MAX_READ], MAX_READ, own)


def answer(status: Status, text: str = "", address: str = "") -> bytes:
    """`address` goes with OK, `text` with everything else."""
    response = nat.Autonat.DialResponse(status=status)
    if text:
        response.status_text = text
    if address:
        response.addr = multiaddrs.to_bytes(address)
    message = nat.Autonat(type=nat.Autonat.DIAL_RESPONSE, dial_response=response)
    return message.SerializeToString()


def read_answer(body: bytes) -> Answer:
    """Raises `ValueError` for what is none."""
    message = _read(body)
    if message.type != nat.Autonat.DIAL_RESPONSE or not message.HasField("dial_response"):
        raise ValueError("no answer")
    response = message.dial_response
    if not response.HasField("status"):
        raise ValueError("an answer without status")
    address = multiaddrs.from_bytes(response.addr) if response.addr else ""
    return Answer(response.status, address)


def _read(body: bytes) -> nat.Autonat:
    try:
        return nat.Autonat.FromString(body)
    except DecodeError as error:
        raise ValueError("no AutoNAT message") from error


def may_be_dialled(addresses: Iterable[str], connected_from: Sequence[str]) -> list[str]:
    """Those of a peer's addresses that lead to where it is connected from: nobody shall make us dial others."""
    hosts = {endpoint.host for endpoint in endpoints.parse_all(connected_from)}
    return [str(e) for e in endpoints.parse_all(addresses) if e.host in hosts][:MAX_DIALLED]


class Doorkeeper:
    """Who is dialled back, and how often. Times are seconds of any monotonic clock."""

    def __init__(self, now: float) -> None:
        self._together = TokenBucket(RATE, BURST, now)
        self._each = Allowances(PEER_RATE, PEER_BURST)
        self._under_way: set[str] = set()

    def admit(self, peer: str, now: float) -> str:
        """Why not; empty: it is let in until `leave`."""
        if peer in self._under_way or not self._each.allows(peer, now):
            return "too many questions"
        if len(self._under_way) >= AT_ONCE or not self._together.allows(now):
            return "busy"
        self._under_way.add(peer)
        return ""

    def leave(self, peer: str) -> None:
        self._under_way.discard(peer)
