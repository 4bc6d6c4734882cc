"""A worker of a mailbox: one whole mailbox in a process of its own, that is told what to do and when to end."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from p2pchat.node.errors import P2pchatError, UserError, one_error

if TYPE_CHECKING:
    from p2pchat.relay_mailbox.app import MailboxHandle
    from p2pchat.relay_mailbox.config import MailboxConfig

log = logging.getLogger(__name__)

up = trio.Event()  # of this process: the mailbox can be used


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is told. Holds no key and no token."""

    config: str  # `settings_text` of a MailboxConfig
    socket: str  # path of its control socket
    invites: str  # path of the control socket of the worker that keeps them; empty: this one
    announced: Sequence[str]  # multiaddrs for links
    log_level: str

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, text: str) -> Order:
        return cls(**json.loads(text))


async def run(text: str) -> dict[str, str]:
    """Until SIGTERM, which ends the process. The answer to anything else has one key: `refused` with a sentence for
    the operator, or `ended` with a reason."""
    from p2pchat.cli import logs

    order = Order.of(text)
    logs.log_to(logging.StreamHandler(), order.log_level, logs.JSON)
    try:
        with one_error():
            await _work(order)
    except UserError as error:
        return {"refused": str(error)}
    except P2pchatError as error:
        return {"ended": f"it could not go on: {error}"}
    except Exception as error:
        log.exception("the mailbox has failed")
        return {"ended": f"it has failed: {type(error).__name__}"}
    # Told to end, and in order: nothing else lives in this process.
    sys.stderr.flush()
    os._exit(0)


async def _work(order: Order) -> None:
    from p2pchat.node import identity
    from p2pchat.relay_mailbox.adapters.invites_elsewhere import InvitesElsewhere
    from p2pchat.relay_mailbox.app import real_mailbox_adapters, run_mailbox
    from p2pchat.relay_mailbox.workers import settings_text

    config = settings_text.from_text(order.config)
    who = identity.load_or_create(config.node.identity_path)
    invites = InvitesElsewhere(Path(order.invites)) if order.invites else None
    adapters = real_mailbox_adapters(config, who, invites)

    async def front_end(mailbox: MailboxHandle) -> None:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_serve, mailbox, config, order)
                async for _ in signals:
                    break
                nursery.cancel_scope.cancel()

    await run_mailbox(config, who, front_end, adapters)


async def _serve(mailbox: MailboxHandle, config: MailboxConfig, order: Order) -> None:
    """Answer on the control socket until cancelled, from when the mailbox is there."""
    from p2pchat.proto import mailbox_actors_pb2 as actors
    from p2pchat.relay_mailbox.control import MailboxControl, serve

    # Without a deadline: the start takes as long as it takes.
    await mailbox.operator.request(actors.DescribeMailbox(), actors.MailboxDescription)
    async with serve(Path(order.socket), MailboxControl(mailbox.operator, order.announced)):
        up.set()
        await trio.sleep_forever()
