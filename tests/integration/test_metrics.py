"""Two real nodes and a real mailbox under traffic, read as Prometheus reads them; and their logs, which name nobody."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.prometheus_text import OPEN_METRICS, Exposition
from p2pchat.node.metrics import every_role, translate
from p2pchat.relay_mailbox import metrics

P2PCHAT = Path(sys.executable).with_name("p2pchat")
PATIENCE = 90.0  # seconds; a busy machine takes its time
QUIET = ("--listen", "/ip4/127.0.0.1/tcp/0", "--bootstrap", "none", "--no-mdns")
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("P2PCHAT_") and name not in ("DATA_DIR", "CHAT_TOPIC")
}
ROOM, TEXT = "hiddengarden", "the parcel is under the stone"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Service:
    """A node or a mailbox, with its log and its port."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.log_path = folder.with_suffix(".log")
        self._words = words
        self._start()

    def _start(self) -> None:
        self._lives = self.log().count("metrics on ")
        with self.log_path.open("a") as log:
            self._process = subprocess.Popen(
                [
                    str(P2PCHAT),
                    *self._words,
                    "--data-dir",
                    str(self.folder),
                    "--metrics",
                    "0",
                    *QUIET,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=ENVIRONMENT,
            )

    def up(self) -> None:
        until(lambda: self.log().count("metrics on ") > self._lives)
        self.url = re.findall(r"metrics on (http://\S+)/metrics", self.log())[-1]
        assert self._process.stdout is not None
        self.said = next(
            line for line in self._process.stdout if line.startswith(("Link: ", "p2pchat node"))
        )

    def log(self) -> str:
        return self.log_path.read_text("utf-8") if self.log_path.exists() else ""

    def run(self, *words: str) -> dict[str, object]:
        """A command about this one; its answer."""
        done = subprocess.run(
            [str(P2PCHAT), *words, "--json", "--data-dir", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=ENVIRONMENT,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def read(self, accept: str = "") -> Samples:
        request = urllib.request.Request(f"{self.url}/metrics", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read().decode()
        return parsed(text, openly=bool(accept))

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=PATIENCE)

    def start_again(self) -> None:
        self._start()
        self.up()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def parsed(text: str, *, openly: bool) -> Samples:
    Exposition()  # makes the parsers importable beside libp2p's stand-in
    if openly:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    else:
        from prometheus_client.parser import text_string_to_metric_families
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)


class Scene:
    """A mailbox, and two people who use it."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        def service(name: str, *words: str) -> Service:
            return stack.enter_context(contextlib.closing(Service(folder / name, *words)))

        self.mailbox = service("post", "mailbox", "--registration", "open")
        self.mailbox.up()
        link = self.mailbox.said.removeprefix("Link: ").strip()
        node = ("node", "--headless", "--mailbox", link, "--room", ROOM, "--name")
        self.ada = service("ada", *node, "Adalind")
        self.bob = service("bob", *node, "Bobbert")
        self.ada.up()
        self.bob.up()

    @property
    def services(self) -> list[Service]:
        return [self.mailbox, self.ada, self.bob]

    def talk(self) -> None:
        """In a room, directly, and by the mailbox while one is away."""
        link = str(self.bob.run("link")["link"])
        self.ada.run("contacts", "add", link, "--name", "Robertino")
        until(lambda: of(self.ada.read(), "p2pchat_room_neighbours") == 1)
        self.ada.run("send", "--room", ROOM, TEXT)
        wait = ("--timeout", str(PATIENCE), "--wait")
        self.ada.run("send", "--to", "Robertino", *wait, "delivered", TEXT)
        self.bob.stop()
        sent = self.ada.run("send", "--to", "Robertino", *wait, "stored", TEXT)
        assert sent["reached"] is True
        self.bob.start_again()
        delivered = ("p2pchat_messages_total", frozenset({("state", "delivered")}))
        until(lambda: self.ada.read()[delivered] == 2)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        made = Scene(tmp_path_factory.mktemp("metrics"), stack)
        made.talk()
        yield made


def test_a_node_counts_what_became_of_its_messages(scene: Scene) -> None:
    ada, bob = scene.ada.read(), scene.bob.read()
    states = {
        s: of(ada, "p2pchat_messages_total", state=s) for s in ("queued", "stored", "delivered")
    }
    assert states == {"queued": 2, "stored": 1, "delivered": 2}
    for state in ("stored", "delivered"):
        count = of(ada, "p2pchat_message_latency_seconds_count", state=state)
        assert count == states[state]
    assert of(ada, "p2pchat_room_messages_total", what="said") == 1
    assert of(ada, "p2pchat_own_mailboxes", state="connected") == 1
    assert of(bob, "p2pchat_messages_received_total") == 1  # since it was started again
    assert of(ada, "p2pchat_actor_up", actor="delivery") == 1
    assert of(ada, "process_resident_memory_bytes") > 1 << 20
    assert of(ada, "p2pchat_store_commit_seconds_count", store="messages") > 0
    connections = [n for (name, _), n in ada.items() if name == "p2pchat_connections"]
    assert sum(connections) >= 1


def test_a_mailbox_counts_what_it_keeps_and_hands_over(scene: Scene) -> None:
    until(
        lambda: of(scene.mailbox.read(), "p2pchat_mailbox_held_envelopes", worker="0") == 0
    )  # receipts go by it as well
    post = scene.mailbox.read()
    name = "p2pchat_mailbox_envelopes_total"
    deposited = of(post, name, what="deposited", worker="0")
    assert deposited >= 1
    assert of(post, name, what="acknowledged", worker="0") == deposited
    assert of(post, "p2pchat_mailbox_deposit_seconds_count", worker="0") == deposited
    assert of(post, "p2pchat_mailbox_wait_seconds_count", worker="0") >= deposited
    assert of(post, "p2pchat_mailbox_wait_seconds_sum", worker="0") > 0
    assert of(post, "p2pchat_mailbox_registered_peers", worker="0") == 2
    assert of(post, "p2pchat_mailbox_limit", limit="quota_count", worker="0") == 10_000


def test_everything_read_is_declared_and_both_formats_are_alike(scene: Scene) -> None:
    roles = {
        scene.ada: {*every_role.METRICS, *translate.METRICS},
        scene.mailbox: {*every_role.METRICS, *metrics.METRICS},
    }
    for service, declared in roles.items():
        plain, openly = service.read(), service.read(OPEN_METRICS)
        names = {re.sub(r"_(bucket|count|sum)$", "", name) for name, _ in plain}
        assert names == {re.sub(r"_(bucket|count|sum)$", "", name) for name, _ in openly}
        assert names <= {metric.name for metric in declared}
        assert len(names) > 40


def test_no_metric_names_anybody(scene: Scene) -> None:
    for service in scene.services:
        labels = {value for _, labels in service.read() for _, value in labels}
        assert not [value for value in labels if is_telling(value)]
        assert len(labels) > 50


def test_no_log_names_anybody(scene: Scene) -> None:
    for service in scene.services:
        log = service.log()
        assert "metrics on" in log  # at the level info
        assert not [line for line in log.splitlines() if is_telling(line)]
    assert "peer-" in scene.mailbox.log()  # somebody has registered


def is_telling(text: str) -> bool:
    """Whether it says who, where they talk, or what."""
    words = ("12D3KooW", ROOM, "Adalind", "Bobbert", "Robertino", TEXT, "parcel", "/ip4/")
    return any(word in text for word in words)


def test_whether_it_is_well(scene: Scene) -> None:
    for service in scene.services:
        with urllib.request.urlopen(f"{service.url}/healthz", timeout=PATIENCE) as answer:
            assert answer.read() == b"ok\n"


@pytest.mark.parametrize("words", [("node", "--headless"), ("node", "--plain"), ("mailbox",)])
def test_a_port_in_use_is_said_before_anything_else(tmp_path: Path, words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        done = subprocess.run(
            [str(P2PCHAT), *words, "--data-dir", str(tmp_path), "--metrics", taken, *QUIET],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=ENVIRONMENT,
        )
    assert done.returncode == 2
    problem = "this address is in use by another program"
    assert f"p2pchat: --metrics 127.0.0.1:{taken}: {problem}." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "store").exists()


def test_a_chat_in_lines_answers_as_well(tmp_path: Path) -> None:
    with subprocess.Popen(
        [str(P2PCHAT), "node", "--plain", "--data-dir", str(tmp_path), "--metrics", "0", *QUIET],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        try:
            log = tmp_path / "p2pchat.log"
            until(lambda: log.exists() and "metrics on " in log.read_text())
            (url,) = re.findall(r"metrics on (http://\S+)", log.read_text())
            until(lambda: answers(url))
            process.communicate("/quit\n", timeout=PATIENCE)
            assert process.returncode == 0
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return b"p2pchat_uptime_seconds" in answer.read()
    except urllib.error.HTTPError as error:
        if error.code != 503:  # it is starting
            raise
        return False
