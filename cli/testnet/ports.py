"""What the driver needs of the place where the network runs.

There are two: processes of this computer (`local_place`), and the containers of a compose project (`docker_place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from p2pchat.cli.testnet.vocabulary import Fault, Kind, Member, Vitals
from p2pchat.node.errors import P2pchatError

if TYPE_CHECKING:
    import grpc


class PlaceError(P2pchatError):
    """The place cannot do what it was asked; the message is a sentence. It ends the run."""


class Place(Protocol):
    """Its members run from the moment it is opened, and what it has started is gone when it is closed.

    Every method may be called by several tasks at a time, for different members. What takes time is asynchronous, and
    has its own bound: it raises `PlaceError` then, and when the machine does not play along.
    """

    @property
    def members(self) -> Sequence[Member]:
        """The same all the time, also of those that do not run at the moment."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """The faults that it can do."""

    @property
    def left_out(self) -> Sequence[str]:
        """For each fault that it could do elsewhere, a sentence why not here."""

    async def begin(self, fault: Fault) -> None:
        """Do it. Two faults of one member never overlap, but for a partition."""

    async def end(self, fault: Fault) -> None:
        """Take it back: returns when its members run again, and answer on their control API."""

    async def heal(self) -> None:
        """Whatever was done is taken back, and every member runs and answers."""

    def ended_unasked(self) -> Sequence[str]:
        """For each time that a member ended though no fault wanted it, a sentence; since the opening.

        Such a member is started again by `end` or `heal`, whatever comes first.
        """

    def channel(self, name: str) -> grpc.Channel | None:
        """A new way to the member's control API, which the caller closes; None: it offers none to us.

        A channel outlives restarts of the member, as gRPC's do. Credentials and tokens are inside. It is also given
        while the member does not run.
        """

    async def mailbox_links(self, uses: int) -> Sequence[str]:
        """For each mailbox a `p2pchat:` link with an invite that is good for at least so many registrations."""

    async def vitals(self, name: str) -> Vitals:
        """What it takes at the moment; everything None when it does not run."""
