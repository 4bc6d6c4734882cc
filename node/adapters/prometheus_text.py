"""Writes metric families as text, in Prometheus's own format or as OpenMetrics, with prometheus_client.

The library is loaded when the first exposition is made, and not with this module: it costs 0.04 s and 4 MB.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from p2pchat.node.adapters import left_out
from p2pchat.node.protocol.metric_families import Family, Kind, Sample
from p2pchat.proto import actors_pb2 as actors

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

OPEN_METRICS = "application/openmetrics-text"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """Made in the thread that imports libp2p, or before that (see `left_out.real`)."""

    def __init__(self) -> None:
        left_out.real(left_out.PROMETHEUS)

    def write(self, families: Sequence[Family], accept: str = "") -> tuple[bytes, str]:
        """The text, and its content type; `accept` is the header of who asks."""
        # By their full names: what stands at `prometheus_client` itself is libp2p's.
        if OPEN_METRICS in accept:
            from prometheus_client.openmetrics.exposition import generate_latest as generate

            text: bytes = generate(_Collected(families))  # type: ignore[no-untyped-call]
            return text, f"{OPEN_METRICS}; version=1.0.0; charset=utf-8"
        from prometheus_client.exposition import generate_latest

        return generate_latest(_Collected(families)), PLAIN


class _Collected:
    """What prometheus_client takes for a registry."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return map(_as_theirs, self._families)


def _as_theirs(family: Family) -> Metric:
    from prometheus_client.metrics_core import Metric

    metric = family.metric
    theirs = Metric(metric.name.removesuffix("_total"), metric.help, metric.kind.value)
    for sample in family.samples:
        for name, labels, value in _lines(family, sample):
            theirs.add_sample(name, labels, value)
    return theirs


def _lines(family: Family, sample: Sample) -> Iterator[tuple[str, dict[str, str], float]]:
    name, labels = family.metric.name, dict(sample.labels)
    if family.metric.kind is not Kind.HISTOGRAM:
        assert not isinstance(sample.value, actors.Histogram)
        yield name, labels, float(sample.value)
        return
    assert isinstance(sample.value, actors.Histogram)
    below = list(itertools.accumulate(sample.value.counts))
    for bound, count in zip([*map(_bound, sample.value.bounds), "+Inf"], below, strict=True):
        yield f"{name}_bucket", {**labels, "le": bound}, float(count)
    yield f"{name}_count", labels, float(below[-1])
    yield f"{name}_sum", labels, sample.value.sum


def _bound(seconds: float) -> str:
    from prometheus_client.utils import floatToGoString

    return str(floatToGoString(seconds))  # type: ignore[no-untyped-call]
