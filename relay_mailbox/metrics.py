"""From a mailbox's description to what Prometheus reads of it. No I/O, and nothing of libp2p.

Every sample has the label `worker`: "0" in a mailbox of one process. Of one with several, the process that starts them
calls `families` with its description, whose `workers` are filled: each is exported by itself, and sums are left to
queries. Its own process is the worker "root".
"""

from __future__ import annotations

from collections.abc import Mapping

from p2pchat.node.metrics import every_role, vocabulary
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.protocol.metric_families import (
    Family,
    Gathering,
    Metric,
    counter,
    gauge,
    histogram,
    known,
)
from p2pchat.node.protocol.process_use import ProcessUse
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.limit_table import NAMES as LIMITS
from p2pchat.relay_mailbox.tally import DEPOSIT, HAND_OVER, WAITED

WORKER = "worker"  # the label
FIRST, ROOT = "0", "root"
ROLE = "mailbox"

WORKER_UP = gauge("p2pchat_worker_up", "1 while the process answers.")
WORKER_RESTARTS = counter("p2pchat_worker_restarts_total", "Times that the process was restarted.")

REGISTERED = gauge("p2pchat_mailbox_registered_peers", "Peers for whom mail is taken.")
INVITES = gauge("p2pchat_mailbox_invites", "Invites with uses left.")
BLOCKED = gauge("p2pchat_mailbox_blocked_peers", "Peers that the operator has blocked.")
STREAMS = gauge("p2pchat_mailbox_streams", "Open streams of clients.")
COLLECTING = gauge("p2pchat_mailbox_collecting_clients", "Clients that new mail is handed at once.")
HELD_ENVELOPES = gauge("p2pchat_mailbox_held_envelopes", "Envelopes in custody.")
HELD_BYTES = gauge("p2pchat_mailbox_held_bytes", "Bytes of the envelopes in custody.")
FULLEST = gauge(
    "p2pchat_mailbox_fullest_recipient_ratio", "The most that one recipient has of its quota."
)
LIMIT = gauge(
    "p2pchat_mailbox_limit", "What the configuration allows: bytes, seconds or a number.", "limit"
)
LIMIT_HITS = counter(
    "p2pchat_mailbox_limit_hits_total", "Times that a limit refused, delayed or deleted.", "limit"
)
ENVELOPES = counter("p2pchat_mailbox_envelopes_total", "Envelopes, by what became of them.", "what")
REFUSED = counter("p2pchat_mailbox_refused_total", "Requests and envelopes refused.", "reason")
EVENTS = counter("p2pchat_mailbox_events_total", "What went wrong, by what.", "what")
DEPOSIT_SECONDS = histogram(
    "p2pchat_mailbox_deposit_seconds", "From an envelope's arrival to its signed receipt."
)
WAIT_SECONDS = histogram(
    "p2pchat_mailbox_wait_seconds", "From an envelope's receipt to its being handed over."
)
HAND_OVER_SECONDS = histogram(
    "p2pchat_mailbox_hand_over_seconds",
    "From a client's asking until it has acknowledged everything that was there.",
)
ARCHIVED_ROOMS = gauge("p2pchat_mailbox_archived_rooms", "Rooms that are kept.")
ARCHIVED_MESSAGES = gauge("p2pchat_mailbox_archived_messages", "Messages of these rooms.")
ARCHIVED_BYTES = gauge("p2pchat_mailbox_archived_bytes", "Bytes of these messages.")

RELAY_SERVING = gauge("p2pchat_relay_serving", "1 while the mailbox is a relay.")
RESERVATIONS = gauge("p2pchat_relay_reservations", "Peers that can be reached through the relay.")
CIRCUITS = gauge("p2pchat_relay_circuits", "Connections that it carries now.")

METRICS: tuple[Metric, ...] = (
    *(WORKER_UP, WORKER_RESTARTS, REGISTERED, INVITES, BLOCKED, STREAMS, COLLECTING),
    *(HELD_ENVELOPES, HELD_BYTES, FULLEST, LIMIT, LIMIT_HITS, ENVELOPES, REFUSED, EVENTS),
    *(DEPOSIT_SECONDS, WAIT_SECONDS, HAND_OVER_SECONDS),
    *(ARCHIVED_ROOMS, ARCHIVED_MESSAGES, ARCHIVED_BYTES),
    *(RELAY_SERVING, RESERVATIONS, CIRCUITS),
)

TIMED = {DEPOSIT: DEPOSIT_SECONDS, WAITED: WAIT_SECONDS, HAND_OVER: HAND_OVER_SECONDS}
# Labels of ENVELOPES, and what the mailbox counts as that.
COUNTED = {
    "deposited": "deposits_kept",
    "repeated": "deposits_repeated",
    "handed_over": "handed_over",
    "acknowledged": "acknowledged",
    "expired": "expired_uncollected",
}
WRONG = (
    *("frames_malformed", "clients_stalled", "collects_superseded", "disk_refusals"),
    "archived_messages_deleted",
)
REFUSED_PREFIX, LIMIT_PREFIX = "refused_", "limit_"
DAY = DAY_MS // 1000  # seconds


def families(
    here: actors.MailboxDescription, uses: Mapping[int, ProcessUse] | None = None
) -> list[Family]:
    """`uses`: what the operating system says of processes, by process id; 0 is the one that calls this."""
    out, uses = Gathering(), uses or {}
    if not here.workers:
        one = out.labelled(worker=FIRST)
        one.put(WORKER_UP, 1)
        one.put(WORKER_RESTARTS, 0)
        _put(one, here, uses.get(0))
        return out.families()
    root = out.labelled(worker=ROOT)
    every_role.put_build(root, ROLE)
    if 0 in uses:
        every_role.put_process(root, uses[0])
    for worker in here.workers:
        one = out.labelled(worker=str(worker.number))
        one.put(WORKER_UP, worker.HasField("mailbox"))
        one.put(WORKER_RESTARTS, worker.restarts)
        if worker.HasField("mailbox"):
            _put(one, worker.mailbox, uses.get(worker.pid) if worker.pid else None)
    return out.families()


def pids(here: actors.MailboxDescription) -> list[int]:
    """The processes that `families` can say something of; 0 is the own one."""
    return [0, *(worker.pid for worker in here.workers if worker.pid)]


def _put(out: Gathering, here: actors.MailboxDescription, use: ProcessUse | None) -> None:
    every_role.put_build(out, ROLE)
    out.put(every_role.UPTIME, here.uptime_ms / 1000)
    out.put(every_role.TASKS, here.tasks)
    if use is not None:
        every_role.put_process(out, use)
    every_role.put_actors(out, here.actors)
    if here.HasField("transport"):
        every_role.put_transport(out, here.transport)
    if here.HasField("reachability"):
        every_role.put_reachability(out, here.reachability)
    if here.HasField("dht"):
        every_role.put_dht(out, here.dht)
    if here.HasField("sync"):
        every_role.put_sync(out, here.sync)
    every_role.put_store(out, here.store, "mail")
    if here.HasField("rooms"):
        every_role.put_store(out, here.rooms, "rooms")
    _put_state(out, here)
    _put_limits(out, here)
    _put_counts(out, here)
    for what, metric in TIMED.items():
        if what in here.latencies:
            out.put(metric, here.latencies[what])
    _put_archives(out, here)
    out.put(RELAY_SERVING, here.HasField("relay"))
    out.put(RESERVATIONS, here.relay.reservations)
    out.put(CIRCUITS, here.relay.circuits)


def _put_state(out: Gathering, here: actors.MailboxDescription) -> None:
    out.put(REGISTERED, here.registered)
    out.put(INVITES, here.invites)
    out.put(BLOCKED, here.blocked)
    out.put(STREAMS, here.streams)
    out.put(COLLECTING, here.collecting)
    out.put(HELD_ENVELOPES, here.held_envelopes)
    out.put(HELD_BYTES, here.held_bytes)
    out.put(FULLEST, here.fullest_recipient)


def _put_limits(out: Gathering, here: actors.MailboxDescription) -> None:
    for limit in here.limits:
        if limit.name in LIMITS:
            factor = DAY if limit.unit == "days" else 1
            out.put(LIMIT, limit.value * factor, limit=_label(limit.name))
            out.put(LIMIT_HITS, limit.bitten, limit=_label(limit.name))


def _label(limit: str) -> str:
    """Days are exported as seconds."""
    return limit.replace("_days", "_seconds")


def _put_counts(out: Gathering, here: actors.MailboxDescription) -> None:
    """The mailbox's own: those of the network stand among them, and are exported from its transport."""
    for what, name in COUNTED.items():
        out.put(ENVELOPES, here.counters.get(name, 0), what=what)
    refused = {
        name.removeprefix(REFUSED_PREFIX): count
        for name, count in here.counters.items()
        if name.startswith(REFUSED_PREFIX)
    }
    out.put_each(REFUSED, known(vocabulary.REFUSALS, refused))
    elsewhere = {*COUNTED.values(), *vocabulary.NETWORK, *vocabulary.RELAY}
    elsewhere |= {vocabulary.RELAY_BYTES, vocabulary.RELAY_CIRCUITS}
    rest = {
        name: count
        for name, count in here.counters.items()
        if name not in elsewhere and not name.startswith((REFUSED_PREFIX, LIMIT_PREFIX))
    }
    out.put_each(EVENTS, known(WRONG, rest))


def _put_archives(out: Gathering, here: actors.MailboxDescription) -> None:
    used = [archive.usage for archive in here.archives]
    out.put(ARCHIVED_ROOMS, len(used))
    out.put(ARCHIVED_MESSAGES, sum(usage.messages for usage in used))
    out.put(ARCHIVED_BYTES, sum(usage.bytes for usage in used))
