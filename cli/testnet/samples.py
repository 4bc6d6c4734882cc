"""How much every member takes of the machine, over the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from p2pchat.cli.testnet import asking
from p2pchat.cli.testnet.people import Person
from p2pchat.cli.testnet.ports import Place
from p2pchat.cli.testnet.vocabulary import Member, Role
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

PATIENCE = (
    3.0  # seconds for a member to say how many tasks it has; one that is stopped says nothing
)


@dataclass(frozen=True, slots=True)
class Sample:
    at: float  # seconds from the start of the traffic
    memory: float  # bytes; NaN, here and below: not known
    descriptors: float
    tasks: float
    starts: int  # how often it was started until then


class Samples:
    def __init__(
        self, place: Place, people: Mapping[str, Person], now: Callable[[], float]
    ) -> None:
        self._place, self._people, self._now = place, people, now
        self.of: dict[str, list[Sample]] = {member.name: [] for member in place.members}
        self._channels = {
            member.name: place.channel(member.name)
            for member in place.members
            if member.role is Role.MAILBOX
        }

    async def take_for_ever(self, interval: float) -> None:
        """`interval` in seconds, from begin to begin."""
        while True:
            begin = trio.current_time()
            async with trio.open_nursery() as nursery:
                for member in self._place.members:
                    nursery.start_soon(self._take, member)
            await trio.sleep_until(begin + interval)

    async def _take(self, member: Member) -> None:
        at, vitals = self._now(), await self._place.vitals(member.name)
        tasks = math.nan
        with trio.move_on_after(PATIENCE):
            tasks = await self._tasks(member)
        known = (_known(vitals.memory), _known(vitals.descriptors))
        self.of[member.name].append(Sample(at, *known, tasks, vitals.starts))

    async def _tasks(self, member: Member) -> float:
        """0, which a program that does not count them says, is not known."""
        try:
            if member.role is Role.NODE:
                info = await self._people[member.name].ask(control.GetInfoRequest())
                return info.details.tasks or math.nan
            channel = self._channels[member.name]
            if channel is not None:
                status = await asking.ask(channel, control.StatusRequest(), asking.MAILBOX)
                return status.mailbox.tasks or math.nan
        except (P2pchatError, KeyError):
            pass
        return math.nan


def _known(value: int | None) -> float:
    return math.nan if value is None else value
