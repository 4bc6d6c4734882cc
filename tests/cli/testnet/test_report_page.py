"""The page: everything in one file, and nothing of a stranger's in its markup."""

from html.parser import HTMLParser
from typing import Any

from p2pchat.cli.testnet.report_page import end_of, page


def report(**changes: Any) -> dict[str, Any]:
    """As `report.report` gives it."""
    finding = {
        "number": 7,
        "sender": "node-1",
        "to": "node-2",
        "where": "node-2",
        "problem": "its sender has shown it as stored, and it is not there",
        "sent_at": 3.5,
    }
    counts = "sent direct room unknown refused receipted stored delivered read expected arrived"
    verdict = dict.fromkeys([*counts.split(), "doubled", "damaged", "not_arrived"], 0)
    sample = {"at": 0.0, "memory": 50e6, "descriptors": 30.0, "tasks": None}
    return {
        "format": 1,
        "program": "1.2.3",
        "command": "p2pchat testnet --nodes 2 --faults all",
        "started": "2026-03-01T10:00:00+00:00",
        "seconds": 60.0,
        "seed": 1,
        "rate": 5.0,
        "faults_possible": ["kill", "clock-skew"],
        "faults_left_out": ["full-disk: There is no C compiler."],
        "problem": "",
        "verdict": {
            **verdict,
            "good": False,
            "sentence": "Messages are lost, doubled or damaged.",
            "lost": 1,
            "findings": [finding],
            "faults_done": {"clock-skew": 1, "kill": 1},
            "faults_never_came": ["stop"],
        },
        "refusals": {"The disk is <full>.": 12},
        "counts": {"sent": 3},
        "missing": {},
        "settled_after": 4.0,
        "latency": {
            "direct": {"count": 2, "p50": 0.01, "p95": 0.1, "p99": 0.1, "most": 0.1},
            "room": {"count": 0, "p50": None, "p95": None, "p99": None, "most": None},
        },
        "over_time": [
            {"at": 2.0, "count": 4, "p50": 0.01, "p95": 0.1, "p99": 0.5},
            {"at": 66.0, "count": 1, "p50": 0.01, "p95": 0.1, "p99": 0.5},
        ],
        "faults": [
            fault("kill", ["node-1"], 3.0, 5.0),
            {**fault("clock-skew", ["node-2"], 6.0, None), "amount": -90.0},
            fault("kill", ["node-2"], None, None),
        ],
        "ended_unasked": ["node-2 ended with exit code 1: <oops> & more"],
        "warm_up": 15.0,
        "members": [
            {
                "name": name,
                "role": "node",
                "slopes_per_hour": {"memory": 1.5e6, "descriptors": None, "tasks": None},
                "samples": [sample, {**sample, "at": 60.0, "memory": 51e6}],
            }
            for name in ("node-1", "node-2")
        ],
        "host": {
            "system": "Linux",
            "machine": "x86_64",
            "python": "3.11.1",
            "processors": 2,
            "memory": 24_000_000_000,
        },
        **changes,
    }


def fault(
    kind: str, members: list[str], began: float | None, ended: float | None
) -> dict[str, Any]:
    return {"kind": kind, "members": members, "began": began, "ended": ended, "amount": 0.0}


class Reader(HTMLParser):
    """Collects tags, what they refer to, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_it_stands_alone_and_is_well_formed() -> None:
    text = page(report())
    found = Reader(text)
    assert found.open == []
    assert found.references == []
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert "http" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_it_says_what_happened() -> None:
    text = Reader(page(report())).text
    for part in (
        "p2pchat testnet --nodes 2 --faults all",
        "Messages are lost, doubled or damaged",
        "Message 7 of node-1 at node-2: its sender has shown it as stored",
        "node-2 ended with exit code 1: <oops> & more",
        "clock-skew -90 s",
        "faults done: clock-skew 1, kill 1; never came: stop",
        "refused (12): The disk is <full>.",
        "+1.50 MB/h",
        "51 MB",
        "full-disk: There is no C compiler.",
        "2 processors, 24 GB, Python 3.11.1, p2pchat 1.2.3",
        "2 copies: p50 0.01 s",
    ):
        assert part in text, part


def test_a_fault_that_never_began_is_not_drawn_and_one_without_end_goes_on() -> None:
    text = page(report())
    assert text.count("<rect") == 2
    assert end_of(report()) == 66.0


def test_a_good_run() -> None:
    good = report()
    good["verdict"].update(good=True, sentence="Nothing is lost or doubled.", lost=0, findings=[])
    text = page(good)
    assert "Nothing is lost or doubled." in text
    assert "4 s after the last fault" in text
    assert "time for it was over" in page({**good, "settled_after": None})


def test_a_run_without_a_verdict() -> None:
    nothing = report(verdict=None, problem="The run was stopped <early>.", over_time=[], faults=[])
    text = Reader(page(nothing)).text
    assert "The run was stopped <early>." in text
    assert "None." in text
