"""From a mailbox's description to metrics, of one process and of several."""

from __future__ import annotations

import subprocess
import sys

from p2pchat.node.metrics import every_role
from p2pchat.node.protocol.metric_families import Kind
from p2pchat.node.protocol.process_use import ProcessUse
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox import limit_table, metrics
from p2pchat.relay_mailbox.tally import DEPOSIT, HAND_OVER, WAITED, Tally
from tests.node.metrics.filled import NUMBER, TELLTALE, filled
from tests.node.metrics.test_translate import value
from tests.relay_mailbox.rig import open_mailbox

USE = ProcessUse(
    resident_bytes=1000, cpu_seconds=2.5, threads=7, started_at=1.8e9, open_fds=40, max_fds=1024
)
ALL = {*every_role.METRICS, *metrics.METRICS}


def a_mailbox() -> actors.MailboxDescription:
    here = filled(actors.MailboxDescription())
    del here.workers[:]
    here.actors[0].name = "mailbox"
    here.limits.add(name="quota_bytes", value=64, unit="bytes", bitten=2)
    for what, histogram in Tally().latencies().items():
        here.latencies[what].CopyFrom(histogram)
    return here


def test_everything_is_exported_of_a_mailbox_that_has_everything() -> None:
    found = metrics.families(a_mailbox(), {0: USE})
    assert {family.metric for family in found} == ALL
    workers = {sample.labels["worker"] for family in found for sample in family.samples}
    assert workers == {"0"}


def test_of_a_mailbox_that_says_little_there_is_no_more() -> None:
    found = metrics.families(actors.MailboxDescription())
    assert value(found, "p2pchat_worker_up", worker="0") == 1
    assert value(found, "p2pchat_relay_serving", worker="0") == 0
    assert {family.metric for family in found} < ALL


def test_no_label_says_who_or_where() -> None:
    here = filled(actors.MailboxDescription())
    labels = [
        text
        for family in metrics.families(here, {0: USE, NUMBER: USE})
        for sample in family.samples
        for text in sample.labels.values()
    ]
    assert labels
    assert not [text for text in labels if TELLTALE in text or "12D3" in text]


def test_what_has_a_strange_name_is_counted_without_it() -> None:
    found = metrics.families(a_mailbox())
    for family in ("mailbox", "network", "dht", "sync", "reachability"):
        assert value(found, f"p2pchat_{family}_events_total", what="other", worker="0") == NUMBER


def test_each_worker_is_exported_by_itself_and_their_starter_as_well() -> None:
    here = actors.MailboxDescription(held_envelopes=30)  # the sum of both
    for number, held in enumerate((10, 20)):
        mailbox = actors.MailboxDescription(held_envelopes=held)
        here.workers.add(
            number=number, state="running", restarts=number, pid=100 + number, mailbox=mailbox
        )
    here.workers.add(number=2, state="restarting", restarts=4)
    found = metrics.families(here, {0: USE, 101: USE})
    assert metrics.pids(here) == [0, 100, 101]
    name = "p2pchat_mailbox_held_envelopes"
    assert [value(found, name, worker=each) for each in "01"] == [10, 20]
    assert [value(found, "p2pchat_worker_up", worker=each) for each in "012"] == [1, 1, 0]
    restarts = "p2pchat_worker_restarts_total"
    assert [value(found, restarts, worker=each) for each in "012"] == [0, 1, 4]
    memory = next(f for f in found if f.metric.name == "process_resident_memory_bytes")
    assert {sample.labels["worker"] for sample in memory.samples} == {"root", "1"}
    held_of = next(f for f in found if f.metric.name == name)
    assert len(held_of.samples) == 2


def test_every_limit_of_the_table_is_exported() -> None:
    config, tally = open_mailbox(), Tally()
    tally.bite("quota_count", 3)
    table = limit_table.limit_table(config, tally, {"connections_refused": 2})
    found = metrics.families(actors.MailboxDescription(limits=table))
    limits = next(f for f in found if f.metric is metrics.LIMIT)
    assert len(limits.samples) == len(table)
    name = "p2pchat_mailbox_limit"
    assert value(found, name, limit="retention_seconds", worker="0") == 30 * 86_400
    assert value(found, name, limit="archive_seconds", worker="0") == 365 * 86_400
    assert value(found, f"{name}_hits_total", limit="quota_count", worker="0") == 3
    assert value(found, f"{name}_hits_total", limit="network.max_inbound", worker="0") == 2
    assert {limit.name for limit in table} <= limit_table.NAMES


def test_what_became_of_envelopes_and_what_was_refused() -> None:
    here = actors.MailboxDescription()
    here.counters.update(deposits_kept=7, handed_over=5, acknowledged=4, expired_uncollected=1)
    here.counters.update(refused_full=2, limit_quota_bytes=2, gossip_dropped=9, disk_refusals=3)
    found = metrics.families(here)
    name = "p2pchat_mailbox_envelopes_total"
    counts = {what: value(found, name, what=what, worker="0") for what in metrics.COUNTED}
    assert counts == {
        "deposited": 7,
        "repeated": 0,
        "handed_over": 5,
        "acknowledged": 4,
        "expired": 1,
    }
    assert value(found, "p2pchat_mailbox_refused_total", reason="full", worker="0") == 2
    name = "p2pchat_mailbox_events_total"
    assert value(found, name, what="disk_refusals", worker="0") == 3
    assert value(found, name, what="other", worker="0") == 0  # of the network, and the limits


def test_latencies() -> None:
    tally = Tally()
    tally.took(DEPOSIT, 0.004, 128)
    tally.took(WAITED, 86_000)
    tally.took(HAND_OVER, 1.5)
    found = metrics.families(actors.MailboxDescription(latencies=tally.latencies()))
    deposits = value(found, "p2pchat_mailbox_deposit_seconds", worker="0")
    assert isinstance(deposits, actors_pb2.Histogram)
    assert sum(deposits.counts) == 128
    waits = value(found, "p2pchat_mailbox_wait_seconds", worker="0")
    assert isinstance(waits, actors_pb2.Histogram)
    assert waits.sum == 86_000


def test_names_are_as_prometheus_wants_them() -> None:
    for metric in metrics.METRICS:
        assert metric.name.startswith("p2pchat_"), metric
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric
        assert metric.help.endswith("."), metric
    names = [metric.name.removesuffix("_total") for metric in ALL]
    assert len(set(names)) == len(ALL)  # in OpenMetrics these are the names of families


def test_the_process_that_starts_workers_loads_no_node_for_it() -> None:
    heavy = "{'libp2p', 'grpc', 'rocksdict', 'prometheus_client'}"
    code = (
        f"import sys, p2pchat.relay_mailbox.metrics_port\nprint(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
