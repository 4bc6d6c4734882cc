"""The few kinds of error that cross a boundary of the program, and how they come out of a nursery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class P2pchatError(Exception):
    """Base of every error that p2pchat raises on purpose."""


class UserError(P2pchatError):
    """Something the user can mend; the message is a full sentence and is shown as it is.

    The program ends with exit code 2 when one of these keeps it from starting.
    """


class ConfigError(UserError):
    """An option, environment variable or configuration file has an unusable value."""


class IdentityError(UserError):
    """The identity file cannot be read, written or understood."""


class StoreError(UserError):
    """The message store cannot be opened, read or written."""


class StoreInUseError(StoreError):
    """Another process has the store open."""


class StoreTooNewError(StoreError):
    """The store was written by a newer version of the program."""


class FileError(UserError):
    """A file that is sent or taken cannot be read or written."""


class FileChangedError(FileError):
    """It is not the file that was offered any more."""


class FileDamagedError(FileError):
    """What is there of a file that is being taken is less than was noted."""


class SearchUnavailableError(P2pchatError):
    """This Python cannot search, whatever is done; the message is a full sentence."""


class ListenError(UserError):
    """No listen address could be used."""


class NetworkError(P2pchatError):
    """A network operation failed; expected, and never the end of the node."""


class DialError(NetworkError):
    """None of a peer's addresses led to that peer."""


class StreamError(NetworkError):
    """A stream ended, was reset, or carried a frame that breaks the rules."""


class PublishError(NetworkError):
    """Gossip refused a message, for example because it is too large."""


class NetworkDownError(PublishError):
    """The network does not run: it has crashed or is being restarted."""


class ActorError(P2pchatError):
    """Base of what a message to an actor can come back with instead of its reply."""


class ActorStoppedError(ActorError):
    """The actor has stopped for good."""


class ActorCrashedError(ActorError):
    """The actor crashed while it handled the message; the message is lost."""


class AskTimeoutError(ActorError):
    """No reply came within the deadline."""


class RequestRejectedError(P2pchatError):
    """The actor answered `Rejected`. `reason` is a value of `actors_pb2.Reason`."""

    def __init__(self, reason: int, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@contextmanager
def one_error() -> Iterator[None]:
    """Nurseries wrap errors in groups: a group of nothing but expected errors comes out as the first of them."""
    try:
        yield
    except BaseExceptionGroup as group:
        expected, others = group.split(P2pchatError)
        if expected is None or others is not None:
            raise
        first: BaseException = expected
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from group
