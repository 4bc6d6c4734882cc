"""From a node's description to metrics."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pchat.node.metrics import every_role, translate
from p2pchat.node.protocol.histogram import Histogram
from p2pchat.node.protocol.metric_families import Family, Kind
from p2pchat.node.protocol.process_use import ProcessUse
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.node.metrics.filled import NUMBER, TELLTALE, filled

USE = ProcessUse(
    resident_bytes=1000, cpu_seconds=2.5, threads=7, started_at=1.8e9, open_fds=40, max_fds=1024
)
ALL = {*every_role.METRICS, *translate.METRICS}


def value(families: Sequence[Family], name: str, **labels: str) -> float | actors.Histogram:
    found = [
        sample.value
        for family in families
        if family.metric.name == name
        for sample in family.samples
        if dict(sample.labels) == labels
    ]
    assert len(found) == 1, (name, labels, len(found))
    return found[0]


def test_everything_is_exported_of_a_node_that_has_everything() -> None:
    node = filled(actors.NodeDescription())
    node.actors[0].name = "delivery"
    for state in ("stored", "delivered", "read"):
        node.delivery.latencies[state].CopyFrom(Histogram().describe())
    found = {family.metric for family in translate.families(node, USE)}
    assert found == ALL


def test_of_a_node_that_has_just_started_there_is_what_there_is() -> None:
    found = {family.metric for family in translate.families(actors.NodeDescription())}
    assert found == {every_role.BUILD, every_role.UPTIME, every_role.TASKS}


def test_no_label_says_who_or_where() -> None:
    node = filled(actors.NodeDescription())
    labels = [
        text
        for family in translate.families(node, USE)
        for sample in family.samples
        for text in sample.labels.values()
    ]
    assert labels
    assert not [text for text in labels if TELLTALE in text or "12D3" in text]


def test_what_has_a_strange_name_is_counted_without_it() -> None:
    found = translate.families(filled(actors.NodeDescription()))
    for family in ("network", "reachability", "dht", "sync", "delivery"):
        assert value(found, f"p2pchat_{family}_events_total", what="other") == NUMBER


def test_names_are_as_prometheus_wants_them() -> None:
    for metric in ALL:
        assert metric.name.startswith(("p2pchat_", "process_")), metric
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric
        assert metric.help.endswith("."), metric
        if metric.kind is Kind.HISTOGRAM:
            assert metric.name.endswith("_seconds"), metric
    names = [metric.name.removesuffix("_total") for metric in ALL]
    assert len(set(names)) == len(ALL)  # in OpenMetrics these are the names of families


def test_own_messages() -> None:
    delivery = actors.DeliveryDescription(
        states={"queued": 4, "stored": 2}, reached={"queued": 9, "delivered": 3}, received=11
    )
    delivery.latencies["delivered"].CopyFrom(Histogram().describe())
    delivery.mailboxes.add(registered=True, connected=True)
    delivery.mailboxes.add(registered=True)
    delivery.counters["blocked"] = 5
    found = translate.families(actors.NodeDescription(delivery=delivery))
    assert value(found, "p2pchat_outbox_messages", state="queued") == 4
    assert value(found, "p2pchat_outbox_messages", state="sending") == 0
    assert value(found, "p2pchat_messages_total", state="queued") == 9
    assert value(found, "p2pchat_messages_total", state="delivered") == 3
    assert value(found, "p2pchat_messages_total", state="refused") == 0
    assert value(found, "p2pchat_messages_received_total") == 11
    assert value(found, "p2pchat_own_mailboxes", state="configured") == 2
    assert value(found, "p2pchat_own_mailboxes", state="connected") == 1
    assert value(found, "p2pchat_own_mailboxes", state="collecting") == 0
    assert value(found, "p2pchat_delivery_events_total", what="blocked") == 5
    assert value(found, "p2pchat_message_latency_seconds", state="delivered")


def test_connections_by_kind_and_the_clock() -> None:
    transport = actors.TransportDescription(known_peers=8, clock_ms=-1500)
    transport.connections.add(transport="tcp", outbound=True, count=2)
    transport.connections.add(transport="quic", relayed=True, count=1)
    transport.connections.add(transport="carrier pigeon", count=1)
    transport.counters.update(relay_bytes=700, circuits_carried=2, circuits_refused=1)
    transport.counters.update(gossip_dropped=6)
    found = translate.families(actors.NodeDescription(transport=transport))
    name = "p2pchat_connections"
    assert value(found, name, transport="tcp", direction="out", way="direct") == 2
    assert value(found, name, transport="quic", direction="in", way="relay") == 1
    assert value(found, name, transport="other", direction="in", way="direct") == 1
    assert value(found, "p2pchat_clock_ahead_of_peers_seconds") == 1.5
    assert value(found, "p2pchat_relay_bytes_total") == 700
    assert value(found, "p2pchat_relay_circuits_opened_total") == 2
    assert value(found, "p2pchat_relay_events_total", what="circuits_refused") == 1
    assert value(found, "p2pchat_network_events_total", what="gossip_dropped") == 6


def test_reachability_is_one_of_three() -> None:
    here = actors.ReachabilityDescription(reachability=actors.PRIVATE, punches=5, punched=2)
    found = translate.families(actors.NodeDescription(reachability=here))
    states = {s: value(found, "p2pchat_reachability", state=s) for s in ("public", "private")}
    assert states == {"public": 0, "private": 1}
    assert value(found, "p2pchat_hole_punches_total", result="direct") == 2
    assert value(found, "p2pchat_hole_punches_total", result="failed") == 3


@pytest.mark.parametrize(("state", "up"), [("running", 1), ("restarting", 0), ("starting", 0)])
def test_actors(state: str, up: int) -> None:
    node = actors.NodeDescription()
    node.actors.add(name="storage", state=state, restarts=1, drops=2, queue=3, handled=4, stalls=5)
    node.actors.add(name=TELLTALE, state="running")
    found = translate.families(node)
    assert value(found, "p2pchat_actor_up", actor="storage") == up
    assert value(found, "p2pchat_actor_restarts_total", actor="storage") == 1
    assert value(found, "p2pchat_actor_dropped_total", actor="storage") == 2
    assert value(found, "p2pchat_actor_queue_messages", actor="storage") == 3
    assert value(found, "p2pchat_actor_handled_total", actor="storage") == 4
    assert value(found, "p2pchat_actor_stalls_total", actor="storage") == 5


def test_files_by_state() -> None:
    files = actors.FilesDescription()
    files.transfers.add(outgoing=True, state=records.FINISHED, count=4)
    files.transfers.add(outgoing=False, state=records.WAITING, count=1)
    found = translate.families(actors.NodeDescription(files=files))
    name = "p2pchat_file_transfers"
    assert value(found, name, direction="out", state="finished") == 4
    assert value(found, name, direction="in", state="waiting") == 1
    assert value(found, name, direction="in", state="finished") == 0


def test_what_the_system_does_not_say_is_left_out() -> None:
    use = ProcessUse(resident_bytes=1, cpu_seconds=1, threads=1, started_at=1)
    names = {f.metric.name for f in translate.families(actors.NodeDescription(), use)}
    assert "process_resident_memory_bytes" in names
    assert not {"process_open_fds", "process_max_fds"} & names
