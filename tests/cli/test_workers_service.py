"""What `p2pchat mailbox --workers N` does before and around its workers."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from p2pchat.cli import mailbox_settings, settings, workers_service
from p2pchat.cli.mailbox_settings import MailboxGiven
from p2pchat.cli.mailbox_work import Order
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ConfigError
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail
from p2pchat.relay_mailbox.config import MailboxConfig, RegistrationPolicy
from tests.relay_mailbox.builders import RECIPIENT


@pytest.mark.parametrize("count", [0, 17, -1])
def test_a_number_of_workers_that_makes_no_sense(count: int) -> None:
    given = MailboxGiven(settings.Given(origins={"workers": "P2PCHAT_WORKERS"}), workers=count)
    with pytest.raises(ConfigError, match=r"P2PCHAT_WORKERS: -?\d+ is not a number from 1 to 16"):
        mailbox_settings.workers(given)


def test_who_would_be_left_out_keeps_it_from_starting(tmp_path: Path) -> None:
    config = MailboxConfig(NodeConfig(tmp_path))
    folder = tmp_path / "workers" / "2"
    folder.mkdir(parents=True)
    workers_service.refuse_to_leave_out(config, 1)  # nothing is there
    store = RocksdbMail(folder / "mail")
    store.open()
    store.close()
    workers_service.refuse_to_leave_out(config, 1)  # nobody is registered
    store.open()
    change = actors.ChangeRegistry()
    change.registration.peer = RECIPIENT
    store.change_registry(change)
    store.close()
    with pytest.raises(ConfigError, match="Start the mailbox with --workers 3 or more"):
        workers_service.refuse_to_leave_out(config, 2)
    workers_service.refuse_to_leave_out(config, 3)


def test_the_first_lines_say_how_many_workers_there_are() -> None:
    here = actors.MailboxDescription(
        peer="p", registration="open", link="L", addresses=["/a", "/b"]
    )
    for number in range(3):
        here.workers.add(number=number)
    config = MailboxConfig(NodeConfig(Path("/data")), RegistrationPolicy.OPEN)
    assert list(workers_service.first_lines(config, here, [])) == [
        "Peer id: p",
        "Data folder: /data",
        "Listening: /a",
        "Listening: /b",
        "Workers: 3",
        "Registration: open",
        "Link: L",
    ]


def test_an_order_survives_as_text() -> None:
    order = Order("config", "/socket", "", ["/a"], "info")
    assert Order.of(order.text()) == order


@pytest.mark.parametrize(
    ("line", "level", "logger", "text"),
    [
        (
            '{"level": "info", "logger": "p2pchat.x", "message": "hello"}',
            logging.INFO,
            "p2pchat.x",
            "worker 1: hello",
        ),
        (
            '{"level": "error", "logger": "p2pchat.x", "message": "a", "exception": "Trace"}',
            logging.ERROR,
            "p2pchat.x",
            "worker 1: a\nTrace",
        ),
        ("Fatal Python error", logging.WARNING, "p2pchat.worker", "worker 1: Fatal Python error"),
        ('{"level": 3}', logging.WARNING, "p2pchat.worker", 'worker 1: {"level": 3}'),
        ("[]", logging.WARNING, "p2pchat.worker", "worker 1: []"),
    ],
)
def test_what_workers_say_goes_into_the_log(
    caplog: pytest.LogCaptureFixture, line: str, level: int, logger: str, text: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        workers_service.say_for(1, line)
    (record,) = caplog.records
    assert (record.levelno, record.name, record.getMessage()) == (level, logger, text)
    assert record.worker == 1  # type: ignore[attr-defined]


def test_who_starts_the_workers_loads_nothing_of_libp2p() -> None:
    program = (
        "import sys\n"
        "from p2pchat.cli import main, mailbox_settings, workers_service\n"
        "from p2pchat.relay_mailbox.workers import serving, tending, tractor_here, tractor_processes\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('libp2p', 'rocksdict')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
