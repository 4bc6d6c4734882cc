from __future__ import annotations

import pytest

from p2pchat.node.protocol.metric_families import Gathering, counter, gauge, known

SIZE = gauge("size_bytes", "How large.", "what")
SEEN = counter("seen_total", "How often.")


def test_samples_of_one_metric_are_one_family() -> None:
    out = Gathering()
    for worker in "01":
        one = out.labelled(worker=worker)
        one.put(SEEN, 1)
        one.put(SIZE, 2, what="a")
    families = {family.metric: family.samples for family in out.families()}
    assert [dict(sample.labels) for sample in families[SEEN]] == [{"worker": "0"}, {"worker": "1"}]
    assert dict(families[SIZE][0].labels) == {"worker": "0", "what": "a"}


def test_a_metric_has_the_labels_that_it_says() -> None:
    with pytest.raises(ValueError, match="size_bytes has the labels"):
        Gathering().put(SIZE, 1)
    with pytest.raises(ValueError, match="seen_total has the labels"):
        Gathering().put(SEEN, 1, what="a")


def test_strange_names_become_one() -> None:
    counted = known(["refused", "dropped"], {"refused": 3, "12D3KooWx": 4, "/home/ada": 5})
    assert counted == {"refused": 3, "dropped": 0, "other": 9}
