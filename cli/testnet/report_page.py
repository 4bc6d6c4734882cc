"""The report as one HTML page: plots as SVG, light or dark as the reader's screen, and nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from p2pchat.cli.testnet import harm, plots
from p2pchat.cli.testnet.plots import Bar, Line
from p2pchat.cli.testnet.vocabulary import Kind

MEGABYTE = 1e6  # bytes
CSS = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #6b7480; --ground: #fbfbfa; --card: #ffffff; --rule: #e3e5e8;
  --good: #1a7f4b; --bad: #c62f2f; --c0: #2f6fd0; --c1: #c77700; --c2: #b3306b; --c3: #1a7f4b; --c4: #7b4fc9;
  --c5: #0f8a8a; --c6: #8a6d3b; --c7: #5b6573; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #98a1ac; --ground: #14171a; --card: #1c2024;
  --rule: #31373e; --good: #4cc38a; --bad: #ff6b6b; --c0: #6ea8ff; --c1: #f0a63c; --c2: #f07bb0; --c3: #4cc38a;
  --c4: #b79aff; --c5: #4fd0d0; --c6: #d0b47c; --c7: #aab4c0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 0 auto;
  max-width: 960px; padding: 24px 16px 64px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 16px;
  overflow-x: auto; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
p { margin: 4px 0; } .soft, .none { color: var(--soft); }
.verdict { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; }
td, th { padding: 3px 10px 3px 0; text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 500; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr + tr td { border-top: 1px solid var(--rule); }
.plot { width: 100%; height: auto; display: block; } .spark { width: 120px; height: 26px; display: block; }
.line { fill: none; stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.rule { stroke: var(--rule); } text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.label { text-anchor: end; } .time { text-anchor: middle; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 14px; }
"""
COLORS = "".join(
    f".line.c{n} {{ stroke: var(--c{n}); }} rect.c{n} {{ fill: var(--c{n}); }} "
    f".key.c{n} {{ background: var(--c{n}); }}\n"
    for n in range(8)
)
COUNTS = {
    "sent": "accepted by their senders",
    "direct": "of them to a person",
    "room": "of them to the room",
    "receipted": "shown by their sender as stored, delivered or read",
    "stored": "... stored, and nothing more",
    "delivered": "... delivered, and nothing more",
    "read": "... read",
    "unknown": "asked for, without an answer: may be there or not",
    "refused": "refused by their sender, with a reason",
    "expected": "copies that should be in a history",
    "arrived": "copies that are",
    "lost": "copies that are not, and should",
    "doubled": "copies that came twice",
    "damaged": "copies that are not what was sent",
    "not_arrived": "without a receipt, and not there yet",
}
SERIES = {
    "memory": ("Memory", MEGABYTE, "MB"),
    "descriptors": ("Files", 1.0, ""),
    "tasks": ("Tasks", 1.0, ""),
}


def page(report: dict[str, Any]) -> str:
    """Of what `report.report` gives."""
    parts = [
        _head(report),
        *_section("Verdict", _verdict(report)),
        *_section("Messages that came", _arrivals(report)),
        *_section("On their way", _latencies(report)),
        *_section("Faults", _faults(report)),
        *_section("Processes", _members(report)),
    ]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>p2pchat testnet</title><style>{CSS}{COLORS}</style>'
    size = '<meta name="viewport" content="width=device-width">'
    return f'<!doctype html>\n<html lang="en"><head>{head}{size}</head><body>\n{body}\n</body></html>\n'


def _section(title: str, content: str) -> Iterator[str]:
    yield f"<h2>{escape(title)}</h2>"
    yield f"<section>{content}</section>"


def _head(report: dict[str, Any]) -> str:
    host = report["host"]
    where = (
        f"{host['system']} {host['machine']}, {host['processors']} processors, "
        f"{host['memory'] / 1e9:.0f} GB, Python {host['python']}, p2pchat {report['program']}"
    )
    return (
        f"<h1>p2pchat testnet</h1><p><code>{escape(report['command'])}</code></p>"
        f'<p class="soft">{escape(report["started"])} · {escape(where)}</p>'
    )


def end_of(report: dict[str, Any]) -> float:
    """Seconds that the plots show: the traffic, and what came afterwards."""
    later: list[float] = [bucket["at"] for bucket in report["over_time"]]
    later += [fault["ended"] or 0.0 for fault in report["faults"]]
    return max([float(report["seconds"]), *later])


# ---- the verdict ----------------------------------------------------------------------------------


def _verdict(report: dict[str, Any]) -> str:
    verdict = report["verdict"]
    if verdict is None:
        rows = "".join(_row(name, value) for name, value in report["counts"].items())
        problem = f'<p class="verdict bad">{escape(report["problem"])}</p>'
        return f"{problem}<table>{rows}</table>{_refusals(report)}"
    good = verdict["good"]
    said = verdict["sentence"]
    settled = report["settled_after"]
    waited = (
        "not everything had come when the time for it was over"
        if settled is None
        else f"everything was there {settled:.0f} s after the last fault"
    )
    rows = "".join(_row(name, verdict[name], text) for name, text in COUNTS.items())
    return (
        f'<p class="verdict {"good" if good else "bad"}">{said}</p><p class="soft">{waited}</p>'
        f"<p>faults done: {escape(harm.line(verdict))}</p><table>{rows}</table>"
        f"{_refusals(report)}{_findings(verdict['findings'])}{_ended(report)}"
    )


def _row(name: str, value: object, text: str = "") -> str:
    label = escape(name.replace("_", " "))
    return (
        f'<tr><td>{label}</td><td class="n">{value}</td><td class="soft">{escape(text)}</td></tr>'
    )


def _refusals(report: dict[str, Any]) -> str:
    return "".join(
        f'<p class="soft">refused ({count}): {escape(reason)}</p>'
        for reason, count in report["refusals"].items()
    )


def _findings(findings: Sequence[dict[str, Any]]) -> str:
    return "".join(
        f'<p class="bad">Message {each["number"]} of {escape(each["sender"])} at {escape(each["where"])}: '
        f"{escape(each['problem'])}.</p>"
        for each in findings
    )


def _ended(report: dict[str, Any]) -> str:
    return "".join(f'<p class="bad">{escape(text)}</p>' for text in report["ended_unasked"])


# ---- over the time --------------------------------------------------------------------------------


def _arrivals(report: dict[str, Any]) -> str:
    buckets = report["over_time"]
    length = min((bucket["at"] for bucket in buckets), default=1.0)
    points = [(bucket["at"], bucket["count"] / length) for bucket in buckets]
    return plots.curves([Line("copies a second", points)], end_of(report), "/s")


def _latencies(report: dict[str, Any]) -> str:
    shares = ("p50", "p95", "p99")
    lines = [Line(s, [(b["at"], b[s]) for b in report["over_time"]]) for s in shares]
    told = "".join(_row(way, _told(found)) for way, found in report["latency"].items())
    plot = plots.curves(lines, end_of(report), "s", logarithmic=True)
    return f"{_keys(shares)}{plot}<table>{told}</table>"


def _told(found: dict[str, Any]) -> str:
    """Of one way, in seconds."""
    known = {name: value for name, value in found.items() if value is not None and name != "count"}
    told = ", ".join(f"{name} {value:.3g} s" for name, value in known.items())
    return f"{found['count']} copies: {told}" if told else "none"


def _keys(names: Sequence[str]) -> str:
    keys = "".join(f'<span class="key c{n}"></span>{escape(name)}' for n, name in enumerate(names))
    return f'<p class="soft">{keys}</p>'


def _faults(report: dict[str, Any]) -> str:
    end = end_of(report)
    kinds = [str(kind) for kind in Kind]
    given = [
        Bar(
            name,
            fault["began"],
            fault["ended"] or end,
            f"c{kinds.index(fault['kind'])}",
            _title(fault),
        )
        for fault in report["faults"]
        if fault["began"] is not None
        for name in fault["members"]
    ]
    rows = [member["name"] for member in report["members"]]
    left_out = "".join(f'<p class="soft">{escape(text)}</p>' for text in report["faults_left_out"])
    if not given:
        return f'<p class="none">None.</p>{left_out}'
    used = [
        f'<span class="key c{n}"></span>{kind}'
        for n, kind in enumerate(kinds)
        if kind in report["faults_possible"]
    ]
    return f'<p class="soft">{"".join(used)}</p>{plots.bars(rows, given, end)}{left_out}'


def _title(fault: dict[str, Any]) -> str:
    amount = f" {fault['amount']:+g} s" if fault["amount"] else ""
    ended = "" if fault["ended"] is None else f" to {fault['ended']:.1f}"
    return f"{fault['kind']}{amount}, {fault['began']:.1f}{ended} s"


# ---- processes ------------------------------------------------------------------------------------


def _members(report: dict[str, Any]) -> str:
    heads = "".join(f'<th colspan="3">{title}</th>' for title, _, _ in SERIES.values())
    rows = "".join(_member(member, report) for member in report["members"])
    note = (
        f"Each at the end, over the time, and how it grows in an hour by least squares, the first "
        f"{report['warm_up']:.0f} s after a start left out; - where no ten minutes remain without a restart."
    )
    return f'<p class="soft">{note}</p><table><tr><th></th>{heads}</tr>{rows}</table>'


def _member(member: dict[str, Any], report: dict[str, Any]) -> str:
    cells = "".join(_series(member, name, end_of(report)) for name in SERIES)
    return f"<tr><td>{escape(member['name'])}</td>{cells}</tr>"


def _series(member: dict[str, Any], name: str, end: float) -> str:
    _, unit, text = SERIES[name]
    samples = [(s["at"], s[name] / unit) for s in member["samples"] if s[name] is not None]
    last = f"{samples[-1][1]:.0f} {text}" if samples else ""
    slope = member["slopes_per_hour"][name]
    grows = "-" if slope is None or math.isnan(slope) else f"{slope / unit:+.2f} {text}/h"
    curve = plots.spark(samples, max(end, samples[-1][0] if samples else end))
    return f'<td class="n">{last}</td><td>{curve}</td><td class="n soft">{grows}</td>'
