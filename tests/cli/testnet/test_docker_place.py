"""A network of containers, on an engine that is played."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from p2pchat.cli.testnet import docker_place
from p2pchat.cli.testnet.docker_engine import Engine
from p2pchat.cli.testnet.docker_place import DockerPlace, open_place
from p2pchat.cli.testnet.ports import PlaceError
from p2pchat.cli.testnet.vocabulary import Fault, Kind, Member, Role
from tests.cli.testnet.played_engine import (
    NETWORKS,
    PROJECT,
    PlayedContainer,
    PlayedEngine,
    playing,
)

CHAT, PARTED = {NETWORKS["chat"]}, {NETWORKS["parted"]}


@pytest.fixture
def one() -> PlayedContainer:
    return PlayedContainer("member", 1, "node")


@pytest.fixture
def mailbox() -> PlayedContainer:
    found = PlayedContainer("mailbox-1", 1, "mailbox")
    found.files["/links/mailbox-1"] = b"p2pchat:mailbox/x\n"
    return found


@pytest.fixture
def engine(one: PlayedContainer, mailbox: PlayedContainer) -> PlayedEngine:
    return PlayedEngine(one, PlayedContainer("member", 2, "node"), mailbox)


@pytest.fixture
async def socket(engine: PlayedEngine, tmp_path: Path) -> AsyncIterator[Path]:
    async with playing(tmp_path, engine) as path:
        yield path


@pytest.fixture
async def place(socket: Path) -> AsyncIterator[DockerPlace]:
    async with open_place(PROJECT, socket) as opened:
        yield opened


def fault(kind: Kind, *members: str, number: int = 1) -> Fault:
    return Fault(number, kind, members or ("node-1",), 0.0, 1.0)


async def test_members_are_known_by_their_labels(place: DockerPlace) -> None:
    assert place.members == [
        Member("mailbox-1", Role.MAILBOX),
        Member("node-1", Role.NODE),
        Member("node-2", Role.NODE),
    ]
    assert await place.mailbox_links(5) == ["p2pchat:mailbox/x"]
    assert place.channel("mailbox-1") is None


async def test_what_it_cannot_do_is_said(place: DockerPlace) -> None:
    said = " ".join(place.left_out)
    assert {kind for kind in Kind if str(kind) not in said} == place.kinds


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (Kind.KILL, ["kill", "start"]),
        (Kind.RESTART, ["stop", "start"]),
        (Kind.STOP, ["pause", "unpause"]),
    ],
)
async def test_what_is_done_is_taken_back(
    place: DockerPlace, one: PlayedContainer, kind: Kind, done: list[str]
) -> None:
    await place.begin(fault(kind))
    assert one.done == done[:1]
    await place.end(fault(kind))
    assert one.done == done
    assert place.ended_unasked() == ()


async def test_a_disconnected_member_comes_back_under_its_names(
    place: DockerPlace, engine: PlayedEngine, one: PlayedContainer
) -> None:
    await place.begin(fault(Kind.DISCONNECT))
    assert one.networks == set()
    await place.end(fault(Kind.DISCONNECT))
    assert one.networks == CHAT
    assert engine.aliases[one.id] == ["member", "net-member-1"]


async def test_a_partition_has_a_network_of_its_own(
    place: DockerPlace, one: PlayedContainer, mailbox: PlayedContainer
) -> None:
    apart = fault(Kind.PARTITION, "node-1", "mailbox-1")
    await place.begin(apart)
    assert (one.networks, mailbox.networks) == (PARTED, PARTED)
    await place.end(apart)
    assert (one.networks, mailbox.networks) == (CHAT, CHAT)


async def test_a_partition_and_a_disconnection_of_one_member(
    place: DockerPlace, one: PlayedContainer
) -> None:
    apart, cut = fault(Kind.PARTITION), fault(Kind.DISCONNECT, number=2)
    await place.begin(apart)
    await place.begin(cut)
    assert one.networks == set()
    await place.end(apart)
    assert one.networks == set()  # still disconnected
    await place.end(cut)
    assert one.networks == CHAT


async def test_the_end_of_a_partition_does_not_start_who_was_killed(
    place: DockerPlace, one: PlayedContainer
) -> None:
    apart, killed = fault(Kind.PARTITION), fault(Kind.KILL, number=2)
    await place.begin(apart)
    await place.begin(killed)
    await place.end(apart)
    assert (one.done, one.networks) == (["kill"], CHAT)
    await place.end(killed)
    assert one.running


async def test_a_fault_has_ended_when_the_member_answers(
    place: DockerPlace, one: PlayedContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_place, "LOOK", 0.01)
    await place.begin(fault(Kind.KILL))
    one.unwell = 3
    await place.end(fault(Kind.KILL))
    assert one.unwell == 0


async def test_who_cannot_be_paused_at_once_is_paused_later(
    place: DockerPlace, one: PlayedContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_place, "LOOK", 0.01)
    one.unfrozen = 3
    await place.begin(fault(Kind.STOP))
    assert one.paused
    one.paused, one.unfrozen = False, 1_000
    with pytest.RaisesGroup(pytest.RaisesExc(PlaceError, match="unable to freeze")):
        await place.begin(fault(Kind.STOP))


async def test_healing_takes_everything_back(
    place: DockerPlace, engine: PlayedEngine, one: PlayedContainer
) -> None:
    await place.begin(fault(Kind.PARTITION, "node-1", "node-2"))
    await place.begin(fault(Kind.STOP, "node-1", number=2))
    await place.begin(fault(Kind.KILL, "mailbox-1", number=3))
    await place.heal()
    for container in engine.containers.values():
        assert container.running
        assert not container.paused
        assert container.networks == CHAT


async def test_who_ends_unasked_is_told_of_and_started(
    place: DockerPlace, one: PlayedContainer, mailbox: PlayedContainer
) -> None:
    one.running = False
    mailbox.restarts, mailbox.out_of_memory = 1, True
    while len(place.ended_unasked()) < 2 or not one.running:
        await trio.sleep(0.05)
    assert sorted(place.ended_unasked()) == [
        "mailbox-1 ended for want of memory.",
        "node-1 ended with exit code 1.",
    ]


async def test_vitals_leave_the_idle_cache_aside(place: DockerPlace, one: PlayedContainer) -> None:
    assert (await place.vitals("node-1")).memory == 4000
    await place.begin(fault(Kind.KILL))
    assert (await place.vitals("node-1")).memory is None


async def test_vitals_count_the_starts(place: DockerPlace, one: PlayedContainer) -> None:
    assert (await place.vitals("node-1")).starts == 1
    await place.begin(fault(Kind.KILL))
    await place.end(fault(Kind.KILL))
    assert (await place.vitals("node-1")).starts == 2


async def test_everything_goes_on_when_the_place_is_closed(
    socket: Path, one: PlayedContainer
) -> None:
    async with open_place(PROJECT, socket) as place:
        await place.begin(fault(Kind.STOP))
    assert one.done == ["pause", "unpause"]


async def test_who_does_not_come_back_ends_the_run(
    place: DockerPlace, one: PlayedContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_place, "START_PATIENCE", 0.2)
    monkeypatch.setattr(docker_place, "LOOK", 0.01)
    await place.begin(fault(Kind.KILL))
    one.unwell = 1_000_000
    with pytest.RaisesGroup(pytest.RaisesExc(PlaceError, match="node-1 does not answer")):
        await place.end(fault(Kind.KILL))
    one.unwell = 0


async def test_a_project_without_members_is_told(tmp_path: Path) -> None:
    async with playing(tmp_path, PlayedEngine(PlayedContainer("member", 1, "node"))) as socket:
        with pytest.raises(PlaceError, match="fewer than two"):
            async with open_place(PROJECT, socket):
                pass
        with pytest.raises(PlaceError, match="has no network chat"):
            async with open_place("another", socket):
                pass


# ---- the engine's answers ---------------------------------------------------------------------------------


async def test_what_the_engine_refuses_is_told_in_its_words(socket: Path) -> None:
    with pytest.raises(PlaceError, match="No such container: nobody"):
        await Engine(socket).ask("GET", "/containers/nobody/json")
    with pytest.raises(PlaceError, match="Could not find the file"):
        await Engine(socket).file("id-of-member-1", "/data/nothing")


async def test_without_an_engine(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="No Docker engine answers"):
        await Engine(tmp_path / "docker.sock").ask("GET", "/networks")


async def test_an_engine_that_says_too_much_is_stopped(
    socket: Path, one: PlayedContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pchat.cli.testnet.docker_engine.MOST", 1000)
    one.files["/data/large"] = bytes(5000)
    with pytest.raises(PlaceError, match="more than 1,000 bytes"):
        await Engine(socket).file(one.id, "/data/large")
