"""Whether others can come in: where a node listens, its addresses, the router in front of it, its relays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from p2pchat.node.protocol.doctor_facts import (
    EVERYWHERE,
    FAILED,
    HERE,
    HINT,
    OK,
    WARNING,
    Facts,
    count,
    farthest,
    is_circuit,
    is_known_outside,
    is_public_ip,
    listed,
    no_answer,
    range_of,
    short,
    with_problem,
    without_peer,
)
from p2pchat.proto import actors_pb2 as actors

LISTEN_SOMEWHERE = (
    "Leave --listen away. If --listen none is what you want, add a mailbox (/mailbox add <link>), whose relay lets "
    "others in."
)
LISTEN_WIDER = (
    "Is this computer on a network (Wi-Fi off, cable out)? If --listen names an address, leave it away, or give it "
    "/ip4/0.0.0.0/tcp/4001."
)
LET_OTHERS_IN = (
    "Add a mailbox, whose relay lets others in (/mailbox add <link>); or start with --upnp, which asks the router; or "
    "forward a port to this computer in the router, and listen there, e.g. with --listen /ip4/0.0.0.0/tcp/4001."
)
OPEN_THE_PORT = (
    "Open its port, 4001 unless --listen says otherwise, TCP and UDP, in the firewall, and forward it to this computer "
    "in the router (or start with --upnp); --announce says under which name or address others reach it."
)
ASK_SOMEBODY = "Only somebody outside can try it: connect to one, e.g. with --bootstrap and the link of a mailbox."
ASK_LATER = "It is tried again by itself; ask again in some minutes."


# ---- listening and addresses ----------------------------------------------------------------------------


def listening(facts: Facts) -> actors.Check:
    name, node = "listening", facts.node
    if not node.HasField("transport"):
        found = no_answer(name, "network")
        found.verdict = FAILED
        return found
    direct = [address for address in node.addresses if not is_circuit(address)]
    if direct:
        return actors.Check(name=name, verdict=OK, finding=f"Listens on {_ports(direct)}.")
    if node.addresses:
        finding = "Listens nowhere itself; others come in through a relay."
        return actors.Check(name=name, verdict=OK, finding=finding)
    finding = "Listens nowhere, so nobody can connect to it."
    return actors.Check(name=name, verdict=FAILED, finding=finding, advice=LISTEN_SOMEWHERE)


def _ports(addresses: Sequence[str]) -> str:
    """`TCP ports 4001 and 4002, UDP port 4001`."""
    found: dict[str, dict[str, None]] = {}
    for address in addresses:
        for kind, port in pairwise(address.split("/")):
            if kind in ("tcp", "udp"):
                found.setdefault(kind.upper(), {})[port] = None
    shown = ", ".join(
        f"{kind} port{'s' * (len(ports) > 1)} {' and '.join(ports)}"
        for kind, ports in found.items()
    )
    return shown or count(len(addresses), "address")


def addresses(facts: Facts) -> actors.Check:
    """Those that are told to others."""
    name, node = "addresses", facts.node
    if not node.HasField("transport"):
        return no_answer(name, "network")
    circuits = [a for a in node.addresses if is_circuit(a) and range_of(_relay_of(a)) != HERE]
    best = farthest(node.addresses)
    if best and range_of(best) == EVERYWHERE:
        finding = f"Others are told a public address: {without_peer(best)}."
        return actors.Check(name=name, verdict=OK, finding=finding)
    if circuits:
        finding = f"Others are told {count(len(circuits), 'way')} through relays{_seen(node)}."
        return actors.Check(name=name, verdict=OK, finding=finding)
    if not best:
        finding = "There is no address that others could be told."
        return actors.Check(name=name, verdict=HINT, finding=finding)
    where = without_peer(best)
    if range_of(best) == HERE:
        finding = f"Every address is one of this computer alone, such as {where}: no other one can use it."
        return actors.Check(name=name, verdict=WARNING, finding=finding, advice=LISTEN_WIDER)
    finding = f"Others in the local network can use {where}{_seen(node)}."
    return actors.Check(name=name, verdict=HINT, finding=finding, advice=_wider(facts))


def _relay_of(circuit: str) -> str:
    """Where the relay itself is."""
    return circuit.partition("/p2p/")[0]


def _seen(node: actors.NodeDescription) -> str:
    """Where this computer is on the internet."""
    seen = [ip for ip in node.reachability.observed if is_public_ip(ip)]
    return f"; on the internet this computer is seen as {listed(seen)}" if seen else ""


def _wider(facts: Facts) -> str:
    if facts.mailbox:
        return (
            "For people elsewhere: --announce with the name or address under which they reach it."
        )
    return "For people elsewhere: see nat and relays here."


# ---- the router -----------------------------------------------------------------------------------------


def nat(facts: Facts) -> actors.Check:
    node = facts.node
    if not node.HasField("reachability"):
        finding = "Whether others can connect to this computer is not known."
        return actors.Check(name="nat", verdict=HINT, finding=finding, advice=ASK_LATER)
    match node.reachability.reachability:
        case actors.PUBLIC:
            found = _public(facts)
        case actors.PRIVATE:
            found = _private(facts)
        case _:
            found = _not_known(facts)
    found.advice = (found.advice + _upnp(facts)).strip()
    return found


def _public(facts: Facts) -> actors.Check:
    found = facts.node.reachability
    if not is_known_outside(facts.node):
        here = "mailbox" if facts.mailbox else "computer"
        finding = (
            f"Others in the same network can connect to this {here} directly; whether people outside can is not known: "
            "nobody outside could be asked."
        )
        return actors.Check(name="nat", verdict=HINT, finding=finding, advice=ASK_SOMEBODY)
    by = f"; the router lets them in at {found.mapped[0]}" if found.mapped else ""
    finding = f"Others can connect to this computer directly{by}."
    return actors.Check(name="nat", verdict=OK, finding=finding)


def _private(facts: Facts) -> actors.Check:
    if facts.mailbox:
        finding = (
            "This mailbox is behind a router or firewall: people outside cannot connect to it."
        )
        return actors.Check(name="nat", verdict=FAILED, finding=finding, advice=OPEN_THE_PORT)
    if facts.held:
        finding = f"Behind a router; others reach you through {_relays(facts.held)}."
        return actors.Check(name="nat", verdict=OK, finding=finding)
    finding = "Behind a router or firewall, and nobody outside can connect to this computer."
    return actors.Check(name="nat", verdict=FAILED, finding=finding, advice=LET_OTHERS_IN)


def _upnp(facts: Facts) -> str:
    """Why the router was no help."""
    problem = facts.node.reachability.upnp_problem
    return f" (UPnP did not help: {problem.rstrip('.')}.)" if problem else ""


def _not_known(facts: Facts) -> actors.Check:
    found = facts.node.reachability
    if facts.held:
        finding = f"Others reach you through {_relays(facts.held)}; whether they can directly is not known yet."
        return actors.Check(name="nat", verdict=OK, finding=finding)
    if found.yes or found.no:
        answers = f"{found.yes:,} could, {found.no:,} could not"
        finding = (
            f"Not known yet whether others can connect to this computer: of those asked, {answers}."
        )
        return actors.Check(name="nat", verdict=HINT, finding=finding, advice=ASK_LATER)
    finding = "Nobody could be asked yet whether others can connect to this computer."
    advice = ASK_SOMEBODY if facts.is_alone else ASK_LATER
    return actors.Check(name="nat", verdict=HINT, finding=finding, advice=advice)


# ---- relays ---------------------------------------------------------------------------------------------


def relays(facts: Facts) -> actors.Check:
    name, found = "relays", facts.node.reachability
    if not facts.node.HasField("reachability"):
        return actors.Check(name=name, verdict=HINT, finding="Which relays are used is not known.")
    if facts.mailbox:
        carries = "Carries" if found.relays else "Does not carry"
        finding = f"{carries} connections for those who cannot be reached."
        return actors.Check(name=name, verdict=OK, finding=finding)
    if facts.held:
        return _some_held(facts)
    if not found.wants_relays:
        public = found.reachability == actors.PUBLIC and is_known_outside(facts.node)
        finding = "None is needed." if public else "None is used."
        if found.relays:
            finding += " This node is one for others."
        return actors.Check(name=name, verdict=OK, finding=finding)
    return _none_held(found)


def _some_held(facts: Facts) -> actors.Check:
    others = [each for each in facts.node.reachability.reservations if not each.held]
    finding = f"Others can come in through {_relays(facts.held)}"
    refused = [with_problem(each.relay, each.problem) for each in others if each.problem]
    if refused:
        finding += f"; not through {listed(refused)}"
    return actors.Check(name="relays", verdict=OK, finding=f"{finding}.")


def _none_held(found: actors.ReachabilityDescription) -> actors.Check:
    verdict = FAILED if found.reachability == actors.PRIVATE else HINT
    tried = [with_problem(each.relay, each.problem) for each in found.reservations]
    if tried:
        finding = f"No relay lets others in yet; tried: {listed(tried)}."
        advice = "It is tried again by itself; a mailbox (/mailbox add <link>) is a relay as well."
    else:
        finding = "No relay is known that would let others in."
        advice = "A mailbox is one: /mailbox add <link>, or --bootstrap with the link of a mailbox."
    return actors.Check(name="relays", verdict=verdict, finding=finding, advice=advice)


def _relays(held: Sequence[actors.Reservation]) -> str:
    """`1 relay (…a1B2c3)`."""
    return f"{count(len(held), 'relay')} ({listed([short(each.relay) for each in held])})"
