"""What the doctor knows of a node, and the words in which it speaks of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.own_addresses import Scope, scope_of, scope_of_ip
from p2pchat.proto import actors_pb2 as actors

NAMED = 3  # peers named in a sentence; the others are counted

OK = actors.Check.OK
HINT = actors.Check.HINT
WARNING = actors.Check.WARNING
FAILED = actors.Check.FAILED

ASK_AGAIN = (
    "Ask again in a moment; if it stays so, look into the log (p2pchat.log in the data folder)."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Parts of `node` that did not answer are absent; `connections` is None then."""

    node: actors.NodeDescription
    connections: Sequence[actors.Connection] | None = None
    mailbox: bool = False  # of that role
    dht: bool = True  # switched on

    @property
    def is_alone(self) -> bool:
        """Nobody is connected, as far as is known."""
        return not self.connections

    @property
    def held(self) -> list[actors.Reservation]:
        """Relays that let others in."""
        return [each for each in self.node.reachability.reservations if each.held]


def no_answer(name: str, part: str) -> actors.Check:
    """The part of the program that would know is down or not there; what that means for the user stands elsewhere."""
    finding = f"Not known: the {part} part of the program does not answer."
    return actors.Check(name=name, verdict=HINT, finding=finding, advice=ASK_AGAIN)


# ---- words ----------------------------------------------------------------------------------------------


def count(number: int, what: str) -> str:
    """`1 relay`, `2 relays`, `3 mailboxes`."""
    ending = "" if number == 1 else "es" if what.endswith(("x", "ss")) else "s"
    return f"{number:,} {what}{ending}"


def short(peer: str) -> str:
    """`…a1B2c3`, as everywhere."""
    return f"…{peer_id.short(peer)}"


def listed(items: Sequence[str]) -> str:
    """`a, b, c and 2 more`."""
    shown = ", ".join(items[:NAMED])
    return f"{shown} and {len(items) - NAMED:,} more" if len(items) > NAMED else shown


def with_problem(peer: str, problem: str) -> str:
    """`…a1B2c3 (connection refused)`."""
    reason = problem.strip().rstrip(".")
    return f"{short(peer)} ({reason})" if reason else short(peer)


def size(octets: int) -> str:
    amount, unit = float(octets), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"


def time_span(ms: int) -> str:
    """`450 ms`, `12 s`, `3 min`, `5 h`, `2 d`: rounded to what one would say."""
    if ms < 1_000:
        return f"{ms} ms"
    for unit, lasts, most in (("s", 1_000, 120), ("min", 60_000, 120), ("h", 3_600_000, 48)):
        if round(ms / lasts) < most:
            return f"{ms / lasts:.0f} {unit}"
    return f"{ms / 86_400_000:,.0f} d"


# ---- addresses ------------------------------------------------------------------------------------------

HERE, NEARBY, EVERYWHERE = range(3)  # who can use an address


def is_circuit(address: str) -> bool:
    return "/p2p-circuit" in address


def range_of(address: str) -> int:
    """From where a direct multiaddr can be dialled, as far as it says so itself."""
    kind, _, rest = address.removeprefix("/").partition("/")
    if kind not in ("ip4", "ip6"):
        return EVERYWHERE if kind.startswith("dns") else HERE
    try:
        ip = ipaddress.ip_address(rest.partition("/")[0])
    except ValueError:
        return HERE
    return HERE if ip.is_loopback else EVERYWHERE if ip.is_global else NEARBY


def is_public_ip(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def is_known_outside(node: actors.NodeDescription) -> bool:
    """Whether anything leads here from elsewhere: an address at which others see this computer, one that the router
    maps, or a wide one that is told to others. IPv6 addresses of its own are wide in every network, and prove nothing.
    """
    found = node.reachability
    told = [a for a in node.addresses if not a.startswith("/ip6/")]
    return Scope.WIDE in {*map(scope_of_ip, found.observed), *map(scope_of, [*found.mapped, *told])}


def without_peer(address: str) -> str:
    return address.rpartition("/p2p/")[0] or address


def farthest(addresses: Iterable[str]) -> str:
    """The direct address that most others can use, IPv4 TCP first; empty when there is none."""
    direct = [address for address in addresses if not is_circuit(address)]
    return min(
        direct,
        key=lambda a: (-range_of(a), "/udp/" in a, a.startswith("/ip6/")),
        default="",
    )
