"""Looks `/dnsaddr/` addresses up in the DNS.

Source: the multiaddr specification of dnsaddr. TXT records of `_dnsaddr.<host>` hold `dnsaddr=<multiaddr>`; such a
multiaddr may be another `/dnsaddr/`, and only those that end like the question (in `/p2p/<peer id>`) answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from p2pchat.node.errors import NetworkError
from p2pchat.node.protocol.p2p_address import is_dnsaddr

TIMEOUT = 15.0  # seconds for one address, all look-ups together
LOOK_UP_TIMEOUT = 5.0  # seconds for one question, all name servers together
MAX_DEPTH = 4  # a dnsaddr that leads to a dnsaddr that ...
MAX_LOOK_UPS = 16  # for one address
MAX_ADDRESSES = 32  # taken from the answers
CONCURRENT_LOOK_UPS = 4  # threads

LookUp = Callable[[str], Sequence[str]]


def look_up_txt(host: str) -> Sequence[str]:
    """The TXT records of a name; blocks. Raises `NetworkError`."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.Resolver().resolve(host, "TXT", lifetime=LOOK_UP_TIMEOUT)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise NetworkError(str(error) or type(error).__name__) from error
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer]


class DnsaddrResolver:
    """A `Resolver` that asks the name servers of the operating system, in worker threads."""

    def __init__(self, look_up: LookUp = look_up_txt) -> None:
        self._look_up = look_up
        self._threads = trio.CapacityLimiter(CONCURRENT_LOOK_UPS)

    async def __call__(self, address: str) -> Sequence[str]:
        with trio.move_on_after(TIMEOUT):
            return await self._resolve(address)
        raise NetworkError(f"no answer for {address} within {TIMEOUT:g} s")

    async def _resolve(self, address: str) -> Sequence[str]:
        found: dict[str, None] = {}
        problems: list[str] = []
        asked: set[str] = set()
        level = [address]
        for _ in range(MAX_DEPTH):
            deeper: dict[str, None] = {}
            for question in level:
                host, ending = _split(question)
                if host in asked or len(asked) >= MAX_LOOK_UPS:
                    continue
                asked.add(host)
                try:
                    answers = await self._ask(host, ending)
                except NetworkError as error:
                    problems.append(str(error))
                    continue
                deeper |= {answer: None for answer in answers if is_dnsaddr(answer)}
                found |= {answer: None for answer in answers if not is_dnsaddr(answer)}
            level = list(deeper)
        if not found:
            raise NetworkError("; ".join(problems) or f"nobody is listed under {address}")
        return list(found)[:MAX_ADDRESSES]

    async def _ask(self, host: str, ending: str) -> list[str]:
        texts = await trio.to_thread.run_sync(
            self._look_up, f"_dnsaddr.{host}", abandon_on_cancel=True, limiter=self._threads
        )
        values = (text.removeprefix("dnsaddr=") for text in texts if text.startswith("dnsaddr=/"))
        return [value for value in values if value.endswith(ending)][:MAX_ADDRESSES]


def _split(address: str) -> tuple[str, str]:
    """Host, and what an answer has to end in."""
    host, slash, ending = address.removeprefix("/dnsaddr/").partition("/")
    return host, slash + ending
