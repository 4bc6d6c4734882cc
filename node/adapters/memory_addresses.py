"""Addresses of the memory network: "/memory/7", and circuits "/memory/7/p2p/<relay>/p2p-circuit"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from p2pchat.node.errors import DialError

NO_ADDRESS = "/memory/0"  # where somebody who does not listen is seen; never given out

# Each may end in /p2p/<peer>.
ADDRESS = re.compile(r"(/memory/\d+)(?:/p2p/(\w+))?")
CIRCUIT = re.compile(r"(/memory/\d+)?/p2p/(\w+)/p2p-circuit(?:/p2p/(\w+))?")


@dataclass
class Plan:
    """Whom to expect, and where: addresses, and circuits as (relay's address, relay)."""

    peer: str
    direct: list[str]
    circuits: list[tuple[str, str]]


def plan_dial(peer: str, addresses: Sequence[str]) -> Plan:
    """Addresses that name somebody else are left out. Raises `DialError`."""
    direct = [found.groups() for found in map(ADDRESS.fullmatch, addresses) if found]
    circuits = [found.groups() for found in map(CIRCUIT.fullmatch, addresses) if found]
    named = [who for _, who in direct] + [who for _, _, who in circuits]
    wanted = peer or next(filter(None, named), "")
    if not wanted:
        raise DialError("no address names a peer (/p2p/<peer id>)")
    return Plan(
        wanted,
        [address for address, who in direct if who in (None, wanted)],
        [(address or "", relay) for address, relay, who in circuits if who in (None, wanted)],
    )
