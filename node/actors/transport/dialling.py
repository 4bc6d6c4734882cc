"""Makes the connections: those that the address book finds due, and those that other parts of the node ask for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.transport.passing import Passing
from p2pchat.node.errors import ActorError, DialError, RequestRejectedError
from p2pchat.node.ports import Network
from p2pchat.node.protocol.address_book import AddressBook, Dial
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

IDLE = 60.0  # seconds to the next look at the address book when nothing is due
LOOK_UP_EVERY = 60.0  # seconds from one look-up of a peer in the DHT to the next
MAX_LOOKED_UP = 1000  # peers remembered for that


class Dialling:
    """`warn` gets sentences for the user."""

    def __init__(
        self,
        network: Network,
        book: AddressBook,
        passing: Passing,
        *,
        dht: ActorRef | None,
        is_connected: Callable[[str], bool],
        spawn: Callable[[Callable[[Dial], Awaitable[None]], Dial], None],
        warn: Callable[[str], None],
    ) -> None:
        self._network = network
        self._book = book
        self._passing = passing
        self._dht = dht
        self._is_connected = is_connected
        self._spawn = spawn
        self._warn = warn
        self._bell = Bell()
        self._looked_up: dict[str, float] = {}

    def look(self) -> None:
        """Something has changed that may make a dial due."""
        self._bell.ring()

    async def run(self) -> None:
        while True:
            for dial in self._book.due(trio.current_time()):
                self._spawn(self._attempt, dial)
            due = self._book.next_due()
            await self._bell.wait_until(trio.current_time() + IDLE if due is None else due)

    async def _attempt(self, dial: Dial) -> None:
        try:
            await self._network.dial(dial.peer, dial.addresses)
            self._book.reached(dial.peer, trio.current_time())
        except DialError as error:
            self._note_failure(dial, str(error))
        finally:
            self._bell.ring()

    def _note_failure(self, dial: Dial, why: str) -> None:
        worth_saying = self._book.failed(dial.peer, trio.current_time(), why)
        level = logging.WARNING if worth_saying else logging.DEBUG
        log.log(level, "cannot reach %s: %s", dial.peer, why)
        if worth_saying:
            self._warn(f"Cannot reach {', '.join(dial.addresses)} yet: {why}. It is tried again.")

    async def connect(self, message: actors.Connect) -> actors.Done:
        """On behalf of another part of the node; what is not reached is not tried again here."""
        peer = message.peer
        fresh = not self._is_connected(peer)
        try:
            await self._reach(message)
        except DialError as error:
            raise RequestRejectedError(actors.NETWORK_FAILED, str(error)) from error
        if message.passing:
            self._passing.used(peer, fresh=fresh)
        else:
            self._passing.forget(peer)
        return actors.Done()

    async def _reach(self, message: actors.Connect) -> None:
        """Raises `DialError`."""
        tried = list(dict.fromkeys([*self._book.addresses(message.peer), *message.addresses]))
        try:
            await self._network.dial(message.peer, tried)
        except DialError:
            if not message.look_up:
                raise
            further = [a for a in await self._find(message.peer) if a not in tried]
            if not further:
                raise
            await self._network.dial(message.peer, further)

    async def _find(self, peer: str) -> Sequence[str]:
        """Where the DHT says that a peer is; asked once in a while only, because those who are away are looked for
        again and again."""
        now = trio.current_time()
        if self._dht is None or now < self._looked_up.get(peer, 0.0):
            return ()
        self._looked_up.pop(peer, None)
        self._looked_up[peer] = now + LOOK_UP_EVERY
        if len(self._looked_up) > MAX_LOOKED_UP:
            del self._looked_up[next(iter(self._looked_up))]
        try:
            found = await self._dht.request(actors.FindPeer(peer=peer), actors.PeerAddresses)
        except (RequestRejectedError, ActorError) as error:
            log.debug("%s is not in the DHT: %s", peer, error)
            return ()
        return found.addresses
