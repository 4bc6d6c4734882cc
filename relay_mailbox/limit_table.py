"""Every limit with its value, and how often it has refused something or made it wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from p2pchat.node.protocol import limits
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.tally import Tally

# Field of MailboxConfig, unit. What bites is counted as "limit_<field>".
_OWN = (
    ("quota_bytes", "bytes"),
    ("quota_count", "envelopes"),
    ("max_total_bytes", "bytes"),
    ("max_registrations", "peers"),
    ("deposit_rate", "envelopes/s"),
    ("deposit_burst", "envelopes"),
    ("request_rate", "requests/s"),
    ("request_burst", "requests"),
    ("max_streams_per_peer", "streams"),
    ("max_bytes_in_flight_per_peer", "bytes"),
    ("max_bytes_in_flight", "bytes"),
    ("max_archived_rooms", "rooms"),
    ("max_archived_rooms_per_client", "rooms"),
    ("archive_days", "days"),
    ("archive_bytes", "bytes"),
    ("max_archive_bytes", "bytes"),
)
# Field of NetworkLimits or RelayLimits, unit, counter of the network.
_NETWORK = (
    ("max_connections", "connections", "connections_refused"),
    ("max_inbound", "connections", "connections_refused"),
    ("max_streams_per_peer", "streams", "streams_over_limit"),
)
_RELAY = (
    ("max_reservations", "reservations", "reservations_refused"),
    ("reservation_seconds", "seconds", ""),
    ("max_circuits", "circuits", "circuits_refused"),
    ("max_circuits_per_peer", "circuits", "circuits_refused"),
    ("circuit_seconds", "seconds", "circuits_ended_by_limit"),
    ("circuit_bytes", "bytes", "circuits_ended_by_limit"),
)
# A bucket that is empty has both a rate and a burst: it is counted once.
_COUNTED_AS = {"deposit_burst": "deposit_rate", "request_burst": "request_rate"}

RETENTION, ENVELOPE = "retention_days", "envelope_bytes"
# Of every limit that the table may have.
NAMES = frozenset(
    {
        *(RETENTION, ENVELOPE),
        *(name for name, _ in _OWN),
        *(f"network.{name}" for name, _, _ in _NETWORK),
        *(f"relay.{name}" for name, _, _ in _RELAY),
    }
)


def limit_table(
    config: MailboxConfig, tally: Tally, network: Mapping[str, int]
) -> list[actors.Limit]:
    """`network` are the network's counters."""
    own = tally.counters()
    table = [actors.Limit(name=RETENTION, value=config.retention_days, unit="days")]
    table[0].bitten = own.get("expired_uncollected", 0)
    table.append(
        actors.Limit(
            name=ENVELOPE,
            value=limits.ENVELOPE_LIMIT,
            unit="bytes",
            bitten=own.get("refused_too_large", 0),
        )
    )
    for name, unit in _OWN:
        bitten = own.get(f"limit_{_COUNTED_AS.get(name, name)}", 0)
        table.append(actors.Limit(name=name, value=getattr(config, name), unit=unit, bitten=bitten))
    table += _rows("network", config.node.limits, _NETWORK, network)
    if config.node.relay is not None:
        table += _rows("relay", config.node.relay, _RELAY, network)
    return table


def _rows(
    prefix: str,
    values: object,
    fields: Sequence[tuple[str, str, str]],
    counters: Mapping[str, int],
) -> list[actors.Limit]:
    return [
        actors.Limit(
            name=f"{prefix}.{name}",
            value=getattr(values, name),
            unit=unit,
            bitten=counters.get(counter, 0),
        )
        for name, unit, counter in fields
    ]
