"""Owns the network: listens, dials whom discovery found, and knows who is connected."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio
from google.protobuf.message import DecodeError, Message

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.lanes import Desk
from p2pchat.node.actors.relays import Relays
from p2pchat.node.errors import DialError, RequestRejectedError, StreamError
from p2pchat.node.ports import Network, PeerUp, Stream
from p2pchat.node.protocol import names
from p2pchat.node.protocol.address_book import AddressBook, Dial
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

HELLO_PROTOCOL = "/p2pchat/hello/1.0.0"
HELLO_LIMIT = 8 * 1024  # bytes; a mailbox record has the better part of it
HELLO_TIMEOUT = 10.0  # seconds for both directions
RESET_TIMEOUT = 0.2  # seconds to give a stream up
HELLO_RATE = 0.1  # greetings a second from one peer ...
HELLO_BURST = 5  # ... and at once; more are refused, or names could flood the screen
CONNECTS_AT_ONCE = 64  # connections being made for other parts of the node; more wait
GREET_PAUSE = 1.0  # seconds until a greeting that would come too soon is looked at again
IDLE = 60.0  # seconds to the next look at the address book when nothing is due


@dataclass(slots=True)
class _Greeting:
    name: str
    agent: str
    record: wire.MailboxRecord | None
    allowance: TokenBucket


class TransportActor(Actor):
    """Joins the address book and the greeting protocol to the `Network` port."""

    def __init__(
        self,
        network: Network,
        book: AddressBook,
        *,
        agent: str,
        storage: ActorRef,
        discovery: ActorRef,
        ui: ActorRef,
        self_image: SelfImage,
        rng: random.Random,
        delivery: ActorRef | None = None,
        pubsub: ActorRef | None = None,
    ) -> None:
        """`ui` and `delivery` hear who comes and goes, `pubsub` how peers are called."""
        self._network = network
        self._book = book
        self._agent = agent
        self._storage = storage
        self._discovery = discovery
        self._ui = ui
        self._self_image = self_image
        self._connected: set[str] = set()
        self._greetings: dict[str, _Greeting] = {}
        self._dial_now = trio.Event()
        self._refused_hellos = 0
        self._changed = Bell()  # what we say of ourselves
        self._delivery = delivery
        self._pubsub = pubsub
        self._relays = Relays(network, rng, self._tell_addresses)
        self._relays.use(self_image.relays, set())
        self._desk = Desk(on_unheard=lambda rejected: log.info("%s", rejected.detail))
        self._connects = self._desk.lane(self._begin_connect, CONNECTS_AT_ONCE)

    async def receive(self, letters: Sequence[Letter]) -> None:
        if isinstance(letters[0].message, actors.Connect):
            for letter in letters:
                self._connects.put(letter)
        else:
            await super().receive(letters)

    async def started(self) -> None:
        await self._settle_name()
        self._book.all_gone(trio.current_time())
        if self._delivery is not None:
            self._delivery.offer(actors.NetworkStarted())
        self._network.handle(HELLO_PROTOCOL, self._answer_hello)
        await self.spawn_started(self._network.run)
        self.spawn(self._watch_peers, name="peer events")
        self.spawn(self._dial, name="dialer")
        self.spawn(self._desk.run, name="transport desk")
        self.spawn(self._relays.run, name="relays")
        self.spawn(self._greet_again, name="greeter")
        await self._tell_addresses()

    async def _tell_addresses(self) -> None:
        listening = actors.Listening(peer=self._network.peer, addresses=self._addresses())
        await self._discovery.tell(listening)
        self._ui.offer(listening)

    def _tell(self, event: Message) -> None:
        self._ui.offer(event)
        if self._delivery is not None:
            self._delivery.offer(event)

    @handles(actors.PeerFound)
    async def _found(self, found: actors.PeerFound) -> None:
        self._book.found(found.peer, found.addresses, found.source, trio.current_time())
        self._dial_now.set()

    @handles(actors.ListConnections)
    async def _list(self, _: actors.ListConnections) -> actors.ConnectionList:
        listed = actors.ConnectionList()
        for connection in self._network.connections():
            greeting = self._greetings.get(connection.peer)
            listed.connections.add(
                peer=connection.peer,
                name=greeting.name if greeting else "",
                agent=greeting.agent if greeting else "",
                address=connection.address,
                transport=connection.transport,
                outbound=connection.outbound,
                rtt_ms=connection.rtt_ms or 0.0,
                record=greeting.record if greeting else None,
            )
        return listed

    @handles(actors.DescribeTransport)
    async def _describe(self, _: actors.DescribeTransport) -> actors.TransportDescription:
        counters = {**self._network.counters(), "hellos_refused": self._refused_hellos}
        return actors.TransportDescription(
            peer=self._network.peer,
            addresses=self._addresses(),
            counters={name: count for name, count in counters.items() if count},
            known_peers=len(self._book),
        )

    @handles(actors.NameChanged)
    async def _rename(self, change: actors.NameChanged) -> None:
        self._self_image.name = change.name
        self._changed.ring()

    @handles(actors.RecordChanged)
    async def _take_record(self, change: actors.RecordChanged) -> None:
        if self._self_image.record != change.record:
            self._self_image.record = change.record
            self._changed.ring()

    async def _greet_again(self) -> None:
        """Tell everybody what has changed: at once, and many changes in a row together, or the others would
        take us for somebody who floods them, and not hear the last one."""
        pace = TokenBucket(HELLO_RATE / 2, HELLO_BURST - 2, trio.current_time())
        while True:
            await self._changed.wait()
            while not pace.allows(trio.current_time()):  # noqa: ASYNC110
                await trio.sleep(GREET_PAUSE)
            for peer in self._greetings:
                self.spawn(self._greet, peer)

    @handles(actors.UseRelays)
    async def _use_relays(self, command: actors.UseRelays) -> None:
        for relay in command.relays:
            self._book.found(relay.peer, relay.addresses, actors.USER, trio.current_time())
        self._relays.use(command.relays, self._connected)
        self._self_image.relays = list(command.relays)
        self._dial_now.set()

    # ---- dialling -----------------------------------------------------------------------------------

    async def _dial(self) -> None:
        while True:
            self._dial_now = trio.Event()
            for dial in self._book.due(trio.current_time()):
                self.spawn(self._attempt, dial)
            due = self._book.next_due()
            with trio.move_on_at(trio.current_time() + IDLE if due is None else due):
                await self._dial_now.wait()

    async def _begin_connect(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.Connect)
        return partial(self._connect, message)

    async def _connect(self, message: actors.Connect) -> actors.Done:
        """On behalf of another part of the node; what is not reached is not tried again here."""
        known = self._book.addresses(message.peer)
        try:
            await self._network.dial(message.peer, [*known, *message.addresses])
        except DialError as error:
            raise RequestRejectedError(actors.NETWORK_FAILED, str(error)) from error
        return actors.Done()

    async def _attempt(self, dial: Dial) -> None:
        try:
            await self._network.dial(dial.peer, dial.addresses)
            self._book.connected(dial.peer)
        except DialError as error:
            worth_saying = self._book.failed(dial.peer, trio.current_time())
            log.log(
                logging.WARNING if worth_saying else logging.DEBUG,
                "cannot reach %s: %s",
                dial.peer,
                error,
            )
            if worth_saying:
                text = f"Cannot reach {', '.join(dial.addresses)} yet: {error}. It is tried again."
                self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))
        finally:
            self._dial_now.set()

    async def _watch_peers(self) -> None:
        async for event in self._network.peer_events():
            if isinstance(event, PeerUp):
                self._connected.add(event.peer)
                self._book.connected(event.peer)
                self._relays.connected(event.peer)
                self._tell(
                    actors.PeerConnected(
                        peer=event.peer, address=event.address, transport=event.transport
                    )
                )
                # Not only when we dialled: two that dial each other at once both see the other's dial first.
                if event.peer not in self._greetings:
                    self.spawn(self._greet, event.peer)
            else:
                self._book.disconnected(event.peer, trio.current_time())
                self._connected.discard(event.peer)
                self._relays.disconnected(event.peer)
                self._greetings.pop(event.peer, None)
                self._tell(actors.PeerDisconnected(peer=event.peer))
            self._dial_now.set()

    def _addresses(self) -> list[str]:
        return [f"{a}/p2p/{self._network.peer}" for a in self._network.listen_addresses()]

    # ---- names --------------------------------------------------------------------------------------

    async def _greet(self, peer: str) -> None:
        """Tell our name and hear theirs; a peer that is no p2pchat node does not answer."""
        with trio.move_on_after(HELLO_TIMEOUT):
            try:
                stream = await self._network.open_stream(peer, HELLO_PROTOCOL)
            except StreamError as error:
                log.debug("no greeting from %s: %s", peer, error)
                return
            try:
                await stream.write(self._hello())
                self._heard(peer, await stream.read_frame(HELLO_LIMIT))
                await stream.close()
            except (StreamError, DecodeError) as error:
                log.debug("no greeting from %s: %s", peer, error)
                await stream.reset()
            except trio.Cancelled:
                with trio.move_on_after(RESET_TIMEOUT, shield=True):
                    await stream.reset()
                raise

    async def _answer_hello(self, stream: Stream) -> None:
        with trio.fail_after(HELLO_TIMEOUT):
            self._heard(stream.peer, await stream.read_frame(HELLO_LIMIT))
            await stream.write(self._hello())
            await stream.close()

    async def _settle_name(self) -> None:
        """At the first start: a name from the command line is remembered, else the remembered one holds."""
        if self._self_image.named:
            return
        profile = await self._storage.ask(actors.ReadProfile(), records.Profile)
        chosen = self._self_image.name
        self._self_image.name = chosen or profile.name or names.default_name(self._network.peer)
        self._self_image.named = True
        if chosen and chosen != profile.name:
            profile.name = chosen
            with contextlib.suppress(RequestRejectedError):  # a full disk is no reason not to chat
                await self._storage.ask(actors.SaveProfile(profile=profile), actors.Done)

    def _hello(self) -> bytes:
        hello = wire.Hello(
            nick=self._self_image.name, agent=self._agent, record=self._self_image.record
        )
        return frame(hello.SerializeToString())

    def _heard(self, peer: str, body: bytes) -> None:
        hello = wire.Hello.FromString(body)
        if peer not in self._connected:
            return  # it came and went
        previous, now = self._greetings.get(peer), trio.current_time()
        allowance = previous.allowance if previous else TokenBucket(HELLO_RATE, HELLO_BURST, now)
        if not allowance.allows(now) or len(hello.nick) > names.NAME_LIMIT:
            self._refused_hellos += 1
            return
        record = hello.record if hello.HasField("record") else None
        self._greetings[peer] = _Greeting(hello.nick, hello.agent[:64], record, allowance)
        if previous is None or previous.name != hello.nick:
            named = actors.PeerNamed(
                peer=peer, name=hello.nick, previous=previous.name if previous else ""
            )
            self._tell(named)
            if self._pubsub is not None:
                self._pubsub.offer(named)
        if self._delivery is not None and record is not None:
            self._delivery.offer(actors.RecordHeard(peer=peer, record=record))
