"""`p2pchat mailbox --workers N`: starts the workers, keeps them running, and speaks for all of them.

Carries no mail itself, and loads nothing of libp2p.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from p2pchat.cli import (
    control_client,
    data_folder,
    link_files,
    logs,
    mailbox_service,
    metrics_port,
    service,
    settings,
    systemd,
)
from p2pchat.node.errors import ConfigError, RequestRejectedError
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.workers import sharing

if TYPE_CHECKING:
    from p2pchat.proto import mailbox_actors_pb2 as actors
    from p2pchat.relay_mailbox.workers.control import WorkersControl
    from p2pchat.relay_mailbox.workers.sharing import Share
    from p2pchat.relay_mailbox.workers.tending import Tending

log = logging.getLogger(__name__)

MODULE = "p2pchat.cli.mailbox_worker"  # what a worker's process runs
LOOK_AGAIN = 0.2  # seconds until the worker that keeps the invites is asked once more


def refuse_to_leave_out(config: MailboxConfig, count: int) -> None:
    """Raises `ConfigError` when a worker would not be started that somebody has mail at, or may get some."""
    for folder in sharing.left_out(config.node.data_dir, count):
        if data_folder.is_a_mailbox_s(folder) and _is_used(folder):
            raise ConfigError(
                f"{folder} belongs to a worker that peers have registered with, and would not be started: they would "
                f"get no mail. Start the mailbox with --workers {int(folder.name) + 1} or more. To give them up all "
                "the same, move that folder away."
            )


def _is_used(folder: Path) -> bool:
    """Whether anybody is registered there, or mail is held."""
    from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail

    store = RocksdbMail(folder / "mail")
    store.open()
    try:
        return bool(store.registry().registrations) or bool(store.totals().count)
    finally:
        store.close()


def run(
    config: MailboxConfig,
    shares: Sequence[Share],
    *,
    log_level: str,
    log_file: str,
    link_file: str = "",
) -> None:
    """Until SIGINT, SIGTERM, SIGHUP or the control API's Shutdown. Raises `UserError` when it cannot start, and
    `WorkersFailedError` when it cannot go on."""
    told = systemd.Systemd.of(os.environ, os.getpid())
    for share in shares:
        settings.prepare_data_dir(share.config.node.data_dir)
        settings.prepare_data_dir(share.config.mail_path)
        settings.prepare_data_dir(share.socket.parent)
    with service.ending_on_signals():
        logs.start(log_file, log_level)
        control_client.keep_grpc_quiet()  # before the workers: they get the same environment
        import trio

        from p2pchat.relay_mailbox.workers import tractor_processes
        from p2pchat.relay_mailbox.workers.tending import Tending

        orders = [_order(share, log_level) for share in shares]

        async def main(until_stopped: service.UntilStopped) -> None:
            async with (
                metrics_port.opened(config.node) as metrics,
                tractor_processes.opened(MODULE, orders, say_for) as spawner,
                trio.open_nursery() as nursery,
            ):
                tending = Tending(spawner, len(shares))
                nursery.start_soon(tending.run)
                serve = _Serving(config, shares, tending, until_stopped, told, link_file, metrics)
                nursery.start_soon(serve.run)
                await until_stopped()  # also while they still start
                nursery.cancel_scope.cancel()

        service.run(main, told)


def _order(share: Share, log_level: str) -> str:
    from p2pchat.cli.mailbox_work import Order
    from p2pchat.relay_mailbox.workers import settings_text

    return Order(
        config=settings_text.to_text(share.config),
        socket=str(share.socket),
        invites=str(share.invites or ""),
        announced=share.config.node.announce,
        log_level=log_level,
    ).text()


class _Serving:
    """Says where the mailbox is as soon as it can be used, and answers the operator."""

    def __init__(
        self,
        config: MailboxConfig,
        shares: Sequence[Share],
        tending: Tending,
        until_stopped: service.UntilStopped,
        told: systemd.Systemd,
        link_file: str,
        metrics: metrics_port.Metrics,
    ) -> None:
        self._config = config
        self._shares = shares
        self._tending = tending
        self._until_stopped = until_stopped
        self._told = told
        self._link_file = link_file
        self._metrics = metrics

    async def run(self) -> None:
        """Until cancelled."""
        import trio

        from p2pchat.relay_mailbox.workers import serving

        for worker in self._tending.workers:
            await worker.until_up()
        control = serving.asking(self._shares, self._tending.workers, self._stop)
        self._answer_prometheus(control)
        await control.until_known()
        lines = list(await self._lines(control))
        link_files.leave(self._link_file, lines)
        path = self._config.node.data_dir / control_client.SOCKET_NAME
        async with serving.serve(path, control):
            service.say(lines)
            self._told.tell(systemd.READY)
            await trio.sleep_forever()

    def _answer_prometheus(self, control: WorkersControl) -> None:
        if self._config.node.metrics:
            from p2pchat.relay_mailbox.metrics_port import collecting

            self._metrics.answer_with(collecting(control.describe))

    def _stop(self) -> None:
        self._until_stopped.begin("asked by the control API")

    async def _lines(self, control: WorkersControl) -> Iterator[str]:
        import trio

        from p2pchat.proto import control_pb2

        while True:
            here = await control.describe()
            try:
                listed = await control.list_invites(control_pb2.ListInvitesRequest())
            except RequestRejectedError as error:  # its worker has ended again meanwhile
                log.info("the invites are not known yet: %s", error)
                await trio.sleep(LOOK_AGAIN)
                continue
            announced = {a for share in self._shares for a in share.config.node.announce}
            return first_lines(self._config, here, listed.invites, announced)


def first_lines(
    config: MailboxConfig,
    here: actors.MailboxDescription,
    invites: Sequence[actors.InviteDescription],
    announced: Collection[str] = (),
) -> Iterator[str]:
    """Those of every mailbox, and how many workers it has before its link."""
    for line in mailbox_service.first_lines(config, here, invites, announced):
        if line.startswith("Registration: "):
            yield f"Workers: {len(here.workers)}"
        yield line


def say_for(number: int, line: str) -> None:
    """Log what a worker has said: a line of its log, or anything else that its process has printed."""
    try:
        said = json.loads(line)
        level = logging.getLevelNamesMapping()[said["level"].upper()]
        name, text = str(said["logger"]), str(said["message"])
    except (ValueError, TypeError, KeyError, AttributeError):
        level, name, text = logging.WARNING, "p2pchat.worker", line
    else:
        text = "\n".join(filter(None, [text, str(said.get("exception", ""))]))
    logging.getLogger(name).log(level, "worker %d: %s", number, text, extra={"worker": number})
