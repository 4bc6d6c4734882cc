"""Owns the network: listens, dials whom discovery found, and knows who is connected."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.lanes import Desk
from p2pchat.node.actors.transport import telling
from p2pchat.node.actors.transport.dialling import Dialling
from p2pchat.node.actors.transport.greetings import HELLO_PROTOCOL, Greetings, Heard
from p2pchat.node.actors.transport.passing import Passing
from p2pchat.node.actors.transport.remembering import Remembering
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.ports import (
    Network,
    PeerDown,
    PeerIdentified,
    PeerMoved,
    PeerUp,
)
from p2pchat.node.protocol import names, own_addresses, room_message
from p2pchat.node.protocol.address_book import AddressBook
from p2pchat.node.protocol.network_watch import NetworkWatch
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

CONNECTS_AT_ONCE = 64  # connections being made for other parts of the node; more wait
QUESTIONS_AT_ONCE = 16  # of those for a single question
GREET_PAUSE = 1.0  # seconds until a greeting that would come too soon is looked at again
GREET_RATE, GREET_BURST = 0.05, 3  # greetings a second after changes; the others take twice of it
SETTLE = 0.5  # seconds that a change of addresses waits for the next one
LOOK_AT_NETWORK = 5.0  # seconds between two looks at clock and interfaces
CROWDED = 16  # connections; from then on peers that were connected for a question are not kept

# The own IP addresses of this computer.
Interfaces = Callable[[], frozenset[str]]


class TransportActor(Actor):
    """Joins the address book and the greeting protocol to the `Network` port."""

    mailbox_size = 256

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
        now_ms: Callable[[], int],
        delivery: ActorRef | None = None,
        pubsub: ActorRef | None = None,
        reachability: ActorRef | None = None,
        dht: ActorRef | None = None,
        interfaces: Interfaces | None = None,
    ) -> None:
        """`ui`, `delivery`, `discovery`, `reachability` and `dht` hear who comes and goes, `pubsub` how peers are
        called. Without `interfaces` nobody looks whether the computer's network has changed."""
        self._network = network
        self._book = book
        self._storage = storage
        self._discovery = discovery
        self._ui = ui
        self._self_image = self_image
        self._now_ms = now_ms
        self._delivery = delivery
        self._pubsub = pubsub
        self._reachability = reachability
        self._dht = dht
        self._interfaces = interfaces
        self._connected: set[str] = set()
        self._configured: set[str] = set()  # by the command line
        self._changed = Bell()  # what we say of ourselves
        self._addresses_changed = Bell()
        self._greetings = Greetings(
            network,
            self_image,
            agent=agent,
            connected=self._connected.__contains__,
            on_heard=self._heard,
            now_ms=now_ms,
        )
        self._passing = Passing(network, self._is_wanted)
        self._dialling = Dialling(
            network,
            book,
            self._passing,
            dht=dht,
            is_connected=self._connected.__contains__,
            spawn=self.spawn,
            warn=self._warn,
        )
        self._remembering = Remembering(book, storage, now_ms)
        self._desk = Desk(on_unheard=lambda rejected: log.debug("%s", rejected.detail))
        self._connects = self._desk.lane(self._begin_connect, CONNECTS_AT_ONCE)
        # Not behind the others: those may wait for the answers to these.
        self._questions = self._desk.lane(self._begin_connect, QUESTIONS_AT_ONCE)

    async def receive(self, letters: Sequence[Letter]) -> None:
        if not isinstance(letters[0].message, actors.Connect):
            await super().receive(letters)
            return
        for letter in letters:
            assert isinstance(letter.message, actors.Connect)
            lane = self._questions if letter.message.passing else self._connects
            lane.put(letter)

    async def started(self) -> None:
        await self._settle_name()
        if not self._book.loaded:
            await self._remembering.load()
        self._book.all_gone(trio.current_time())
        if self._delivery is not None:
            self._delivery.offer(actors.NetworkStarted())
        self._network.handle(HELLO_PROTOCOL, self._greetings.answer)
        await self.spawn_started(self._network.run)
        self._pass_on_relays()
        for task, name in (
            (self._watch_peers, "peer events"),
            (self._dialling.run, "dialler"),
            (self._desk.run, "transport desk"),
            (self._passing.run, "passing connections"),
            (self._greet_again, "greeter"),
            (self._tell_changes, "own addresses"),
            (self._remembering.run, "known peers"),
        ):
            self.spawn(task, name=name)
        if self._interfaces is not None:
            self.spawn(self._watch_network, self._interfaces, name="network watch")

    async def stopping(self) -> None:
        await self._remembering.last()

    # ---- what others hear ----------------------------------------------------------------------------

    def _tell(self, event: Message, *others: ActorRef | None) -> None:
        for ref in (self._ui, self._delivery, *others):
            if ref is not None:
                ref.offer(event)

    def _warn(self, text: str) -> None:
        self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    async def _tell_addresses(self) -> None:
        listening = actors.Listening(peer=self._network.peer, addresses=self._addresses())
        self._ui.offer(listening)
        await _tell(self._discovery, listening)

    async def _tell_changes(self) -> None:
        """A reservation and a verdict often come together: one line and one greeting for both.

        Not while this actor starts: discovery starts after it, and its mailbox may be full.
        """
        await self._tell_addresses()
        told = self._addresses()
        while True:
            await self._addresses_changed.wait()
            await trio.sleep(SETTLE)
            if (now := self._addresses()) != told:
                told = now
                await self._tell_addresses()
                self._changed.ring()
                if self._dht is not None:
                    self._dht.offer(actors.AddressesChanged())

    def _addresses(self) -> list[str]:
        return [f"{a}/p2p/{self._network.peer}" for a in self._network.listen_addresses()]

    async def _greet_again(self) -> None:
        """Tell everybody what has changed: at once, and many changes in a row together, or the others would
        take us for somebody who floods them, and not hear the last one."""
        pace = TokenBucket(GREET_RATE, GREET_BURST, trio.current_time())
        while True:
            await self._changed.wait()
            while not pace.allows(trio.current_time()):  # noqa: ASYNC110
                await trio.sleep(GREET_PAUSE)
            for peer in self._greetings.peers():
                self.spawn(self._greetings.greet, peer)

    # ---- commands ------------------------------------------------------------------------------------

    @handles(actors.PeerFound)
    async def _found(self, found: actors.PeerFound) -> None:
        self._book.found(found.peer, found.addresses, found.source, trio.current_time())
        if found.source in (actors.USER, actors.BOOTSTRAP):
            self._configured.add(found.peer)
        self._dialling.look()

    async def _begin_connect(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.Connect)
        return partial(self._dialling.connect, message)

    @handles(actors.UseRelays)
    async def _use_relays(self, command: actors.UseRelays) -> None:
        now = {relay.peer for relay in command.relays}
        for relay in self._self_image.relays:
            if relay.peer not in now | self._configured:
                self._book.unchoose(relay.peer)
        for relay in command.relays:
            self._book.found(relay.peer, relay.addresses, actors.USER, trio.current_time())
        self._self_image.relays = list(command.relays)
        self._pass_on_relays()
        self._dialling.look()

    def _pass_on_relays(self) -> None:
        if self._reachability is not None:
            self._reachability.offer(actors.UseRelays(relays=self._self_image.relays))

    @handles(actors.NameChanged)
    async def _rename(self, change: actors.NameChanged) -> None:
        self._self_image.name = change.name
        self._changed.ring()

    @handles(actors.RecordChanged)
    async def _take_record(self, change: actors.RecordChanged) -> None:
        if self._self_image.record != change.record:
            self._self_image.record = change.record
            self._changed.ring()
        if self._dht is not None:
            # Also one without mailboxes: it says that there are none any more.
            published = actors.PublishRecord(record=change.record)
            self.spawn(_tell, self._dht, published, name="publish record")

    @handles(actors.AddressesChanged)
    async def _look_at_addresses(self, _: actors.AddressesChanged) -> None:
        self._addresses_changed.ring()

    @handles(actors.ReachabilityChanged)
    async def _reachability_changed(self, _: actors.ReachabilityChanged) -> None:
        self._addresses_changed.ring()

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

    # ---- questions -----------------------------------------------------------------------------------

    @handles(actors.ListConnections)
    async def _list(self, _: actors.ListConnections) -> actors.ConnectionList:
        connections = self._network.connections()
        return actors.ConnectionList(
            connections=[telling.connection(each, self._greetings) for each in connections]
        )

    @handles(actors.ListAddresses)
    async def _list_addresses(self, query: actors.ListAddresses) -> actors.AddressList:
        known = ((peer, self._book.addresses(peer)) for peer in query.peers)
        return actors.AddressList(
            peers=[actors.PeerAddresses(peer=p, addresses=found) for p, found in known if found]
        )

    @handles(actors.DescribeTransport)
    async def _describe(self, _: actors.DescribeTransport) -> actors.TransportDescription:
        counters = {**self._network.counters(), "hellos_refused": self._greetings.refused}
        clocks = self._greetings.clocks
        return actors.TransportDescription(
            peer=self._network.peer,
            addresses=self._addresses(),
            counters={name: count for name, count in counters.items() if count},
            known_peers=len(self._book),
            dialing=self._book.dialing,
            unreached=self._book.unreached(),
            clock_ms=clocks.median(),
            clocks=len(clocks),
            connections=telling.connection_counts(self._network.connections()),
        )

    # ---- who comes and goes --------------------------------------------------------------------------

    async def _watch_peers(self) -> None:
        async for event in self._network.peer_events():
            match event:
                case PeerUp():
                    self._came(event)
                case PeerDown():
                    self._went(event.peer)
                case PeerMoved():
                    self._moved(event)
                case PeerIdentified():
                    self._identified(event.peer)
            self._dialling.look()

    def _came(self, event: PeerUp) -> None:
        self._connected.add(event.peer)
        worked = event.address if event.outbound and not event.relayed else ""
        self._book.connected(event.peer, worked, self._now_ms())
        self._tell(telling.connected(event), self._reachability, self._discovery)
        # Not only when we dialled: two that dial each other at once both see the other's dial first.
        if self._greetings.of(event.peer) is None:
            self.spawn(self._greetings.greet, event.peer)

    def _went(self, peer: str) -> None:
        self._book.disconnected(peer, trio.current_time())
        self._connected.discard(peer)
        self._greetings.forget(peer)
        self._passing.forget(peer)
        gone = actors.PeerDisconnected(peer=peer)
        self._tell(gone, self._reachability, self._dht, self._discovery)

    def _moved(self, event: PeerMoved) -> None:
        if event.outbound and not (event.relayed or event.punched):
            self._book.connected(event.peer, event.address, self._now_ms())
        self._tell(telling.moved(event), self._reachability)

    def _identified(self, peer: str) -> None:
        found = self._network.identified(peer)
        if found is None or peer not in self._connected:
            return
        self._book.found(peer, found.addresses, actors.INBOUND, trio.current_time())
        event = telling.identified(peer, found)
        for ref in (self._reachability, self._dht):
            if ref is not None:
                ref.offer(event)

    def _heard(self, heard: Heard) -> None:
        hello, peer = heard.hello, heard.peer
        self._book.found(peer, heard.addresses, actors.INBOUND, trio.current_time())
        self._book.greeted(peer)
        if heard.is_new_name:
            named = actors.PeerNamed(peer=peer, name=hello.nick, previous=heard.previous or "")
            self._tell(named, self._discovery)
            if self._pubsub is not None:
                self._pubsub.offer(named)
        if self._delivery is not None and hello.HasField("record"):
            self._delivery.offer(actors.RecordHeard(peer=peer, record=hello.record))

    def _is_wanted(self, peer: str) -> bool:
        """Of a peer that was connected for a question: whether it stays."""
        if self._book.is_lasting(peer) or self._carries_or_talks(peer):
            return True
        is_chat_peer = self._greetings.of(peer) is not None
        return is_chat_peer and len(self._connected) < CROWDED

    def _carries_or_talks(self, peer: str) -> bool:
        """Whether it is a relay in use, or a neighbour in a room, whatever else it speaks."""
        circuits = [c.address for c in self._network.connections() if c.relayed]
        relays = map(own_addresses.relay_of, [*self._network.listen_addresses(), *circuits])
        topics = [
            room_message.topic_of(name, plain) for name, plain in self._self_image.rooms.items()
        ]
        rooms = (self._network.topic_peers(topic) for topic in topics)
        return peer in relays or any(peer in room and len(room) <= CROWDED for room in rooms)

    # ---- the computer itself -------------------------------------------------------------------------

    async def _watch_network(self, interfaces: Interfaces) -> None:
        """After a sleep, or in another network, nothing that was known about connections holds."""
        watch = NetworkWatch(trio.current_time(), self._now_ms(), interfaces())
        while True:
            await trio.sleep(LOOK_AT_NETWORK)
            why = watch.look(trio.current_time(), self._now_ms(), interfaces())
            if why is not None:
                self._wake(why)

    def _wake(self, why: str) -> None:
        log.info("%s: looking at every connection anew", why)
        self._network.doubt()
        self._book.wake(trio.current_time())
        self._dialling.look()
        self._addresses_changed.ring()
        for ref in (self._reachability, self._dht, self._discovery):
            if ref is not None:
                ref.offer(actors.NetworkChanged(why=why))


async def _tell(ref: ActorRef, message: Message) -> None:
    """In a task of its own, or where nobody waits for this actor: it waits while the other one's mailbox is full."""
    with contextlib.suppress(ActorError):  # it stops, and so does this node
        await ref.tell(message)
