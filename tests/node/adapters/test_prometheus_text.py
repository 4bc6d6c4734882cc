"""What is written can be read by Prometheus's own parsers, in both formats."""

from __future__ import annotations

import subprocess
import sys

from p2pchat.node.adapters import left_out
from p2pchat.node.adapters.prometheus_text import OPEN_METRICS, Exposition
from p2pchat.node.protocol.histogram import Histogram
from p2pchat.node.protocol.metric_families import Family, Gathering, counter, gauge, histogram

SEEN = counter("p2pchat_seen_total", "How often.", "what")
SIZE = gauge("p2pchat_size_bytes", 'How "large"\nit is.')
TOOK = histogram("p2pchat_took_seconds", "How long.", "state")


def families() -> list[Family]:
    out = Gathering({"worker": "0"})
    out.put(SEEN, 3, what='a "quote"\\')
    out.put(SIZE, 1.5)
    took = Histogram((0.1, 1.0))
    took.observe(0.05, 2)
    took.observe(0.5)
    took.observe(10)
    out.put(TOOK, took.describe(), state="stored")
    return out.families()


def read(accept: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text, _ = Exposition().write(families(), accept)
    if accept:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    else:
        from prometheus_client.parser import text_string_to_metric_families
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def test_both_formats_say_the_same() -> None:
    plain, openly = read(""), read(f"{OPEN_METRICS};version=1.0.0,text/plain;q=0.5")
    assert plain == openly
    worker = ("worker", "0")
    assert plain["p2pchat_seen_total", (("what", 'a "quote"\\'), worker)] == 3
    assert plain["p2pchat_size_bytes", (worker,)] == 1.5
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in plain.items()
        if name == "p2pchat_took_seconds_bucket"
    }
    assert buckets == {"0.1": 2, "1.0": 3, "+Inf": 4}
    state = (("state", "stored"), worker)
    assert plain["p2pchat_took_seconds_count", state] == 4
    assert plain["p2pchat_took_seconds_sum", state] == 10.6


def test_the_content_type_is_that_of_the_format() -> None:
    exposition = Exposition()
    assert exposition.write([], "*/*")[1].startswith("text/plain; version=0.0.4")
    assert exposition.write([], OPEN_METRICS)[1].startswith(OPEN_METRICS)
    assert exposition.write([], OPEN_METRICS)[0] == b"# EOF\n"


def test_a_strange_accept_header_does_no_harm() -> None:
    for accept in ("\x00", f"{OPEN_METRICS};version=a.b", "text/plain;version=" + "9" * 5000):
        assert Exposition().write(families(), accept)[0]


CODE = """
import sys
from p2pchat.node.adapters import left_out
{first}
from p2pchat.node.adapters.prometheus_text import Exposition
Exposition().write([])
{then}
import prometheus_client
assert type(prometheus_client.Counter("a", "b")).__name__ == "Counter"
prometheus_client.Counter("a", "b")  # the real one refuses the same name a second time
print("libp2p" in sys.modules, isinstance(prometheus_client, left_out._StandIn))
"""
LOAD = "left_out.leave_out(); import libp2p"


def run(first: str, then: str) -> str:
    code = CODE.format(first=first, then=then)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_libp2p_has_its_stand_in_whichever_is_loaded_first() -> None:
    """With the real one, its second host in a process fails: its counters would have the names of the first's."""
    assert run(LOAD, "") == "True True"
    assert run("", LOAD) == "True True"


def test_the_real_one_is_loaded_once() -> None:
    assert left_out.real(left_out.PROMETHEUS) is left_out.real(left_out.PROMETHEUS)
