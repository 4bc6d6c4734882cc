"""Metric families as plain values: what is exported is declared once, with its help, and filled by translations."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from p2pchat.proto import actors_pb2 as actors

OTHER = "other"  # a name that is not in a vocabulary; its number is counted all the same


class Kind(enum.StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"  # its name ends in `_total`
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One that this program exports. Every name is Prometheus's: base units, `_total` for counters."""

    name: str
    kind: Kind
    help: str  # a sentence, with a full stop
    labels: tuple[str, ...] = ()


def gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, text, labels)


def counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, text, labels)


def histogram(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, text, labels)


@dataclass(frozen=True, slots=True)
class Sample:
    labels: Mapping[str, str]
    value: float | actors.Histogram


@dataclass(frozen=True, slots=True)
class Family:
    metric: Metric
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Gathering:
    """What has been found so far. `always` are labels that every sample gets."""

    always: Mapping[str, str] = field(default_factory=dict)
    found: dict[Metric, list[Sample]] = field(default_factory=dict)

    def labelled(self, **labels: str) -> Gathering:
        """For more of the same gathering: samples with these labels besides."""
        return Gathering({**self.always, **labels}, self.found)

    def put(self, metric: Metric, value: float | actors.Histogram, **labels: str) -> None:
        """Raises `ValueError` for other labels than the metric has."""
        if tuple(labels) != metric.labels:
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {tuple(labels)}")
        self.found.setdefault(metric, []).append(Sample({**self.always, **labels}, value))

    def put_each(self, metric: Metric, values: Mapping[str, float]) -> None:
        """A sample for each, by the metric's only label."""
        (label,) = metric.labels
        for name, value in values.items():
            self.put(metric, value, **{label: name})

    def families(self) -> list[Family]:
        """Each family once, whichever process its samples come from."""
        return [Family(metric, tuple(samples)) for metric, samples in self.found.items()]


def known(names: Iterable[str], counts: Mapping[str, int]) -> dict[str, int]:
    """Each of the vocabulary with its count, also those that are 0 yet; everything else together as `other`.

    A counter's name that comes from outside of the program would otherwise become a label for good.
    """
    found = dict.fromkeys(names, 0)
    strange = 0
    for name, count in counts.items():
        if name in found:
            found[name] = count
        else:
            strange += count
    return {**found, OTHER: strange}
