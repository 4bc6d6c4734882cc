"""What came instead of a reply, as a `Rejected` with a sentence for the user."""

from __future__ import annotations

from typing import cast

from p2pchat.node.errors import (
    ActorCrashedError,
    ActorStoppedError,
    AskTimeoutError,
    FileError,
    P2pchatError,
    RequestRejectedError,
    StoreError,
)
from p2pchat.proto import actors_pb2 as actors


def rejection_of(error: P2pchatError) -> actors.Rejected:
    match error:
        case RequestRejectedError():
            reason, detail = cast("actors.Reason", error.reason), error.detail
        case StoreError() | FileError():
            reason, detail = actors.STORE_FAILED, str(error)
        case ActorStoppedError():
            reason, detail = actors.UNAVAILABLE, "The program is stopping."
        case ActorCrashedError():
            reason = actors.UNAVAILABLE
            detail = "That part of the program had a fault and is being restarted; try again."
        case AskTimeoutError():
            reason = actors.UNAVAILABLE
            detail = "That part of the program did not answer in time; try again."
        case _:
            reason, detail = actors.UNAVAILABLE, str(error)
    return actors.Rejected(reason=reason, detail=detail)
