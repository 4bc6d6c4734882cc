"""`p2pchat mailbox --workers 2` with real processes: both workers take mail, and what happens to one of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
import trio

from p2pchat.node.protocol import worker_choice
from p2pchat.node.protocol.links import MailboxLink, parse_link
from tests.integration.test_mailbox_process import operate
from tests.soak.depositors import Depositor, sealed
from tests.soak.processes import LOOK, P2PCHAT, PersonProcess, ending, until
from tests.soak.workers import (
    WorkersProcess,
    identity_of_worker,
    person_of_worker,
    try_to_register,
)

PATIENCE = 120.0  # seconds until a test gives up waiting; nothing is measured by it
ONE, MANY = (("--registration", "open", "--workers", count) for count in ("1", "2"))


@pytest.mark.soak
async def test_clients_land_on_both_workers_and_get_their_mail(tmp_path: Path) -> None:
    box = WorkersProcess(tmp_path / "box")
    with ending(box), trio.fail_after(PATIENCE):
        box.start()
        text, link = await box.up(), await box.link()
        bobs = [person_of_worker(tmp_path, f"bob{n}", text, link, n) for n in (0, 1)]
        alice = PersonProcess(tmp_path / "alice", "alice")
        with ending(alice, *bobs):
            for one in (alice, *bobs):
                one.start()
            await alice.up()
            for bob in bobs:
                await bob.registered()
                await alice.ask("contact", contact=await bob.ask("link"))
                await bob.quit()
            assert [(await box.worker(n)).mailbox.registered for n in (0, 1)] == [1, 1]
            for bob in bobs:
                alice.say(write=[f"for {bob.folder.name}"], to=bob.identity.peer)
            for number in (0, 1):
                while not (await box.worker(number)).mailbox.held_envelopes:
                    await trio.sleep(0.1)
            await alice.quit()
            for bob in bobs:
                bob.start()
                assert await bob.hear("shown") == f"for {bob.folder.name}"
                await bob.quit()
            await box.until_empty()


@pytest.mark.parametrize(
    ("messages", "kills"), [(120, 1), pytest.param(400, 2, marks=pytest.mark.soak)]
)
async def test_a_worker_killed_in_the_middle_of_deposits_loses_nothing(
    tmp_path: Path, messages: int, kills: int
) -> None:
    box = WorkersProcess(tmp_path / "box")
    with ending(box), trio.fail_after(PATIENCE):
        box.start()
        text, link = await box.up(), await box.link()
        bob = person_of_worker(tmp_path, "bob", text, link, 1)
        with ending(bob):
            bob.start()
            await bob.registered()
            await bob.quit()
            worker = worker_choice.workers_of(link)[1]
            sender = identity_of_worker(link, 0)
            depositor = Depositor(sender, worker.peer, worker.addresses[0], seed=7)
            texts = [f"message {number}" for number in range(messages)]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(depositor.run)
                for kill in range(kills):
                    pid = (await box.running(1, restarts=kill)).pid
                    share = messages // kills
                    mine = texts[kill * share : (kill + 1) * share]
                    depositor.give(sealed(sender, bob.identity, mine))
                    wanted = kill * share + share // 3
                    while len(depositor.receipts) < wanted:
                        await trio.sleep(LOOK)
                    assert depositor.left
                    os.kill(pid, signal.SIGKILL)
                await until(lambda: not depositor.left)
                nursery.cancel_scope.cancel()
            assert depositor.sessions > kills
            assert (await box.worker(0)).restarts == 0
            bob.start()
            while await bob.kept(sender.peer) < messages:
                await trio.sleep(0.1)
            kept = Counter(record["text"] for record in await bob.history(sender.peer))
            assert kept == Counter(texts)
            await box.until_empty()
            await bob.quit()


async def test_an_invite_for_one_lets_one_in_whichever_worker_is_asked(tmp_path: Path) -> None:
    """And SIGTERM ends all of it."""
    box = WorkersProcess(tmp_path / "box")
    with ending(box), trio.fail_after(PATIENCE):
        box.start()
        await box.up()
        made = operate(box.folder, "invites", "--new", "--json")
        link = parse_link(json.loads(made.stdout)["link"])
        assert isinstance(link, MailboxLink)
        people = [identity_of_worker(link, number) for number in (0, 1, 1)]
        outcomes: list[str] = []

        async def join(number: int) -> None:
            outcomes.append(await try_to_register(people[number], link))

        for _ in range(2):  # the second time, nothing is different
            outcomes.clear()
            async with trio.open_nursery() as nursery:
                for number in range(len(people)):
                    nursery.start_soon(join, number)
            assert sorted(outcomes) == ["BAD_INVITE", "BAD_INVITE", "registered"]
        await stops_all(box, signal.SIGTERM)


@pytest.mark.soak
async def test_who_joins_while_the_first_worker_is_away_waits_for_it(tmp_path: Path) -> None:
    box = WorkersProcess(tmp_path / "box")
    with ending(box), trio.fail_after(PATIENCE):
        box.start()
        text, link = await box.up(), await box.link()
        bob = person_of_worker(tmp_path, "bob", text, link, 1)
        with ending(bob):
            first = (await box.worker(0)).pid
            os.kill(first, signal.SIGSTOP)
            bob.start()
            while not (await box.worker(1)).mailbox.streams:
                await trio.sleep(LOOK)
            with contextlib.suppress(ProcessLookupError):  # on a busy machine it was found to hang
                os.kill(first, signal.SIGKILL)
            await bob.registered()


@pytest.mark.soak
async def test_a_mailbox_gets_workers_and_keeps_everybody(tmp_path: Path) -> None:
    """And does not lose those of a worker without a word."""
    box = WorkersProcess(tmp_path / "box")
    with ending(box), trio.fail_after(PATIENCE):
        old = await one_process(box)
        early = identity_of_worker(old, 0)
        assert not old.workers
        assert await try_to_register(early, old) == "registered"
        box.life.process.terminate()
        assert await box.end() == 0
        box.more = MANY
        box.start()
        link = await box.link()
        assert link.peer == old.peer
        assert await try_to_register(identity_of_worker(link, 1), link) == "registered"
        here = await box.described()
        assert here.registered == 2
        assert [worker.mailbox.registered for worker in here.workers] == [1, 1]
        box.life.process.terminate()
        assert await box.end() == 0
        box.more = ONE
        box.start()
        assert await box.end() == 2
        words = "workers/1 belongs to a worker that peers have registered with"
        assert words in box.lives[-1].last_words()


async def one_process(box: WorkersProcess) -> MailboxLink:
    box.more = ONE
    box.start()
    return await box.link()


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGTERM, None, signal.SIGINT, signal.SIGHUP])
async def test_every_way_of_stopping_ends_all(tmp_path: Path, how: signal.Signals | None) -> None:
    box = WorkersProcess(tmp_path / "box")
    with ending(box), trio.fail_after(PATIENCE):
        box.start()
        await box.up()
        await stops_all(box, how)


async def stops_all(box: WorkersProcess, how: signal.Signals | None) -> None:
    """None: the command."""
    pids = [worker.pid for worker in (await box.described()).workers]
    assert all(map(is_there, pids))
    if how is None:
        command = [str(P2PCHAT), "shutdown", "--data-dir", str(box.folder)]
        await trio.run_process(command, capture_stdout=True)
    else:
        box.life.process.send_signal(how)
    assert await box.end() == 0
    assert not [pid for pid in pids if is_there(pid)]
    assert not list(box.folder.rglob("node.sock"))


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
