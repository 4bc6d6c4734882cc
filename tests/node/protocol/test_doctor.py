"""Every finding of the doctor: verdict, words and advice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pchat.node.protocol import doctor
from p2pchat.node.protocol.doctor_facts import FAILED, HINT, OK, WARNING, Facts, size, time_span
from p2pchat.proto import actors_pb2 as actors

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
END = "…dBfeSB"
OTHER = "12D3KooWQXRL37LdcJFwV2ueaDNN7H2FUAPJh9aJRij89VSxZBa1"
LAN = "/ip4/192.168.1.7/tcp/4711/p2p/me"
PUBLIC = "/ip4/9.9.9.9/tcp/4001/p2p/me"
LOOPBACK = "/ip4/127.0.0.1/tcp/4711/p2p/me"
CIRCUIT = f"/ip4/9.9.9.9/tcp/4001/p2p/{PEER}/p2p-circuit/p2p/me"
GIB = 1 << 30


def node_of(**parts: object) -> actors.NodeDescription:
    """A node whose every part answers, with nothing in it, except for `parts`."""
    node = actors.NodeDescription()
    for name in ("store", "transport", "discovery", "delivery", "reachability", "dht"):
        getattr(node, name).SetInParent()
    for name, part in parts.items():
        if part is None:
            node.ClearField(name)
        elif isinstance(part, list):
            getattr(node, name).extend(part)
        else:
            getattr(node, name).CopyFrom(part)
    return node


def found(
    name: str,
    node: actors.NodeDescription,
    *,
    connections: Sequence[actors.Connection] | None = (),
    mailbox: bool = False,
    dht: bool = True,
) -> tuple[actors.Check.Verdict, str, str]:
    facts = Facts(node, connections, mailbox=mailbox, dht=dht)
    (check,) = [each for each in doctor.diagnose(facts).checks if each.name == name]
    return check.verdict, check.finding, check.advice


def reach(state: actors.Reachability, **more: object) -> actors.ReachabilityDescription:
    return actors.ReachabilityDescription(reachability=state, **more)  # type: ignore[arg-type]


def held(relay: str = PEER) -> actors.Reservation:
    return actors.Reservation(relay=relay, held=True, connected=True)


# ---- all of it ------------------------------------------------------------------------------------------

NAMES = [
    "listening",
    "addresses",
    "nat",
    "bootstrap",
    "dht",
    "relays",
    "mailboxes",
    "clock",
    "disk",
    "peers",
]


@pytest.mark.parametrize("node", [actors.NodeDescription(), node_of()])
@pytest.mark.parametrize("connections", [None, []])
@pytest.mark.parametrize("mailbox", [False, True])
def test_whatever_is_not_known_every_check_is_a_sentence(
    node: actors.NodeDescription, connections: list[actors.Connection] | None, mailbox: bool
) -> None:
    checks = doctor.diagnose(Facts(node, connections, mailbox=mailbox)).checks
    expected = [name for name in NAMES if not (mailbox and name == "mailboxes")]
    assert [check.name for check in checks] == expected
    for check in checks:
        assert check.finding.endswith(".")
        assert check.finding[0].isupper() or check.finding[0].isdigit()
        assert check.verdict in (OK, HINT) or check.advice
        assert not check.advice or check.advice.endswith((".", ".)", "here", "?"))


def test_a_node_that_is_well() -> None:
    node = node_of(
        addresses=[PUBLIC],
        store=actors.StoreDescription(path="/data/store", size_bytes=1, free_bytes=5 * GIB),
        transport=actors.TransportDescription(clock_ms=20, clocks=2),
        discovery=actors.DiscoveryDescription(bootstrap_peers=1, bootstrap_connected=1),
        delivery=actors.DeliveryDescription(
            mailboxes=[actors.MailboxStatus(peer=PEER, registered=True, connected=True)]
        ),
        reachability=reach(actors.PUBLIC, observed=["9.9.9.9"]),
        dht=actors.DhtDescription(table=3, server=True),
    )
    facts = Facts(node, [actors.Connection(peer=PEER)])
    diagnosis = doctor.diagnose(facts)
    assert {check.verdict for check in diagnosis.checks} == {OK}
    assert not any(check.advice for check in diagnosis.checks)
    assert doctor.is_well(diagnosis.checks)
    assert doctor.is_settled(facts, diagnosis)


def test_only_what_failed_is_not_well() -> None:
    checks = [actors.Check(verdict=verdict) for verdict in (OK, HINT, WARNING)]
    assert doctor.is_well(checks)
    assert not doctor.is_well([*checks, actors.Check(verdict=FAILED)])


@pytest.mark.parametrize(
    ("state", "verdict", "settled"),
    [
        (None, OK, True),
        (actors.UNKNOWN, OK, False),
        (actors.PUBLIC, OK, True),
        (actors.PRIVATE, WARNING, True),
        (actors.PRIVATE, FAILED, False),
    ],
)
def test_when_waiting_promises_nothing_better(
    state: actors.Reachability | None, verdict: actors.Check.Verdict, settled: bool
) -> None:
    node = node_of(reachability=None if state is None else reach(state))
    diagnosis = actors.Diagnosis(checks=[actors.Check(verdict=verdict)])
    assert doctor.is_settled(Facts(node, [actors.Connection()]), diagnosis) == settled


@pytest.mark.parametrize(
    ("parts", "settled"),
    [
        ({}, True),
        ({"discovery": actors.DiscoveryDescription(mdns=True)}, False),
        ({"discovery": actors.DiscoveryDescription(bootstrap_peers=1)}, False),
        ({"transport": actors.TransportDescription(known_peers=1)}, False),
        ({"discovery": None}, False),
        ({"transport": None}, False),
    ],
)
def test_nobody_waits_where_nobody_is_looked_for(parts: dict[str, object], settled: bool) -> None:
    failed = actors.Diagnosis(checks=[actors.Check(verdict=FAILED)])
    assert doctor.is_settled(Facts(node_of(**parts), []), failed) == settled


# ---- listening and addresses ----------------------------------------------------------------------------


def test_a_node_without_network_part_has_failed_to_listen() -> None:
    verdict, finding, advice = found("listening", node_of(transport=None))
    assert (verdict, finding) == (
        FAILED,
        "Not known: the network part of the program does not answer.",
    )
    assert "p2pchat.log" in advice


@pytest.mark.parametrize(
    ("addresses", "verdict", "finding"),
    [
        ([LAN], OK, "Listens on TCP port 4711."),
        (
            [LAN, "/ip6/::1/tcp/4712", "/ip4/9.9.9.9/udp/4001/quic-v1", CIRCUIT],
            OK,
            "Listens on TCP ports 4711 and 4712, UDP port 4001.",
        ),
        (["/memory/1"], OK, "Listens on 1 address."),
        (["/memory/1", "/memory/2"], OK, "Listens on 2 addresses."),
        ([CIRCUIT], OK, "Listens nowhere itself; others come in through a relay."),
        ([], FAILED, "Listens nowhere, so nobody can connect to it."),
    ],
)
def test_listening(addresses: list[str], verdict: int, finding: str) -> None:
    assert found("listening", node_of(addresses=addresses))[:2] == (verdict, finding)


@pytest.mark.parametrize(
    ("addresses", "verdict", "finding", "advice"),
    [
        ([LAN, PUBLIC], OK, "Others are told a public address: /ip4/9.9.9.9/tcp/4001.", ""),
        (
            ["/dns4/me.example/tcp/1"],
            OK,
            "Others are told a public address: /dns4/me.example/tcp/1.",
            "",
        ),
        (
            [LAN, CIRCUIT, CIRCUIT],
            OK,
            "Others are told 2 ways through relays; on the internet this computer is seen as 9.9.9.9.",
            "",
        ),
        ([CIRCUIT], OK, "Others are told 1 way through relays; on the internet", ""),
        # A relay on this very computer is of use to nobody else.
        (
            ["/ip4/127.0.0.1/tcp/4711", CIRCUIT.replace("9.9.9.9", "127.0.0.1")],
            WARNING,
            "Every address is one of this computer alone",
            "on a network",
        ),
        (
            [LOOPBACK, LAN],
            HINT,
            "Others in the local network can use /ip4/192.168.1.7/tcp/4711; on the internet",
            "see nat",
        ),
        (
            [LOOPBACK],
            WARNING,
            "Every address is one of this computer alone, such as /ip4/127.0.0.1/tcp/4711",
            "--listen",
        ),
        (["/memory/1"], WARNING, "Every address is one of this computer alone", "--listen"),
        (["/ip4/nonsense/tcp/1"], WARNING, "Every address is one of this computer", "--listen"),
        ([], HINT, "There is no address", ""),
    ],
)
def test_addresses(addresses: list[str], verdict: int, finding: str, advice: str) -> None:
    seen = ["9.9.9.9", "127.0.0.1", "10.0.0.1", "nonsense"]  # and only one of it on the internet
    node = node_of(addresses=addresses, reachability=reach(actors.UNKNOWN, observed=seen))
    got = found("addresses", node)
    assert got[0] == verdict
    assert got[1].startswith(finding)
    assert advice in got[2]
    assert bool(advice) == bool(got[2])


def test_a_mailbox_in_a_local_network_is_told_how_it_gets_out_of_it() -> None:
    assert "--announce" in found("addresses", node_of(addresses=[LAN]), mailbox=True)[2]


# ---- the router -----------------------------------------------------------------------------------------

NEARBY = (
    "Others in the same network can connect to this {} directly; whether people outside can is not known: "
    "nobody outside could be asked."
)


@pytest.mark.parametrize(
    ("state", "verdict", "finding", "advice"),
    [
        (None, HINT, "Whether others can connect to this computer is not known.", "tried again"),
        (
            reach(actors.PUBLIC, observed=["192.168.1.7", "9.9.9.9"]),
            OK,
            "Others can connect to this computer directly.",
            "",
        ),
        (
            reach(actors.PUBLIC, observed=["192.168.1.7"]),
            HINT,
            NEARBY.format("computer"),
            "outside",
        ),
        (reach(actors.PUBLIC, observed=["127.0.0.1"]), HINT, NEARBY.format("computer"), "outside"),
        (
            reach(actors.PUBLIC, observed=["10.0.0.7"], mapped=["/ip4/192.168.1.7/tcp/1"]),
            HINT,
            NEARBY.format("computer"),
            "outside",
        ),
        (
            reach(actors.PUBLIC, mapped=["/ip4/9.9.9.9/tcp/1"]),
            OK,
            "Others can connect to this computer directly; the router lets them in at /ip4/9.9.9.9/tcp/1.",
            "",
        ),
        (
            reach(actors.PRIVATE, reservations=[held()]),
            OK,
            f"Behind a router; others reach you through 1 relay ({END}).",
            "",
        ),
        (
            reach(actors.PRIVATE, reservations=[held(), held(OTHER)]),
            OK,
            f"Behind a router; others reach you through 2 relays ({END}, …SxZBa1).",
            "",
        ),
        (
            reach(actors.PRIVATE, reservations=[actors.Reservation(relay=PEER)]),
            FAILED,
            "Behind a router or firewall, and nobody outside can connect to this computer.",
            "/mailbox add",
        ),
        (
            reach(actors.PRIVATE, upnp=True, upnp_problem="No router answers."),
            FAILED,
            "Behind a router or firewall, and nobody outside can connect to this computer.",
            "(UPnP did not help: No router answers.)",
        ),
        (
            reach(actors.UNKNOWN, reservations=[held()]),
            OK,
            f"Others reach you through 1 relay ({END}); whether they can directly is not known yet.",
            "",
        ),
        (
            reach(actors.UNKNOWN, yes=1, no=2),
            HINT,
            "Not known yet whether others can connect to this computer: of those asked, 1 could, 2 could not.",
            "ask again",
        ),
        (
            reach(actors.UNKNOWN),
            HINT,
            "Nobody could be asked yet whether others can connect to this computer.",
            "connect to one",
        ),
    ],
)
def test_nat(
    state: actors.ReachabilityDescription | None, verdict: int, finding: str, advice: str
) -> None:
    got = found("nat", node_of(reachability=state))
    assert got[:2] == (verdict, finding)
    assert advice in got[2]
    assert bool(advice) == bool(got[2])


def test_behind_a_router_every_way_out_is_named() -> None:
    _, _, advice = found("nat", node_of(reachability=reach(actors.PRIVATE)))
    for remedy in ("/mailbox add", "--upnp", "forward a port", "--listen /ip4/0.0.0.0/tcp/4001"):
        assert remedy in advice


def test_in_company_it_is_a_matter_of_time_until_it_is_known() -> None:
    node = node_of(reachability=reach(actors.UNKNOWN))
    _, _, advice = found("nat", node, connections=[actors.Connection(peer=PEER)])
    assert "tried again by itself" in advice


def test_a_mailbox_behind_a_router_has_failed_whatever_relays_it_has() -> None:
    node = node_of(reachability=reach(actors.PRIVATE, reservations=[held()]))
    verdict, finding, advice = found("nat", node, mailbox=True)
    assert verdict == FAILED
    assert finding.startswith("This mailbox is behind a router or firewall")
    assert "--announce" in advice


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["/ip4/127.0.0.1/tcp/4711", LAN, CIRCUIT, "/ip6/2a00::7/tcp/4711/p2p/me"], HINT),
        ([LAN, PUBLIC], OK),
        ([LAN, "/dns4/box.example/tcp/4001/p2p/me"], OK),
    ],
)
def test_a_mailbox_that_only_neighbours_have_tried(told: list[str], expected: int) -> None:
    """What it announces may lead there from outside."""
    node = node_of(addresses=told, reachability=reach(actors.PUBLIC, observed=["192.168.1.7"]))
    verdict, finding, _ = found("nat", node, mailbox=True)
    assert (verdict, finding == NEARBY.format("mailbox")) == (expected, expected == HINT)


# ---- relays ---------------------------------------------------------------------------------------------

REFUSED = actors.Reservation(relay=OTHER, connected=True, problem="It is full.")


@pytest.mark.parametrize(
    ("state", "verdict", "finding"),
    [
        (None, HINT, "Which relays are used is not known."),
        (reach(actors.PUBLIC, observed=["9.9.9.9"]), OK, "None is needed."),
        (
            reach(actors.PUBLIC, observed=["9.9.9.9"], relays=True),
            OK,
            "None is needed. This node is one for others.",
        ),
        (reach(actors.PUBLIC, observed=["192.168.1.7"]), OK, "None is used."),
        (reach(actors.UNKNOWN), OK, "None is used."),
        (
            reach(actors.PRIVATE, wants_relays=True, reservations=[held()]),
            OK,
            f"Others can come in through 1 relay ({END}).",
        ),
        (
            reach(actors.PRIVATE, wants_relays=True, reservations=[held(), REFUSED]),
            OK,
            f"Others can come in through 1 relay ({END}); not through …SxZBa1 (It is full).",
        ),
        (
            reach(actors.PRIVATE, wants_relays=True, reservations=[REFUSED]),
            FAILED,
            "No relay lets others in yet; tried: …SxZBa1 (It is full).",
        ),
        (
            reach(actors.PRIVATE, wants_relays=True),
            FAILED,
            "No relay is known that would let others in.",
        ),
        (
            reach(actors.UNKNOWN, wants_relays=True),
            HINT,
            "No relay is known that would let others in.",
        ),
    ],
)
def test_relays(state: actors.ReachabilityDescription | None, verdict: int, finding: str) -> None:
    got = found("relays", node_of(reachability=state))
    assert got[:2] == (verdict, finding)
    assert ("mailbox" in got[2]) == finding.startswith("No relay")


@pytest.mark.parametrize(("relays", "word"), [(True, "Carries"), (False, "Does not carry")])
def test_relays_of_a_mailbox(relays: bool, word: str) -> None:
    node = node_of(reachability=reach(actors.PUBLIC, relays=relays))
    verdict, finding, _ = found("relays", node, mailbox=True)
    assert (verdict, finding.startswith(word)) == (OK, True)


# ---- peers to begin with --------------------------------------------------------------------------------


def bootstrapped(
    wanted: int, there: int, *, public: bool = False, source: actors.Source = actors.USER
) -> actors.NodeDescription:
    missing = [
        actors.RememberedPeer(peer=PEER, source=source, problem="connection refused."),
        actors.RememberedPeer(peer=OTHER, source=actors.CONTACT, problem="asleep"),
    ]
    return node_of(
        transport=actors.TransportDescription(unreached=missing),
        discovery=actors.DiscoveryDescription(
            bootstrap_peers=wanted, bootstrap_connected=there, bootstrap_public=public
        ),
    )


WHY = f"{END} (connection refused)"


@pytest.mark.parametrize(
    ("node", "verdict", "finding", "advice"),
    [
        (node_of(discovery=None), HINT, "Not known: the discovery part", "Ask again"),
        (bootstrapped(0, 0), HINT, "No peers to begin with are set (--bootstrap none).", "link"),
        (bootstrapped(2, 2), OK, "Connected to 2 of 2 configured peers.", ""),
        (
            bootstrapped(2, 1),
            HINT,
            f"Connected to 1 of 2 configured peers, not to {WHY}.",
            "--bootstrap",
        ),
        (
            bootstrapped(1, 0),
            FAILED,
            f"Connected to none of 1 configured peer: {WHY}.",
            "--bootstrap",
        ),
        (
            bootstrapped(2, 0, source=actors.BOOTSTRAP),
            FAILED,
            f"Connected to none of 2 configured peers: {WHY}.",
            "--bootstrap",
        ),
        (
            bootstrapped(2, 0, source=actors.MDNS),
            FAILED,
            "Connected to none of 2 configured peers.",
            "--bootstrap",
        ),
        (
            bootstrapped(5, 0, public=True),
            WARNING,
            f"Connected to none of 5 public libp2p peers: {WHY}.",
            "on the internet",
        ),
        (
            bootstrapped(5, 1, public=True),
            OK,
            "Connected to 1 of 5 public libp2p peers.",
            "",
        ),
    ],
)
def test_bootstrap(node: actors.NodeDescription, verdict: int, finding: str, advice: str) -> None:
    got = found("bootstrap", node)
    assert got[0] == verdict
    assert got[1].startswith(finding)
    assert advice in got[2]
    assert bool(advice) == bool(got[2])


def test_of_many_peers_that_are_not_reached_some_are_named() -> None:
    node = bootstrapped(9, 0)
    node.transport.unreached.extend(
        actors.RememberedPeer(peer=PEER, source=actors.USER) for _ in range(5)
    )
    finding = found("bootstrap", node)[1]
    assert finding.endswith(f": {WHY}, {END}, {END} and 3 more.")


# ---- the DHT --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "wanted", "verdict", "finding"),
    [
        (None, 1, HINT, "Not known: the DHT part"),
        (actors.DhtDescription(), 1, WARNING, "Knows nobody of the DHT yet"),
        (actors.DhtDescription(server=True), 0, HINT, "Knows nobody of the DHT yet"),
        (
            actors.DhtDescription(table=1),
            1,
            OK,
            "Knows 1 peer of the DHT; this node asks, and need not answer.",
        ),
        (
            actors.DhtDescription(table=12, server=True, topics=2),
            1,
            OK,
            "Knows 12 peers of the DHT, where 2 own rooms can be found; this node answers others.",
        ),
    ],
)
def test_dht(
    description: actors.DhtDescription | None, wanted: int, verdict: int, finding: str
) -> None:
    discovery = actors.DiscoveryDescription(bootstrap_peers=wanted)
    got = found("dht", node_of(dht=description, discovery=discovery))
    assert got[0] == verdict
    assert got[1].startswith(finding)
    assert bool(got[2]) == (verdict != OK)


def test_a_dht_that_is_switched_off_is_a_choice() -> None:
    verdict, finding, advice = found("dht", node_of(dht=None), dht=False)
    assert (verdict, advice) == (HINT, "")
    assert finding.startswith("Switched off (--no-dht)")


# ---- mailboxes ------------------------------------------------------------------------------------------

WELL = actors.MailboxStatus(peer=OTHER, registered=True, connected=True)
REFUSES = actors.MailboxStatus(peer=PEER, connected=True, problem="It wants an invite.")
AWAY = actors.MailboxStatus(peer=PEER, registered=True, problem="It cannot be reached: timeout")
COMING = actors.MailboxStatus(peer=PEER, registered=True)
UNREGISTERED = actors.MailboxStatus(peer=PEER, connected=True)


@pytest.mark.parametrize(
    ("mailboxes", "verdict", "finding"),
    [
        ([], HINT, "You have no mailbox, so direct messages reach you only while you are online."),
        ([WELL], OK, "1 mailbox takes your mail."),
        ([WELL, WELL], OK, "2 mailboxes take your mail."),
        ([REFUSES], FAILED, f"Not well: {END} (It wants an invite)."),
        ([AWAY], FAILED, f"Not well: {END} (It cannot be reached: timeout)."),
        ([WELL, AWAY], WARNING, f"Not well: {END} (It cannot be reached: timeout)."),
        ([COMING, REFUSES], FAILED, f"Not well: {END} (It wants an invite)."),
        ([WELL, COMING], WARNING, f"Not connected yet: {END}."),
        ([UNREGISTERED], WARNING, f"Not connected yet: {END}."),
    ],
)
def test_mailboxes(mailboxes: list[actors.MailboxStatus], verdict: int, finding: str) -> None:
    node = node_of(delivery=actors.DeliveryDescription(mailboxes=mailboxes))
    got = found("mailboxes", node)
    assert got[:2] == (verdict, finding)
    assert bool(got[2]) == (verdict != OK)


def test_mailboxes_of_a_node_without_delivery() -> None:
    assert found("mailboxes", node_of(delivery=None))[0] == HINT


# ---- clock and disk -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock_ms", "clocks", "verdict", "finding"),
    [
        (0, 3, OK, "This computer's clock agrees with those of 3 peers (0 ms off)."),
        (-30_000, 1, OK, "This computer's clock agrees with a peer's (30 s off)."),
        (30_001, 2, WARNING, "This computer's clock is 30 s behind those of 2 peers."),
        (-600_000, 2, WARNING, "This computer's clock is 10 min ahead of those of 2 peers."),
        (600_001, 2, FAILED, "This computer's clock is 10 min behind those of 2 peers."),
        (-3 * 86_400_000, 1, FAILED, "This computer's clock is 3 d ahead of a peer's."),
    ],
)
def test_clock(clock_ms: int, clocks: int, verdict: int, finding: str) -> None:
    node = node_of(transport=actors.TransportDescription(clock_ms=clock_ms, clocks=clocks))
    got = found("clock", node)
    assert got[:2] == (verdict, finding)
    assert ("network time" in got[2]) == (verdict != OK)


def test_a_clock_that_nobody_can_be_asked_about() -> None:
    assert found("clock", node_of())[0] == HINT
    assert found("clock", node_of(transport=None))[0] == HINT


@pytest.mark.parametrize(
    ("free", "verdict", "finding"),
    [
        (5 * GIB, OK, "5.0 GiB are free on the disk of /data/store."),
        (GIB, OK, "1.0 GiB are free on the disk of /data/store."),
        (GIB - 1, WARNING, "Only 1,024.0 MiB are free on the disk of /data/store."),
        (100 << 20, WARNING, "Only 100.0 MiB are free on the disk of /data/store."),
        ((100 << 20) - 1, FAILED, "Only 100.0 MiB are free on the disk of /data/store."),
        (0, FAILED, "Only 0 bytes are free on the disk of /data/store."),
    ],
)
def test_disk(free: int, verdict: int, finding: str) -> None:
    store = actors.StoreDescription(path="/data/store", size_bytes=1, free_bytes=free)
    got = found("disk", node_of(store=store))
    assert got[:2] == (verdict, finding)
    assert bool(got[2]) == (verdict != OK)


def test_a_store_in_memory_and_one_that_does_not_answer() -> None:
    assert found("disk", node_of())[0] == OK
    assert found("disk", node_of(store=None))[0] == HINT


# ---- who is connected -----------------------------------------------------------------------------------


def test_who_is_connected_is_counted_once() -> None:
    connections = [
        actors.Connection(peer="a", name="Ann", relayed=True),
        actors.Connection(peer="a", name="Ann"),
        actors.Connection(peer="b", name="Bob", relayed=True),
        actors.Connection(peer="c"),
    ]
    assert found("peers", node_of(), connections=connections) == (
        OK,
        "3 peers are connected, 2 of them with p2pchat; 1 only through a relay.",
        "",
    )
    assert found("peers", node_of(), connections=connections[3:])[1] == "1 peer is connected."


def test_nobody_is_connected() -> None:
    verdict, finding, advice = found("peers", node_of())
    assert (verdict, finding) == (FAILED, "Nobody is connected.")
    assert "--bootstrap" in advice
    problem = actors.DiscoveryDescription(mdns_problem="There is no network.")
    assert found("peers", node_of(discovery=problem))[1] == (
        "Nobody is connected (There is no network)."
    )
    assert found("peers", node_of(), connections=None)[0] == HINT


@pytest.mark.parametrize(("wanted", "verdict"), [(0, HINT), (1, FAILED)])
def test_a_mailbox_that_nobody_uses_may_be_alone(wanted: int, verdict: int) -> None:
    node = node_of(discovery=actors.DiscoveryDescription(bootstrap_peers=wanted))
    assert found("peers", node, mailbox=True)[0] == verdict


# ---- words ----------------------------------------------------------------------------------------------


def test_sizes_and_times() -> None:
    assert [size(n) for n in (0, 1023, 1024, 3 << 40)] == [
        "0 bytes",
        "1,023 bytes",
        "1.0 KiB",
        "3.0 TiB",
    ]
    assert [time_span(n) for n in (999, 119_000, 120_000, 7_200_000, 172_800_000)] == [
        "999 ms",
        "119 s",
        "2 min",
        "2 h",
        "2 d",
    ]
