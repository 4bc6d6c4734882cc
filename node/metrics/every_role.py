"""What nodes and mailboxes export alike: the process, its actors, network, DHT, sync and stores."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping

from p2pchat.node.metrics import vocabulary
from p2pchat.node.protocol.metric_families import Gathering, counter, gauge, histogram, known
from p2pchat.node.protocol.process_use import ProcessUse
from p2pchat.node.version import program_version
from p2pchat.proto import actors_pb2 as actors

BUILD = gauge(
    "p2pchat_build_info",
    "Always 1; its labels say what runs.",
    *("version", "role", "python"),
)
UPTIME = gauge("p2pchat_uptime_seconds", "Since the node or mailbox was ready to be asked.")
TASKS = gauge("p2pchat_tasks", "Tasks of trio that live in the process.")

RSS = gauge("process_resident_memory_bytes", "Memory that the process holds.")
CPU = counter("process_cpu_seconds_total", "Processor time, of the user and of the system.")
FDS = gauge("process_open_fds", "Open file descriptors.")
MAX_FDS = gauge("process_max_fds", "How many file descriptors may be open.")
THREADS = gauge("process_threads", "Threads of the operating system.")
STARTED = gauge("process_start_time_seconds", "When the process began, in Unix time.")
PROCESS = (RSS, CPU, FDS, MAX_FDS, THREADS, STARTED)

ACTOR_UP = gauge("p2pchat_actor_up", "1 while the actor runs, 0 while it (re)starts.", "actor")
ACTOR_QUEUE = gauge("p2pchat_actor_queue_messages", "Messages that wait for the actor.", "actor")
ACTOR_HANDLED = counter("p2pchat_actor_handled_total", "Messages that it has handled.", "actor")
ACTOR_RESTARTS = counter("p2pchat_actor_restarts_total", "Times that it was restarted.", "actor")
ACTOR_DROPS = counter(
    "p2pchat_actor_dropped_total", "Messages dropped because its queue was full.", "actor"
)
ACTOR_STALLS = counter(
    "p2pchat_actor_stalls_total", "Times that the watchdog found it stuck.", "actor"
)

CONNECTIONS = gauge(
    "p2pchat_connections", "Live connections to peers.", *("transport", "direction", "way")
)
KNOWN_PEERS = gauge("p2pchat_known_peers", "Peers whose addresses are remembered.")
DIALS = gauge("p2pchat_dials", "Attempts to connect that are under way.")
NETWORK_EVENTS = counter(
    "p2pchat_network_events_total", "What was refused, reset or dropped, by what.", "what"
)
CLOCK = gauge(
    "p2pchat_clock_ahead_of_peers_seconds",
    "How far this clock is ahead of the peers' (their median); negative: behind.",
)

REACHABILITY = gauge("p2pchat_reachability", "1 for what others say of this process.", "state")
HELD = gauge("p2pchat_reservations_held", "Places at relays through which it can be reached.")
PUNCHES = counter(
    "p2pchat_hole_punches_total", "Attempts to make a relayed connection direct.", "result"
)
REACHABILITY_EVENTS = counter(
    "p2pchat_reachability_events_total", "Questions and answers about being reached.", "what"
)

DHT_TABLE = gauge("p2pchat_dht_table_peers", "Peers in the routing table.")
DHT_SERVER = gauge("p2pchat_dht_server", "1 while it answers others in the DHT.")
DHT_RECORDS = gauge("p2pchat_dht_records", "Records kept for others.", "kind")
DHT_REFRESHED = gauge(
    "p2pchat_dht_refreshed_timestamp_seconds",
    "Last look-up of itself that found anybody, in Unix time; 0: never.",
)
DHT_EVENTS = counter("p2pchat_dht_events_total", "Questions and answers in the DHT.", "what")

SYNC_BYTES = counter("p2pchat_sync_bytes_total", "Bytes of room sync.", "direction")
SYNC_MESSAGES = counter(
    "p2pchat_sync_messages_total", "Missed messages fetched (in) and given (out).", "direction"
)
SYNC_EVENTS = counter("p2pchat_sync_events_total", "Sessions of room sync and their ends.", "what")

STORE_SIZE = gauge("p2pchat_store_size_bytes", "What the store takes on the disk.", "store")
STORE_FREE = gauge("p2pchat_store_free_bytes", "What its disk still has for this user.", "store")
STORE_MESSAGES = gauge("p2pchat_store_messages", "Messages or envelopes in it.", "store")
STORE_COMMITS = histogram(
    "p2pchat_store_commit_seconds", "A synced write that many may share.", "store"
)

RELAY_BYTES = counter("p2pchat_relay_bytes_total", "Bytes carried between others.")
RELAY_CIRCUITS = counter(
    "p2pchat_relay_circuits_opened_total", "Connections carried between others."
)
RELAY_EVENTS = counter(
    "p2pchat_relay_events_total", "What the relay did not carry, by what.", "what"
)

# In all roles; what a part that is switched off or down would say is left out.
METRICS = (
    *(BUILD, UPTIME, TASKS, *PROCESS),
    *(ACTOR_UP, ACTOR_QUEUE, ACTOR_HANDLED, ACTOR_RESTARTS, ACTOR_DROPS, ACTOR_STALLS),
    *(CONNECTIONS, KNOWN_PEERS, DIALS, NETWORK_EVENTS, CLOCK),
    *(REACHABILITY, HELD, PUNCHES, REACHABILITY_EVENTS),
    *(DHT_TABLE, DHT_SERVER, DHT_RECORDS, DHT_REFRESHED, DHT_EVENTS),
    *(SYNC_BYTES, SYNC_MESSAGES, SYNC_EVENTS),
    *(STORE_SIZE, STORE_FREE, STORE_MESSAGES, STORE_COMMITS),
    *(RELAY_BYTES, RELAY_CIRCUITS, RELAY_EVENTS),
)

STATES = {actors.PUBLIC: "public", actors.PRIVATE: "private", actors.UNKNOWN: "unknown"}


def put_build(out: Gathering, role: str) -> None:
    """`role` is "node" or "mailbox"."""
    out.put(BUILD, 1, version=program_version(), role=role, python=platform.python_version())


def put_process(out: Gathering, use: ProcessUse) -> None:
    out.put(RSS, use.resident_bytes)
    out.put(CPU, use.cpu_seconds)
    out.put(THREADS, use.threads)
    out.put(STARTED, use.started_at)
    if use.open_fds is not None:
        out.put(FDS, use.open_fds)
    if use.max_fds is not None:
        out.put(MAX_FDS, use.max_fds)


def put_actors(out: Gathering, all_of_them: Iterable[actors.ActorStatus]) -> None:
    for each in all_of_them:
        if each.name not in vocabulary.ACTORS:
            continue
        out.put(ACTOR_UP, each.state == vocabulary.ACTOR_RUNS, actor=each.name)
        out.put(ACTOR_QUEUE, each.queue, actor=each.name)
        out.put(ACTOR_HANDLED, each.handled, actor=each.name)
        out.put(ACTOR_RESTARTS, each.restarts, actor=each.name)
        out.put(ACTOR_DROPS, each.drops, actor=each.name)
        out.put(ACTOR_STALLS, each.stalls, actor=each.name)


def put_transport(out: Gathering, here: actors.TransportDescription) -> None:
    for kind in here.connections:
        out.put(
            CONNECTIONS,
            kind.count,
            transport=kind.transport if kind.transport in vocabulary.TRANSPORTS else "other",
            direction="out" if kind.outbound else "in",
            way="relay" if kind.relayed else "direct",
        )
    out.put(KNOWN_PEERS, here.known_peers)
    out.put(DIALS, here.dialing)
    if here.HasField("clock_ms"):
        out.put(CLOCK, -here.clock_ms / 1000)
    relayed, rest = _of_relay(here.counters)
    out.put_each(NETWORK_EVENTS, known(vocabulary.NETWORK, rest))
    out.put(RELAY_BYTES, relayed.pop(vocabulary.RELAY_BYTES, 0))
    out.put(RELAY_CIRCUITS, relayed.pop(vocabulary.RELAY_CIRCUITS, 0))
    out.put_each(RELAY_EVENTS, known(vocabulary.RELAY, relayed))


def _of_relay(counters: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """What the relay has counted, and the others."""
    names = {*vocabulary.RELAY, vocabulary.RELAY_BYTES, vocabulary.RELAY_CIRCUITS}
    relayed = {name: count for name, count in counters.items() if name in names}
    return relayed, {name: count for name, count in counters.items() if name not in names}


def put_reachability(out: Gathering, here: actors.ReachabilityDescription) -> None:
    for state, name in STATES.items():
        out.put(REACHABILITY, here.reachability == state, state=name)
    out.put(HELD, len(here.reservations))
    out.put(PUNCHES, here.punched, result="direct")
    out.put(PUNCHES, max(here.punches - here.punched, 0), result="failed")
    out.put_each(REACHABILITY_EVENTS, known(vocabulary.REACHABILITY, here.counters))


def put_dht(out: Gathering, here: actors.DhtDescription) -> None:
    out.put(DHT_TABLE, here.table)
    out.put(DHT_SERVER, here.server)
    out.put(DHT_RECORDS, here.records, kind="values")
    out.put(DHT_RECORDS, here.provided, kind="providers")
    out.put(DHT_REFRESHED, here.refreshed_ms / 1000)
    out.put_each(DHT_EVENTS, known(vocabulary.DHT, here.counters))


def put_sync(out: Gathering, here: actors.SyncDescription) -> None:
    rest = dict(here.counters)
    for metric, names in (
        (SYNC_BYTES, vocabulary.SYNC_BYTES),
        (SYNC_MESSAGES, vocabulary.SYNC_MESSAGES),
    ):
        for direction, name in names.items():
            out.put(metric, rest.pop(name, 0), direction=direction)
    out.put_each(SYNC_EVENTS, known(vocabulary.SYNC, rest))


def put_store(out: Gathering, here: actors.StoreDescription, store: str) -> None:
    """`store`: what it is called as a label."""
    out.put(STORE_SIZE, here.size_bytes, store=store)
    out.put(STORE_FREE, here.free_bytes, store=store)
    out.put(STORE_MESSAGES, here.messages, store=store)
    if here.commits.counts:
        out.put(STORE_COMMITS, here.commits, store=store)
