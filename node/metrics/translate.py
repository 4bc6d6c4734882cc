"""From a node's description to what Prometheus reads of it. No I/O."""

from __future__ import annotations

from p2pchat.node.metrics import every_role, vocabulary
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
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

OUTBOX = gauge("p2pchat_outbox_messages", "Own direct messages that are not finished.", "state")
MESSAGES = counter("p2pchat_messages_total", "Own direct messages that came to a state.", "state")
RECEIVED = counter("p2pchat_messages_received_total", "Direct messages of others, saved here.")
LATENCY = histogram(
    "p2pchat_message_latency_seconds",
    "From being written, also before this start, to a state.",
    "state",
)
RECEIPTS = gauge("p2pchat_receipts_due", "Receipts that others are still owed.")
DELIVERY_EVENTS = counter(
    "p2pchat_delivery_events_total", "What was refused, put off or could not be opened.", "what"
)
OWN_MAILBOXES = gauge("p2pchat_own_mailboxes", "Mailboxes that take mail for this node.", "state")

ROOMS = gauge("p2pchat_rooms", "Rooms that this node is in.")
NEIGHBOURS = gauge("p2pchat_room_neighbours", "Others known to listen, once for each room.")
ROOM_MESSAGES = counter("p2pchat_room_messages_total", "Messages of rooms, by what.", "what")

TRANSFERS = gauge("p2pchat_file_transfers", "Files that are remembered.", "direction", "state")
BOOTSTRAP = gauge("p2pchat_bootstrap_peers", "Peers to begin with.", "state")
DISCOVERED = gauge("p2pchat_discovered_peers", "Different peers heard of.", "source")

METRICS: tuple[Metric, ...] = (
    *(OUTBOX, MESSAGES, RECEIVED, LATENCY, RECEIPTS, DELIVERY_EVENTS, OWN_MAILBOXES),
    *(ROOMS, NEIGHBOURS, ROOM_MESSAGES, TRANSFERS, BOOTSTRAP, DISCOVERED),
)

STATES = ("queued", "sending", "refused", "stored", "expired", "delivered", "read")
WAITING = ("queued", "sending", "refused", "stored")  # the others have left the outbox
TRANSFER_STATES = {state: name.lower() for name, state in records.TransferState.items() if state}
ROLE = "node"


def families(node: actors.NodeDescription, use: ProcessUse | None = None) -> list[Family]:
    """`use`: what the operating system says of the process."""
    out = Gathering()
    every_role.put_build(out, ROLE)
    out.put(every_role.UPTIME, node.uptime_ms / 1000)
    out.put(every_role.TASKS, node.tasks)
    if use is not None:
        every_role.put_process(out, use)
    every_role.put_actors(out, node.actors)
    if node.HasField("transport"):
        every_role.put_transport(out, node.transport)
    if node.HasField("reachability"):
        every_role.put_reachability(out, node.reachability)
    if node.HasField("discovery"):
        _put_discovery(out, node.discovery)
    if node.HasField("dht"):
        every_role.put_dht(out, node.dht)
    if node.HasField("sync"):
        every_role.put_sync(out, node.sync)
    if node.HasField("store"):
        every_role.put_store(out, node.store, "messages")
    if node.HasField("delivery"):
        _put_delivery(out, node.delivery)
    if node.HasField("pubsub"):
        _put_rooms(out, node.pubsub)
    if node.HasField("files"):
        _put_files(out, node.files)
    return out.families()


def _put_discovery(out: Gathering, here: actors.DiscoveryDescription) -> None:
    out.put(BOOTSTRAP, here.bootstrap_peers, state="configured")
    out.put(BOOTSTRAP, here.bootstrap_connected, state="connected")
    out.put(DISCOVERED, here.mdns_found, source="mdns")
    out.put(DISCOVERED, here.exchanged, source="exchange")


def _put_delivery(out: Gathering, here: actors.DeliveryDescription) -> None:
    for state in WAITING:
        out.put(OUTBOX, here.states.get(state, 0), state=state)
    for state in STATES:
        if state != "sending":
            out.put(MESSAGES, here.reached.get(state, 0), state=state)
        if state in here.latencies:
            out.put(LATENCY, here.latencies[state], state=state)
    out.put(RECEIVED, here.received)
    out.put(RECEIPTS, here.due_receipts)
    out.put_each(DELIVERY_EVENTS, known(vocabulary.DELIVERY, here.counters))
    boxes = here.mailboxes
    out.put(OWN_MAILBOXES, len(boxes), state="configured")
    out.put(OWN_MAILBOXES, sum(box.registered for box in boxes), state="registered")
    out.put(OWN_MAILBOXES, sum(box.connected for box in boxes), state="connected")
    out.put(OWN_MAILBOXES, sum(box.collecting for box in boxes), state="collecting")


def _put_rooms(out: Gathering, here: actors.PubsubDescription) -> None:
    out.put(ROOMS, here.rooms)
    out.put(NEIGHBOURS, here.neighbours)
    counts = {
        "said": here.said,
        "received": here.received,
        "duplicate": here.duplicates,
        "refused": here.refused,
    }
    out.put_each(ROOM_MESSAGES, counts)


def _put_files(out: Gathering, here: actors.FilesDescription) -> None:
    for outgoing, direction in ((True, "out"), (False, "in")):
        counts: dict[int, int] = {
            each.state: each.count for each in here.transfers if each.outgoing == outgoing
        }
        for state, name in TRANSFER_STATES.items():
            out.put(TRANSFERS, counts.get(state, 0), direction=direction, state=name)
