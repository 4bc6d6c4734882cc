"""The names that counters may have as labels. A test compares them with what the sources count."""

from __future__ import annotations

from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire

ACTORS = (
    *("storage", "transport", "reachability", "dht", "discovery", "pubsub", "sync"),
    *("delivery", "files", "search", "ui"),
    *("mail_storage", "relay", "mailbox", "archive", "operator"),
)
ACTOR_RUNS = "running"

TRANSPORTS = ("tcp", "quic")

# Of the network and of what greets in it.
NETWORK = (
    *("connections_refused", "connections_stuck", "streams_over_limit", "streams_reset"),
    *("frames_refused", "windows_exceeded", "wrong_peers", "peer_events_dropped", "hellos_refused"),
    *("gossip_dropped", "gossip_errors", "gossip_not_forwarded", "gossip_refused"),
    "gossip_slow_neighbour",
)
RELAY = (
    *("reservations_refused", "circuits_refused", "circuits_failed", "circuits_ended_by_limit"),
    "relay_messages_refused",
)
# Of the relay as well, with metrics of their own.
RELAY_BYTES, RELAY_CIRCUITS = "relay_bytes", "circuits_carried"

REACHABILITY = (
    *("autonat_asked", "autonat_reached", "autonat_not_reached", "autonat_unanswered"),
    *("autonat_dialled_back", "autonat_refused", "punches_refused"),
)
DHT = (
    *("asked", "unanswered", "answered", "streams_refused", "requests_refused"),
    *("requests_over_rate", "bad_records"),
)
SYNC = (
    *("sync_sessions", "sync_rounds", "sync_declined", "sync_broken", "sync_liars", "sync_waits"),
    *("sync_streams_refused", "sync_streams_evicted", "sync_malformed", "sync_forged"),
)
# Of sync as well, with metrics of their own: what comes in, what goes out.
SYNC_BYTES = {"in": "sync_bytes_in", "out": "sync_bytes_out"}
SYNC_MESSAGES = {"in": "sync_messages_in", "out": "sync_messages_out"}

REFUSALS = tuple(name.lower() for name in mailbox.Refusal.keys()[1:])

DELIVERY = (
    *("malformed_frames", "rate_limited", "strangers_limited", "blocked"),
    *("receipts_ignored", "alterations_ignored"),
    *(f"deposits_{name}" for name in (*REFUSALS, "unknown")),
    *(f"envelopes_{name.lower()}" for name in wire.Verdict.keys()[1:]),
)
