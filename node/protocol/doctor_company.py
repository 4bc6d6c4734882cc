"""Whether there is somebody: the peers to begin with, the DHT, the own mailboxes, and who is connected."""

from __future__ import annotations

from collections.abc import Sequence

from p2pchat.node.protocol.doctor_facts import (
    FAILED,
    HINT,
    OK,
    WARNING,
    Facts,
    count,
    listed,
    no_answer,
    short,
    with_problem,
)
from p2pchat.proto import actors_pb2 as actors

CHOOSE_BOOTSTRAP = (
    "That is enough in a local network; to be found from elsewhere, give --bootstrap an address or the link of a "
    "mailbox."
)
CHECK_BOOTSTRAP = (
    "Look at the addresses of --bootstrap: is the program there running, and its port open? A router may have given "
    "that computer another address."
)
CHECK_INTERNET = (
    "Is this computer on the internet, and does its firewall let programs out? --bootstrap takes the address or "
    "mailbox link of somebody you know as well."
)
GET_A_MAILBOX = (
    "Ask somebody who runs one for a link, and type /mailbox add <link>; or run one of your own, on a computer that is "
    "always on: p2pchat mailbox."
)
CHECK_MAILBOX = "It is tried again by itself; if that lasts, ask its operator, or /mailbox add a newer link of it."
FIND_SOMEBODY = (
    "Is this computer on the network? In a local network others are found by themselves unless it blocks multicast or "
    "--no-mdns is set; else give --bootstrap an address that the other one shows in /info, or the link of a mailbox."
)


# ---- peers to begin with --------------------------------------------------------------------------------


def bootstrap(facts: Facts) -> actors.Check:
    name, node = "bootstrap", facts.node
    if not node.HasField("discovery"):
        return no_answer(name, "discovery")
    found = node.discovery
    wanted, there = found.bootstrap_peers, found.bootstrap_connected
    if not wanted:
        finding = "No peers to begin with are set (--bootstrap none)."
        return actors.Check(name=name, verdict=HINT, finding=finding, advice=CHOOSE_BOOTSTRAP)
    kind = "public libp2p peer" if found.bootstrap_public else "configured peer"
    if not there:
        return _none_there(facts, kind)
    finding = f"Connected to {there:,} of {count(wanted, kind)}"
    if found.bootstrap_public or there >= wanted:
        return actors.Check(name=name, verdict=OK, finding=f"{finding}.")
    finding = f"{finding}{_why(facts, ', not to ')}."
    return actors.Check(name=name, verdict=HINT, finding=finding, advice=CHECK_BOOTSTRAP)


def _none_there(facts: Facts, kind: str) -> actors.Check:
    found, why = facts.node.discovery, _why(facts, ": ")
    finding = f"Connected to none of {count(found.bootstrap_peers, kind)}{why}."
    if found.bootstrap_public:
        return actors.Check(
            name="bootstrap", verdict=WARNING, finding=finding, advice=CHECK_INTERNET
        )
    return actors.Check(name="bootstrap", verdict=FAILED, finding=finding, advice=CHECK_BOOTSTRAP)


def _why(facts: Facts, before: str) -> str:
    """Who is not reached, and why, as far as that is known."""
    chosen = (actors.BOOTSTRAP, actors.USER)
    peers = [each for each in facts.node.transport.unreached if each.source in chosen]
    missing = [with_problem(each.peer, each.problem) for each in peers]
    return before + listed(missing) if missing else ""


# ---- the DHT --------------------------------------------------------------------------------------------


def dht(facts: Facts) -> actors.Check:
    name, node = "dht", facts.node
    if not facts.dht:
        finding = "Switched off (--no-dht): people are found in the local network and by addresses and links only."
        return actors.Check(name=name, verdict=HINT, finding=finding)
    if not node.HasField("dht"):
        return no_answer(name, "DHT")
    found = node.dht
    if not found.table:
        return _empty(facts)
    part = "answers others" if found.server else "asks, and need not answer"
    told = f", where {count(found.topics, 'own room')} can be found" if found.topics else ""
    finding = f"Knows {count(found.table, 'peer')} of the DHT{told}; this node {part}."
    return actors.Check(name=name, verdict=OK, finding=finding)


def _empty(facts: Facts) -> actors.Check:
    """In a local network that is nothing to worry about."""
    verdict = WARNING if facts.node.discovery.bootstrap_peers else HINT
    finding = "Knows nobody of the DHT yet, so people can be looked up only where they have been seen before."
    advice = "It needs one peer that is in it, such as a mailbox: see bootstrap."
    return actors.Check(name="dht", verdict=verdict, finding=finding, advice=advice)


# ---- mailboxes ------------------------------------------------------------------------------------------


def mailboxes(facts: Facts) -> actors.Check:
    """The owner's."""
    name, node = "mailboxes", facts.node
    if not node.HasField("delivery"):
        return no_answer(name, "delivery")
    found = node.delivery.mailboxes
    if not found:
        finding = "You have no mailbox, so direct messages reach you only while you are online."
        return actors.Check(name=name, verdict=HINT, finding=finding, advice=GET_A_MAILBOX)
    failing = [each for each in found if each.problem]
    well = [each for each in found if each.registered and each.connected and not each.problem]
    if failing:
        return _failing(failing, some_work=bool(well))
    waiting = [short(each.peer) for each in found if each not in well]
    if waiting:
        finding = f"Not connected yet: {listed(waiting)}."
        return actors.Check(name=name, verdict=WARNING, finding=finding, advice=CHECK_MAILBOX)
    takes = "takes" if len(well) == 1 else "take"
    finding = f"{count(len(well), 'mailbox')} {takes} your mail."
    return actors.Check(name=name, verdict=OK, finding=finding)


def _failing(failing: Sequence[actors.MailboxStatus], *, some_work: bool) -> actors.Check:
    """While one works, mail is taken."""
    finding = f"Not well: {listed([with_problem(each.peer, each.problem) for each in failing])}."
    verdict = WARNING if some_work else FAILED
    return actors.Check(name="mailboxes", verdict=verdict, finding=finding, advice=CHECK_MAILBOX)


# ---- who is connected -----------------------------------------------------------------------------------


def peers(facts: Facts) -> actors.Check:
    name = "peers"
    if facts.connections is None:
        return no_answer(name, "network")
    if facts.connections:
        return actors.Check(name=name, verdict=OK, finding=_connected(facts.connections))
    if facts.mailbox and not facts.node.discovery.bootstrap_peers:
        finding = "Nobody is connected; that is right as long as nobody uses the mailbox."
        return actors.Check(name=name, verdict=HINT, finding=finding)
    problem = facts.node.discovery.mdns_problem.rstrip(".")
    more = f" ({problem})" if problem else ""
    finding = f"Nobody is connected{more}."
    return actors.Check(name=name, verdict=FAILED, finding=finding, advice=FIND_SOMEBODY)


def _connected(connections: Sequence[actors.Connection]) -> str:
    """`3 peers are connected, 2 of them chat; 1 only through a relay.`"""
    everybody = {each.peer for each in connections}
    direct = {each.peer for each in connections if not each.relayed}
    chatting = {each.peer for each in connections if each.name}
    are = "is" if len(everybody) == 1 else "are"
    finding = f"{count(len(everybody), 'peer')} {are} connected"
    if chatting:
        finding += f", {len(chatting):,} of them with p2pchat"
    if relayed := len(everybody - direct):
        finding += f"; {relayed:,} only through a relay"
    return f"{finding}."
