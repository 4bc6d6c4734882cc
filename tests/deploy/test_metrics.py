"""What is in deploy/ and docs/ about metrics speaks of those that the program exports, and of no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from p2pchat.node.metrics import every_role, translate
from p2pchat.node.protocol.metric_families import Kind, Metric
from p2pchat.relay_mailbox import metrics

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, Metric] = {
    metric.name: metric for metric in (*every_role.METRICS, *translate.METRICS, *metrics.METRICS)
}
# What Prometheus adds, and what is one for each series.
OF_PROMETHEUS = {"up"}
OF_SERIES = {"instance", "job", "worker"}

NAME = re.compile(r"\b(?:p2pchat|process)_[a-z_0-9]+\b")
LABELS = re.compile(r"\b([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
TEMPLATES = re.compile(r"\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}")


# ---- dashboard ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    return dict(json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text("utf-8")))


def panels_of(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for each in dashboard["panels"] for panel in (each, *each.get("panels", []))]


def expressions_of(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each with its legend."""
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            yield target["expr"], target["legendFormat"]


def test_the_dashboard_is_one(dashboard: dict[str, Any]) -> None:
    assert dashboard["title"] == dashboard["uid"] == "p2pchat"
    assert dashboard["schemaVersion"] >= 36
    assert isinstance(dashboard["time"]["from"], str)
    assert "id" not in dashboard  # of the database that it came from
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    assert list(variables) == ["datasource", "instance", "worker"]
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for name in ("instance", "worker"):
        # A node's series have no label `worker`: only this takes them in as well.
        assert variables[name]["allValue"] == ".*"
        assert_declared(variables[name]["query"]["query"])


def test_panels_are_whole_and_each_has_its_place(dashboard: dict[str, Any]) -> None:
    panels = panels_of(dashboard)
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids) > 50
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("timeseries", "stat")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0, panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]


def test_the_dashboard_asks_for_what_there_is(dashboard: dict[str, Any]) -> None:
    for expression, legend in expressions_of(dashboard):
        assert_declared(expression, legend)
        assert 'instance=~"$instance",worker=~"$worker"' in expression


def test_the_dashboard_shows_everything(dashboard: dict[str, Any]) -> None:
    shown = {name for expr, _ in expressions_of(dashboard) for name in names_in(expr)}
    assert DECLARED.keys() - shown == set()


def names_in(expression: str) -> set[str]:
    """Of metrics; series of histograms by the name of their family."""
    return {
        re.sub(r"_(bucket|count|sum)$", "", name) if name not in DECLARED else name
        for name in NAME.findall(re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", expression))
    }


def assert_declared(expression: str, legend: str = "") -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing), expression
    named = names_in(expression)
    assert named <= DECLARED.keys(), expression
    assert named or OF_PROMETHEUS & set(re.findall(r"\w+", expression)), expression
    for name in named:
        is_histogram = DECLARED[name].kind is Kind.HISTOGRAM
        assert (f"{name}_bucket" in expression) == is_histogram, expression
        if DECLARED[name].kind is Kind.COUNTER:
            assert re.search(rf"(rate|increase)\({name}\b", expression), expression
    known = OF_SERIES | {label for name in named for label in DECLARED[name].labels}
    grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",")}
    used = {*LABELS.findall(expression), *(grouped - {"le"}), *TEMPLATES.findall(legend)}
    assert used <= known, expression


def test_a_checker_that_finds_mistakes() -> None:
    for wrong in (
        "p2pchat_no_such_thing",
        'rate(p2pchat_rooms{room="x"}[5m])',
        "p2pchat_messages_total",
        "sum by (peer) (p2pchat_rooms)",
        "rate(p2pchat_mailbox_deposit_seconds[5m])",
        "sum(p2pchat_rooms",
        "1 + 1",
    ):
        with pytest.raises(AssertionError):
            assert_declared(wrong)
    assert_declared("sum by (instance) (p2pchat_rooms)", "{{instance}}")


# ---- rules and configuration of Prometheus --------------------------------------------------------------


def test_alerts_ask_for_what_there_is() -> None:
    text = (ROOT / "deploy" / "alerts.yml").read_text("utf-8")
    rules = re.split(r"^      - alert: ", text, flags=re.MULTILINE)[1:]
    names = [rule.split("\n", 1)[0] for rule in rules]
    assert len(set(names)) == len(names) > 10
    for rule in rules:
        (expression,) = re.findall(r"^        expr: (.+)$", rule, flags=re.MULTILINE)
        (summary,) = re.findall(r'^          summary: "([^"]+)"$', rule, flags=re.MULTILINE)
        (severity,) = re.findall(r"^          severity: (.+)$", rule, flags=re.MULTILINE)
        assert severity in ("critical", "warning")
        assert summary.endswith(".")
        assert_declared(expression, summary)


def test_the_example_for_prometheus_reads_these_rules() -> None:
    text = (ROOT / "deploy" / "prometheus.yml").read_text("utf-8")
    assert "  - alerts.yml\n" in text
    assert "job_name: p2pchat\n" in text  # the job that an alert names


# ---- documentation --------------------------------------------------------------------------------------


def test_every_metric_is_explained_once() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = text.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `((?:p2pchat|process)_[a-z_0-9]+)` \|([^|]*)\| (.+) \|$", section, re.M)
    names = [name for name, _, _ in rows]
    assert sorted(names) == sorted(DECLARED)
    for name, labels, explained in rows:
        metric = DECLARED[name]
        written = tuple(re.findall(r"`([a-z]+)`", labels))
        assert written == metric.labels, name
        assert len(explained) > 15, name
