"""Two homes and a public host: Linux network namespaces that end with the processes that hold them.

    host-a --- nat-a ---+
                        +--- pub
    host-b --- nat-b ---+

No way leads out of them. What they hold has no name outside, so that many beds can be there at once, and nothing
of them outlives whoever made them, not even one that is killed.
"""

from __future__ import annotations

import contextlib
import enum
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.bed import wire
from tests.bed.space import BedError, Space

# Addresses that programs take for public; those that are set aside for documentation are not taken so.
PUBLIC = ("11.22.33.1", "11.22.33.2")  # two of one host: only so can the kinds of NAT be told apart
OUTSIDE = {"a": "11.22.33.11", "b": "11.22.33.12"}  # of the NATs
OUTSIDE_AFTER = {"a": "11.22.33.21", "b": "11.22.33.22"}  # after a reboot
HOME = {"a": "10.1.0", "b": "10.2.0"}  # the three numbers that all addresses of a home begin with
FIRST_HOST = 10  # the fourth number
COMMANDS = ("ip", "nft", "nsenter", "ping", "unshare")
PACKAGES = "iproute2, nftables, iputils-ping and util-linux"


class Nat(enum.Enum):
    """What a NAT does with ports. All of them drop in silence what nobody inside has asked for."""

    CONE = "cone"  # keeps a port as it is
    SYMMETRIC = "symmetric"  # a new random port for each destination
    NO_UDP = "noudp"  # as CONE, and lets no UDP through


def missing_right() -> str:
    """Why there cannot be a bed here, in a sentence; empty: there can be."""
    missing = [command for command in COMMANDS if shutil.which(command) is None]
    if missing:
        return f"no {', '.join(missing)} here; the bed needs Linux with {PACKAGES}"
    try:
        with Space.opened() as space:
            space.nft("add table ip probe")
    except (BedError, OSError) as error:
        return f"the bed needs root, or the right to make network namespaces: {error}"
    return ""


@dataclass(slots=True)
class Home:
    """A NAT and the hosts behind it."""

    side: str  # "a" or "b"
    kind: Nat
    router: Space
    outside: str  # its public address
    hosts: list[Space] = field(default_factory=list)

    def address(self, number: int = 0) -> str:
        """Of one of its hosts, at home."""
        return f"{HOME[self.side]}.{FIRST_HOST + number}"


class Bed:
    """Made by `bed`."""

    def __init__(self, stack: contextlib.ExitStack, a: Nat, b: Nat) -> None:
        self._stack = stack
        self.pub = self._space()
        self.homes = {side: self._home(side, kind) for side, kind in (("a", a), ("b", b))}

    def host(self, side: str, number: int = 0) -> Space:
        """The first one is there from the beginning, further ones when they are asked for in turn."""
        home = self.homes[side]
        if number == len(home.hosts):
            home.hosts.append(self._host(home, number))
        return home.hosts[number]

    def cut(self, side: str) -> None:
        """From now on nothing passes the router of that home, and nobody is told."""
        self.homes[side].router.nft(CUT)

    def heal(self, side: str) -> None:
        self.homes[side].router.nft("delete table ip cut")

    def reboot(self, side: str, seconds: float) -> None:
        """A router that is off for a time, has forgotten all connections and has got another address."""
        home = self.homes[side]
        # The kernel forgets every connection of a masquerading interface that goes down.
        home.router.ip("link set wan down")
        time.sleep(seconds)
        home.router.ip(f"address delete {home.outside}/24 dev wan")
        home.outside = OUTSIDE_AFTER[side]
        home.router.ip(f"address add {home.outside}/24 dev wan")
        home.router.ip("link set wan up")
        # What a cable modem or a DSL provider would do; nobody has that address in mind yet.
        self.pub.ip(f"route replace {HOME[side]}.0/24 via {home.outside}")

    # ---- how it is put together -----------------------------------------------------------------------

    def join_by_cables(self) -> None:
        """Between the NATs and the public host, without any delay."""
        self._public_bridge()
        for side, home in self.homes.items():
            end = f"peer name to-{side} netns {self.pub.keeper}"
            home.router.ip(f"link add wan type veth {end}")
            self._bring_up(home)

    def join_by_wires(self, delay: float, loss: float) -> None:
        """The same with a delay, in seconds, and the share of frames that get lost."""
        self._public_bridge()
        pairs = [
            (wire.End(home.router.keeper, "wan"), wire.End(self.pub.keeper, f"to-{side}"))
            for side, home in self.homes.items()
        ]
        self._stack.enter_context(wire.running(pairs, delay, loss))
        for home in self.homes.values():
            self._bring_up(home)

    def _public_bridge(self) -> None:
        self.pub.ip("link add middle type bridge forward_delay 0")
        for address in PUBLIC:
            self.pub.ip(f"address add {address}/24 dev middle")
        self.pub.ip("link set middle up")

    def _bring_up(self, home: Home) -> None:
        self.pub.ip(f"link set to-{home.side} master middle up")
        home.router.ip(f"address add {home.outside}/24 dev wan")
        home.router.ip("link set wan up")
        # As if the home were a part of the public network: that it is closed must be the NAT's doing.
        self.pub.ip(f"route add {HOME[home.side]}.0/24 via {home.outside}")

    def _home(self, side: str, kind: Nat) -> Home:
        home = Home(side, kind, self._space(), OUTSIDE[side])
        home.router.ip("link add lan type bridge forward_delay 0")
        home.router.ip(f"address add {HOME[side]}.1/24 dev lan")
        home.router.ip("link set lan up")
        home.router.set("ipv4/ip_forward", 1)
        home.router.nft(rules(kind))
        # A connection from before a reboot is none that the router takes up again in the middle.
        home.router.set("netfilter/nf_conntrack_tcp_loose", 0)
        home.hosts.append(self._host(home, 0))
        return home

    def _host(self, home: Home, number: int) -> Space:
        host = self._space()
        port = f"to-{number}"
        home.router.ip(f"link add {port} type veth peer name eth0 netns {host.keeper}")
        home.router.ip(f"link set {port} master lan up")
        host.ip(f"address add {home.address(number)}/24 dev eth0")
        host.ip("link set eth0 up")
        host.ip(f"route add default via {HOME[home.side]}.1")
        host.wait_for(f"{HOME[home.side]}.1")
        return host

    def _space(self) -> Space:
        return self._stack.enter_context(Space.opened())


@contextlib.contextmanager
def bed(a: Nat = Nat.CONE, b: Nat = Nat.CONE, delay: float = 0, loss: float = 0) -> Iterator[Bed]:
    """`delay` in seconds and `loss` from 0 to 1 hold for each way between a home and everybody else.

    Raises `BedError`.
    """
    with contextlib.ExitStack() as stack:
        made = Bed(stack, a, b)
        if delay or loss:
            made.join_by_wires(delay, loss)
        else:
            made.join_by_cables()
            for home in made.homes.values():
                home.router.wait_for(PUBLIC[0])
        yield made


CUT = """
table ip cut {
    chain through {
        type filter hook forward priority -10;
        iifname "wan" drop
        oifname "wan" drop
    }
}
"""


def rules(kind: Nat) -> str:
    """What makes a router one of that kind, in the language of nft(8)."""
    ports = "fully-random" if kind is Nat.SYMMETRIC else ""
    udp = "meta l4proto udp drop" if kind is Nat.NO_UDP else ""
    # What nobody has asked for ends in the input chain, before the kernel notes it as a connection: it would
    # occupy the very port that the host inside is about to use for its own half of a hole.
    return f"""
table ip home {{
    chain changed {{
        type nat hook postrouting priority 100;
        oifname "wan" masquerade {ports}
    }}
    chain own {{
        type filter hook input priority 0;
        iifname "wan" ct state new,invalid meta l4proto != icmp drop
    }}
    chain through {{
        type filter hook forward priority 0; policy drop;
        ct state invalid drop
        {udp}
        ct state established,related accept
        ct status dnat accept
        iifname "lan" accept
    }}
}}
"""
