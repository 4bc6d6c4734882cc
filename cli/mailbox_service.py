"""A mailbox as a service in the foreground: says on standard output where and for whom it is, then runs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from p2pchat.cli import control_client, link_files, logs, metrics_port, service, systemd
from p2pchat.node.identity import Identity
from p2pchat.relay_mailbox.config import MailboxConfig, RegistrationPolicy

if TYPE_CHECKING:
    from p2pchat.proto import mailbox_actors_pb2 as actors
    from p2pchat.relay_mailbox.app import MailboxHandle
    from p2pchat.relay_mailbox.control import MailboxControl


def run(
    config: MailboxConfig,
    identity: Identity,
    *,
    announced: Sequence[str],
    log_level: str,
    log_file: str,
    link_file: str = "",
) -> None:
    """Until SIGINT, SIGTERM or SIGHUP. Raises `UserError` when it cannot start.

    `link_file`: where its link is written, once it is there; empty: nowhere.
    """
    told = systemd.Systemd.of(os.environ, os.getpid())
    with service.ending_on_signals():
        logs.start(log_file, log_level)
        control_client.keep_grpc_quiet()
        import trio

        from p2pchat.relay_mailbox.app import run_mailbox

        async def main(until_stopped: service.UntilStopped) -> None:
            async def front_end(metrics: metrics_port.Metrics, mailbox: MailboxHandle) -> None:
                metrics.answer_for_mailbox(mailbox)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_serve, mailbox, announced, told, link_file)
                    await until_stopped()  # also while it still starts
                    nursery.cancel_scope.cancel()

            async with metrics_port.opened(config.node) as metrics:
                await run_mailbox(config, identity, partial(front_end, metrics))

        service.run(main, told)


async def _serve(
    mailbox: MailboxHandle, announced: Sequence[str], told: systemd.Systemd, link_file: str
) -> None:
    """Say where it is as soon as it can be used, and answer the operator until cancelled."""
    import trio

    from p2pchat.relay_mailbox.control import MailboxControl, serve

    control = MailboxControl(mailbox.operator, announced)
    lines = await _come_up(mailbox, control)
    link_files.leave(link_file, lines)
    async with serve(mailbox.config.node.data_dir / control_client.SOCKET_NAME, control):
        service.say(lines)
        told.tell(systemd.READY)
        await trio.sleep_forever()


async def _come_up(mailbox: MailboxHandle, control: MailboxControl) -> list[str]:
    """What to say, once the mailbox is there. Its store is open by then: nobody else can run on the folder."""
    from p2pchat.proto import control_pb2
    from p2pchat.proto import mailbox_actors_pb2 as actors

    # Without a deadline: the start takes as long as it takes.
    await mailbox.operator.request(actors.DescribeMailbox(), actors.MailboxDescription)
    status = await control.status(control_pb2.StatusRequest())
    listed = await control.list_invites(control_pb2.ListInvitesRequest())
    announced = mailbox.config.node.announce
    return list(first_lines(mailbox.config, status.mailbox, listed.invites, announced))


def first_lines(
    config: MailboxConfig,
    here: actors.MailboxDescription,
    invites: Iterable[actors.InviteDescription],
    announced: Collection[str] = (),
) -> Iterator[str]:
    """One fact a line, so that scripts can read them. `announced`: what the operator says leads here, and where it need
    not listen itself; without peer ids."""
    yield f"Peer id: {here.peer}"
    yield f"Data folder: {config.node.data_dir}"
    for address in here.addresses:
        known = "Announced" if address.rpartition("/p2p/")[0] in announced else "Listening"
        yield f"{known}: {address}"
    yield f"Registration: {here.registration}"
    if config.registration is not RegistrationPolicy.INVITE:
        yield f"Link: {here.link}"
        return
    usable = [invite for invite in invites if invite.invite.uses_left]
    if usable:
        uses = usable[0].invite.uses_left
        yield f"Invite: {usable[0].invite.id}, good for {uses} more {'use' if uses == 1 else 'uses'}"
        yield f"Link: {usable[0].link}"
    else:
        yield "Invite: none has uses left; this makes one: p2pchat mailbox invites --new"
