"""The side of AutoNAT that asks."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.reachability.exchange import opened
from p2pchat.node.actors.reachability.ways import Ways
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Network
from p2pchat.node.protocol import autonat, endpoints
from p2pchat.node.protocol.endpoints import Endpoint
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.observed import Observed
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.node.protocol.reachability import Judgement, Rank, Rounds, Verdict
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import nat_pb2 as nat

log = logging.getLogger(__name__)

ANSWER_TIMEOUT = 20.0  # seconds; others dial for up to 15
PAUSE = 0.2  # seconds between two peers of one round


class Asking:
    """`judgement` says what is known. `on_change` is called when that may have become something else."""

    def __init__(
        self,
        network: Network,
        ways: Ways,
        observed: Observed,
        *,
        mapped: Callable[[], Iterable[str]],
        rng: random.Random,
        counters: Counter[str],
        on_change: Callable[[], None],
    ) -> None:
        """`mapped`: addresses that the router lets in."""
        self.judgement = Judgement()
        self._network = network
        self._ways = ways
        self._observed = observed
        self._mapped = mapped
        self._counters = counters
        self._on_change = on_change
        self._rounds = Rounds(rng)
        self._bell = Bell()
        self._scope = trio.CancelScope()  # of the round under way
        self._asked_about: list[Endpoint] = []

    # ---- events ---------------------------------------------------------------------------------------

    def offer(self, peer: str, rank: Rank) -> None:
        """`peer` is connected directly, and can be asked as far as is known."""
        is_known = self.judgement.state != actors.UNKNOWN
        self._rounds.offer(peer, rank, trio.current_time(), is_known=is_known)
        self._bell.ring()

    def withdraw(self, peer: str) -> None:
        self._rounds.withdraw(peer)

    def addresses_changed(self) -> None:
        """There may be other addresses to ask about."""
        if self._asked_about and set(self._candidates()) != set(self._asked_about):
            self.hurry()

    def hurry(self) -> None:
        """Something has happened that makes another answer likely."""
        self._rounds.hurry(trio.current_time())
        self._bell.ring()

    def anew(self) -> None:
        """The network has changed: what others say of the old one is not awaited."""
        now = trio.current_time()
        self._scope.cancel()
        self.judgement.doubt(now)
        self._rounds.hurry(now, anew=True)
        self._bell.ring()

    # ---- rounds ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            now = trio.current_time()
            due, doubts_end = self._rounds.next_due(), self.judgement.doubts_end()
            if doubts_end is not None and doubts_end <= now:
                self.judgement.give_up(now)
                self._on_change()
            elif due is not None and due <= now:
                await self._round()
            else:
                times = [time for time in (due, doubts_end) if time is not None]
                await self._bell.wait_until(min(times, default=None))

    async def _round(self) -> None:
        now = trio.current_time()
        self._asked_about = self._candidates()
        with trio.CancelScope() as self._scope:
            for peer in self._rounds.begin(now):
                await self._ask(peer)
                if self.judgement.state == actors.UNKNOWN:
                    self._conclude()  # the first word is better than none
                await trio.sleep(PAUSE)
            self._conclude()
        if not self._scope.cancelled_caught:
            is_settled = self.judgement.is_settled
            self._rounds.ended(trio.current_time(), is_settled=is_settled)

    def _conclude(self) -> None:
        before = self.judgement.state
        self.judgement.conclude(trio.current_time())
        if self.judgement.state != before:
            log.info("this node is %s now", actors.Reachability.Name(self.judgement.state))
        self._on_change()

    def _candidates(self) -> list[Endpoint]:
        listening = self._network.listen_addresses()
        own = endpoints.parse_all([*self._mapped(), *listening])
        return list(dict.fromkeys([*self._observed.candidates(listening), *own]))

    def _worth_asking(self, peer: str, scope: Scope) -> list[str]:
        """Addresses that lead here from where the peer is: those at which it sees us itself first, because mostly it
        dials no other."""
        found = [str(each) for each in self._asked_about if scope_of(each.host) is scope]
        seen = self._observed.host_seen_by(peer) + "/"
        found.sort(key=lambda address: not f"{address}/".startswith(seen))
        return found[: autonat.MAX_ASKED]

    async def _ask(self, peer: str) -> None:
        direct = self._ways.direct(peer)
        if not direct:
            return
        scope = scope_of(direct[0].address)
        addresses = self._worth_asking(peer, scope)
        answer = await self._answer(peer, addresses) if addresses else None
        reached = _verdict(answer, addresses)
        now = trio.current_time()
        if answer is None or reached is None:
            self._counters["autonat_unanswered"] += bool(addresses)
            self._rounds.failed(peer, now)
            return
        self._counters["autonat_reached" if reached else "autonat_not_reached"] += 1
        self._rounds.answered(peer)
        worked = answer.address if reached else ""
        self.judgement.verdicts.add(peer, Verdict(reached, scope, now, _bare(worked)))

    async def _answer(self, peer: str, addresses: list[str]) -> autonat.Answer | None:
        question = autonat.question(self._network.peer, addresses)
        self._counters["autonat_asked"] += 1
        with trio.move_on_after(ANSWER_TIMEOUT):
            try:
                async with opened(self._network, peer, autonat.PROTOCOL) as stream:
                    await stream.write(frame(question))
                    body = await stream.read_frame(autonat.FRAME_LIMIT)
                    return autonat.read_answer(body)
            except (StreamError, ValueError) as error:
                log.debug("%s does not say whether it can reach us: %s", peer, error)
        return None


def _verdict(answer: autonat.Answer | None, asked: list[str]) -> bool | None:
    """None: it is none, or about another address than those that were asked about."""
    if answer is None:
        return None
    if answer.status == nat.Autonat.E_DIAL_ERROR:
        return False
    if answer.status != nat.Autonat.OK:
        return None
    if not answer.address:
        return True
    return True if endpoints.parse(answer.address) in endpoints.parse_all(asked) else None


def _bare(address: str) -> str:
    endpoint = endpoints.parse(address)
    return str(endpoint) if endpoint else ""
