"""Who is called how, where it listens and what its clock says: told once after connecting, and after changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import trio
from google.protobuf.message import DecodeError

from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import multiaddrs, names, own_addresses
from p2pchat.node.protocol.clocks import Clocks
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.own_addresses import Scope
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

HELLO_PROTOCOL = "/p2pchat/hello/1.0.0"
HELLO_LIMIT = 8 * 1024  # bytes; a mailbox record has the better part of it
HELLO_TIMEOUT = 10.0  # seconds for both directions
RESET_TIMEOUT = 0.2  # seconds to give a stream up
HELLO_RATE = 0.1  # greetings a second from one peer ...
HELLO_BURST = 5  # ... and at once; more are refused, or names could flood the screen


@dataclass(slots=True)
class Greeting:
    """What a connected peer has said."""

    name: str
    agent: str
    record: wire.MailboxRecord | None
    allowance: TokenBucket


@dataclass(frozen=True, slots=True)
class Heard:
    """A greeting that was taken, and what it changes."""

    peer: str
    hello: wire.Hello
    previous: str | None  # the name before; None: the first greeting
    addresses: list[str]

    @property
    def is_new_name(self) -> bool:
        return self.previous is None or self.previous != self.hello.nick


class Greetings:
    """Tells peers what this node is, and keeps what they have told. `connected` are the peers that may."""

    def __init__(
        self,
        network: Network,
        self_image: SelfImage,
        *,
        agent: str,
        connected: Callable[[str], bool],
        on_heard: Callable[[Heard], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._network = network
        self._self_image = self_image
        self._agent = agent
        self._connected = connected
        self._on_heard = on_heard
        self._now_ms = now_ms
        self._heard: dict[str, Greeting] = {}
        self.clocks = Clocks()
        self.refused = 0

    def of(self, peer: str) -> Greeting | None:
        return self._heard.get(peer)

    def peers(self) -> list[str]:
        """Those that speak p2pchat."""
        return list(self._heard)

    def forget(self, peer: str) -> None:
        self._heard.pop(peer, None)
        self.clocks.forget(peer)

    async def greet(self, peer: str) -> None:
        """Tell our name and hear theirs; a peer that is no p2pchat node does not answer."""
        with trio.move_on_after(HELLO_TIMEOUT):
            try:
                stream = await self._network.open_stream(peer, HELLO_PROTOCOL)
            except StreamError as error:
                log.debug("no greeting from %s: %s", peer, error)
                return
            try:
                await self._exchange(peer, stream)
                await stream.close()
            except (StreamError, DecodeError) as error:
                log.debug("no greeting from %s: %s", peer, error)
                await stream.reset()
            except trio.Cancelled:
                with trio.move_on_after(RESET_TIMEOUT, shield=True):
                    await stream.reset()
                raise

    async def _exchange(self, peer: str, stream: Stream) -> None:
        asked_ms = self._now_ms()
        await stream.write(self._hello(peer))
        hello = wire.Hello.FromString(await stream.read_frame(HELLO_LIMIT))
        if self._take(peer, hello):
            self.clocks.heard(peer, hello.now_ms, asked_ms, self._now_ms())

    async def answer(self, stream: Stream) -> None:
        """Serve the protocol. The other clock is not looked at: how long the frame was under way is not known."""
        with trio.fail_after(HELLO_TIMEOUT):
            hello = wire.Hello.FromString(await stream.read_frame(HELLO_LIMIT))
            self._take(stream.peer, hello)
            await stream.write(self._hello(stream.peer))
            await stream.close()

    def _hello(self, peer: str) -> bytes:
        hello = wire.Hello(
            nick=self._self_image.name,
            agent=self._agent,
            record=self._self_image.record,
            addresses=own_addresses.worth_telling(
                self._network.listen_addresses(), to_loopback=self._is_on_loopback(peer)
            ),
            now_ms=self._now_ms(),
        )
        return frame(hello.SerializeToString())

    def _is_on_loopback(self, peer: str) -> bool:
        return any(
            own_addresses.scope_of(connection.address) is Scope.LOOPBACK
            for connection in self._network.connections()
            if connection.peer == peer
        )

    def _take(self, peer: str, hello: wire.Hello) -> bool:
        if not self._connected(peer):
            return False  # it came and went
        previous, now = self._heard.get(peer), trio.current_time()
        allowance = previous.allowance if previous else TokenBucket(HELLO_RATE, HELLO_BURST, now)
        if not allowance.allows(now) or len(hello.nick) > names.NAME_LIMIT:
            self.refused += 1
            return False
        record = hello.record if hello.HasField("record") else None
        self._heard[peer] = Greeting(hello.nick, hello.agent[:64], record, allowance)
        before = previous.name if previous else None
        self._on_heard(Heard(peer, hello, before, told_addresses(hello)))
        return True


def told_addresses(hello: wire.Hello) -> list[str]:
    """Those that look like addresses; whether anybody is there a dial finds out."""
    told = list(hello.addresses)[: own_addresses.TOLD]
    return [a for a in told if a.startswith("/") and len(a) <= multiaddrs.MAX_LENGTH]
