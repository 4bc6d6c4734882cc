"""One worker's process of `p2pchat mailbox --workers N`: what the one that started it may call, and nothing else.

Everything that this module knows by name could be called, so it knows little.
"""

from __future__ import annotations


async def run(order: str) -> dict[str, str]:
    """Be the worker that `order` says (`mailbox_work.Order`); returns how it ended."""
    from p2pchat.cli import mailbox_work

    return await mailbox_work.run(order)


async def ping() -> bool:
    """Whether it can be used."""
    from p2pchat.cli import mailbox_work

    return mailbox_work.up.is_set()
