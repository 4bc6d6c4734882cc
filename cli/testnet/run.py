"""Drives a test network: prepares it, lets traffic and faults happen, heals it, waits, and reads what everybody has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import trio

from p2pchat.cli.control_client import ControlError, RequestRefusedError
from p2pchat.cli.testnet import marks, plan
from p2pchat.cli.testnet.ledger import Ledger, Verdict
from p2pchat.cli.testnet.people import Person
from p2pchat.cli.testnet.ports import Place
from p2pchat.cli.testnet.samples import Samples
from p2pchat.cli.testnet.settings import Settings, chosen
from p2pchat.cli.testnet.vocabulary import Fault, Role

AT_A_TIME = (
    64  # messages that their senders have not answered for yet; more wait, and the traffic is late
)
LOOK = 2.0  # seconds between two looks whether it has
RECEIPTS = 30.0  # seconds more for the last receipts, which nothing depends on
CALM = 3.0  # seconds to go on for, once it has: for what comes twice
SAMPLES = 720  # of each member, at most
SHORTEST_SAMPLE = 2.0  # seconds between two


class Done:
    """A fault as it was done; times in seconds from the start of the traffic, NaN: not yet."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.began = self.ended = math.nan

    @property
    def goes_on(self) -> bool:
        return not math.isnan(self.began) and math.isnan(self.ended)


class Run:
    """One run, from a network that is up to the verdict. `report` is made from what is here."""

    def __init__(self, place: Place, settings: Settings) -> None:
        self.place, self.settings = place, settings
        self.kinds = chosen(settings.kinds, place.kinds, place.left_out)
        nodes = [member.name for member in place.members if member.role is Role.NODE]
        seconds, seed = settings.seconds, settings.seed
        self.faults = [
            Done(fault) for fault in plan.faults(place.members, list(self.kinds), seconds, seed)
        ]
        self.ledger = Ledger(nodes)
        self.people = {
            name: Person(name, channel, self.ledger, self.now)
            for name in nodes
            if (channel := place.channel(name)) is not None
        }
        self.samples = Samples(place, self.people, self.now)
        self.phase = "starting"
        self._phases = trio.lowlevel.ParkingLot()
        self.settled_after = math.nan  # seconds after the healing; NaN: not in time
        self.verdict: Verdict | None = None
        self._begin = math.inf

    def now(self) -> float:
        """Seconds from the start of the traffic; 0 before it."""
        return max(0.0, trio.current_time() - self._begin)

    async def until_next_phase(self) -> None:
        await self._phases.park()

    def _enter(self, phase: str) -> None:
        self.phase = phase
        self._phases.unpark_all()

    async def whole(self) -> None:
        """Everything, up to the verdict. Raises `P2pchatError` when the network cannot be kept running."""
        async with trio.open_nursery() as nursery:
            self._enter("meeting")
            await self._introduce()
            for person in self.people.values():
                nursery.start_soon(person.listen, list(self.people.values()))
                nursery.start_soon(person.read_everything)
            self._begin = trio.current_time()
            nursery.start_soon(self.samples.take_for_ever, self._sample_interval())
            self._enter("traffic")
            await self._happen()
            self._enter("settling")
            await self.place.heal()
            await self._settle()
            nursery.cancel_scope.cancel()
        self._enter("reading")
        self.verdict = await self._judge()
        self._enter("done")

    def _sample_interval(self) -> float:
        return max(SHORTEST_SAMPLE, self.settings.seconds / SAMPLES)

    # ---- before -----------------------------------------------------------------------------------

    async def _introduce(self) -> None:
        """Everybody has mail taken by every mailbox, knows everybody, and is in the room."""
        links = await self.place.mailbox_links(len(self.people))
        async with trio.open_nursery() as nursery:
            for person in self.people.values():
                nursery.start_soon(person.settle_in, links)
        async with trio.open_nursery() as nursery:
            for person in self.people.values():
                nursery.start_soon(person.meet, list(self.people.values()))

    # ---- traffic and faults -----------------------------------------------------------------------

    async def _happen(self) -> None:
        async with trio.open_nursery() as nursery:
            for done in self.faults:
                nursery.start_soon(self._fault, done)
            await self._traffic()
            await trio.sleep_until(self._begin + self.settings.seconds)

    async def _fault(self, done: Done) -> None:
        await trio.sleep_until(self._begin + done.fault.begins)
        done.began = self.now()
        await self.place.begin(done.fault)
        await trio.sleep_until(self._begin + done.fault.ends)
        await self.place.end(done.fault)
        done.ended = self.now()

    async def _traffic(self) -> None:
        settings, planned = self.settings, [done.fault for done in self.faults]
        posts = plan.traffic(
            list(self.people), planned, settings.seconds, settings.rate, settings.seed
        )
        limit = trio.CapacityLimiter(AT_A_TIME)
        async with trio.open_nursery() as nursery:
            for post in posts:
                await trio.sleep_until(self._begin + post.at)
                if self._may_be_said(post):
                    borrower = object()
                    await limit.acquire_on_behalf_of(borrower)
                    nursery.start_soon(
                        self._send, post, lambda b=borrower: limit.release_on_behalf_of(b)
                    )

    def _may_be_said(self, post: plan.Post) -> bool:
        """The plan asks nobody who cannot; a fault that lasts longer than planned is seen here."""
        return not any(
            done.goes_on
            and post.sender in done.fault.members
            and plan.keeps_quiet(done.fault, to_room=not post.to)
            for done in self.faults
        )

    async def _send(self, post: plan.Post, free: Callable[[], object]) -> None:
        number = self.ledger.asked(post.sender, post.to, self.now())
        text = marks.write(number, post.sender, post.size)
        to = self.people[post.to] if post.to else None
        try:
            message_id = await self.people[post.sender].send(to, text)
            self.ledger.accepted(number, message_id, self.now())
        except RequestRefusedError as error:
            self.ledger.refused(number, str(error))
        except ControlError:
            pass  # it may have it or not
        finally:
            free()

    # ---- after ------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        healed = trio.current_time()
        with trio.move_on_after(self.settings.settle):
            for name in self.ledger.unanswered():
                await self.people[name].look_into_history(list(self.people.values()))
            await self._until_nothing_of(self.ledger.missing)
            self.settled_after = trio.current_time() - healed
            with trio.move_on_after(RECEIPTS):
                await self._until_nothing_of(self.ledger.unreceipted)
            await trio.sleep(CALM)

    async def _until_nothing_of(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Events tell mostly; where a subscription was broken, only the history does."""
        everybody = list(self.people.values())
        while waiting():
            await trio.sleep(LOOK)
            for name in waiting():
                await self.people[name].look_into_history(everybody)

    async def _judge(self) -> Verdict:
        self.ledger.forget_histories()
        everybody = list(self.people.values())
        for person in everybody:
            await person.tell_history(everybody)
        return self.ledger.verdict()
