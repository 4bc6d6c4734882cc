"""The network as containers of a compose project: those with the label `p2pchat.testnet`.

It has to be driven from inside: by a container that is in both networks of the project, and may talk to the engine.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from p2pchat.cli import control_client
from p2pchat.cli.testnet.docker_engine import Engine
from p2pchat.cli.testnet.ports import PlaceError
from p2pchat.cli.testnet.vocabulary import Fault, Kind, Member, Role, Vitals

if TYPE_CHECKING:
    import grpc

# Labels of the containers: their role, and for a mailbox the file in which it leaves its link.
ROLE, LINK_FILE = "p2pchat.testnet", "p2pchat.testnet.link"
# Labels and names that compose gives.
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
NUMBER, NETWORK = "com.docker.compose.container-number", "com.docker.compose.network"
TOGETHER, APART = "chat", "parted"  # the network of everybody, and that of one side of a partition

SOCKET = Path("/var/run/docker.sock")
CONTROL_PORT = 7443  # of the nodes' control API
CERTIFICATE, TOKEN = "/data/control.crt", "/data/control.token"
CERTIFIED = "localhost"  # one of the names that a node's certificate is for
HEALTH = ("p2pchat", "health")
START_PATIENCE = 300.0  # seconds until a member answers again, on a busy machine
STOP_PATIENCE = 15  # seconds; a program ends itself after 5
LOOK = 1.0  # seconds between two looks
PAUSES = 10  # tries, before the place is given up
KINDS = frozenset({Kind.KILL, Kind.STOP, Kind.RESTART, Kind.DISCONNECT, Kind.PARTITION})
# Addresses change when a container comes back into its network: looked up anew as soon as there is no connection.
CHANNEL_OPTIONS = (
    *control_client.CHANNEL_OPTIONS,
    ("grpc.ssl_target_name_override", CERTIFIED),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    # A network that is gone says nothing: found out by asking.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(slots=True)
class _Container:
    member: Member
    id: str
    host: str  # its name in the networks
    link_file: str
    aliases: Sequence[str]
    restarts: int  # by the engine, as far as told
    starts: int = 1  # as far as seen
    certificate: bytes = b""
    token: str = ""
    faults: set[int] = field(default_factory=set)  # by number, partitions left aside
    is_parted: bool = False
    is_cut: bool = False
    one_at_a_time: trio.Lock = field(default_factory=trio.Lock)


class DockerPlace:
    """A `Place`; made by `open_place`."""

    def __init__(
        self, engine: Engine, networks: dict[str, str], containers: Iterable[_Container]
    ) -> None:
        self._engine, self._networks = engine, networks
        self._containers = {each.member.name: each for each in containers}
        self._ended: list[str] = []
        self.left_out: Sequence[str] = [
            f"{kind}: only without containers, where a library stands before the system's calls."
            for kind in sorted(frozenset(Kind) - KINDS)
        ]

    @property
    def members(self) -> Sequence[Member]:
        return [each.member for each in self._containers.values()]

    @property
    def kinds(self) -> frozenset[Kind]:
        return KINDS

    def ended_unasked(self) -> Sequence[str]:
        return tuple(self._ended)

    # ---- faults -------------------------------------------------------------------------------------

    async def begin(self, fault: Fault) -> None:
        async with trio.open_nursery() as nursery:
            for name in fault.members:
                nursery.start_soon(self._begin, self._containers[name], fault)

    async def _begin(self, one: _Container, fault: Fault) -> None:
        async with one.one_at_a_time:
            if fault.kind is not Kind.PARTITION:
                one.faults.add(fault.number)
            match fault.kind:
                case Kind.KILL:
                    await self._do(one, "kill", signal="KILL")
                case Kind.STOP:
                    await self._pause(one)
                case Kind.RESTART:
                    await self._do(one, "stop", t=STOP_PATIENCE)
                case Kind.DISCONNECT:
                    one.is_cut = True
                    await self._move(one)
                case Kind.PARTITION:
                    one.is_parted = True
                    await self._move(one)

    async def end(self, fault: Fault) -> None:
        async with trio.open_nursery() as nursery:
            for name in fault.members:
                nursery.start_soon(self._end, self._containers[name], fault)

    async def _end(self, one: _Container, fault: Fault) -> None:
        async with one.one_at_a_time:
            one.faults.discard(fault.number)
            match fault.kind:
                case Kind.PARTITION:
                    one.is_parted = False
                case Kind.DISCONNECT:
                    one.is_cut = False
            if not one.faults:
                await self._mend(one)
            else:
                await self._move(one)

    async def heal(self) -> None:
        async with trio.open_nursery() as nursery:
            for one in self._containers.values():
                nursery.start_soon(self._heal, one)

    async def _heal(self, one: _Container) -> None:
        async with one.one_at_a_time:
            one.faults.clear()
            one.is_parted = one.is_cut = False
            await self._mend(one)

    async def _mend(self, one: _Container) -> None:
        """It runs, is where it belongs, and answers. Raises `PlaceError`."""
        state = (await self._look(one))["State"]
        if state["Paused"]:
            await self._do(one, "unpause")
        await self._move(one)
        if not state["Running"]:
            await self._do(one, "start")
            one.starts += 1
        with trio.move_on_after(START_PATIENCE) as patience:
            await self._until_it_answers(one)
        if patience.cancelled_caught:
            raise PlaceError(f"{one.member.name} does not answer after {START_PATIENCE:g} s.")

    async def _until_it_answers(self, one: _Container) -> None:
        while True:
            with contextlib.suppress(PlaceError):  # it is not running yet
                if await self._engine.succeeds(one.id, *HEALTH):
                    return
            await trio.sleep(LOOK)

    async def _move(self, one: _Container) -> None:
        """Into the network where it belongs now, and out of the other one."""
        wanted = None if one.is_cut else (APART if one.is_parted else TOGETHER)
        attached = (await self._look(one))["NetworkSettings"]["Networks"]
        ids = {network["NetworkID"] for network in attached.values()}
        for name, network in self._networks.items():
            if name != wanted and network in ids:
                leave = {"Container": one.id, "Force": True}
                await self._engine.tell(f"/networks/{network}/disconnect", leave)
        if wanted is not None and self._networks[wanted] not in ids:
            settings = {"Aliases": list(one.aliases)}
            join = {"Container": one.id, "EndpointConfig": settings}
            await self._engine.tell(f"/networks/{self._networks[wanted]}/connect", join)

    async def _pause(self, one: _Container) -> None:
        """Where much is going on the engine cannot always freeze every process of a container at once."""
        for _ in range(PAUSES):
            with contextlib.suppress(PlaceError):
                await self._do(one, "pause")
                return
            await trio.sleep(LOOK)
        await self._do(one, "pause")

    async def _do(self, one: _Container, verb: str, **query: Any) -> None:
        await self._engine.ask("POST", f"/containers/{one.id}/{verb}", query)

    async def _look(self, one: _Container) -> Any:
        return await self._engine.ask("GET", f"/containers/{one.id}/json")

    # ---- what ends unasked ----------------------------------------------------------------------------

    async def watch(self) -> None:
        """For ever: who ends without a fault is started again, if the engine has not done it."""
        while True:
            await trio.sleep(LOOK)
            for one in self._containers.values():
                async with one.one_at_a_time:
                    if not one.faults:
                        await self._see_to(one)

    async def _see_to(self, one: _Container) -> None:
        found = await self._look(one)
        state, restarts = found["State"], found["RestartCount"]
        has_ended = not state["Running"] and not state["Restarting"]
        if has_ended or restarts > one.restarts:
            why = (
                "for want of memory"
                if state["OOMKilled"]
                else f"with exit code {state['ExitCode']}"
            )
            self._ended.append(f"{one.member.name} ended {why}.")
            one.starts += max(0, restarts - one.restarts)
            one.restarts = max(restarts, one.restarts)
        if has_ended:
            await self._mend(one)

    # ---- talking to them ------------------------------------------------------------------------------

    def channel(self, name: str) -> grpc.Channel | None:
        one = self._containers[name]
        if not one.token:
            return None
        control_client.keep_grpc_quiet()
        import grpc

        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(one.certificate),
            grpc.access_token_call_credentials(one.token),
        )
        return grpc.secure_channel(
            f"dns:///{one.host}:{CONTROL_PORT}", credentials, CHANNEL_OPTIONS
        )

    async def read_tokens(self) -> None:
        for one in self._containers.values():
            if one.member.role is Role.NODE:
                one.certificate = await self._engine.file(one.id, CERTIFICATE)
                one.token = (await self._engine.file(one.id, TOKEN)).decode().strip()

    async def mailbox_links(self, uses: int) -> Sequence[str]:
        """As they have left them: with open registration a link is good for everybody."""
        return [
            (await self._engine.file(one.id, one.link_file)).decode().strip()
            for one in self._containers.values()
            if one.member.role is Role.MAILBOX
        ]

    async def vitals(self, name: str) -> Vitals:
        query = {"stream": "false", "one-shot": "true"}
        one = self._containers[name]
        try:
            found = await self._engine.ask("GET", f"/containers/{one.id}/stats", query)
        except PlaceError:
            return Vitals(starts=one.starts)
        used = found["memory_stats"].get("usage")
        # Pages of files that nobody uses are given back when others want them.
        cached = found["memory_stats"].get("stats", {})
        idle = cached.get("inactive_file", cached.get("total_inactive_file", 0))
        return Vitals(memory=None if used is None else used - idle, starts=one.starts)


def check_engine(socket: Path = SOCKET) -> None:
    """Raises `PlaceError` when there is no engine to talk to."""
    if not socket.is_socket():
        raise PlaceError(
            f"--docker: there is no Docker engine here, for there is no socket {socket}. It is for a container "
            "that has the engine's socket: docs/operations.md shows how the compose project does it."
        )


@contextlib.asynccontextmanager
async def open_place(project: str, socket: Path = SOCKET) -> AsyncIterator[DockerPlace]:
    """What the project has of members, all of them well; they are healed, and go on, when it is closed."""
    engine = Engine(socket)
    networks = {name: await _network(engine, project, name) for name in (TOGETHER, APART)}
    found = await engine.containers(f"{PROJECT}={project}", ROLE)
    containers = [await _container(engine, each) for each in found]
    if sum(each.member.role is Role.NODE for each in containers) < 2:
        raise PlaceError(f"The project {project} has fewer than two containers with {ROLE}=node.")
    place = DockerPlace(engine, networks, sorted(containers, key=lambda each: each.member.name))
    await place.heal()
    await place.read_tokens()
    async with trio.open_nursery() as nursery:
        try:
            nursery.start_soon(place.watch)
            yield place
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await _leave_well(place)


async def _leave_well(place: DockerPlace) -> None:
    """For whoever comes after us. Where that cannot be, something has gone wrong before, and that is told."""
    try:
        await place.heal()
    except* PlaceError:
        pass


async def _network(engine: Engine, project: str, name: str) -> str:
    """Its id."""
    found = await engine.ask("GET", "/networks")
    wanted = {PROJECT: project, NETWORK: name}
    for network in found:
        if wanted.items() <= (network["Labels"] or {}).items():
            return str(network["Id"])
    raise PlaceError(f"The project {project} has no network {name}.")


async def _container(engine: Engine, listed: Any) -> _Container:
    found = await engine.ask("GET", f"/containers/{listed['Id']}/json")
    labels, host = found["Config"]["Labels"], found["Name"].removeprefix("/")
    role = Role(labels[ROLE])
    name = f"node-{labels[NUMBER]}" if role is Role.NODE else labels[SERVICE]
    return _Container(
        Member(name, role),
        found["Id"],
        host,
        labels.get(LINK_FILE, ""),
        [labels[SERVICE], host],
        found["RestartCount"],
    )
