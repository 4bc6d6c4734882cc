"""One actor's place in the tree: it keeps mailbox, reference and counters while incarnations come and go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from p2pchat.node.errors import ActorCrashedError, ActorStoppedError, UserError
from p2pchat.node.runtime.actor import Actor
from p2pchat.node.runtime.mailbox import Letter, Mailbox
from p2pchat.node.runtime.ref import ActorRef

log = logging.getLogger(__name__)

STOP_GRACE = 1.0  # seconds an actor has to finish its letters and close what it owns


class ActorHungError(Exception):
    """The watchdog gave up on an actor that did not come back from one message."""


@dataclass(frozen=True, slots=True)
class ActorStats:
    """What `/info` and metrics show of one actor."""

    name: str
    state: str
    restarts: int
    drops: int
    queue: int
    handled: int
    stalls: int


class ActorCell:
    """Runs incarnations of one actor, one after the other."""

    def __init__(
        self,
        name: str,
        factory: Callable[[], Actor],
        mailbox_size: int,
        stall_after: float,
        hung_after: float,
    ) -> None:
        self.name = name
        self.stall_after = stall_after
        self.hung_after = hung_after
        self.restarts = 0
        self.stalls = 0
        self.handled = 0
        self.state = "stopped"
        self._factory = factory
        self._mailbox = Mailbox(name, mailbox_size)
        self.ref = ActorRef(name, self._mailbox)
        self._busy_since: float | None = None
        self._busy_with = ""
        self._scope: trio.CancelScope | None = None
        self._hung = False

    @classmethod
    def of(cls, name: str, actor_type: type[Actor], factory: Callable[[], Actor]) -> ActorCell:
        """A cell with the bounds that the actor's class declares."""
        return cls(
            name,
            factory,
            actor_type.mailbox_size,
            actor_type.stall_after,
            actor_type.hung_after,
        )

    def prepare(self) -> None:
        """Called before `run` is scheduled: a stop that comes before its first step must not get lost."""
        self.state = "starting"
        self._mailbox.resume()
        self._hung = False

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """One incarnation: returns when asked to stop, raises when it crashes."""
        in_hand: list[Letter] = []
        try:
            with trio.CancelScope() as self._scope:
                await self._live(in_hand, task_status)
            if self._hung:
                raise ActorHungError(f"{self.name} did not come back from {self._busy_with}")
            if self.state == "starting":
                task_status.started()  # forced to stop before it was up: that is no crash
            # Not empty when the stop was forced.
            _fail(in_hand, ActorStoppedError(f"{self.name} was stopped"))
            self.state = "stopped"
        except BaseException as error:
            self.state = "restarting"
            # A plain sentence for the asker where there is one; a bug's details go to the log.
            cause = root_cause(error)
            plain = cause if isinstance(cause, UserError) else None
            crashed = ActorCrashedError(f"{self.name} crashed on {self._busy_with}")
            _fail(in_hand, plain or crashed)
            raise
        finally:
            self._idle()
            self._scope = None

    async def _live(self, in_hand: list[Letter], task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as tasks:
            actor = self._factory()
            actor.bind(tasks)
            self._busy("starting")
            await actor.started()
            self._idle()
            self.state = "running"
            task_status.started()
            while letters := await self._mailbox.take(actor.at_most):
                in_hand[:] = letters
                self._busy(type(letters[0].message).__name__)
                await actor.receive(letters)
                self.handled += len(letters)
                in_hand.clear()
                self._idle()
            self._busy("stopping")
            await actor.stopping()
            tasks.cancel_scope.cancel()

    async def stop(self, finished: trio.Event, *, final: bool) -> None:
        """Ask the running incarnation to end, then make it end after `STOP_GRACE`.

        `final` handles the letters that wait and refuses new ones; otherwise they wait for the next
        incarnation.
        """
        if final:
            self._mailbox.close()
        else:
            self._mailbox.pause()
        with trio.move_on_after(STOP_GRACE):
            await finished.wait()
        if not finished.is_set() and self._scope is not None:
            log.warning("%s did not stop in %g s (%s)", self.name, STOP_GRACE, self._busy_with)
            self._scope.cancel()
            await finished.wait()
        if final:
            self._mailbox.reject_rest()
        self.state = "stopped" if final else "restarting"

    def retire(self) -> None:
        """Nothing will run here any more: nobody shall wait for a reply."""
        self._mailbox.close()
        self._mailbox.reject_rest()
        self.state = "stopped"

    def give_up(self) -> None:
        """End an incarnation that hangs, as a crash."""
        if self._scope is not None:
            self._hung = True
            self._scope.cancel()

    @property
    def busy_with(self) -> str:
        return self._busy_with

    def busy_for(self, now: float) -> float:
        """Seconds on the message in hand; 0 when idle."""
        return 0.0 if self._busy_since is None else now - self._busy_since

    @property
    def busy_since(self) -> float | None:
        return self._busy_since

    def stats(self) -> ActorStats:
        return ActorStats(
            self.name,
            self.state,
            self.restarts,
            self.ref.drops,
            len(self._mailbox),
            self.handled,
            self.stalls,
        )

    def cells(self) -> Sequence[ActorCell]:
        return (self,)

    def _busy(self, what: str) -> None:
        self._busy_since, self._busy_with = trio.current_time(), what

    def _idle(self) -> None:
        self._busy_since = None


def root_cause(error: BaseException) -> BaseException:
    """The first plain exception inside nested exception groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fail(letters: Sequence[Letter], error: Exception) -> None:
    for letter in letters:
        if letter.slot is not None:
            letter.slot.fail(error)
