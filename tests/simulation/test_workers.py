"""People and a mailbox with several workers, on virtual time: nobody notices but the link."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol import worker_choice
from p2pchat.node.protocol.links import MailboxLink, format_link, parse_link
from p2pchat.proto import mailbox_actors_pb2 as mailbox_actors
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.ports import InvitesAwayError
from p2pchat.relay_mailbox.workers.merging import one_link
from tests.simulation.mailboxes import SimulatedMailbox, make_mailbox
from tests.simulation.nodes import SimulatedNode, make_node, running

Clock = trio.testing.MockClock
PEOPLE = range(1, 9)


class Keeper:
    """Asks the first worker, as its process would be asked; may be away."""

    def __init__(self) -> None:
        self.first: SimulatedMailbox | None = None
        self.away = False

    async def redeem(self, token: str, peer: bytes) -> bool:
        if self.away:
            raise InvitesAwayError("gone")
        assert self.first is not None
        command = mailbox_actors.RedeemInvite(token=token, peer=peer)
        try:
            await self.first.operator.ask(command, mailbox_actors.InviteRedeemed)
        except RequestRejectedError:
            return False
        return True


class Scene:
    """Two workers, and people who all have the same link."""

    def __init__(self) -> None:
        self.hub = MemoryHub()
        self.keeper = Keeper()
        self.workers = [
            make_mailbox(self.hub, 90),
            make_mailbox(self.hub, 91, invites=self.keeper),
        ]
        self.keeper.first = self.workers[0]

    async def link(self) -> MailboxLink:
        links = [await self.workers[0].link(), (await self.workers[1].describe()).link]
        parsed = parse_link(one_link(links))
        assert isinstance(parsed, MailboxLink)
        return parsed

    def person(self, number: int) -> SimulatedNode:
        return make_node(self.hub, number, name=f"P{number}")

    def number_at(self, link: MailboxLink, worker: int) -> int:
        """The first of the people whose mail that worker takes."""
        wanted = self.workers[worker].identity.peer
        return next(
            number
            for number in PEOPLE
            if worker_choice.choose(link, self.person(number).identity.peer_bytes, ()).peer
            == wanted
        )


async def test_people_spread_and_write_to_each_other(autojump_clock: Clock) -> None:
    scene = Scene()
    first, second = scene.workers
    with trio.fail_after(600):
        async with running(first), running(second):
            link = await scene.link()
            text = format_link(link)
            alice, bob = (scene.person(scene.number_at(link, worker)) for worker in (0, 1))
            async with running(alice):
                status = await alice.add_mailbox(text)
                assert (status.peer, status.registered) == (first.identity.peer, True)
                assert (status.of, status.workers) == (link.peer, 2)
                async with running(bob):
                    status = await bob.add_mailbox(text)
                    assert (status.peer, status.registered) == (second.identity.peer, True)
                    await alice.add_contact(await bob.link())
                sent = await alice.write(bob.identity.peer, "while you were away")
                await alice.until_stage(bob.identity.peer, sent.id, records.STORED)
                assert (await first.describe()).held_envelopes == 0
                assert (await second.describe()).held_envelopes == 1


async def test_who_joins_while_the_invites_are_away_is_in_soon_after(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    first, second = scene.workers
    with trio.fail_after(600):
        async with running(first), running(second):
            link = await scene.link()
            bob = scene.person(scene.number_at(link, 1))
            async with running(bob):
                scene.keeper.away = True
                status = await bob.add_mailbox(format_link(link))
                assert not status.registered
                assert status.problem == "It asks for patience."
                await trio.sleep(30)
                assert (await second.describe()).registered == 0
                scene.keeper.away = False
                back = trio.current_time()
                while not (await second.describe()).registered:
                    await trio.sleep(0.05)
                assert trio.current_time() - back < 10


async def test_whose_worker_is_no_more_goes_to_the_first_one(autojump_clock: Clock) -> None:
    """The link was made by two workers; now there is one."""
    scene = Scene()
    first, second = scene.workers
    with trio.fail_after(600):
        async with running(first):
            async with running(second):
                link = await scene.link()
            bob = scene.person(scene.number_at(link, 1))
            async with running(bob):
                status = await bob.add_mailbox(format_link(link))
                assert (status.peer, status.registered) == (first.identity.peer, True)
                assert (status.of, status.workers) == (link.peer, 2)
                again = await bob.add_mailbox(format_link(link))
                assert again.peer == first.identity.peer


async def test_who_is_told_no_by_the_first_one_hears_it(autojump_clock: Clock) -> None:
    scene = Scene()
    first, second = scene.workers
    with trio.fail_after(600):
        async with running(first):
            async with running(second):
                link = await scene.link()
            bob = scene.person(scene.number_at(link, 1))
            async with running(bob):
                without = MailboxLink(link.peer, link.addresses, "", link.workers)
                with pytest.raises(RequestRejectedError, match="refuses"):
                    await bob.add_mailbox(format_link(without))
                assert (await first.describe()).registered == 0


async def test_while_the_whole_mailbox_is_away_everybody_waits_for_his_worker(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    first, second = scene.workers
    with trio.fail_after(600):
        async with running(first), running(second):
            link = await scene.link()
        bob = scene.person(scene.number_at(link, 1))
        async with running(bob):
            status = await bob.add_mailbox(format_link(link))
            assert (status.peer, status.registered) == (second.identity.peer, False)


async def test_one_of_the_command_line_is_left_for_the_first_one_as_well(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    first, second = scene.workers
    with trio.fail_after(600):
        async with running(first):
            async with running(second):
                link = await scene.link()
            number = scene.number_at(link, 1)
            async with running(make_node(scene.hub, number, mailboxes=[format_link(link)])):
                while not (await first.describe()).registered:
                    await trio.sleep(0.05)
