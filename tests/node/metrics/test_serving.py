"""What the port says: metrics, whether it is well, and why there are none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio

from p2pchat.node.errors import AskTimeoutError, ConfigError
from p2pchat.node.metrics.serving import COLLECT_TIMEOUT, MetricsPort, of_node, open_port
from p2pchat.node.protocol.metric_families import Family, Gathering, gauge
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors

SIZE = gauge("size_bytes", "How large.")


async def one() -> Sequence[Family]:
    out = Gathering()
    out.put(SIZE, 7)
    return out.families()


async def test_metrics_and_health() -> None:
    port = MetricsPort()
    port.collect = one
    answer = await port.answer("/metrics", "")
    assert (answer.status, answer.content_type[:10]) == (200, "text/plain")
    assert b"size_bytes 7.0\n" in answer.body
    healthy = await port.answer("/healthz", "")
    assert (healthy.status, healthy.body) == (200, b"ok\n")
    assert (await port.answer("/", "")).status == 404


async def test_before_the_start_is_over() -> None:
    port = MetricsPort()
    for path in ("/metrics", "/healthz"):
        answer = await port.answer(path, "")
        assert (answer.status, answer.body) == (503, b"It is starting.\n")


async def test_a_program_that_does_not_answer(autojump_clock: object) -> None:
    async def never() -> Sequence[Family]:
        await trio.sleep_forever()
        raise AssertionError

    port = MetricsPort()
    port.collect = never
    began = trio.current_time()
    assert (await port.answer("/healthz", "")).status == 503
    assert trio.current_time() - began == pytest.approx(COLLECT_TIMEOUT)


async def test_a_part_that_is_down(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> Sequence[Family]:
        raise AskTimeoutError("no answer from ui")

    port = MetricsPort()
    port.collect = fails
    answer = await port.answer("/metrics", "")
    assert answer.status == 503
    assert b"ui" not in answer.body
    assert "no answer from ui" in caplog.text


async def test_however_many_ask_one_is_asked_at_a_time(autojump_clock: object) -> None:
    together = most = 0

    async def slow() -> Sequence[Family]:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await trio.sleep(0.1)
        together -= 1
        return []

    port = MetricsPort()
    port.collect = slow
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(port.answer, "/metrics", "")
    assert most == 1


async def test_it_says_where_it_is_and_warns_of_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with open_port("127.0.0.1:0") as port:
        assert f"metrics on {port.urls[0]}" in caplog.text
        assert "firewall" not in caplog.text
    async with open_port("0.0.0.0:0"):
        assert "firewall" in caplog.text


async def test_a_place_that_is_taken() -> None:
    async with open_port("127.0.0.1:0") as port:
        taken = port.urls[0].removeprefix("http://").removesuffix("/metrics")
        with pytest.raises(ConfigError, match="in use"):
            async with open_port(taken):
                pytest.fail("it is there twice")


class Ui(Actor):
    @handles(actors.DescribeNode)
    async def _describe(self, _: actors.DescribeNode) -> actors.NodeDescription:
        return actors.NodeDescription(uptime_ms=4200)


async def test_of_a_node(nursery: trio.Nursery) -> None:
    cell = ActorCell.of("ui", Ui, Ui)
    tree = Supervisor("root", [cell], root=True)
    await nursery.start(tree.run)
    found = {family.metric.name: family.samples for family in await of_node(cell.ref)()}
    assert found["p2pchat_uptime_seconds"][0].value == 4.2
    assert "process_cpu_seconds_total" in found
    tree.request_stop()
